// Writes the example file of the tests for programs in other languages: write_example PATH ROWS.
#include <cstdlib>

#include "core/files/file_lock.h"
#include "tests/results/example_file.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const core::FileLock lock(argv[1]);
  results::write(lock.path(), results::example_file(std::strtoul(argv[2], nullptr, 10)));
}

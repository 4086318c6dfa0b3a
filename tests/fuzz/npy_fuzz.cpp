// NPY files: read or refused in one line, never more memory than granted.
#include <stdexcept>

#include "core/formats/npy.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string path = fuzz::input_file(data, size, ".npy");
  try {
    core::read_npy(path, fuzz::kByteLimit);
  } catch (const std::runtime_error&) {
  }
  return 0;
}

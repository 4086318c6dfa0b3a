// IDX files, plain and compressed: read or refused in one line, never more memory than granted.
#include <stdexcept>

#include "core/formats/idx.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string path = fuzz::input_file(data, size, "-ubyte");
  try {
    core::read_idx(path, fuzz::kByteLimit);
  } catch (const std::runtime_error&) {
  }
  return 0;
}

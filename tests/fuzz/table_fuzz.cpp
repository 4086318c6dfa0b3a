// Tables of numbers: read or refused in one line, never more memory than granted.
#include "core/formats/number_table.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse(data, size, "", [](const std::string& path) {
    core::FileReader reader(path);
    core::read_number_table(reader, fuzz::kByteLimit);
  });
}

// Safetensors: read or refused in one line, never more memory than granted; what was read is written and read again.
#include <cstdlib>

#include "core/formats/safetensors.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse(data, size, "", [](const std::string& path) {
    const core::Safetensors file = core::read_safetensors(path, fuzz::kByteLimit);
    const core::Bytes bytes = core::safetensors_bytes(file);
    fuzz::input_file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "");
    if (core::safetensors_bytes(core::read_safetensors(path, fuzz::kByteLimit)) != bytes) std::abort();
  });
}

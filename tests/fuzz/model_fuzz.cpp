// Model files: a network or a line that says what is wrong.
#include <stdexcept>

#include "ham/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    ham::parse_model({reinterpret_cast<const char*>(data), size}, "model.toml");
  } catch (const std::invalid_argument&) {
  }
  return 0;
}

// Networks as TOML: a network whose sizes are sound, or one line that says what is wrong.
#include <cstdlib>
#include <stdexcept>

#include "ham/network/model_file.h"

namespace {

void require(bool kept) {
  if (!kept) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const ham::Model model = ham::parse_model(text, "model.toml");
    long parameters = 0;
    for (const ham::Parameter& parameter : model.network.parameters()) {
      require(parameter.offset == parameters && parameter.size() > 0);
      parameters += parameter.size();
    }
    require(parameters == model.network.num_parameters() && !model.network.layers().empty());
  } catch (const std::invalid_argument& error) {
    require(std::string_view(error.what()).starts_with("model.toml: "));
  }
  return 0;
}

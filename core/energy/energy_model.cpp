#include "core/energy/energy_model.h"

#include <stdexcept>
#include <vector>

#include "core/numbers.h"

namespace core {
namespace {

constexpr std::string_view kForms =
    "hopfield, dense:N, rectified:N, exponential:LAMBDA, modern:LAMBDA or SIMILARITY/SEPARATION/SHAPING";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::string EnergyModel::text() const {
  const std::string number = number_text(separation.parameter);
  if (similarity == Similarity::dot && shaping == Shaping{}) {
    if (separation == Separation{SeparationKind::power, 2}) return "hopfield";
    if (separation.kind == SeparationKind::power) return "dense:" + number;
    if (separation.kind == SeparationKind::relu_power) return "rectified:" + number;
    if (separation.kind == SeparationKind::exponential) return "exponential:" + number;
  }
  if (similarity == Similarity::dot && shaping == Shaping{ShapingKind::log} &&
      separation.kind == SeparationKind::exponential)
    return "modern:" + number;
  return core::text(similarity) + "/" + separation.text() + "/" + shaping.text();
}

EnergyModel EnergyModel::parse(std::string_view text) {
  if (text == "hopfield") return {};
  const auto layers = split(text, '/');
  if (layers.size() == 3) return {parse_similarity(layers[0]), Separation::parse(layers[1]), Shaping::parse(layers[2])};

  const auto colon = text.find(':');
  if (colon != std::string_view::npos && layers.size() == 1) {
    const std::string number(text.substr(colon + 1));
    const std::string_view name = text.substr(0, colon);
    if (name == "dense") return {Similarity::dot, Separation::parse("power:" + number), {}};
    if (name == "rectified") return {Similarity::dot, Separation::parse("relu-power:" + number), {}};
    if (name == "exponential") return {Similarity::dot, Separation::parse("exp:" + number), {}};
    if (name == "modern") return {Similarity::dot, Separation::parse("exp:" + number), {ShapingKind::log}};
  }
  throw std::invalid_argument("model '" + std::string(text) + "' is not one of " + std::string(kForms));
}

std::string EnergyModel::degenerate() const {
  const bool odd = separation.degree() % 2 != 0;
  const bool even = (separation.kind == SeparationKind::power && !odd) || separation.kind == SeparationKind::log_cosh;
  if (similarity == Similarity::euclidean && even)
    return "an even function of -|sigma-xi|^2 rewards the farthest pattern";
  if (similarity == Similarity::euclidean && separation.kind == SeparationKind::relu_power)
    return "a rectified power of -|sigma-xi|^2 is 0 everywhere";
  const bool signed_sum = separation.kind == SeparationKind::power && (odd || similarity == Similarity::euclidean);
  if (shaping.needs_positive() && signed_sum)
    return "log and power shaping need a positive sum, and an odd power can make it 0 or negative";
  return {};
}

}  // namespace core

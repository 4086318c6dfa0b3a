#include "analysis/tables/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.h"

namespace analysis {
namespace {

constexpr double kPlainLimit = 1e7;  // from here on numbers carry a power of ten

/// A number that is not measured: four significant digits.
std::string number_text(double value) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  if (std::abs(value) >= kPlainLimit || (value != 0 && std::abs(value) < 1e-4)) return fmt::format("{:.3e}", value);
  const int digits = value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(value))));
  std::string text = fmt::format("{:.{}f}", value, std::max(0, 3 - digits));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

}  // namespace

Rounded rounded(const Estimate& estimate) {
  const double up = estimate.high - estimate.value, down = estimate.value - estimate.low;
  const double half = std::max(up, down);
  Rounded result;
  if (std::abs(estimate.value) >= kPlainLimit)
    result.exponent = static_cast<int>(std::floor(std::log10(estimate.value)));
  const double scale = std::pow(10., result.exponent);
  const int place = half > 0 ? static_cast<int>(std::floor(std::log10(half / scale))) - 1 : -2;
  const double unit = std::pow(10., place);
  const auto text = [&](double number) {
    return fmt::format("{:.{}f}", std::round(number / scale / unit) * unit, std::max(0, -place));
  };
  result.symmetric = up <= 1.25 * down && down <= 1.25 * up;
  result.value = text(estimate.value);
  result.up = text(result.symmetric ? half : up);
  result.down = text(result.symmetric ? half : down);
  return result;
}

std::string estimate_text(const Estimate& estimate) {
  switch (estimate.bound) {
    case Bound::lower:
      return "> " + number_text(std::isfinite(estimate.low) ? estimate.low : estimate.value);
    case Bound::upper:
      return "< " + number_text(std::isfinite(estimate.high) ? estimate.high : estimate.value);
    case Bound::unfinished:
      return number_text(estimate.low) + " … " + number_text(estimate.high) + " (budget)";
    case Bound::none:
      break;
  }
  if (!std::isfinite(estimate.low) || !std::isfinite(estimate.high)) return number_text(estimate.value);
  const Rounded number = rounded(estimate);
  std::string text =
      number.symmetric ? number.value + " ± " + number.up : number.value + " +" + number.up + " −" + number.down;
  if (number.exponent != 0) text = fmt::format("({})e{}", text, number.exponent);
  return text;
}

std::string cell_text(const Cell& cell) {
  return std::visit(Overloaded{[](const std::string& words) { return core::shown(words); },
                               [](std::int64_t count) { return std::to_string(count); },
                               [](double number) { return number_text(number); },
                               [](const Estimate& estimate) { return estimate_text(estimate); }},
                    cell);
}

bool is_words(const Cell& cell) { return std::holds_alternative<std::string>(cell); }

std::string escaped(std::string_view text, std::span<const std::pair<char, const char*>> replacements) {
  std::string result;
  for (const char c : text) {
    const auto found =
        std::find_if(replacements.begin(), replacements.end(), [c](const auto& r) { return r.first == c; });
    if (found == replacements.end())
      result += c;
    else
      result += found->second;
  }
  return result;
}

std::string html_escaped(std::string_view text) {
  constexpr std::array<std::pair<char, const char*>, 5> kEscapes{
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};
  return escaped(text, kEscapes);
}

}  // namespace analysis

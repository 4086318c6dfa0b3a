#include "core/numbers.h"

#include <charconv>
#include <cmath>
#include <stdexcept>

namespace core {

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

double parse_double(std::string_view text, std::string_view what) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw std::invalid_argument(std::string(what) + " '" + std::string(text) + "' is not a number");
  return value;
}

std::int64_t parse_integer(std::string_view text, std::string_view what) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: every integer up to here is a double
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  if (text.find_first_of("eE") != std::string_view::npos) {
    const double real = parse_double(text, what);
    if (std::abs(real) <= kExact && real == std::floor(real)) return static_cast<std::int64_t>(real);
  }
  throw std::invalid_argument(std::string(what) + " '" + std::string(text) + "' is not an integer");
}

}  // namespace core

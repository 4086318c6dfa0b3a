#include "experiments/command_line/grid.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/numbers.h"
#include "experiments/command_line/cli.h"

namespace experiments {
namespace {

constexpr std::size_t kLongestGrid = 100000;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t at = text.find(separator, from);
    parts.push_back(text.substr(from, at - from));
    if (at == std::string_view::npos) return parts;
    from = at + 1;
  }
}

std::int64_t integer(std::string_view text, std::string_view option) {
  try {
    return core::parse_integer(text, fmt::format("--{}:", option));
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("{}; a grid is 64,128 or 32:256:x2 or 16:64:+16", error.what()));
  }
}

/// `from:to:xR` or `from:to:+S`, both ends included when they are met.
void append_range(std::string_view text, std::string_view option, std::vector<std::int64_t>& grid) {
  const auto parts = split(text, ':');
  if (parts.size() != 3 || parts[2].size() < 2 || (parts[2][0] != 'x' && parts[2][0] != '+'))
    throw UsageError(fmt::format("--{}: '{}' is not a range FROM:TO:xFACTOR or FROM:TO:+STEP", option, text));
  const std::int64_t from = integer(parts[0], option), to = integer(parts[1], option);
  if (from > to)
    throw UsageError(fmt::format("--{}: range '{}' is reversed; write the smaller end first", option, text));
  const bool geometric = parts[2][0] == 'x';
  double factor = 0;
  std::int64_t step = 0;
  if (geometric) {
    try {
      factor = core::parse_double(parts[2].substr(1), "factor");
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--{}: {}", option, error.what()));
    }
  } else {
    step = integer(parts[2].substr(1), option);
  }
  constexpr double kLeastFactor = 1.0001;  // a smaller one takes ages from one integer to the next
  if ((geometric && !(factor >= kLeastFactor && from >= 1)) || (!geometric && step < 1))
    throw UsageError(
        fmt::format("--{}: range '{}' needs a factor from {} on and a begin from 1 on, or a step of at least 1", option,
                    text, kLeastFactor));
  double real = static_cast<double>(from);
  for (std::int64_t value = from; value <= to;) {
    grid.push_back(value);
    if (grid.size() > kLongestGrid)
      throw UsageError(fmt::format("--{}: '{}' has more than {} values", option, text, kLongestGrid));
    if (geometric) {
      // Compared as real numbers: the next value may lie beyond every integer.
      do real *= factor;
      while (std::floor(real + 0.5) <= static_cast<double>(value));
      const double next = std::floor(real + 0.5);
      if (next > static_cast<double>(to) || next >= 0x1p63) return;
      value = static_cast<std::int64_t>(next);
    } else {
      if (step > to - value) return;
      value += step;
    }
  }
}

}  // namespace

std::vector<std::string> parse_list(std::string_view text, std::string_view option) {
  std::vector<std::string> items;
  for (const std::string_view item : split(text, ',')) {
    if (item.empty()) throw UsageError(fmt::format("--{}: '{}' has an empty item", option, text));
    items.emplace_back(item);
  }
  return items;
}

std::vector<std::int64_t> parse_integer_grid(std::string_view text, std::string_view option, std::int64_t lowest) {
  std::vector<std::int64_t> grid;
  for (const std::string& item : parse_list(text, option)) {
    if (item.find(':') == std::string::npos)
      grid.push_back(integer(item, option));
    else
      append_range(item, option, grid);
  }
  if (grid.front() < lowest)
    throw UsageError(fmt::format("--{}: {} is below the smallest value, {}", option, grid.front(), lowest));
  const auto wrong = std::adjacent_find(grid.begin(), grid.end(), [](auto a, auto b) { return a >= b; });
  if (wrong != grid.end())
    throw UsageError(
        fmt::format("--{}: '{}' is not increasing: {} is followed by {}", option, text, wrong[0], wrong[1]));
  return grid;
}

std::vector<double> parse_probability_grid(std::string_view text, std::string_view option) {
  std::vector<double> grid;
  for (const std::string& item : parse_list(text, option)) {
    try {
      grid.push_back(core::parse_double(item, fmt::format("--{}:", option)));
    } catch (const std::invalid_argument& error) {
      throw UsageError(error.what());
    }
    if (!(grid.back() > 0 && grid.back() <= 1))
      throw UsageError(fmt::format("--{}: {} is outside (0, 1]", option, item));
  }
  return grid;
}

double parse_number(std::string_view text, std::string_view option, double lowest) {
  try {
    const double value = core::parse_double(text, fmt::format("--{}:", option));
    if (value >= lowest) return value;
    throw UsageError(fmt::format("--{}: {} is below {}", option, text, core::number_text(lowest)));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace experiments

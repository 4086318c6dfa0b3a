// Grids typed by people: `64,128`, `32:256:x2`, `16:64:+16`, and any comma-separated mixture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace experiments {

/// The integers a grid text names, strictly increasing; throws UsageError naming `option` for an empty, reversed,
/// repeating or endless grid and for values below `lowest`.
std::vector<std::int64_t> parse_integer_grid(std::string_view text, std::string_view option, std::int64_t lowest);

/// The reals a grid text names, in the order given; throws UsageError naming `option` for values outside (0, 1].
std::vector<double> parse_probability_grid(std::string_view text, std::string_view option);

/// Splits a comma-separated list; empty items are an error naming `option`.
std::vector<std::string> parse_list(std::string_view text, std::string_view option);

/// One number; throws UsageError naming `option` when it is none or below `lowest`.
double parse_number(std::string_view text, std::string_view option, double lowest);

}  // namespace experiments

// Numbers as text, both ways, for everything that is typed by a person or compared as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace core {

/// The shortest decimal text that reads back as the same double.
std::string number_text(double value);

/// Reads a whole finite decimal number; throws std::invalid_argument "WHAT 'TEXT' is not a number".
double parse_double(std::string_view text, std::string_view what);

/// Reads a whole decimal integer, also written as 1e6; throws std::invalid_argument naming `what`.
std::int64_t parse_integer(std::string_view text, std::string_view what);

}  // namespace core

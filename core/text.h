// Text that others wrote, on its way into a line of ours.
#pragma once

#include <string>
#include <string_view>

namespace core {

/// The text with every control character written out, as \n, \t or \x1b, so that it can neither begin a line of its own
/// nor move a terminal's cursor. UTF-8 stays as it is, its two-byte control characters U+0080 … U+009F excepted.
std::string shown(std::string_view text);

/// The text as a JSON string, quotes included.
std::string json_quoted(std::string_view text);

/// Throws std::invalid_argument "WHAT 'TEXT' holds a control character" if it does: names become part of lines.
void require_printable(std::string_view text, std::string_view what);

}  // namespace core

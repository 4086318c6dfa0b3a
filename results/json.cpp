#include "results/json.h"

#include <cmath>

#include "core/numbers.h"

namespace results {

std::string json_value(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += {'\\', c};
    else if (c == '\n')
      quoted += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
    else
      quoted += c;
  }
  return quoted + '"';
}

std::string json_value(double value) { return std::isfinite(value) ? core::number_text(value) : "null"; }

}  // namespace results

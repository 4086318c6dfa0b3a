#include "results/json.h"

#include <cmath>

#include "core/numbers.h"
#include "core/text.h"

namespace results {

std::string json_value(const std::string& text) { return core::json_quoted(text); }
std::string json_value(double value) { return std::isfinite(value) ? core::number_text(value) : "null"; }

}  // namespace results

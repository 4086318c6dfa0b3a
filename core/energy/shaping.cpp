#include "core/energy/shaping.h"

#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace core {

double Shaping::value(double z) const {
  switch (kind) {
    case ShapingKind::linear:
      return scale * z;
    case ShapingKind::log:
      return scale * std::log(z);
    case ShapingKind::power:
      return scale * std::pow(z + offset, exponent);
  }
  throw std::logic_error("shaping");
}

double Shaping::derivative(double z) const {
  switch (kind) {
    case ShapingKind::linear:
      return scale;
    case ShapingKind::log:
      return scale / z;
    case ShapingKind::power:
      return scale * exponent * std::pow(z + offset, exponent - 1);
  }
  throw std::logic_error("shaping");
}

double Shaping::second_derivative(double z) const {
  switch (kind) {
    case ShapingKind::linear:
      return 0;
    case ShapingKind::log:
      return -scale / (z * z);
    case ShapingKind::power:
      return scale * exponent * (exponent - 1) * std::pow(z + offset, exponent - 2);
  }
  throw std::logic_error("shaping");
}

std::string Shaping::text() const {
  switch (kind) {
    case ShapingKind::linear:
      return "linear";
    case ShapingKind::log:
      return "log";
    case ShapingKind::power:
      return "power:" + number_text(exponent);
  }
  throw std::logic_error("shaping");
}

Shaping Shaping::parse(std::string_view text) {
  if (text == "linear") return {};
  if (text == "log") return {ShapingKind::log};
  if (text.starts_with("power:")) {
    const double exponent = parse_double(text.substr(6), "exponent of shaping '" + std::string(text) + "'");
    if (exponent > 0) return {ShapingKind::power, exponent};
    throw std::invalid_argument("shaping '" + std::string(text) + "': the exponent is a number above 0");
  }
  throw std::invalid_argument("shaping '" + std::string(text) + "' is not one of linear, log, power:P");
}

}  // namespace core

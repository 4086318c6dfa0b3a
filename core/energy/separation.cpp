#include "core/energy/separation.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace core {
namespace {

struct Name {
  std::string_view text;
  SeparationKind kind;
};
constexpr Name kNames[] = {{"power", SeparationKind::power},
                           {"relu-power", SeparationKind::relu_power},
                           {"exp", SeparationKind::exponential},
                           {"log-cosh", SeparationKind::log_cosh},
                           {"softplus", SeparationKind::softplus}};

double whole_power(double x, double exponent) { return exponent == 0 ? 1.0 : std::pow(x, exponent); }

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

}  // namespace

double Separation::value(double x) const {
  const double p = parameter;
  switch (kind) {
    case SeparationKind::power:
      return whole_power(x, p) / p;
    case SeparationKind::relu_power:
      return x > 0 ? whole_power(x, p) / p : 0;
    case SeparationKind::exponential:
      return std::exp(p * x);
    case SeparationKind::log_cosh:
      return (std::abs(p * x) + std::log1p(std::exp(-2 * std::abs(p * x))) - std::log(2.0)) / p;
    case SeparationKind::softplus:
      return (std::max(p * x, 0.0) + std::log1p(std::exp(-std::abs(p * x)))) / p;
  }
  throw std::logic_error("separation");
}

double Separation::derivative(double x) const {
  const double p = parameter;
  switch (kind) {
    case SeparationKind::power:
      return whole_power(x, p - 1);
    case SeparationKind::relu_power:
      return x > 0 ? whole_power(x, p - 1) : 0;
    case SeparationKind::exponential:
      return p * std::exp(p * x);
    case SeparationKind::log_cosh:
      return std::tanh(p * x);
    case SeparationKind::softplus:
      return sigmoid(p * x);
  }
  throw std::logic_error("separation");
}

double Separation::second_derivative(double x) const {
  const double p = parameter;
  switch (kind) {
    case SeparationKind::power:
      return p == 1 ? 0 : (p - 1) * whole_power(x, p - 2);
    case SeparationKind::relu_power:
      return x > 0 && p != 1 ? (p - 1) * whole_power(x, p - 2) : 0;
    case SeparationKind::exponential:
      return p * p * std::exp(p * x);
    case SeparationKind::log_cosh:
      return p * (1 - std::tanh(p * x)) * (1 + std::tanh(p * x));
    case SeparationKind::softplus:
      return p * sigmoid(p * x) * sigmoid(-p * x);
  }
  throw std::logic_error("separation");
}

std::string Separation::text() const {
  for (const Name& name : kNames)
    if (name.kind == kind) return std::string(name.text) + ":" + number_text(parameter);
  throw std::logic_error("separation");
}

Separation Separation::parse(std::string_view text) {
  const auto colon = text.find(':');
  for (const Name& name : kNames) {
    if (colon == std::string_view::npos || text.substr(0, colon) != name.text) continue;
    const std::string what = "parameter of separation '" + std::string(text) + "'";
    const Separation separation{name.kind, parse_double(text.substr(colon + 1), what)};
    const bool whole = separation.parameter == std::floor(separation.parameter);
    if (separation.integer_valued() && (!whole || separation.parameter < 2 || separation.parameter > 1000))
      throw std::invalid_argument("separation '" + std::string(text) + "': the degree is an integer from 2 to 1000");
    if (!separation.integer_valued() && separation.parameter <= 0)
      throw std::invalid_argument("separation '" + std::string(text) + "': the parameter is a number above 0");
    return separation;
  }
  throw std::invalid_argument("separation '" + std::string(text) +
                              "' is not one of power:N, relu-power:N, exp:LAMBDA, log-cosh:BETA, softplus:BETA");
}

}  // namespace core

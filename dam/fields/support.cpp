#include "dam/fields/support.h"

#include <algorithm>
#include <boost/multiprecision/cpp_bin_float.hpp>
#include <cmath>
#include <functional>
#include <limits>

namespace dam {
namespace {

using boost::multiprecision::cpp_int;
using boost::multiprecision::digit_base_10;
/// 50 digits, and exponents of 64 bits: e^{λN} of any λN that can be told from λN ± 1.
using Real = boost::multiprecision::number<boost::multiprecision::cpp_bin_float<50, digit_base_10, void, std::int64_t>,
                                           boost::multiprecision::et_off>;
using core::SeparationKind;

ExactWeight exact(const cpp_int& integer) { return {integer, 0}; }

/// Rounded to 53 bits.
ExactWeight exact(const Real& real) {
  if (real == 0) return {};
  const std::int64_t exponent = ilogb(real) + 1;
  const Real fraction = scalbn(real, -exponent);
  return {cpp_int(static_cast<std::int64_t>(ldexp(fraction, 53).convert_to<double>())), exponent - 53};
}

/// F and f of an overlap m, any integer.
template <typename Number>
struct Functions {
  std::function<Number(int)> value;
  std::function<Number(int)> derivative;
};

/// Powers in units that make them integers: x = m, and x = m − N for −‖σ−ξ‖² = 2(m − N); n F and f/x'.
Functions<cpp_int> integer_functions(const core::EnergyModel& model, int num_neurons) {
  const bool rectified = model.separation.kind == SeparationKind::relu_power;
  const int shift = model.similarity == core::Similarity::euclidean ? num_neurons : 0;
  const auto power = [=](int overlap, int exponent) {
    const int x = overlap - shift;
    if (rectified && x <= 0) return cpp_int(0);
    return cpp_int(pow(cpp_int(x), static_cast<unsigned>(exponent)));
  };
  const int degree = model.separation.degree();
  return {[=](int m) { return power(m, degree); }, [=](int m) { return power(m, degree - 1); }};
}

Functions<Real> real_functions(const core::EnergyModel& model, int num_neurons) {
  require_representable(model, num_neurons);
  const Real parameter = model.separation.parameter;
  const auto scaled = [=](int overlap) -> Real {
    switch (model.similarity) {
      case core::Similarity::dot:
        return parameter * overlap;
      case core::Similarity::cosine:
        return parameter * overlap / num_neurons;
      case core::Similarity::euclidean:
        return parameter * 2 * (overlap - num_neurons);
    }
    throw std::logic_error("similarity");
  };
  const auto exponential = [=](int m) -> Real { return exp(scaled(m)); };
  switch (model.separation.kind) {
    case SeparationKind::exponential:
      return {exponential, exponential};
    case SeparationKind::log_cosh:
      return {[=](int m) -> Real { return abs(scaled(m)) + log1p(exp(-2 * abs(scaled(m)))); },
              [=](int m) -> Real { return tanh(scaled(m)); }};
    case SeparationKind::softplus:
      return {[=](int m) -> Real { return (scaled(m) > 0 ? scaled(m) : Real(0)) + log1p(exp(-abs(scaled(m)))); },
              [=](int m) -> Real { return 1 / (1 + exp(-scaled(m))); }};
    default:
      throw std::logic_error("a power is not real");
  }
}

template <typename Number>
ExactSum stay_weights(const Functions<Number>& function, UpdateRule rule, SelfCoupling self_coupling, int num_neurons,
                      const core::StopToken& stop) {
  const auto& [F, f] = function;
  const int self = self_coupling == SelfCoupling::removed ? 1 : 0;
  std::vector<ExactWeight> agree, disagree;
  for (int a = 0; a <= num_neurons; ++a) {
    stop.check();
    const int m = 2 * a - num_neurons;
    const bool derivative = rule == UpdateRule::derivative;
    agree.push_back(exact(Number(derivative ? f(m - self) : Number(F(m) - F(m - 2)))));
    disagree.push_back(exact(Number(derivative ? Number(-f(m + self)) : Number(F(m) - F(m + 2)))));
  }
  agree.insert(agree.end(), disagree.begin(), disagree.end());
  return ExactSum(std::move(agree));
}

template <typename Number>
ExactSum separation_weights(const Functions<Number>& function, int num_neurons, const core::StopToken& stop) {
  std::vector<ExactWeight> weights;
  for (int a = 0; a <= num_neurons; ++a) {
    stop.check();
    weights.push_back(exact(function.value(2 * a - num_neurons)));
  }
  return ExactSum(std::move(weights));
}

/// x → x² and x → eˣ have F(m) − F(m−2) = c·f(m−1) with a constant c > 0: there both rules are one.
bool rules_coincide(const core::Separation& separation) {
  return separation == core::Separation{SeparationKind::power, 2} || separation.kind == SeparationKind::exponential;
}

std::int64_t binary_exponent(const ExactWeight& weight) {
  return weight.exponent + static_cast<std::int64_t>(msb(abs(weight.mantissa)));
}

/// weight / 2^scale to within 2⁻⁵² relative, or 2⁻¹⁰⁷⁴ where it underflows.
double scaled_real(const ExactWeight& weight, std::int64_t scale) {
  if (weight.mantissa == 0) return 0;
  const cpp_int magnitude = abs(weight.mantissa);
  const auto bits = static_cast<std::int64_t>(msb(magnitude));
  const std::int64_t dropped = std::max<std::int64_t>(0, bits - 62);
  const double leading = static_cast<double>(static_cast<std::int64_t>(cpp_int(magnitude >> dropped)));
  const std::int64_t exponent = std::max<std::int64_t>(weight.exponent + dropped - scale, -4000);
  return std::ldexp(weight.mantissa < 0 ? -leading : leading, static_cast<int>(exponent));
}

}  // namespace

ExactSum::ExactSum(std::vector<ExactWeight> weights) : weights_(std::move(weights)) {
  const cpp_int limit = cpp_int(1) << 62;
  const bool integers = std::all_of(weights_.begin(), weights_.end(), [&](const ExactWeight& weight) {
    return weight.exponent == 0 && abs(weight.mantissa) < limit;
  });
  if (integers) {
    for (const ExactWeight& weight : weights_) integers_.push_back(static_cast<std::int64_t>(weight.mantissa));
    return;
  }
  std::int64_t scale = std::numeric_limits<std::int64_t>::min();
  for (const ExactWeight& weight : weights_)
    if (weight.mantissa != 0) scale = std::max(scale, binary_exponent(weight));
  for (const ExactWeight& weight : weights_) reals_.push_back(scaled_real(weight, scale));
}

int ExactSum::sign(std::span<const std::int64_t> counts) const {
  const auto sign_of = [](const auto& number) { return (number > 0) - (number < 0); };
  if (!integers_.empty()) {
    __int128 sum = 0;
    for (std::size_t a = 0; a < integers_.size(); ++a) sum += static_cast<__int128>(counts[a]) * integers_[a];
    return sign_of(sum);
  }
  // Each of the terms and partial sums below is off by at most 2⁻⁵¹ of Σ|terms|: a generous bound on the whole error.
  double sum = 0, magnitude = 0;
  for (std::size_t a = 0; a < reals_.size(); ++a) {
    const double term = static_cast<double>(counts[a]) * reals_[a];
    sum += term;
    magnitude += std::abs(term);
  }
  const double error = std::ldexp(static_cast<double>(reals_.size() + 4), -50) * magnitude + 1e-290;
  if (std::abs(sum) > error) return sign_of(sum);

  // From the largest exponent down, so that no number is ever longer than what can still matter: terms below are less
  // than 2^(their exponent + 60 + 53 + 64) together.
  std::vector<std::size_t> order;
  for (std::size_t a = 0; a < weights_.size(); ++a)
    if (counts[a] != 0 && weights_[a].mantissa != 0) order.push_back(a);
  std::ranges::sort(order, std::greater{}, [&](std::size_t a) { return weights_[a].exponent; });
  constexpr std::int64_t kOutOfReach = 192;
  cpp_int exact_sum = 0;
  std::int64_t unit = order.empty() ? 0 : weights_[order.front()].exponent;
  for (const std::size_t a : order) {
    const std::int64_t gap = unit - weights_[a].exponent;
    if (exact_sum != 0) {
      if (gap > kOutOfReach) break;
      exact_sum <<= gap;
    }
    unit -= gap;
    exact_sum += weights_[a].mantissa * counts[a];
  }
  return sign_of(exact_sum);
}

void require_representable(const core::EnergyModel& model, int num_neurons) {
  constexpr double kLargestArgument = 1e18;  // beyond, doubles and exponents of 64 bits end
  if (model.separation.integer_valued() || model.separation.parameter * 4 * num_neurons <= kLargestArgument) return;
  throw std::invalid_argument("model '" + model.text() + "' at N = " + std::to_string(num_neurons) +
                              ": its parameter times 4N is above 1e18, beyond what can be computed");
}

ExactSum field_weights(const core::EnergyModel& model, UpdateRule rule, int num_neurons) {
  const auto list = [&](const auto& functions) {
    const auto& [F, f] = functions;
    std::vector<ExactWeight> weights;
    for (int m = -num_neurons; m <= num_neurons; ++m) {
      using Number = decltype(f(m));
      weights.push_back(exact(Number(rule == UpdateRule::derivative ? f(m) : Number(F(m + 1) - F(m - 1)))));
    }
    return ExactSum(std::move(weights));
  };
  return model.separation.integer_valued() ? list(integer_functions(model, num_neurons))
                                           : list(real_functions(model, num_neurons));
}

Support::Support(const core::EnergyModel& model, const Dynamics& dynamics, int neurons, const core::StopToken& stop)
    : num_neurons(neurons),
      stay(std::vector<ExactWeight>{}),
      separation(std::vector<ExactWeight>{}),
      energy_may_rise(true) {
  const bool removed = dynamics.self_coupling == SelfCoupling::removed;
  const bool one_rule = rules_coincide(model.separation) && (removed || dynamics.rule == UpdateRule::energy);
  const UpdateRule rule = one_rule ? UpdateRule::derivative : dynamics.rule;
  const SelfCoupling self_coupling = one_rule ? SelfCoupling::removed : dynamics.self_coupling;
  energy_may_rise = dynamics.order == UpdateOrder::synchronous || (rule == UpdateRule::derivative && !one_rule);
  const auto fill = [&](const auto& functions) {
    stay = stay_weights(functions, rule, self_coupling, neurons, stop);
    separation = separation_weights(functions, neurons, stop);
  };
  if (model.separation.integer_valued())
    fill(integer_functions(model, neurons));
  else
    fill(real_functions(model, neurons));
}

std::int64_t support_memory(const core::EnergyModel& model, std::int64_t num_neurons) {
  // Weights of both kinds, of F, and as they are moved and taken apart: measured for powers of 30 to 1000. Integers
  // beyond 128 bits lie apart, in room for up to twice their bits.
  constexpr std::int64_t kWeights = 8;
  const double bits = model.separation.degree() * std::log2(static_cast<double>(num_neurons) + 1);
  const auto apart = bits <= 128 ? std::int64_t{0} : static_cast<std::int64_t>(bits / 4);
  const std::int64_t bytes = kWeights * (num_neurons + 1) * (static_cast<std::int64_t>(sizeof(ExactWeight)) + apart);
  return std::max<std::int64_t>(0, bytes - (std::int64_t{1} << 20));
}

}  // namespace dam

#include "dam/theory/cue_field.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "core/statistics/binomial.h"

namespace dam {
namespace {

using core::SeparationKind;

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr double kSmallest = 1e-290;                   // of the largest weight: below it digits get lost
// e^{2·23.5} > 2·9·10^18: one pattern outweighs all patterns of lower overlap that 64 bits can count, so that a
// steeper exponential decides nothing differently.
constexpr double kSteepest = 23.5;

}  // namespace

CueField::CueField(const core::EnergyModel& model, int num_neurons, UpdateRule rule, SelfCoupling self_coupling)
    : model_(model),
      num_neurons_(num_neurons),
      energy_(rule == UpdateRule::energy),
      kept_(self_coupling == SelfCoupling::kept && !energy_),
      similarity_(core::on_overlap(model.similarity, num_neurons)) {
  if (num_neurons < 2) throw std::invalid_argument("one step of " + std::to_string(num_neurons) + " neurons: N >= 2");
  if (const std::string why = model.degenerate(); !why.empty()) throw std::invalid_argument(model.text() + ": " + why);
  const core::Separation& separation = model.separation;
  if (separation.kind == SeparationKind::exponential)
    exponent_ = std::clamp(separation.parameter * similarity_.slope, -kSteepest, kSteepest);
  if (separation.integer_valued()) {
    const int farthest = num_neurons - (energy_ || kept_ ? 0 : 1);
    scale_ =
        std::max(std::abs(static_cast<double>(argument(farthest))), std::abs(static_cast<double>(argument(-farthest))));
    const double largest_argument = 2.0 * num_neurons + 1;
    integers_ = separation.degree() * std::log2(largest_argument) < 100;
    for (int x = -num_neurons + 1; integers_ && x < num_neurons; x += 2)
      for (const int sign : {-1, 1}) integers_ = std::abs(static_cast<double>(integer(x, sign))) < kExactIntegers / 4;
  }
  const int neighbours = num_neurons - 1;
  const std::vector<double> fair = core::binomial_law(neighbours, 0.5);
  for (int j = 0; j <= neighbours; ++j) {
    const int overlap = neighbours - 2 * j;
    for (const int sign : {-1, 1}) {
      noise_.push_back({sign * weight(overlap, sign), fair[static_cast<std::size_t>(j)] / 2});
      reach_ = std::max(reach_, std::abs(noise_.back().value));
    }
  }
}

SumLaw CueField::noise(std::int64_t num_patterns) const {
  if (num_patterns < 1)
    throw std::invalid_argument("one step with " + std::to_string(num_patterns) + " patterns: K starts at 1");
  return SumLaw(noise_, integers_, num_patterns - 1, reach_);
}

SpinUpdate CueField::update(const SumLaw& noise, int wrong, double enough) const {
  SpinUpdate result{1, 1, 0};
  if (wrong < num_neurons_) {
    const int overlap = num_neurons_ - 1 - 2 * wrong;
    const SumLaw::Point point = noise.at(-weight(overlap, 1), enough);
    result.kept = 1 - point.below;
    result.error = lost(overlap, 1) ? 1 : point.error;
  }
  if (wrong > 0) {
    // On a flipped spin the noise is the mirror image, −R: with the self-coupling kept it pulls the other way.
    const int overlap = num_neurons_ + 1 - 2 * wrong;
    const SumLaw::Point point = noise.at(weight(overlap, -1), enough);
    result.flipped = point.below;
    result.error = std::max(result.error, lost(overlap, -1) ? 1 : point.error);
  }
  return result;
}

double CueField::weight(int x, int own_sign) const {
  if (integers_) return static_cast<double>(integer(x, own_sign));
  if (energy_) return separation(x + 1) - separation(x - 1);
  return slope(kept_ ? x + own_sign : x);
}

bool CueField::lost(int x, int own_sign) const {
  if (integers_ || std::abs(weight(x, own_sign)) >= kSmallest) return false;
  if (model_.separation.kind == SeparationKind::exponential) return true;
  const bool flat = model_.separation.kind == SeparationKind::relu_power && argument(x + 1) <= 0;
  return model_.separation.integer_valued() && !flat && argument(kept_ ? x + own_sign : x) != 0;
}

/// Integer powers run over the overlap itself or, for −‖σ−ξ‖² = 2(m − N), over m − N: constants do not matter.
CueField::Wide CueField::argument(int overlap) const {
  return model_.similarity == core::Similarity::euclidean ? overlap - num_neurons_ : overlap;
}

CueField::Wide CueField::power(int overlap, int exponent) const {
  const Wide base = argument(overlap);
  if (model_.separation.kind == SeparationKind::relu_power && base <= 0) return 0;
  Wide product = 1;
  for (int i = 0; i < exponent; ++i) product *= base;
  return product;
}

CueField::Wide CueField::integer(int x, int own_sign) const {
  const int n = model_.separation.degree();
  if (energy_) return power(x + 1, n) - power(x - 1, n);
  return power(kept_ ? x + own_sign : x, n - 1);
}

// Real values, scaled by the largest one that occurs: e^{λN} and N^n overflow long before their ratios matter.
double CueField::scaled_power(int overlap, double exponent) const {
  const double base = static_cast<double>(argument(overlap)) / scale_;
  if (model_.separation.kind == SeparationKind::relu_power && base <= 0) return 0;
  return std::pow(base, exponent);
}

double CueField::separation(int overlap) const {
  if (model_.separation.integer_valued()) return scaled_power(overlap, model_.separation.degree());
  if (model_.separation.kind == SeparationKind::exponential) return slope(overlap);
  return model_.separation.value(similarity_(overlap));
}

double CueField::slope(int overlap) const {
  if (model_.separation.integer_valued()) return scaled_power(overlap, model_.separation.degree() - 1);
  if (model_.separation.kind == SeparationKind::exponential) return std::exp(exponent_ * (overlap - num_neurons_));
  return model_.separation.derivative(similarity_(overlap));
}

}  // namespace dam

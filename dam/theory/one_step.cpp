#include "dam/theory/one_step.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/numbers.h"
#include "core/statistics/binomial.h"

namespace dam {

OneStep::OneStep(const core::EnergyModel& model, int num_neurons, double alpha, UpdateRule rule,
                 SelfCoupling self_coupling)
    : field_(model, num_neurons, rule, self_coupling), alpha_(alpha) {
  if (!(alpha > 0 && alpha <= 1))
    throw std::invalid_argument("keep probability " + core::number_text(alpha) + " is not within (0, 1]");
}

SpinLaw OneStep::spin(std::int64_t num_patterns) const {
  constexpr double kNegligible = 1e-18;
  constexpr double kEnough = 1e-6;  // of p_wrong, from each kind of cue
  const SumLaw noise = field_.noise(num_patterns);
  const int neighbours = field_.num_neurons() - 1;
  const std::vector<double> flips = core::binomial_law(neighbours, 1 - alpha_);
  SpinLaw law{0, 0, 0, 0};
  for (int j = 0; j <= neighbours; ++j) {
    const double probability = flips[static_cast<std::size_t>(j)];
    if (probability < kNegligible) continue;
    const int overlap = neighbours - 2 * j;
    const double kept_share = probability * alpha_;
    const SumLaw::Point kept = noise.at(-field_.weight(overlap, 1), kEnough / kept_share);
    law.p_negative += kept_share * kept.below;
    law.p_zero += kept_share * kept.equal;
    law.p_wrong += kept_share * kept.below;
    law.error += kept_share * (field_.lost(overlap, 1) ? 1 : kept.error);
    if (alpha_ == 1) continue;
    // On a flipped spin the noise is the mirror image, −R: with the self-coupling kept it pulls the other way.
    const double share = probability * (1 - alpha_);
    const SumLaw::Point flipped = noise.at(field_.weight(overlap, -1), kEnough / share);
    law.p_negative += share * std::max(0.0, 1 - flipped.below - flipped.equal);
    law.p_zero += share * flipped.equal;
    law.p_wrong += share * (1 - flipped.below);
    law.error += share * (field_.lost(overlap, -1) ? 1 : flipped.error);
  }
  return law;
}

Loss OneStep::loss(std::int64_t num_patterns) const {
  const SpinLaw law = spin(num_patterns);
  return {-field_.num_neurons() * std::log1p(-law.p_wrong),
          field_.num_neurons() * law.error / std::max(1 - law.p_wrong, 1e-300)};
}

double OneStep::whole_pattern(std::int64_t num_patterns) const { return std::exp(-loss(num_patterns).value); }

double OneStep::guess(double beta) const {
  if (!(beta > 0 && beta < 1)) throw std::invalid_argument("beta " + core::number_text(beta) + " is not within (0, 1)");
  const int neighbours = field_.num_neurons() - 1;
  const std::vector<double> flips = core::binomial_law(neighbours, 1 - alpha_);
  double signal = 0;
  for (int j = 0; j <= neighbours; ++j)
    signal += flips[static_cast<std::size_t>(j)] * field_.weight(neighbours - 2 * j, 1);
  double variance = 0;
  for (const auto& [value, probability] : field_.noise_terms()) variance += probability * value * value;
  const double z = std::max(core::upper_tail_inverse(std::min(0.4, -std::log(beta) / field_.num_neurons())), 0.1);
  return 1 + signal * signal / (variance * z * z);
}

Prediction OneStep::predicted_k_max(double beta) const {
  return find_crossing([this](std::int64_t k) { return loss(k); }, beta, guess(beta));
}

}  // namespace dam

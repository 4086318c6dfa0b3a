#include "dam/theory/conditioned.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/statistics/binomial.h"

namespace dam {
namespace {

constexpr double kNegligible = 1e-15;  // share of cues that are left out
constexpr double kEnough = 1e-5;       // error of a probability, from each number of wrong components

/// −ln(1 − failure).
Loss loss_of(double failure, double error) {
  failure = std::clamp(failure, 0.0, 1.0);
  return {-std::log1p(-failure), error / std::max(1 - failure, 1e-300)};
}

double all_right(const SpinUpdate& update, int num_neurons, int wrong) {
  return std::exp((num_neurons - wrong) * std::log(std::max(update.kept, 1e-300)) +
                  wrong * std::log(std::max(update.flipped, 1e-300)));
}

}  // namespace

Conditioned::Conditioned(const core::EnergyModel& model, int num_neurons, double alpha, UpdateRule rule,
                         SelfCoupling self_coupling)
    : field_(model, num_neurons, rule, self_coupling),
      alpha_(alpha),
      independent_(model, num_neurons, alpha, rule, self_coupling),
      flips_(core::binomial_law(num_neurons, 1 - alpha)) {
  const std::vector<double> fair = core::binomial_law(num_neurons, 0.5);
  double mean_squared = 0, noise_squared = 0, product = 0;
  for (int j = 0; j <= num_neurons; ++j) {
    const int overlap = num_neurons - 2 * j;
    const double agrees = static_cast<double>(num_neurons - j) / num_neurons;
    // What the pattern adds to a spin that agrees with it and, negative, to one that does not.
    const double with = j < num_neurons ? field_.weight(overlap - 1, 1) : 0;
    const double against = j > 0 ? -field_.weight(overlap + 1, -1) : 0;
    const double mean = agrees * with + (1 - agrees) * against;
    const double noise = agrees * (1 - agrees) * (with - against) * (with - against);
    const double probability = fair[static_cast<std::size_t>(j)];
    shared_.mean += probability * mean;
    shared_.noise += probability * noise;
    mean_squared += probability * mean * mean;
    noise_squared += probability * noise * noise;
    product += probability * mean * noise;
  }
  shared_.variance = std::max(0.0, mean_squared - shared_.mean * shared_.mean);
  shared_.spread = std::max(0.0, noise_squared - shared_.noise * shared_.noise);
  shared_.together = product - shared_.mean * shared_.noise;
}

template <typename Right>
Loss Conditioned::over_cues(std::int64_t num_patterns, const Right& right) const {
  const SumLaw noise = field_.noise(num_patterns);
  double failure = 0, error = 0;
  for (int wrong = 0; wrong <= field_.num_neurons(); ++wrong) {
    const double probability = flips_[static_cast<std::size_t>(wrong)];
    if (probability < kNegligible) continue;
    const SpinUpdate update = field_.update(noise, wrong, kEnough / (probability * field_.num_neurons()));
    failure += probability * (1 - right(update, wrong));
    error += probability * std::min(1.0, field_.num_neurons() * update.error);
  }
  return loss_of(failure, error + kNegligible);
}

Loss Conditioned::step(std::int64_t num_patterns) const {
  return over_cues(num_patterns,
                   [&](const SpinUpdate& update, int wrong) { return all_right(update, field_.num_neurons(), wrong); });
}

double Conditioned::shared_spread(std::int64_t num_patterns) const {
  const double copies = static_cast<double>(num_patterns - 1);
  if (copies <= 0 || !(shared_.noise > 0)) return 0;
  return std::log1p(shared_.spread / (copies * shared_.noise * shared_.noise));
}

double Conditioned::share(const SpinUpdate& update, int wrong, double copies) const {
  const int num_neurons = field_.num_neurons();
  const double spread = shared_spread(static_cast<std::int64_t>(copies) + 1);
  const double mean_noise = copies * shared_.noise;
  if (!(mean_noise > 0)) return all_right(update, num_neurons, wrong);
  const double slope = shared_.spread > 0 ? shared_.together / shared_.spread : 0;
  const double rest = std::sqrt(copies * std::max(0.0, shared_.variance - slope * shared_.together));
  const double kept_signal = wrong < num_neurons ? field_.weight(num_neurons - 1 - 2 * wrong, 1) : 0;
  const double flipped_signal = wrong > 0 ? field_.weight(num_neurons + 1 - 2 * wrong, -1) : 0;
  // Gaussian integrals by the trapezoidal rule, which converges exponentially.
  struct Corner {
    double probability, kept_tail, flipped_tail;
  };
  std::array<Corner, std::size_t{kGrid} * kGrid> corners;
  double total = 0, kept_mean = 0, flipped_mean = 0;
  constexpr double kReach = 5.6;
  constexpr double kStep = 2 * kReach / (kGrid - 1);
  for (int i = 0; i < kGrid; ++i) {
    const double u = -kReach + i * kStep;
    const double variance = mean_noise * std::exp(std::sqrt(spread) * u - spread / 2);
    for (int j = 0; j < kGrid; ++j) {
      const double v = -kReach + j * kStep;
      const double mean = copies * shared_.mean + slope * (variance - mean_noise) + rest * v;
      Corner& corner = corners[static_cast<std::size_t>(i) * kGrid + static_cast<std::size_t>(j)];
      corner.probability = std::exp(-(u * u + v * v) / 2);
      corner.kept_tail = core::upper_tail((kept_signal + mean) / std::sqrt(variance));
      corner.flipped_tail = core::upper_tail((flipped_signal - mean) / std::sqrt(variance));
      total += corner.probability;
      kept_mean += corner.probability * corner.kept_tail;
      flipped_mean += corner.probability * corner.flipped_tail;
    }
  }
  const double kept_scale = kept_mean > 0 ? (1 - update.kept) * total / kept_mean : 0;
  const double flipped_scale = flipped_mean > 0 ? (1 - update.flipped) * total / flipped_mean : 0;
  double right = 0;
  for (const Corner& corner : corners) {
    const SpinUpdate there{1 - std::min(1.0, kept_scale * corner.kept_tail),
                           1 - std::min(1.0, flipped_scale * corner.flipped_tail), 0};
    right += corner.probability * all_right(there, num_neurons, wrong);
  }
  return right / total;
}

Loss Conditioned::shared_step(std::int64_t num_patterns) const {
  return over_cues(num_patterns, [&](const SpinUpdate& update, int wrong) {
    return share(update, wrong, static_cast<double>(num_patterns - 1));
  });
}

Loss Conditioned::recall(std::int64_t num_patterns) const {
  const SumLaw noise = field_.noise(num_patterns);
  const int num_neurons = field_.num_neurons();
  const int barrier = (num_neurons + 1) / 2;
  const SpinUpdate stable = field_.update(noise, 0, kEnough / num_neurons);
  double error = num_neurons * stable.error;
  // Gambler's ruin: P(0 before the barrier | f) = Σ_{j≥f} w_j / Σ_{j≥0} w_j, w_{j−1}/w_j = break/repair at j.
  std::vector<double> weights(static_cast<std::size_t>(barrier), 1);
  for (int wrong = barrier - 1; wrong > 0; --wrong) {
    const auto at = static_cast<std::size_t>(wrong);
    const SpinUpdate update = field_.update(noise, wrong, kEnough / std::max(flips_[at] * num_neurons, kEnough));
    const double broken = std::max(0.0, (stable.kept - update.kept) / stable.kept);
    const double ratio = (num_neurons - wrong) * broken / std::max(wrong * update.flipped, 1e-300);
    weights[at - 1] = std::min(weights[at] * ratio, 1e200);
    error += flips_[at] * num_neurons * update.error;
  }
  double all = 0;
  for (const double weight : weights) all += weight;
  double reached = 0, beyond = all;
  for (std::size_t wrong = 0; wrong < weights.size(); ++wrong) {
    reached += flips_[wrong] * (wrong == 0 ? 1 : std::max(0.0, beyond) / all);
    beyond -= weights[wrong];
  }
  return loss_of(1 - share(stable, 0, static_cast<double>(num_patterns - 1)) * reached, error + kNegligible);
}

Prediction Conditioned::predicted_k_max(Loss (Conditioned::*loss)(std::int64_t) const, double beta) const {
  return find_crossing([&](std::int64_t k) { return (this->*loss)(k); }, beta, independent_.guess(beta));
}

}  // namespace dam

// One parallel step, and whole recall, conditioned on how many components of the cue are wrong.
#pragma once

#include <cstdint>
#include <vector>

#include "dam/theory/one_step.h"

namespace dam {

/// A cue that lost more components is worse for all its spins: given the number f of wrong ones, P = Σ_f Bin(f; N, 1−α)
/// p_kept(f)^(N−f) p_flipped(f)^f with the exact law of one spin at f (dam/theory/cue_field.h).
class Conditioned {
 public:
  /// Throws std::invalid_argument for N < 2, α outside (0, 1] or a degenerate model (core::EnergyModel::degenerate).
  Conditioned(const core::EnergyModel& model, int num_neurons, double alpha = 1,
              UpdateRule rule = UpdateRule::derivative, SelfCoupling self_coupling = SelfCoupling::removed);

  /// One parallel step makes all spins right; given f, spins are taken as independent. Status: independence.
  Loss step(std::int64_t num_patterns) const;

  /// The same to second order in what spins share: mean A and variance V of the noise, given the overlaps m_μ of all
  /// patterns with the cue, are the same for all spins. P(wrong | A, V) is Gaussian, scaled so that its mean is the
  /// exact law's; (A, V) is Gaussian in A given V and log-normal in V, with the exact moments of both. Status:
  /// approximation, where the noise is made by many patterns: shared_spread() of order 1 or less.
  Loss shared_step(std::int64_t num_patterns) const;

  /// Var ln V of that log-normal.
  double shared_spread(std::int64_t num_patterns) const;

  /// Recall to the end: the pattern is stable (shared_step from f = 0) and, spin after spin in random order, f reaches
  /// 0 before N/2. An update at f repairs with probability f/N·p_flipped(f) and breaks with (N−f)/N·e(f), e the
  /// probability to break a spin that is stable at f = 0; each update is taken to see its own noise. Status:
  /// approximation.
  Loss recall(std::int64_t num_patterns) const;

  Prediction predicted_k_max(Loss (Conditioned::*loss)(std::int64_t) const, double beta) const;

 private:
  /// The conditional mean and variance of one pattern's noise given its overlap with the cue, and their moments.
  struct Shared {
    double mean = 0, variance = 0;  // of the conditional mean …
    double noise = 0;               // … mean of the conditional variance …
    double spread = 0;              // … its variance …
    double together = 0;            // … and the covariance of the two
  };

  static constexpr int kGrid = 29;

  /// −ln of the mean over cues of right(update, wrong components), and its error.
  template <typename Right>
  Loss over_cues(std::int64_t num_patterns, const Right& right) const;
  /// E[p_kept^(N−f) p_flipped^f] over what spins share.
  double share(const SpinUpdate& update, int wrong, double copies) const;

  CueField field_;
  double alpha_;
  OneStep independent_;
  std::vector<double> flips_;  // Bin(f; N, 1−α)
  Shared shared_;
};

}  // namespace dam

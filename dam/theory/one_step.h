// The exact law of one spin's first update from a cue, for any separation, rule, N, K and α: no Gaussian, no sampling.
#pragma once

#include <cstdint>

#include "dam/theory/crossing.h"
#include "dam/theory/cue_field.h"

namespace dam {

/// What the first update makes of one spin, its field times the pattern's component.
struct SpinLaw {
  double p_negative;  // the field points away from the pattern
  double p_zero;      // the field is exactly 0
  double p_wrong;     // the spin differs from the pattern after the update; ties keep the cue's spin
  double error;       // bound on the numerical error of each
};

/// One parallel step of a dense associative memory with iid fair patterns from a cue that keeps each component with
/// probability α.
class OneStep {
 public:
  /// Throws std::invalid_argument for N < 2, α outside (0, 1] or a degenerate model (core::EnergyModel::degenerate).
  OneStep(const core::EnergyModel& model, int num_neurons, double alpha = 1, UpdateRule rule = UpdateRule::derivative,
          SelfCoupling self_coupling = SelfCoupling::removed);

  /// The exact law of one spin with K ≥ 1 stored patterns, the cue's other components at random. O(N) per frequency,
  /// some tens to 10⁵ frequencies.
  SpinLaw spin(std::int64_t num_patterns) const;

  /// (1 − p_wrong)^N: the probability that all N spins are right after updating each once from the cue, taking spins as
  /// independent. Not exact: they share patterns and the cue (dam/theory/theory.md has the measured error).
  double whole_pattern(std::int64_t num_patterns) const;

  /// Where whole_pattern(K) crosses β, as a real number; 0 if even K = 1 fails. A prediction of K_max(β) at α = 1; for
  /// α < 1 a lower estimate, since a cue that lost more than others is worse for all its spins, and later updates see a
  /// repaired one.
  Prediction predicted_k_max(double beta) const;

  /// A number of patterns near the crossing, from the Gaussian estimate.
  double guess(double beta) const;

 private:
  Loss loss(std::int64_t num_patterns) const;

  CueField field_;
  double alpha_;
};

}  // namespace dam

// The exact law of one spin's first update from a cue, for any separation, rule, N, K and α: no Gaussian, no sampling.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/energy/energy_model.h"
#include "dam/configuration.h"

namespace dam {

/// The law of R, the sum of `count` independent copies of one discrete variable, by inverting its characteristic
/// function.
///
/// P(R < x) + ½P(R = x) = ½ − Σ_{k≥0} Im[φ((k+½)Δ)^count e^{−i(k+½)Δx}]/(π(k+½)) + aliasing, where
/// |aliasing| ≤ P(|R| > 2π/Δ − |x|) (Davies 1973). Δ is chosen by Chernoff's bound so that this is below 1e−14. Where
/// all values are integers, φ is periodic and the sum folds into finitely many terms: nothing is truncated and P(R = x)
/// is resolved. Long folded sums and real values stop where |φ|^count has stayed below 1e−20 while the frequency
/// doubled.
class SumLaw {
 public:
  struct Term {
    double value;
    double probability;
  };
  struct Point {
    double below;  // P(R < x)
    double equal;  // P(R = x); where it is not resolved (real values, many terms) it is 0 and half of it is in `below`
  };

  /// Terms with probabilities that sum to 1, in any order, values may repeat; |x| ≤ reach in every later at(x).
  /// `integers` promises that all values are integers of magnitude below 2^53. Throws std::invalid_argument for count <
  /// 0.
  SumLaw(std::span<const Term> terms, bool integers, std::int64_t count, double reach);

  Point at(double x) const;
  /// Bound on |error| of at(): aliasing (proved) plus truncation (estimated from φ where the sum stopped, and at all
  /// rational multiples of the period with denominators up to 40, where the arithmetic of powers puts its peaks).
  double error() const { return error_; }

 private:
  struct Node {
    double frequency;
    double real, imaginary;  // φ^count
    double weight;           // of the imaginary part in P(R < x)
  };

  std::int64_t count_;
  double constant_ = 0;  // R when all copies are one constant
  double lattice_ = 0;   // spacing of R's values; 0 when they are not integers
  double origin_ = 0;    // one of R's values, modulo the spacing
  double range_ = 0;     // 2π/Δ
  std::vector<Node> nodes_;
  std::vector<Term> atoms_;  // all values of R, ascending, where they are few
  double same_ = 0;          // atoms this close to x are equal to it
  double error_ = 0;
};

/// What the first update makes of one spin, its field times the pattern's component.
struct SpinLaw {
  double p_negative;  // the field points away from the pattern
  double p_zero;      // the field is exactly 0
  double p_wrong;     // the spin differs from the pattern after the update; ties keep the cue's spin
  double error;       // bound on the numerical error of each
};

/// One step of a dense associative memory with iid fair patterns from a cue that keeps each component with probability
/// α.
class OneStep {
 public:
  /// Throws std::invalid_argument for N < 2, α outside (0, 1] or a degenerate model (core::EnergyModel::degenerate).
  OneStep(const core::EnergyModel& model, int num_neurons, double alpha = 1, UpdateRule rule = UpdateRule::derivative,
          SelfCoupling self_coupling = SelfCoupling::removed);

  /// The exact law of one spin with K ≥ 1 stored patterns. O(N) per frequency, some tens to 10⁵ frequencies.
  SpinLaw spin(std::int64_t num_patterns) const;

  /// (1 − p_wrong)^N: the probability that all N spins are right after updating each once from the cue, taking spins as
  /// independent. Not exact: they share patterns (dam/theory/theory.md has the measured error).
  double whole_pattern(std::int64_t num_patterns) const;

  /// Where whole_pattern(K) crosses β, as a real number (ln(−ln p) is interpolated in ln K and, below K = 64, averaged
  /// over K−1, K, K+1 with weights ¼, ½, ¼: ties alternate with the parity of K); 0 if even K = 1 fails. A prediction
  /// of K_max(β) at α = 1; for α < 1 a lower estimate, since later updates see a repaired
  /// cue; the α = 1 prediction is then the upper one, and the better start for a search.
  /// Infinite where the crossing lies beyond kLargestCount.
  double predicted_k_max(double beta) const;

  static constexpr double kLargestCount = 9e18;  // of patterns, in 64 bits

 private:
  struct Signal {
    double kept;     // the pattern's own contribution to a spin that the cue kept
    double flipped;  // … to one that the cue flipped
    double probability;
  };

  double score(std::int64_t num_patterns) const;

  int num_neurons_;
  double alpha_;
  bool integers_ = false;
  double reach_ = 0;
  std::vector<SumLaw::Term> noise_;  // one other pattern's contribution to a spin that the cue kept
  std::vector<Signal> signals_;
};

}  // namespace dam

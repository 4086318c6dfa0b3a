// The law of a sum of independent copies of one discrete variable, with a bound on its own numerical error.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dam {

/// The law of R, the sum of `count` independent copies of one discrete variable.
///
/// Many copies of values of one scale: the characteristic function φ is inverted, P(R < x) + ½P(R = x) =
/// ½ − Σ_{k≥0} Im[φ((k+½)Δ)^count e^{−i(k+½)Δx}]/(π(k+½)) + aliasing, |aliasing| ≤ P(|R| > 2π/Δ − |x|) < 1e−14 by
/// Chernoff's bound (Davies 1973). Integers make φ periodic: the sum folds into finitely many terms and P(R = x) is
/// resolved. Other sums stop where |φ|^count has stayed below 1e−20 while the frequency doubled.
///
/// Values of many scales (steep separations), where φ never dies down: the few largest terms of the sum are listed,
/// from the largest value down, until Chernoff's bound says that the rest cannot change the sign of R − x; what stays
/// undecided is inverted at the scale of the rest, between the proved bounds of Prawitz (1972), which need φ only up
/// to a finite frequency. Few copies are listed to the end: exact, ties resolved.
class SumLaw {
 public:
  struct Term {
    double value;
    double probability;
  };
  struct Point {
    double below;  // P(R < x)
    double equal;  // P(R = x); where it is not resolved (real values, many terms) it is 0 and within `error` of `below`
    double error;  // bound on |error| of below, of equal, and of their sum
  };

  /// Terms with probabilities that sum to 1, in any order, values may repeat; |x| ≤ reach in every later at(x).
  /// `integers` promises that all values are integers of magnitude below 2^53. Throws std::invalid_argument for count <
  /// 0.
  SumLaw(std::span<const Term> terms, bool integers, std::int64_t count, double reach);

  /// An error below `enough` is not worth more work.
  Point at(double x, double enough = 1e-9) const;

 private:
  struct Node {
    double frequency;
    double log_size, angle;  // ln φ
    double weight;           // of the imaginary part in P(R < x); of the real part in half the width of its bounds
    double width;
  };

  /// φ on a grid of frequencies for a sum of up to `count` terms with values of magnitude ≤ reach + its own range.
  struct Inversion {
    std::vector<Node> nodes;
    double lattice = 0;  // spacing of R's values; 0 when they are not integers
    double origin = 0;   // one of R's values, modulo the spacing
    double range = 0;    // 2π/Δ
    double error = 1;    // beyond the width of the bounds
    bool settled = false;

    Point at(double x, double copies) const;
  };

  struct Level {
    double value;
    double probability;
    double share;  // the probability among the values that are no larger
  };

  /// The levels that are not listed, together.
  struct Rest {
    std::size_t first;
    Inversion inversion;
  };

  struct Listing;

  static Inversion invert(std::span<const Term> terms, bool integers, std::int64_t count, double reach,
                          std::size_t most_nodes);
  void list_levels(std::span<const Term> merged);
  void find_rests();
  std::size_t first_common_level(double copies_at_once) const;
  double rest_bound(std::size_t level, double log_odds) const;

  std::int64_t count_;
  double constant_ = 0;  // R when all copies are one constant
  Inversion whole_;
  std::vector<Level> levels_;  // by falling magnitude
  // Chernoff's parameters as 1/θ, and count·ln E e^{θ|…|}/θ of the terms from each level on: [level][θ].
  std::vector<double> thetas_;
  std::vector<double> log_moments_;
  std::vector<Rest> rests_;  // in the order of trial
};

}  // namespace dam

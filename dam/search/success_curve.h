// K_max(β) from measured success counts: where the fitted success curve of one configuration crosses β.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/statistics/binomial.h"
#include "core/statistics/glm.h"

namespace dam {

/// All trials of one configuration at K patterns.
struct CurvePoint {
  std::int64_t num_patterns = 1;
  std::int64_t trials = 0;
  std::int64_t successes = 0;
  std::int64_t clusters = 0;           // pattern sets, the independent units
  std::int64_t successes_squared = 0;  // Σ over clusters of (successes in the cluster)²

  core::ClusterCounts counts() const { return {trials, successes, clusters, successes_squared}; }
};

/// K_max(β) of one configuration and how far it is to be believed.
struct CurveFit {
  bool ok = false;     // true: k_max lies among the measured K and its interval is finite
  std::string reason;  // why not ok

  double k_max = 0;  // real: where the fitted curve is β; the integer capacity is its floor
  double ci_low = 0;
  double ci_high = 0;

  core::LinkKind link = core::LinkKind::field;
  double steepness = 0;        // d ln(−ln p)/d ln K at the crossing
  double dispersion = 1;       // variance ÷ binomial variance, from clusters and misfit
  double misfit = 1;           // what the misfit multiplied it by
  double goodness_of_fit = 1;  // p-value of Pearson's χ² against the cluster variance; NaN without degrees of freedom
  std::int64_t window_trials = 0;  // trials of the points the fit used
  int window_points = 0;

  std::int64_t last_passing = 0;  // largest measured K whose pooled success fraction is ≥ β; 0: none
  double k_max_isotonic = 0;      // crossing of the non-increasing fit (pool adjacent violators)
  core::Interval isotonic;        // K_max lies here if success only falls with K: no curve assumed, 99.8 % a side
  bool isotonic_agrees = true;    // k_max lies in `isotonic`

  /// Half the interval's width over k_max; infinite when not ok.
  double relative_half_width() const;
};

/// Up to here ties make the success probability alternate with the parity of K.
inline constexpr std::int64_t kLargestTieK = 64;

/// Fits p(K) near p = β and inverts it, with a profile-likelihood interval.
///
/// The curve is a binomial regression of success on ln K with the link of N independent Gaussian fields, in which
/// theory is a straight line (core/statistics/glm.h), and a quadratic term that is known to be small beforehand: a
/// normal prior of the width that measured curves have, so that the interval contains what the curve's shape leaves
/// open; for small K also a term (−1)^K of at most a unit of field, since ties alternate with the parity of K. Only
/// points near the crossing take part, and the nearest one on each side, two up to kLargestTieK: with |ln(−ln p) −
/// ln(−ln β)| up to 1.5 on the fitted curve, less the more trials there are, since what a parabola leaves out shows
/// then. The choice depends on K and trials, never on a point's own outcome. What no such curve fits widens the
/// interval. A side the likelihood leaves open ends at the nearest K decided without a curve (`isotonic`). Likelihood
/// ratios are divided by the dispersion of the clusters, with Student quantiles for few clusters. Points may come in
/// any order; points without trials are ignored. Throws std::invalid_argument for β outside (0, 1), num_neurons < 2,
/// impossible counts or a K that occurs twice.
CurveFit fit_success_curve(std::span<const CurvePoint> points, double beta, int num_neurons, double confidence = 0.95);

}  // namespace dam

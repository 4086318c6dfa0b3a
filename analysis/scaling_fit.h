// How measured capacities grow with N: exponents, rates and prefactors with errors, beside theory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dam/configuration.h"

namespace analysis {

/// One measured capacity, a row of /capacity.
struct ScalingPoint {
  dam::Configuration configuration;
  double beta = 0.5;
  double k_max = 0;
  double ci_low = 0;  // 95 % interval
  double ci_high = 0;
  bool ok = true;  // false: a bound; it never enters a fit
};

/// One fitted number. σ is the statistical error, from the interval's half-width.
struct ScalingRow {
  std::string id;
  std::string quantity;  // what was fitted, as a formula
  double measured = 0;
  double ci_low = 0;  // 95 %, parametric bootstrap over the K_max intervals
  double ci_high = 0;
  double systematic = 0;   // the change when the smallest N is left out
  double theory = 0;       // NaN: none
  double deviation = 0;    // (measured − theory)/σ; NaN without theory
  double chi_squared = 0;  // of the weighted fit
  int degrees_of_freedom = 0;
};

struct ScalingOptions {
  int bootstrap = 2000;  // replicas
  std::uint64_t seed = 1;
  bool exact_law = true;  // the rows beside the exact one-step law, which takes seconds at α < 1
};

/// Fits ln K_max of one convention against ln N (powers) or N (exponential separation), weighted by the intervals.
///
/// Powers: `naive-exponent` (ln K on ln N) and `log-corrected-exponent` (ln[(K−1) z² M_{2n−2}/D^{n−1}] on ln D, flat in
/// the exponent by THEORY §3), both beside n − 1, and `pattern-prefactor`, the mean of (K−1)/(K_pattern−1), beside 1.
/// Exponential: `naive-rate` (ln K on N) and `log-corrected-rate` (ln[(K−1) z²] on N at α = 1, ln[K/√N] where the
/// largest overlap decides) beside the asymptotic rate, `bound-rate` beside Demircigil's. All: `exact-law-slope`,
/// ln(K/K_one-step) on ln N or N, beside 0, and `exact-law-prefactor` beside 1. Rows whose theory does not apply are
/// left out. Throws std::invalid_argument, saying why, for fewer than 3 values or 2 different N, intervals without
/// width, K_max ≤ 1, and points that differ in anything but N, seed and the number of cues.
std::vector<ScalingRow> fit_scaling(std::span<const ScalingPoint> points, const ScalingOptions& options = {});

}  // namespace analysis

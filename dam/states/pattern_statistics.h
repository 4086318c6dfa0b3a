// How alike stored patterns are: the statistics of their Gram matrix, which decide how many of them fit.
#pragma once

#include "dam/states/patterns.h"

namespace dam {

/// Statistics of the Gram matrix x_μν = ξ^μ·ξ^ν/N of K patterns, over all pairs μ ≠ ν.
struct PatternStatistics {
  double activity;             ///< mean of the components ξ_i^μ; 0 for fair patterns
  double mean_overlap;         ///< mean of x
  double overlap_deviation;    ///< standard deviation of x; 1/√N for fair independent patterns
  double largest_overlap;      ///< mean over μ of the largest |x_μν|
  double effective_dimension;  ///< 1/⟨x²⟩, the neurons that fair patterns with such overlaps would have
};

/// Throws std::invalid_argument for fewer than two patterns. Takes N·K²/64 word operations.
PatternStatistics pattern_statistics(const Patterns& patterns);

/// ⟨x^{2n−2}⟩ N^{n−1}/(2n−3)!!, the noise power of degree n over that of many fair independent neurons: where the noise
/// is all that limits K, the capacity is smaller by this factor. Throws like pattern_statistics(), and unless n ≥ 2.
double noise_ratio(const Patterns& patterns, int degree);

}  // namespace dam

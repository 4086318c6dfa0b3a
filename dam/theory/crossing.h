// Where a probability that falls with the number of patterns crosses a threshold, and how far that can be wrong.
#pragma once

#include <cstdint>
#include <functional>

namespace dam {

/// −ln P of a success probability P, and a bound on its numerical error.
struct Loss {
  double value;
  double error;
};

/// A number of patterns and a bound on its numerical error; infinite above kMostPatterns, with the relative error of
/// the loss there.
struct Prediction {
  double num_patterns;
  double error;
};

inline constexpr double kMostPatterns = 9e18;  // in 64 bits

/// The real K ≥ 1 at which the loss reaches ln 1/β, found from a guess; 0 if it is larger at K = 1.
///
/// ln(loss) is interpolated in ln K and, below K = 64, averaged over K−1, K, K+1 with weights ¼, ½, ¼: ties alternate
/// with the parity of K. The error is that of the loss over its slope. Throws std::invalid_argument for β outside
/// (0, 1).
Prediction find_crossing(const std::function<Loss(std::int64_t)>& loss, double beta, double guess);

}  // namespace dam

#include "dam/states/pattern_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "dam/fields/energy.h"
#include "dam/theory/theory.h"

namespace dam {
namespace {

/// Calls visit(μ, overlaps of pattern μ with all patterns) for every μ.
template <typename Visit>
void for_each_row(const Patterns& patterns, const Visit& visit) {
  if (patterns.num_patterns() < 2)
    throw std::invalid_argument("statistics of pairs need two patterns or more, not " +
                                std::to_string(patterns.num_patterns()));
  for (std::int64_t pattern = 0; pattern < patterns.num_patterns(); ++pattern)
    visit(pattern, overlaps(patterns, patterns.row(pattern)));
}

double pairs(const Patterns& patterns) {
  return static_cast<double>(patterns.num_patterns()) * static_cast<double>(patterns.num_patterns() - 1);
}

}  // namespace

PatternStatistics pattern_statistics(const Patterns& patterns) {
  std::int64_t sum = 0, squares = 0, largest_sum = 0, components = 0;
  for_each_row(patterns, [&](std::int64_t pattern, const std::vector<int>& row) {
    int largest = 0;
    for (std::int64_t other = 0; other < patterns.num_patterns(); ++other) {
      if (other == pattern) continue;
      sum += row[other];
      squares += std::int64_t{row[other]} * row[other];
      largest = std::max(largest, std::abs(row[other]));
    }
    largest_sum += largest;
    for (int spin = 0; spin < patterns.num_neurons(); ++spin) components += patterns.bit(spin, pattern) ? 1 : -1;
  });
  const double size = patterns.num_neurons(), count = static_cast<double>(patterns.num_patterns());
  const double mean = static_cast<double>(sum) / pairs(patterns) / size;
  const double mean_square = static_cast<double>(squares) / pairs(patterns) / (size * size);
  return {static_cast<double>(components) / (count * size), mean, std::sqrt(std::max(0.0, mean_square - mean * mean)),
          static_cast<double>(largest_sum) / count / size, 1 / mean_square};
}

double noise_ratio(const Patterns& patterns, int degree) {
  if (degree < 2) throw std::invalid_argument("degree " + std::to_string(degree) + " is below 2");
  double power = 0;
  const double size = patterns.num_neurons();
  for_each_row(patterns, [&](std::int64_t pattern, const std::vector<int>& row) {
    for (std::int64_t other = 0; other < patterns.num_patterns(); ++other)
      if (other != pattern) power += std::pow(row[other] / size, 2 * degree - 2);
  });
  return power / pairs(patterns) * std::pow(size, degree - 1) / double_factorial(degree);
}

}  // namespace dam

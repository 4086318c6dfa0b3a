#include "core/statistics/binomial.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>
#include <string>

#include "core/numbers.h"

namespace core {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_confidence(double confidence) {
  if (!(confidence > 0 && confidence < 1))
    throw std::invalid_argument("confidence " + number_text(confidence) + " is not between 0 and 1");
}

void check_counts(double successes, double trials, double confidence) {
  check_confidence(confidence);
  if (!(successes >= 0 && successes <= trials && std::isfinite(trials)))
    throw std::invalid_argument(number_text(successes) + " successes in " + number_text(trials) +
                                " trials: successes lie between 0 and the number of trials");
}

}  // namespace

Interval clopper_pearson(double successes, double trials, double confidence) {
  check_counts(successes, trials, confidence);
  const double tail = (1 - confidence) / 2;
  // ibeta_inv instead of binomial_distribution: that one truncates real counts.
  const double failures = trials - successes;
  return {successes > 0 ? boost::math::ibeta_inv(successes, failures + 1, tail) : 0.0,
          failures > 0 ? boost::math::ibetac_inv(successes + 1, failures, tail) : 1.0};
}

Interval wilson(double successes, double trials, double confidence) {
  check_counts(successes, trials, confidence);
  if (trials == 0) return {0, 1};
  const double z = upper_tail_inverse((1 - confidence) / 2);
  const double failures = trials - successes;
  const double center = successes + z * z / 2;
  const double half_width = z * std::sqrt(successes * failures / trials + z * z / 4);
  // The end points at 0 and all successes are exactly 0 and 1; rounding must not move them.
  return {successes == 0 ? 0 : (center - half_width) / (trials + z * z),
          failures == 0 ? 1 : (center + half_width) / (trials + z * z)};
}

Interval t_interval(double mean, double standard_error, double degrees_of_freedom, double confidence) {
  check_confidence(confidence);
  if (degrees_of_freedom <= 0) return {-kInfinity, kInfinity};
  const boost::math::students_t law(degrees_of_freedom);
  const double reach = boost::math::quantile(law, (1 + confidence) / 2) * standard_error;
  return {mean - reach, mean + reach};
}

ClusterEstimate cluster_estimate(const ClusterCounts& counts) {
  const auto [trials, successes, clusters, squares] = counts;
  const bool whole = clusters > 0 ? trials % clusters == 0 : trials == 0;
  if (clusters < 0 || trials < 0 || successes < 0 || successes > trials || !whole || trials < clusters)
    throw std::invalid_argument(std::to_string(successes) + " successes in " + std::to_string(trials) + " trials in " +
                                std::to_string(clusters) + " clusters: clusters have one size, at least 1");
  if (clusters == 0) return {kNaN, kNaN, 1};
  const double size = static_cast<double>(trials) / static_cast<double>(clusters);
  const double count = static_cast<double>(clusters);
  const double sum = static_cast<double>(successes);
  const double spread = static_cast<double>(squares) - sum * sum / count;  // Σ (s_c − s̄)²
  if (spread < -1e-9 * sum * sum || static_cast<double>(squares) > size * sum)
    throw std::invalid_argument("the sum of squared successes " + std::to_string(squares) + " does not belong to " +
                                std::to_string(successes) + " successes in " + std::to_string(clusters) +
                                " clusters of " + number_text(size));
  const double mean = sum / static_cast<double>(trials);
  if (clusters == 1) return {mean, kNaN, size};
  const double variance = std::max(spread, 0.0) / (count - 1) / (size * size) / count;
  const double independent = mean * (1 - mean) / static_cast<double>(trials);
  if (independent == 0) return {mean, 0, size};
  return {mean, std::sqrt(variance), std::clamp(variance / independent, 1.0, size)};
}

Interval cluster_interval(const ClusterCounts& counts, double confidence) {
  const double effect = cluster_estimate(counts).design_effect;
  return clopper_pearson(static_cast<double>(counts.successes) / effect, static_cast<double>(counts.trials) / effect,
                         confidence);
}

double upper_tail(double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }

double upper_tail_inverse(double probability) { return std::numbers::sqrt2 * boost::math::erfc_inv(2 * probability); }

std::vector<double> binomial_law(int trials, double probability) {
  if (trials < 0 || !(probability >= 0 && probability <= 1))
    throw std::invalid_argument("binomial law of " + std::to_string(trials) + " trials at probability " +
                                number_text(probability) + ": trials from 0, probability within [0, 1]");
  std::vector<double> law(static_cast<std::size_t>(trials) + 1, 0.0);
  if (probability == 0 || probability == 1) {
    law[probability == 0 ? 0 : static_cast<std::size_t>(trials)] = 1;
    return law;
  }
  // Ratios outwards from the mode: every product only loses half an ulp, and the sum sets the scale.
  const auto mode = std::min<std::size_t>(static_cast<std::size_t>((trials + 1) * probability), law.size() - 1);
  const double odds = probability / (1 - probability);
  law[mode] = 1;
  for (std::size_t j = mode; j + 1 < law.size(); ++j)
    law[j + 1] = law[j] * odds * static_cast<double>(law.size() - 1 - j) / static_cast<double>(j + 1);
  for (std::size_t j = mode; j > 0; --j)
    law[j - 1] = law[j] / odds * static_cast<double>(j) / static_cast<double>(law.size() - j);
  std::vector<double> ascending = law;
  std::sort(ascending.begin(), ascending.end());
  double sum = 0;
  for (const double value : ascending) sum += value;
  for (double& value : law) value /= sum;
  return law;
}

}  // namespace core

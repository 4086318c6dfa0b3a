// Intervals for probabilities that were counted: exact binomial ones, and ones whose unit is a cluster of trials.
#pragma once

#include <cstdint>
#include <vector>

namespace core {

struct Interval {
  double low = 0;
  double high = 0;
};

/// The exact two-sided interval for a success probability (Clopper & Pearson 1934); [0, 1] without trials.
///
/// Throws std::invalid_argument unless 0 ≤ successes ≤ trials and 0 < confidence < 1. Counts are real so that an
/// effective number of trials can stand in their place.
Interval clopper_pearson(double successes, double trials, double confidence = 0.95);

/// The score interval (Wilson 1927): shorter, right on average instead of at worst; the same domain and errors.
Interval wilson(double successes, double trials, double confidence = 0.95);

/// The two-sided Student interval mean ± t·standard_error; infinite where degrees_of_freedom ≤ 0.
Interval t_interval(double mean, double standard_error, double degrees_of_freedom, double confidence = 0.95);

/// Trials in clusters of one size: what a success probability is estimated from.
struct ClusterCounts {
  std::int64_t trials = 0;
  std::int64_t successes = 0;
  std::int64_t clusters = 0;           // the independent units
  std::int64_t successes_squared = 0;  // Σ over clusters of (successes in the cluster)²
};

/// A success probability whose error comes from the spread between clusters.
struct ClusterEstimate {
  double mean = 0;            // successes / trials; NaN without trials
  double standard_error = 0;  // from the sample variance of the cluster means; NaN below 2 clusters
  double design_effect = 1;   // variance ÷ the variance of as many independent trials, within [1, cluster size]
};

/// Mean, cluster-robust standard error and design effect (Kish 1965, §5.4) of trials in clusters of one size.
///
/// Where all trials succeed or all fail, or there is one cluster, the spread tells nothing: the design effect is then
/// the cluster size, its largest value. Throws std::invalid_argument for counts that no such clusters have.
ClusterEstimate cluster_estimate(const ClusterCounts& counts);

/// The Clopper–Pearson interval at the effective number of trials, trials ÷ design effect (Korn & Graubard 1998).
Interval cluster_interval(const ClusterCounts& counts, double confidence = 0.95);

/// Q(z), the upper tail of the standard normal law, and its inverse.
double upper_tail(double z);
double upper_tail_inverse(double probability);

/// P(X = j), j = 0…trials, of a binomial X with this success probability; relative error below 1e−12 where above
/// 1e−290.
std::vector<double> binomial_law(int trials, double probability);

}  // namespace core

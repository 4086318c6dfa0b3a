#include "tests/calibration/calibration.h"

#include <fmt/core.h>

#include <Eigen/Dense>

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/random/binomial_distribution.hpp>
#include <cmath>
#include <map>
#include <set>

#include "analysis/scaling_fit.h"
#include "core/numbers.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/statistics/glm.h"
#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "dam/search/capacity_search.h"
#include "dam/theory/theory.h"
#include "experiments/sweep/tables.h"

namespace calibration {
namespace {

constexpr std::int64_t kClustersPerBatch = 32;
constexpr double kTruthPrecision = 0.03;  // at least as good as for intervals of this half width
constexpr std::int64_t kMostTrials = 2'000'000;

void add_clusters(const dam::Configuration& configuration, std::int64_t num_patterns, std::int64_t first,
                  std::int64_t count, dam::TrialWorkspace& workspace, dam::TrialCounts& counts) {
  for (std::int64_t cluster = first; cluster < first + count; ++cluster)
    counts += dam::run_cluster(configuration, num_patterns, cluster, dam::find_kernel("auto"), workspace);
}

/// K − 1 = D^{n−1}/(M_{2n−2} z²): the patterns at which Gaussian fields of signal-to-noise ratio z are right.
double law_patterns(const Setting& setting, double z) {
  const int degree = core::EnergyModel::parse(setting.model).separation.degree(), neighbours = setting.num_neurons - 1;
  return 1 + std::pow(neighbours, 2 * degree - 2) / dam::overlap_moment(2 * degree - 2, neighbours) / (z * z);
}

core::Link law(const Setting& setting) { return {core::LinkKind::field, static_cast<double>(setting.num_neurons)}; }

/// Counts of one more batch at K patterns, drawn from the law.
void add_draws(const Setting& setting, std::uint64_t seed, std::int64_t num_patterns, std::int64_t trials,
               dam::TrialCounts& counts) {
  const double z = std::sqrt((law_patterns(setting, 1) - 1) / static_cast<double>(num_patterns - 1));
  core::Stream stream(seed, static_cast<std::uint64_t>(setting.num_neurons), static_cast<std::uint64_t>(counts.trials),
                      core::Purpose::bootstrap, static_cast<std::uint64_t>(num_patterns));
  boost::random::binomial_distribution<std::int64_t> draw(
      trials, num_patterns == 1 ? 1 : std::exp(law(setting).log_success(-std::log(z))));
  const std::int64_t successes = draw(stream);
  counts.trials += trials;
  counts.clusters += trials;
  counts.successes += successes;
  counts.successes_squared += successes;
}

/// Weighted least squares of y = a + b·x + c·x² + d·sign; returns the x near 0 where the first three vanish, with its
/// standard error.
Truth crossing(const std::vector<Eigen::Vector4d>& columns, const std::vector<double>& y,
               const std::vector<double>& weight) {
  Eigen::Matrix4d normal = Eigen::Matrix4d::Zero();
  Eigen::Vector4d right = Eigen::Vector4d::Zero();
  for (std::size_t i = 0; i < y.size(); ++i) {
    normal += weight[i] * columns[i] * columns[i].transpose();
    right += weight[i] * y[i] * columns[i];
  }
  const Eigen::Matrix4d covariance = normal.inverse();
  const Eigen::Vector4d c = covariance * right;
  double x = 0;
  for (int step = 0; step < 50; ++step) x -= (c[0] + c[1] * x + c[2] * x * x) / (c[1] + 2 * c[2] * x);
  const Eigen::Vector4d at(1, x, x * x, 0);
  return {x, std::sqrt(at.dot(covariance * at)) / std::abs(c[1] + 2 * c[2] * x)};
}

}  // namespace

std::string Setting::name() const {
  return fmt::format("{}, N = {}, α = {}, β = {}, {} %{}{}", model, num_neurons, core::number_text(alpha),
                     core::number_text(beta), core::number_text(100 * precision),
                     cues > 1 ? fmt::format(", {} cues a set", cues) : "", source == Source::law ? ", law" : "");
}

std::string Atlas::name() const {
  std::string text = fmt::format("{}, N =", setting.model);
  for (const int size : sizes) text += fmt::format(" {}", size);
  return text + fmt::format(", α = {}, β = {}, {} %{}", core::number_text(setting.alpha),
                            core::number_text(setting.beta), core::number_text(100 * setting.precision),
                            setting.source == Source::law ? ", law" : "");
}

Setting Atlas::at(int num_neurons) const {
  Setting at = setting;
  at.num_neurons = num_neurons;
  return at;
}

const std::vector<Atlas>& atlases() {
  static const std::vector<Atlas> all = {
      {{"dense:3", 0, 1, 0.5, 0.05, 1, Source::law}, {32, 64, 128, 256}},
      {{"dense:3", 0, 1, 0.5, 0.05}, {32, 64, 128, 256}},
      {{"dense:4", 0, 0.9, 0.9, 0.1}, {24, 32, 48, 64}},
      {{"hopfield", 0, 1, 0.9, 0.05}, {64, 128, 256}},
  };
  return all;
}

dam::Configuration Setting::configuration(std::uint64_t seed) const {
  dam::Configuration configuration;
  configuration.num_neurons = num_neurons;
  configuration.model = core::EnergyModel::parse(model);
  configuration.alpha = alpha;
  configuration.cues = cues;
  configuration.seed = seed;
  return configuration;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = {
      {"dense:3", 48, 1, 0.5, 0.05},          {"dense:3", 48, 1, 0.5, 0.02},           {"dense:4", 40, 0.9, 0.9, 0.05},
      {"dense:4", 40, 0.9, 0.9, 0.02},        {"hopfield", 96, 0.95, 0.5, 0.02},       {"hopfield", 96, 0.95, 0.5, 0.1},
      {"exponential:0.5", 24, 0.9, 0.5, 0.1}, {"exponential:0.5", 24, 0.9, 0.9, 0.05}, {"hopfield", 64, 1, 0.99, 0.1},
      {"hopfield", 128, 0.8, 0.5, 0.05},      {"dense:5", 24, 0.8, 0.5, 0.1},          {"dense:5", 24, 1, 0.9, 0.05},
      {"rectified:3", 64, 1, 0.9, 0.05},      {"rectified:2", 32, 0.9, 0.5, 0.02},     {"dense:3", 128, 1, 0.5, 0.1},
      {"dense:4", 32, 1, 0.99, 0.1},          {"dense:3", 48, 0.9, 0.5, 0.05, 4},
  };
  return all;
}

Outcome search(const Setting& setting, std::uint64_t seed) {
  const dam::Configuration configuration = setting.configuration(seed);
  dam::SearchTask task;
  task.num_neurons = setting.num_neurons;
  task.beta = setting.beta;
  task.precision = setting.precision;
  task.guess = experiments::capacity_guess(configuration, setting.beta);
  task.max_patterns = 100'000'000;
  task.max_trials = kMostTrials;
  task.batch_trials = kClustersPerBatch * setting.cues;
  std::map<std::int64_t, dam::TrialCounts> measured;
  dam::TrialWorkspace workspace;
  for (;;) {
    std::vector<dam::CurvePoint> points;
    std::int64_t trials = 0;
    for (const auto& [k, counts] : measured) {
      points.push_back({k, counts.trials, counts.successes, counts.clusters, counts.successes_squared});
      trials += counts.trials;
    }
    const dam::SearchPlan plan = dam::plan_search(points, task);
    if (plan.status != dam::SearchStatus::measuring)
      return {plan.status == dam::SearchStatus::ok, plan.k_max, plan.ci_low, plan.ci_high, trials};
    for (const dam::SearchRequest& request : plan.requests) {
      dam::TrialCounts& counts = measured[request.num_patterns];
      const std::int64_t wanted =
          (request.trials_total + task.batch_trials - 1) / task.batch_trials * kClustersPerBatch;
      if (setting.source == Source::law)
        add_draws(setting, seed, request.num_patterns, wanted - counts.clusters, counts);
      else
        add_clusters(configuration, request.num_patterns, counts.clusters, wanted - counts.clusters, workspace, counts);
    }
  }
}

Truth truth_of(const Setting& setting, std::uint64_t seed, int threads) {
  if (setting.source == Source::law)
    return {law_patterns(setting, std::exp(-law(setting).inverse(setting.beta))), 1e-9};
  const dam::Configuration configuration = setting.configuration(seed);
  // Around a first search: K within 8 %, and at least the five integers about it.
  const double center = search(setting, seed + 1).k_max;
  std::set<std::int64_t> places;
  for (double step = -0.08; step <= 0.0801; step += 0.02) places.insert(std::llround(center * (1 + step)));
  for (int step = -2; step <= 2; ++step) places.insert(std::max<std::int64_t>(1, std::llround(center) + step));
  std::map<std::int64_t, dam::TrialCounts> measured;
  for (const std::int64_t k : places) measured[k];
  const double wanted = std::min(setting.precision, kTruthPrecision) / 1.96 / 10;
  for (std::int64_t clusters = 1024;; clusters *= 2) {
    for (auto& [k, counts] : measured) {
      const std::int64_t begin = counts.clusters, chunks = (clusters - begin) / kClustersPerBatch;
      std::vector<dam::TrialCounts> parts(static_cast<std::size_t>(chunks));
      std::vector<dam::TrialWorkspace> workspaces(static_cast<std::size_t>(threads));
      core::parallel_for(parts.size(), threads, [&](std::size_t part, int thread) {
        add_clusters(configuration, k, begin + static_cast<std::int64_t>(part) * kClustersPerBatch, kClustersPerBatch,
                     workspaces[static_cast<std::size_t>(thread)], parts[part]);
      });
      for (const dam::TrialCounts& part : parts) counts += part;
    }
    std::vector<Eigen::Vector4d> columns;
    std::vector<double> y, weight;
    for (const auto& [k, counts] : measured) {
      const core::ClusterEstimate estimate =
          core::cluster_estimate({counts.trials, counts.successes, counts.clusters, counts.successes_squared});
      const double p = estimate.mean;
      if (!(p > 0 && p < 1)) continue;
      const double x = std::log(static_cast<double>(k) / center), error = estimate.standard_error / (-p * std::log(p));
      columns.emplace_back(1, x, x * x, k % 2 == 0 ? 1 : -1);
      y.push_back(std::log(-std::log(p)) - std::log(-std::log(setting.beta)));
      weight.push_back(1 / (error * error));
    }
    if (y.size() < 5) continue;
    const Truth found = crossing(columns, y, weight);
    if (found.error <= wanted) return {center * std::exp(found.k_max), center * std::exp(found.k_max) * found.error};
  }
}

Coverage coverage_of(const std::vector<Outcome>& outcomes, double truth) {
  Coverage result;
  double sum = 0, squares = 0;
  for (const Outcome& outcome : outcomes) {
    ++result.runs;
    result.trials += static_cast<double>(outcome.trials) / static_cast<double>(outcomes.size());
    if (!outcome.ok) continue;
    ++result.ok;
    result.below += outcome.ci_high < truth;
    result.above += outcome.ci_low > truth;
    result.half_width += (outcome.ci_high - outcome.ci_low) / 2 / truth;
    sum += outcome.k_max / truth - 1;
    squares += std::pow(outcome.k_max / truth - 1, 2);
  }
  const double ok = result.ok;
  result.half_width /= ok;
  result.spread = 1.96 * std::sqrt((squares - sum * sum / ok) / (ok - 1));
  result.bias = sum / ok / result.half_width;
  return result;
}

ExponentCoverage exponent_coverage(const Atlas& atlas, const std::vector<std::vector<Outcome>>& outcomes,
                                   const std::vector<double>& truths) {
  ExponentCoverage result;
  double sum = 0, squares = 0;
  for (std::size_t run = 0; run < outcomes.front().size(); ++run) {
    std::vector<analysis::ScalingPoint> measured, expected;
    double chi_squared = 0;
    for (std::size_t i = 0; i < truths.size(); ++i) {
      const Outcome& outcome = outcomes[i][run];
      const auto configuration = atlas.at(atlas.sizes[i]).configuration(1);
      measured.push_back({configuration, atlas.setting.beta, outcome.k_max, outcome.ci_low, outcome.ci_high});
      expected.push_back({configuration, atlas.setting.beta, truths[i], truths[i] * outcome.ci_low / outcome.k_max,
                          truths[i] * outcome.ci_high / outcome.k_max});
      const double sigma = std::log(outcome.ci_high / outcome.ci_low) / (2 * 1.96);
      chi_squared += std::pow(std::log(outcome.k_max / truths[i]) / sigma, 2);
    }
    const auto exponent = [](const std::vector<analysis::ScalingPoint>& points) {
      const auto rows = analysis::fit_scaling(points, {.exact_law = false});
      return *std::find_if(rows.begin(), rows.end(), [](auto& row) { return row.id == "log-corrected-exponent"; });
    };
    const analysis::ScalingRow fitted = exponent(measured);
    const double truth = exponent(expected).measured, error = fitted.measured - truth;
    ++result.runs;
    result.exponent += truth;
    result.below += fitted.ci_high < truth;
    result.above += fitted.ci_low > truth;
    result.half_width += (fitted.ci_high - fitted.ci_low) / 2;
    result.unlikely +=
        boost::math::cdf(complement(boost::math::chi_squared(static_cast<double>(truths.size())), chi_squared)) < 0.05;
    sum += error;
    squares += error * error;
  }
  const double runs = result.runs;
  result.exponent /= runs;
  result.half_width /= runs;
  result.unlikely /= runs;
  result.bias = sum / runs / result.half_width;
  result.spread = 1.96 * std::sqrt((squares - sum * sum / runs) / (runs - 1));
  return result;
}

}  // namespace calibration

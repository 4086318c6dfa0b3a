#include "analysis/scaling_fit.h"

#include <boost/random/normal_distribution.hpp>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"
#include "dam/theory/one_step.h"
#include "dam/theory/theory.h"

using namespace analysis;

namespace {

ScalingPoint point(const char* model, int num_neurons, double k_max, double relative_error = 0.02) {
  ScalingPoint result;
  result.configuration.model = core::EnergyModel::parse(model);
  result.configuration.num_neurons = num_neurons;
  result.k_max = k_max;
  result.ci_low = k_max * std::exp(-1.96 * relative_error);
  result.ci_high = k_max * std::exp(1.96 * relative_error);
  return result;
}

double pattern(const char* model, int num_neurons) {
  dam::TheoryInput input;
  input.model = core::EnergyModel::parse(model);
  input.num_neurons = num_neurons;
  return dam::theory_row("pattern").evaluate(input).value;
}

const ScalingRow& row(const std::vector<ScalingRow>& rows, std::string_view id) {
  for (const ScalingRow& candidate : rows)
    if (candidate.id == id) return candidate;
  throw std::runtime_error("no row " + std::string(id));
}

std::vector<ScalingPoint> gaussian_capacities(const char* model) {
  std::vector<ScalingPoint> points;
  for (const int n : {32, 64, 128, 256, 512}) points.push_back(point(model, n, pattern(model, n)));
  return points;
}

}  // namespace

TEST_CASE("capacities of the pattern formula: the naive exponent misses n - 1, the log-corrected one is n - 1") {
  for (const auto& [model, degree] : {std::pair{"hopfield", 2}, std::pair{"dense:3", 3}, std::pair{"dense:4", 4}}) {
    const auto rows = fit_scaling(gaussian_capacities(model));
    CHECK(row(rows, "log-corrected-exponent").measured == Approx(degree - 1).epsilon(1e-9));
    CHECK(row(rows, "log-corrected-exponent").systematic == Approx(0).margin(1e-9));
    CHECK(row(rows, "pattern-prefactor").measured == Approx(1).epsilon(1e-9));
    CHECK(row(rows, "naive-exponent").measured < degree - 1.1);
    CHECK(row(rows, "naive-exponent").deviation < -5);
    CHECK(row(rows, "naive-exponent").theory == degree - 1);
  }
}

TEST_CASE("the slope is weighted by the intervals and the bootstrap has the analytic error") {
  std::vector<ScalingPoint> points;
  const int sizes[] = {16, 32, 64, 128};
  const double errors[] = {0.3, 0.01, 0.02, 0.05};
  const double noise[] = {0.5, 0.01, -0.01, 0.03};
  double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int i = 0; i < 4; ++i) {
    const double x = std::log(sizes[i]);
    const double y = 1 + 1.5 * x + noise[i];
    points.push_back(point("dense:3", sizes[i], std::exp(y), errors[i]));
    const double w = 1 / (errors[i] * errors[i]);
    sw += w, sx += w * x, sy += w * y, sxx += w * x * x, sxy += w * x * y;
  }
  const ScalingRow naive = row(fit_scaling(points, {4000, 7}), "naive-exponent");
  CHECK(naive.measured == Approx((sw * sxy - sx * sy) / (sw * sxx - sx * sx)).epsilon(1e-9));
  const double sigma = std::sqrt(sw / (sw * sxx - sx * sx));
  CHECK((naive.ci_high - naive.ci_low) / (2 * 1.96) == Approx(sigma).epsilon(0.08));
  CHECK(naive.degrees_of_freedom == 2);
  CHECK(naive.chi_squared > 1);
  CHECK(naive.systematic != 0);
}

TEST_CASE("bootstrap intervals cover the exponent that made the data") {
  int covered = 0;
  constexpr int kRuns = 400;
  for (int run = 0; run < kRuns; ++run) {
    core::Stream stream(Catch::rngSeed(), 3, static_cast<std::uint64_t>(run), core::Purpose::data);
    boost::random::normal_distribution<> normal;
    std::vector<ScalingPoint> points;
    for (const int n : {16, 20, 26, 32})
      points.push_back(point("hopfield", n, pattern("hopfield", n) * std::exp(0.03 * normal(stream)), 0.03));
    const ScalingRow fit = row(fit_scaling(points, {300, static_cast<std::uint64_t>(run)}), "pattern-prefactor");
    covered += fit.ci_low <= 1 && 1 <= fit.ci_high;
  }
  // 0.95 of 400 ± 5 σ (0.0109 each); an interval of half the width would cover 0.67.
  CHECK(covered > kRuns * (0.95 - 5 * 0.0109));
  CHECK(covered < kRuns * 0.995);
}

TEST_CASE("against the exact finite-N law its own predictions are flat") {
  std::vector<ScalingPoint> points;
  for (const int n : {32, 64, 128})
    points.push_back(
        point("dense:3", n, dam::OneStep(core::EnergyModel::parse("dense:3"), n).predicted_k_max(0.5).num_patterns));
  const auto rows = fit_scaling(points);
  CHECK(row(rows, "exact-law-slope").measured == Approx(0).margin(1e-9));
  CHECK(row(rows, "exact-law-prefactor").measured == Approx(1).epsilon(1e-9));
}

TEST_CASE("exponential separation is fitted as a rate, beside both theories") {
  std::vector<ScalingPoint> points;
  for (const int n : {14, 16, 18, 20}) points.push_back(point("exponential:1", n, std::exp(0.6 * n - 2)));
  const auto rows = fit_scaling(points);
  CHECK(row(rows, "naive-rate").measured == Approx(0.6).epsilon(1e-9));
  CHECK(row(rows, "naive-rate").theory == Approx(0.6750).margin(1e-4));
  CHECK(row(rows, "bound-rate").theory == Approx(std::log(2.0) / 2));
  CHECK(row(rows, "bound-rate").deviation > 3);
  CHECK(row(rows, "log-corrected-rate").measured > 0.6);
  CHECK_THROWS(row(rows, "naive-exponent"));
}

TEST_CASE("where the largest overlap decides, the root of N is divided out of an exponential capacity") {
  std::vector<ScalingPoint> points;
  for (const int n : {14, 16, 18, 20}) {
    points.push_back(point("exponential:1", n, std::sqrt(n) * std::exp(0.3 * n)));
    points.back().configuration.alpha = 0.9;
  }
  const auto rows = fit_scaling(points);
  CHECK(row(rows, "log-corrected-rate").measured == Approx(0.3).epsilon(1e-9));
  CHECK(row(rows, "log-corrected-rate").theory == Approx(dam::overlap_rate(0.8)));
  CHECK(row(rows, "naive-rate").measured > 0.3);
}

TEST_CASE("bounds never enter as values") {
  auto points = gaussian_capacities("dense:3");
  const double clean = row(fit_scaling(points), "naive-exponent").measured;
  points.push_back(point("dense:3", 1024, 5));
  points.back().ok = false;
  CHECK(row(fit_scaling(points), "naive-exponent").measured == clean);
}

TEST_CASE("fits that would mislead are refused with the reason") {
  const auto refuse = [](auto change, const char* words) {
    auto points = gaussian_capacities("dense:3");
    change(points);
    CHECK_THROWS_WITH(fit_scaling(points), Catch::Contains(words));
  };
  using Points = std::vector<ScalingPoint>;
  refuse([](Points& points) { points.clear(); }, "at least 3");
  refuse([](Points& points) { points.resize(2); }, "at least 3");
  refuse([](Points& points) { points[0].ok = points[1].ok = points[2].ok = false; }, "bounds do not count");
  refuse(
      [](Points& points) {
        for (auto& point : points) point.configuration.num_neurons = 64;
      },
      "2 different N");
  refuse([](Points& points) { points[1].ci_low = points[1].ci_high; }, "no width");
  refuse([](Points& points) { points[1].k_max = 0.5; }, "not above 1");
  refuse([](Points& points) { points[1].beta = 0.9; }, "beta (0.5 and 0.9)");
  refuse([](Points& points) { points[1].configuration.alpha = 0.9; }, "alpha (1 and 0.9)");
  refuse([](Points& points) { points[1].configuration.model = core::EnergyModel::parse("dense:4"); },
         "model (dense:3 and dense:4)");
  refuse([](Points& points) { points[1].configuration.dynamics.rule = dam::UpdateRule::energy; }, "update rule");
  refuse([](Points& points) { points[1].configuration.dynamics.order = dam::UpdateOrder::sequential; }, "update order");
  refuse([](Points& points) { points[1].configuration.dynamics.tie = dam::TieRule::plus; }, "tie rule");
  refuse([](Points& points) { points[1].configuration.success.min_overlap = 0.9; }, "success rule");
  refuse([](Points& points) { points[1].configuration.patterns.kind = dam::PatternKind::biased; }, "pattern source");
  auto seeds = gaussian_capacities("dense:3");
  seeds[1].configuration.seed = 5;
  CHECK_NOTHROW(fit_scaling(seeds));
  CHECK_THROWS_WITH(fit_scaling(seeds, {10, 1}), Catch::Contains("at least 100"));
}

#include "dam/search/success_curve.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/statistics/binomial.h"

using namespace dam;

namespace {

CurvePoint point(std::int64_t num_patterns, std::int64_t trials, std::int64_t successes) {
  return {num_patterns, trials, successes, trials, successes};
}

/// The success probability of N independent Gaussian fields; crosses ½ at K = half.
double field_curve(int num_neurons, double half, double num_patterns) {
  const double z = core::upper_tail_inverse(-std::expm1(-std::log(2.0) / num_neurons));
  return std::exp(num_neurons * std::log1p(-core::upper_tail(z * std::sqrt(half / num_patterns))));
}

std::vector<CurvePoint> expected_counts(std::initializer_list<int> sizes, int num_neurons, double half) {
  std::vector<CurvePoint> points;
  for (const int k : sizes) points.push_back(point(k, 1000000, std::llround(1e6 * field_curve(num_neurons, half, k))));
  return points;
}

}  // namespace

TEST_CASE("a curve of independent Gaussian fields is inverted without bias at every beta") {
  const auto points = expected_counts({600, 620, 640, 660, 680, 920, 960, 980, 1000, 1020, 1040, 1080}, 200, 1000);
  CHECK(fit_success_curve(points, 0.5, 200).k_max == Approx(1000).epsilon(2e-4));
  CHECK(field_curve(200, 1000, fit_success_curve(points, 0.9, 200).k_max) == Approx(0.9).epsilon(2e-4));
  const CurveFit fit = fit_success_curve(points, 0.5, 200);
  CHECK(fit.ok);
  CHECK(fit.link == core::LinkKind::field);
  CHECK(fit.goodness_of_fit > 0.9);
  CHECK(fit.isotonic_agrees);
  CHECK(fit.k_max_isotonic == Approx(1000).epsilon(2e-3));
  // Steepness of ln(−ln p) by central differences.
  const auto score = [](double k) { return std::log(-std::log(field_curve(200, 1000, k))); };
  CHECK(fit.steepness == Approx((score(1001) - score(999)) / (std::log(1001.0) - std::log(999.0))).epsilon(1e-2));
}

TEST_CASE("the interval is the profile likelihood: a quarter of it for sixteen times the trials") {
  std::vector<CurvePoint> few;
  std::vector<CurvePoint> many;
  // So near each other that a bend between them is nothing, and enough trials to know the slope.
  for (const int k : {970, 1000, 1030}) {
    const std::int64_t successes = std::llround(6000 * field_curve(100, 1000, k));
    few.push_back(point(k, 6000, successes));
    many.push_back(point(k, 96000, 16 * successes));
  }
  const CurveFit wide = fit_success_curve(few, 0.5, 100);
  const CurveFit narrow = fit_success_curve(many, 0.5, 100);
  CHECK(wide.k_max == Approx(narrow.k_max).epsilon(1e-4));
  CHECK((wide.ci_high - wide.ci_low) / (narrow.ci_high - narrow.ci_low) == Approx(4).epsilon(0.05));
  CHECK(wide.ci_low < wide.k_max);
  CHECK(wide.k_max < wide.ci_high);
}

TEST_CASE("what the shape of the curve leaves open stays in the interval until trials decide it") {
  const auto half_width = [](const std::vector<int>& places, std::int64_t trials) {
    std::vector<CurvePoint> points;
    for (const int k : places)
      points.push_back(
          point(k, trials, std::llround(static_cast<double>(trials) * field_curve(100, 1000, static_cast<double>(k)))));
    return fit_success_curve(points, 0.5, 100).relative_half_width();
  };
  // A bend of the size that measured curves have moves the crossing of points 20 % apart by half a per cent and more;
  // near points do not mind, and points on both sides of the middle tell it.
  const std::int64_t many = 1'000'000;
  CHECK(half_width({980, 1000, 1020}, many) < 0.002);
  CHECK(half_width({800, 1200}, many) > 0.005);
  CHECK(half_width({800, 1000, 1200}, many) < 0.002);
}

TEST_CASE("trials that share pattern sets widen the interval by the root of the design effect") {
  std::vector<CurvePoint> independent;
  std::vector<CurvePoint> repeated;  // every cluster of 4 all right or all wrong
  for (const int k : {985, 1000, 1015}) {
    const std::int64_t quarter = std::llround(40000 * field_curve(100, 1000, k));
    independent.push_back(point(k, 160000, 4 * quarter));
    repeated.push_back({k, 160000, 4 * quarter, 40000, 16 * quarter});
  }
  const CurveFit plain = fit_success_curve(independent, 0.5, 100);
  const CurveFit clustered = fit_success_curve(repeated, 0.5, 100);
  CHECK(clustered.dispersion == Approx(4).epsilon(0.01));
  CHECK(clustered.k_max == Approx(plain.k_max).epsilon(1e-3));  // beside more trials the priors weigh less
  CHECK(clustered.relative_half_width() / plain.relative_half_width() == Approx(2).epsilon(0.05));
}

TEST_CASE("a curve of another shape is inverted from the points near its crossing") {
  std::vector<CurvePoint> bent;
  for (const int k : {80, 90, 95, 100, 105, 110, 120}) {
    const double u = 8 * std::log(k / 100.0);
    bent.push_back(point(k, 100000, std::llround(100000 / (1 + std::exp(u)))));
  }
  const CurveFit fit = fit_success_curve(bent, 0.5, 500);
  CHECK(fit.k_max == Approx(100).epsilon(1e-3));
  CHECK(fit.ci_low < 100);
  CHECK(fit.ci_high > 100);
  CHECK(fit.window_points < 7);  // 80 and 120 are too far away
  CHECK(fit.goodness_of_fit > 0.05);
}

TEST_CASE("where no curve fits, the misfit is reported and widens the interval") {
  const std::vector<CurvePoint> ragged = {point(90, 4000, 2600), point(95, 4000, 1500), point(100, 4000, 2500),
                                          point(105, 4000, 1300), point(110, 4000, 1500)};
  const CurveFit fit = fit_success_curve(ragged, 0.5, 100);
  CHECK(fit.goodness_of_fit < 1e-6);
  CHECK(fit.dispersion > 10);
}

TEST_CASE("ties that alternate with the parity of K are averaged, not fitted as noise") {
  std::vector<CurvePoint> points;
  for (int k = 10; k <= 22; ++k) {
    const double shift = k % 2 == 0 ? 1.03 : 0.97;
    points.push_back(point(k, 20000, std::llround(20000 * field_curve(64, 16 * shift, k))));
  }
  const CurveFit fit = fit_success_curve(points, 0.5, 64);
  CHECK(fit.k_max == Approx(16).epsilon(0.005));
  CHECK(fit.goodness_of_fit > 0.01);
}

TEST_CASE("isotonic disagreement is reported, not hidden") {
  // The points nearest the crossing contradict the rest: a line goes through, single points decide against it.
  const std::vector<CurvePoint> points = {point(50, 4000, 3900), point(100, 4000, 2100), point(101, 4000, 300),
                                          point(140, 4000, 280)};
  const CurveFit fit = fit_success_curve(points, 0.5, 100);
  const bool inside = fit.isotonic.low <= fit.k_max && fit.k_max <= fit.isotonic.high;
  CHECK(fit.isotonic_agrees == inside);
  CHECK(fit.isotonic.low == 100 - 50 * (fit.isotonic.low == 50));
  CHECK(fit.isotonic.high == 101);
}

TEST_CASE("separated points give an interval between them") {
  const std::vector<CurvePoint> points = {point(10, 200, 200), point(14, 200, 0)};
  const CurveFit fit = fit_success_curve(points, 0.5, 50);
  CHECK(fit.ok);
  CHECK(fit.ci_low == Approx(10).epsilon(0.01));
  CHECK(fit.ci_high == Approx(14).epsilon(0.01));
}

TEST_CASE("what cannot be estimated says why") {
  CHECK(fit_success_curve({}, 0.5, 50).reason == "no trials");
  const std::vector<CurvePoint> one = {point(10, 100, 60)};
  CHECK_THAT(fit_success_curve(one, 0.5, 50).reason, Catch::Contains("two K"));
  const std::vector<CurvePoint> rising = {point(10, 100, 20), point(20, 100, 80)};
  CHECK_THAT(fit_success_curve(rising, 0.5, 50).reason, Catch::Contains("does not fall"));
  const std::vector<CurvePoint> high = {point(10, 100, 95), point(11, 100, 90)};
  CHECK_THAT(fit_success_curve(high, 0.5, 50).reason, Catch::Contains("outside"));
  CHECK_FALSE(fit_success_curve(high, 0.5, 50).ok);
  CHECK(std::isinf(fit_success_curve(high, 0.5, 50).relative_half_width()));
}

TEST_CASE("bad points and bad thresholds are refused") {
  const std::vector<CurvePoint> twice = {point(10, 100, 60), point(10, 100, 50)};
  CHECK_THROWS_WITH(fit_success_curve(twice, 0.5, 50), Catch::Contains("occurs twice"));
  const std::vector<CurvePoint> zero = {point(0, 100, 60)};
  CHECK_THROWS_WITH(fit_success_curve(zero, 0.5, 50), Catch::Contains("K starts at 1"));
  const std::vector<CurvePoint> many = {point(10, 100, 160)};
  CHECK_THROWS_AS(fit_success_curve(many, 0.5, 50), std::invalid_argument);
  CHECK_THROWS_AS(fit_success_curve({}, 1, 50), std::invalid_argument);
  CHECK_THROWS_AS(fit_success_curve({}, 0.5, 1), std::invalid_argument);
}

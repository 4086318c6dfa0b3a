#include "core/statistics/glm.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace core;

TEST_CASE("every link inverts, and its slope is the derivative of its probability") {
  const auto kind = GENERATE(LinkKind::field, LinkKind::cloglog);
  const Link link{kind, 50};
  for (const double p : {0.02, 0.3, 0.5, 0.95, 0.999}) {
    const double eta = link.inverse(p);
    CHECK(std::exp(link.log_success(eta)) == Approx(p).epsilon(1e-12));
    CHECK(std::exp(link.log_failure(eta)) == Approx(1 - p).epsilon(1e-11));
    const double step = 1e-5;
    const double slope = (std::exp(link.log_success(eta + step)) - std::exp(link.log_success(eta - step))) / (2 * step);
    CHECK(link.slope(eta) == Approx(slope).epsilon(1e-6));
  }
}

TEST_CASE("links stay finite far out") {
  const auto kind = GENERATE(LinkKind::field, LinkKind::cloglog);
  for (const double eta : {-1e6, 1e6}) {
    CHECK(std::isfinite(Link{kind, 50}.log_success(eta)));
    CHECK(std::isfinite(Link{kind, 50}.log_failure(eta)));
  }
}

TEST_CASE("regression finds the line that made its expected counts") {
  const auto kind = GENERATE(LinkKind::field, LinkKind::cloglog);
  const Link link{kind, 80};
  std::vector<BinomialRow> rows;
  for (const double x : {-1.0, -0.4, 0.1, 0.5, 0.9}) {
    const double success = std::exp(link.log_success(link.inverse(0.6) + 0.7 * x - 0.2 * x * x));
    rows.push_back({1000, 1000 * success, 0, {1, x, x * x}});
  }
  const BinomialFit fit = fit_binomial(rows, 3, link);
  CHECK(fit.coefficients[0] == Approx(link.inverse(0.6)).epsilon(1e-5));
  CHECK(fit.coefficients[1] == Approx(0.7).epsilon(1e-4));
  CHECK(fit.coefficients[2] == Approx(-0.2).epsilon(1e-3));
  CHECK(fit.deviance == Approx(0).margin(1e-7));
  CHECK(fit.pearson == Approx(0).margin(1e-7));
}

TEST_CASE("the fit is a maximum of the likelihood: no step lowers the deviance") {
  const Link link{LinkKind::cloglog};
  std::vector<BinomialRow> rows = {{30, 28, 0, {1, -1}}, {30, 17, 0, {1, 0}}, {30, 9, 0, {1, 0.7}}, {30, 1, 0, {1, 1}}};
  const BinomialFit fit = fit_binomial(rows, 2, link);
  for (const double step : {-0.02, 0.02})
    for (const std::size_t column : {0u, 1u}) {
      auto shifted = rows;
      auto coefficients = fit.coefficients;
      coefficients[column] += step;
      for (BinomialRow& row : shifted) row.offset = coefficients[0] * row.columns[0] + coefficients[1] * row.columns[1];
      CHECK(fit_binomial(shifted, 0, link).deviance > fit.deviance);
    }
}

TEST_CASE("separable counts give a steep finite fit instead of an error") {
  const std::vector<BinomialRow> rows = {{20, 20, 0, {1, -1}}, {20, 0, 0, {1, 1}}};
  const BinomialFit fit = fit_binomial(rows, 2, {LinkKind::cloglog});
  CHECK(fit.deviance < 1e-3);
  CHECK(fit.coefficients[1] > 5);
  CHECK(std::isfinite(fit.coefficients[1]));
}

TEST_CASE("a regression without rows or with too many columns is refused") {
  CHECK_THROWS_AS(fit_binomial({}, 1, {}), std::invalid_argument);
  const std::vector<BinomialRow> rows = {{20, 3, 0, {1}}};
  CHECK_THROWS_AS(fit_binomial(rows, kMaxColumns + 1, {}), std::invalid_argument);
}

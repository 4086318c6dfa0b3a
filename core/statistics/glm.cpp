#include "core/statistics/glm.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "core/statistics/binomial.h"

namespace core {
namespace {

// Beyond these predictors every probability is 0 or 1 to machine precision; the clamp keeps exponentials finite.
constexpr double kLargestEta = 30;

double normal_density(double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); }
double clamp_eta(double eta) { return std::clamp(eta, -kLargestEta, kLargestEta); }
/// ln(1 − e^x) for x ≤ 0, without cancellation at either end.
double log1m_exp(double x) { return x > -std::numbers::ln2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x)); }

double predictor(const BinomialRow& row, const std::array<double, kMaxColumns>& coefficients, std::size_t num_columns) {
  double eta = row.offset;
  for (std::size_t i = 0; i < num_columns; ++i) eta += coefficients[i] * row.columns[i];
  return clamp_eta(eta);
}

/// x·(ln x − ln y) for a count x and its expectation, 0 at x = 0.
double deviance_part(double count, double trials, double log_probability) {
  return count > 0 ? count * (std::log(count / trials) - log_probability) : 0;
}

double deviance(std::span<const BinomialRow> rows, const std::array<double, kMaxColumns>& coefficients,
                std::size_t num_columns, const Link& link) {
  double sum = 0;
  for (const BinomialRow& row : rows) {
    const double eta = predictor(row, coefficients, num_columns);
    sum += deviance_part(row.successes, row.trials, link.log_success(eta));
    sum += deviance_part(row.trials - row.successes, row.trials, link.log_failure(eta));
  }
  return 2 * sum;
}

using Matrix = std::array<std::array<double, kMaxColumns>, kMaxColumns>;

/// Solves the positive semi-definite system in place by Cholesky; a ridge of rounding size keeps flat directions still.
std::array<double, kMaxColumns> solve(Matrix a, std::array<double, kMaxColumns> b, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) a[i][i] = a[i][i] * (1 + 1e-10) + 1e-12;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j][j];
    }
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = size; i-- > 0;) {
    for (std::size_t k = i + 1; k < size; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

double Link::log_success(double eta) const {
  eta = clamp_eta(eta);
  switch (kind) {
    case LinkKind::field:
      return num_neurons * std::log1p(-upper_tail(std::exp(-eta)));
    case LinkKind::cloglog:
      return -std::exp(eta);
  }
  throw std::logic_error("link");
}

double Link::log_failure(double eta) const {
  eta = clamp_eta(eta);
  switch (kind) {
    case LinkKind::field:
    case LinkKind::cloglog:
      // Below e^{−700} the tail underflows; a finite floor keeps the likelihood comparable.
      return std::max(log1m_exp(log_success(eta)), -700.0);
  }
  throw std::logic_error("link");
}

double Link::slope(double eta) const {
  eta = clamp_eta(eta);
  switch (kind) {
    case LinkKind::field: {
      const double z = std::exp(-eta);
      return -num_neurons * std::exp(log_success(eta)) * z * normal_density(z) / (1 - upper_tail(z));
    }
    case LinkKind::cloglog:
      return -std::exp(eta - std::exp(eta));
  }
  throw std::logic_error("link");
}

double Link::inverse(double probability) const {
  switch (kind) {
    case LinkKind::field:
      return -std::log(upper_tail_inverse(-std::expm1(std::log(probability) / num_neurons)));
    case LinkKind::cloglog:
      return std::log(-std::log(probability));
  }
  throw std::logic_error("link");
}

namespace {

/// Σ weight·columnᵢ·columnⱼ and Σ pull·columnᵢ: the normal equations both the start and every step solve.
struct NormalEquations {
  Matrix matrix{};
  std::array<double, kMaxColumns> right_side{};

  void add(const BinomialRow& row, std::size_t num_columns, double weight, double pull) {
    for (std::size_t i = 0; i < num_columns; ++i) {
      right_side[i] += pull * row.columns[i];
      for (std::size_t j = 0; j <= i; ++j) matrix[i][j] += weight * row.columns[i] * row.columns[j];
    }
  }
};

double variance_of_one(double eta, const Link& link) {
  return std::max(std::exp(link.log_success(eta) + link.log_failure(eta)), 1e-290);
}

/// Weighted least squares of the observed predictors, half a trial away from 0 and 1.
std::array<double, kMaxColumns> starting_point(std::span<const BinomialRow> rows, std::size_t num_columns,
                                               const Link& link, const PriorPrecision& prior) {
  const double floor = link.kind == LinkKind::field ? std::pow(0.5, link.num_neurons) : 0;
  NormalEquations equations;
  for (const BinomialRow& row : rows) {
    const double fraction = (row.successes + 0.5) / (row.trials + 1);
    const double eta = clamp_eta(link.inverse(floor + (1 - floor) * fraction));
    const double slope = link.slope(eta);
    const double weight = row.trials * slope * slope / variance_of_one(eta, link);
    equations.add(row, num_columns, weight, weight * (eta - row.offset));
  }
  for (std::size_t i = 0; i < num_columns; ++i) equations.matrix[i][i] += prior[i];
  return solve(equations.matrix, equations.right_side, num_columns);
}

}  // namespace

BinomialFit fit_binomial(std::span<const BinomialRow> rows, std::size_t num_columns, const Link& link,
                         const PriorPrecision& prior) {
  if (rows.empty() || num_columns > kMaxColumns)
    throw std::invalid_argument("binomial regression needs rows and at most " + std::to_string(kMaxColumns) +
                                " columns");
  BinomialFit fit;
  const auto misfit = [&](const std::array<double, kMaxColumns>& coefficients) {
    double sum = deviance(rows, coefficients, num_columns, link);
    for (std::size_t i = 0; i < num_columns; ++i) sum += prior[i] * coefficients[i] * coefficients[i];
    return sum;
  };
  fit.deviance = misfit(fit.coefficients);
  const auto move_to = [&](const std::array<double, kMaxColumns>& coefficients) {
    const double value = misfit(coefficients);
    if (!(value < fit.deviance)) return false;
    fit.deviance = value;
    fit.coefficients = coefficients;
    return true;
  };
  move_to(starting_point(rows, num_columns, link, prior));
  constexpr int kMaxSteps = 60;
  for (int step = 0; step < kMaxSteps && num_columns > 0; ++step) {
    NormalEquations equations;
    for (const BinomialRow& row : rows) {
      const double eta = predictor(row, fit.coefficients, num_columns);
      const double slope_over_variance = link.slope(eta) / variance_of_one(eta, link);
      const double residual = row.successes - row.trials * std::exp(link.log_success(eta));
      equations.add(row, num_columns, row.trials * link.slope(eta) * slope_over_variance,
                    residual * slope_over_variance);
    }
    for (std::size_t i = 0; i < num_columns; ++i) {
      equations.matrix[i][i] += prior[i];
      equations.right_side[i] -= prior[i] * fit.coefficients[i];
    }
    const auto direction = solve(equations.matrix, equations.right_side, num_columns);
    const double before = fit.deviance;
    for (double scale = 1; scale > 1e-6; scale /= 2) {
      auto moved = fit.coefficients;
      for (std::size_t i = 0; i < num_columns; ++i) moved[i] += scale * direction[i];
      if (move_to(moved)) break;
    }
    if (before - fit.deviance < 1e-9) break;
  }
  for (const BinomialRow& row : rows) {
    const double eta = predictor(row, fit.coefficients, num_columns);
    const double success = std::exp(link.log_success(eta));
    const double variance = row.trials * success * std::exp(link.log_failure(eta));
    const double residual = row.successes - row.trials * success;
    if (variance > 0) fit.pearson += residual * residual / variance;
  }
  return fit;
}

std::string_view text(LinkKind kind) {
  constexpr std::string_view kWords[] = {"field", "cloglog"};
  return kWords[static_cast<int>(kind)];
}

}  // namespace core

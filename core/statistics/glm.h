// Binomial regression: success counts whose probability falls along a linear predictor.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace core {

/// How a success probability p falls with the predictor η; every link decreases from 1 to its floor.
///
/// | kind    | p(η)               | floor   |
/// |---------|--------------------|---------|
/// | field   | (1 − Q(e^{−η}))^N  | 2^{−N}  |
/// | cloglog | exp(−e^η)          | 0       |
///
/// Q is the Gaussian upper tail. `field` is the law of N independent Gaussian fields of signal-to-noise ratio e^{−η}:
/// a memory's success curve is a straight line there, η = ½ ln K + const (THEORY §3, `pattern`).
enum class LinkKind { field, cloglog };

/// `field`, `cloglog`: words of the result file.
std::string_view text(LinkKind kind);

struct Link {
  LinkKind kind = LinkKind::cloglog;
  double num_neurons = 1;  // N of `field`; the others do not use it

  /// ln p(η).
  double log_success(double eta) const;
  /// ln(1 − p(η)), accurate where p is close to 1.
  double log_failure(double eta) const;
  /// dp/dη ≤ 0.
  double slope(double eta) const;
  /// η with p(η) = probability; the probability lies strictly between the floor and 1.
  double inverse(double probability) const;
};

inline constexpr std::size_t kMaxColumns = 4;

/// One row: successes out of trials (real, so that they can be weighted) at predictor offset + Σ coefficient·column.
struct BinomialRow {
  double trials = 0;
  double successes = 0;
  double offset = 0;
  std::array<double, kMaxColumns> columns{};
};

struct BinomialFit {
  std::array<double, kMaxColumns> coefficients{};
  double deviance = 0;  // 2·(log likelihood of the observed fractions − that of the fit)
  double pearson = 0;   // Σ (successes − trials·p)² / (trials·p·(1 − p))
};

/// What is known of the coefficients before: each is normal about 0 with this precision, 1/variance; 0: nothing.
using PriorPrecision = std::array<double, kMaxColumns>;

/// Maximum likelihood over the first `num_columns` coefficients by Fisher scoring with step halving; the deviance holds
/// precision·coefficient² of the prior too.
///
/// Separable data push a coefficient to infinity; the fit then stops where the deviance no longer falls.
/// Throws std::invalid_argument for no rows or more than kMaxColumns columns.
BinomialFit fit_binomial(std::span<const BinomialRow> rows, std::size_t num_columns, const Link& link,
                         const PriorPrecision& prior = {});

}  // namespace core

// Capacity formulas of the literature as one table: what every measured number is compared with.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/energy/energy_model.h"
#include "dam/configuration.h"

namespace dam {

/// How sure a row is: exact identity, exact but for bits taken as independent, an approximation whose error was
/// measured, signal-to-noise (Gaussian) estimate, equilibrium replica result, proved bound, or leading order for N → ∞.
enum class TheoryStatus { exact, independence, approximation, snr, replica, rigorous, asymptotic };

/// What a row's value is. num_patterns: K. load: K/N^(n−1). rate: ln K/N. variance: of one pattern's noise. factor: a
/// pure number.
enum class TheoryQuantity { num_patterns, load, rate, variance, factor };

/// What the formulas depend on.
struct TheoryInput {
  int num_neurons = 64;
  core::EnergyModel model;
  double alpha = 1;         // probability that a cue component is kept
  double beta = 0.5;        // success threshold of K_max(β)
  double bit_error = 0.01;  // tolerated error p of one bit in one step, for the one-bit criteria
  double deviations = 1;    // tolerated z, signal over standard deviation of the noise, for the z-count criterion
  UpdateRule rule = UpdateRule::derivative;
  SelfCoupling self_coupling = SelfCoupling::removed;
};

/// A value with a bound on its numerical error, or NaN and the reason why the row says nothing about this input.
struct TheoryValue {
  double value;
  std::string reason;
  bool left_out = false;  // the row applies, but its value cannot be had: beyond the numbers, or beyond patience
  double error = 0;       // of the arithmetic, not of the approximation that the row's status names
};

/// One formula.
struct TheoryRow {
  std::string_view id;
  std::string_view title;
  std::string_view formula;     // D = N − 1, V = (2n−3)!!, Q = Gaussian upper tail, z = Q⁻¹
  std::string_view convention;  // what success means here
  TheoryStatus status;
  TheoryQuantity quantity;
  std::string_view source;
  TheoryValue (*evaluate)(const TheoryInput& input);
};

/// All rows, in the order of dam/theory/theory.md.
std::span<const TheoryRow> theory_rows();

/// The row with this id; throws std::invalid_argument that lists the ids.
const TheoryRow& theory_row(std::string_view id);

/// The row's value as a number of patterns K (load·N^(n−1), e^(rate·N)); NaN with a reason for variances and factors.
TheoryValue as_num_patterns(const TheoryRow& row, const TheoryInput& input);

std::string text(TheoryStatus status);  // exact | independence | approximation | SNR | replica | rigorous | asymptotic
std::string text(TheoryQuantity quantity);  // num_patterns | load | rate | variance | factor

/// M_power(D) = E[m^power] of the sum m of D fair signs, summed from the binomial law; relative error below 1e−11.
/// M₂ = D, M₄ = 3D² − 2D, M₆ = 15D³ − 30D² + 16D, … (THEORY §3). Throws std::invalid_argument unless D, power ≥ 0.
double overlap_moment(int power, int num_components);

/// (2n−3)!!, the leading coefficient of M_{2n−2}(D)/D^{n−1}; 1 for n = 2.
double double_factorial(int degree);

/// I(x) = ½[(1+x)ln(1+x) + (1−x)ln(1−x)]: P(overlap ≥ xN) ≈ e^{−N·I(x)} for fair signs (Cramér).
double overlap_rate(double normalized_overlap);

}  // namespace dam

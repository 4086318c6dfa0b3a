// The support of a spin: the sum whose sign decides whether it stays, as exact weights over integer overlaps.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "core/stop.h"
#include "dam/configuration.h"

namespace dam {

/// The number mantissa·2^exponent, exactly.
struct ExactWeight {
  boost::multiprecision::cpp_int mantissa;
  std::int64_t exponent = 0;
};

/// Sums Σ_a count_a·weight_a whose sign is always exact.
class ExactSum {
 public:
  explicit ExactSum(std::vector<ExactWeight> weights);

  /// The sign (−1, 0, +1) of Σ counts[a]·weight[a]; |counts| below 2⁶⁰, one per weight.
  int sign(std::span<const std::int64_t> counts) const;

  const std::vector<ExactWeight>& weights() const { return weights_; }

 private:
  std::vector<ExactWeight> weights_;
  std::vector<std::int64_t> integers_;  // the weights themselves where all are integers below 2⁶²: sums fit 128 bits
  std::vector<double> reals_;           // else the weights over the power of two that brings the largest to 1
};

/// Throws std::invalid_argument that says why where the model's weights at N cannot be represented: exponentials and
/// their kin of a parameter times 4N above 10¹⁸.
void require_representable(const core::EnergyModel& model, int num_neurons);

/// What a spin without a value feels of patterns whose overlap with the others is m, by m + N for m = −N … N: f(x(m))
/// or, for the energy rule, F(x(m + 1)) − F(x(m − 1)); up to a positive factor.
ExactSum field_weights(const core::EnergyModel& model, UpdateRule rule, int num_neurons);

/// All that recall needs of (model, rule, self-coupling, N), as functions of the agreements a = (N + m)/2.
///
/// A spin stays iff t = Σ_{μ agreeing} agree[a_μ] + Σ_{μ disagreeing} disagree[a_μ] > 0, is tied iff t = 0 and flips
/// iff t < 0, with m = 2a − N and x(m) = S (THEORY §1):
///
/// | rule                      | agree               | disagree            |
/// |---------------------------|---------------------|---------------------|
/// | derivative, removed       | f(x(m − 1))         | −f(x(m + 1))        |
/// | derivative, kept          | f(x(m))             | −f(x(m))            |
/// | energy                    | F(x(m)) − F(x(m−2)) | F(x(m)) − F(x(m+2)) |
///
/// Positive common factors drop out, so every power has integer weights; other separations are evaluated with 50 digits
/// and rounded once to 53 bits, and those rounded numbers are the model.
struct Support {
  /// Throws core::Stopped when asked to: integers of thousands of bits at large N take minutes.
  Support(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const core::StopToken& stop = {});

  int num_neurons;
  ExactSum stay;         // 2(N+1) weights: agree[0 … N], then disagree[0 … N]
  ExactSum separation;   // F by agreements, up to a positive factor
  bool energy_may_rise;  // false where the rule is energy descent
};

/// Bytes beyond a megabyte that a Support takes at most while it is made and the tables of a plane kernel from it.
std::int64_t support_memory(const core::EnergyModel& model, std::int64_t num_neurons);

}  // namespace dam

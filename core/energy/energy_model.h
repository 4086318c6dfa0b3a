// The one formula both memories stand on: E = −Q(Σ_μ F(S(ξ^μ, σ))).
#pragma once

#include <string>
#include <string_view>

#include "core/energy/separation.h"
#include "core/energy/shaping.h"
#include "core/energy/similarity.h"

namespace core {

/// Similarity, separation and shaping: all that defines the energy of a dense associative memory.
struct EnergyModel {
  Similarity similarity = Similarity::dot;
  Separation separation;
  Shaping shaping;

  /// The shorthand when one names this model (`hopfield`, `dense:3`, `rectified:3`, `exponential:0.5`, `modern:0.5`),
  /// else the three layers, `cosine/power:3/log`.
  std::string text() const;
  /// Reads text(); throws std::invalid_argument that names the accepted forms.
  static EnergyModel parse(std::string_view text);

  /// Why this model is degenerate on ±1 states (empty when it is not): an even function of −‖σ−ξ‖² rewards the farthest
  /// pattern, a rectified one is 0 everywhere, and log or power shaping needs Σ F > 0 (THEORY §2).
  std::string degenerate() const;

  bool operator==(const EnergyModel&) const = default;
};

}  // namespace core

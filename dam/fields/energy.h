// Overlaps and energies of any state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/energy/energy_model.h"
#include "dam/states/patterns.h"

namespace dam {

/// m_μ = ξ^μ·σ of all K patterns. Throws std::invalid_argument unless state has num_neurons entries.
std::vector<int> overlaps(const Patterns& patterns, const State& state);

/// An energy, also one beyond the doubles.
struct Energy {
  double value = 0;       ///< ±∞ or 0 where it is beyond the doubles; NaN where the formula has no value
  double log10_size = 0;  ///< log₁₀|E|, there too; −∞ where E is 0
};

/// E = −Q(Σ_μ F(S(ξ^μ, σ))) (THEORY §2); K ≥ 1.
///
/// Patterns of equal overlap are counted, counts of opposite overlaps joined where F is even or odd (so that they
/// cancel exactly) and weighted from the smallest overlap to the largest: the value depends neither on the order of the
/// patterns nor on the machine's vector width. What does not fit doubles is summed relative to its largest term and
/// kept as a logarithm. Throws like overlaps().
Energy energy_of(const core::EnergyModel& model, const Patterns& patterns, const State& state);
/// The same from the K overlaps of the state.
Energy energy_of(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps);

/// Its value alone.
double energy(const core::EnergyModel& model, const Patterns& patterns, const State& state);
double energy(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps);

/// The local fields h_i = Σ_μ ξ_i^μ f(S(m_μ − ξ_i^μ σ_i)) of all spins (m_μ itself where the self-coupling is kept),
/// whose sign is where the derivative rule turns spin i (THEORY §1); in doubles, infinite beyond them. Throws like
/// overlaps().
std::vector<double> fields(const core::EnergyModel& model, SelfCoupling self_coupling, const Patterns& patterns,
                           const State& state);

/// Eight digits, whatever the exponent: `-812`, `-9.0909091e+327`; `undefined` where there is no value.
std::string text(const Energy& energy);

}  // namespace dam

// Overlaps and energies of any state.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/energy/energy_model.h"
#include "dam/states/patterns.h"

namespace dam {

/// m_μ = ξ^μ·σ of all K patterns. Throws std::invalid_argument unless state has num_neurons entries.
std::vector<int> overlaps(const Patterns& patterns, const State& state);

/// E = −Q(Σ_μ F(S(ξ^μ, σ))) (THEORY §2); K ≥ 1.
///
/// Patterns of equal overlap are counted and the counts weighted from the smallest overlap to the largest, so the value
/// depends neither on the order of the patterns nor on the machine's vector width. The logarithm of a sum of
/// exponentials is taken without forming the sum. Throws like overlaps().
double energy(const core::EnergyModel& model, const Patterns& patterns, const State& state);
/// The same from the K overlaps of the state.
double energy(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps);

}  // namespace dam

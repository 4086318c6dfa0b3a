// Cues with erased neurons: where those start, and which stay.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dam/fields/support.h"
#include "dam/states/patterns.h"

namespace dam {

/// Where an erased neuron starts: at a fair coin, or at the sign of the field that the known neurons exert on it.
enum class ErasedStart { random, field };

/// Reads `random` or `field`; throws std::invalid_argument that names them.
ErasedStart parse_erased_start(std::string_view text);

/// Gives erased neurons their first values, the same for every kernel.
class ErasedStarts {
 public:
  ErasedStarts(const core::EnergyModel& model, UpdateRule rule, int num_neurons, ErasedStart start);

  /// The cue, whose erased neurons are 0, as a state. Coins come from bit i of block(i / 256, 0) of the stream.
  ///
  /// Field: Σ_μ ξ_i f(x(m_μ)) or, for the energy rule, Σ_μ [F(x(m_μ + ξ_i)) − F(x(m_μ − ξ_i))], m_μ the overlap of ξ^μ
  /// with the known neurons alone, N that of the whole network; its sign is exact, a neuron at field 0 tosses its coin.
  State state(const Patterns& patterns, const State& cue, const core::Stream& coins) const;

 private:
  ErasedStart start_;
  ExactSum weights_;
};

/// The neurons of a cue that are not erased, for Recall::hold.
std::vector<std::uint32_t> known_neurons(const State& cue);

}  // namespace dam

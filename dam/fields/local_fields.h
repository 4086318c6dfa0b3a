// Local fields of one network state: the engine behind the recall loop.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/stop.h"
#include "dam/states/patterns.h"

namespace dam {

/// Decides, for one state at a time, which spins its field supports.
///
/// Every implementation returns the sign of the exact sum of support.h, so all agree on every decision, ties included.
class LocalFields {
 public:
  virtual ~LocalFields() = default;

  /// Starts from this state, in O(N·K). The patterns must outlive the use and keep their contents.
  virtual void load(const Patterns& patterns, const State& state) = 0;
  /// signs[j] = sign of the support of spins[j] in the current state: +1 it stays, −1 it flips, 0 a tie.
  virtual void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) = 0;
  /// The number of spins that decide() takes at little more than the cost of one.
  virtual std::size_t spins_per_decision() const = 0;
  /// The supports of all spins in the current state, in one positive unit, where the kernel keeps them up to date after
  /// every flip; else empty.
  virtual std::span<const std::int64_t> supports() const { return {}; }
  /// Flips these spins, all at once, in O(K) each; true iff that raised the energy, which is: Σ F fell.
  virtual bool flip(std::span<const std::uint32_t> spins) = 0;
};

/// The slow reference: overlaps held incrementally, fields by counting patterns of equal overlap.
std::unique_ptr<LocalFields> make_reference_fields(const core::EnergyModel& model, const Dynamics& dynamics,
                                                   int num_neurons, const core::StopToken& stop = {});

}  // namespace dam

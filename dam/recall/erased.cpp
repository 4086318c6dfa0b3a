#include "dam/recall/erased.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "dam/fields/energy.h"

namespace dam {
namespace {

State filled(State cue, std::int8_t value) {
  std::ranges::replace(cue, 0, value);
  return cue;
}

}  // namespace

ErasedStart parse_erased_start(std::string_view text) {
  if (text == "random") return ErasedStart::random;
  if (text == "field") return ErasedStart::field;
  throw std::invalid_argument("start of erased neurons '" + std::string(text) + "' is not random or field");
}

ErasedStarts::ErasedStarts(const core::EnergyModel& model, UpdateRule rule, int num_neurons, ErasedStart start)
    : start_(start), weights_(start == ErasedStart::field ? field_weights(model, rule, num_neurons) : ExactSum({})) {}

State ErasedStarts::state(const Patterns& patterns, const State& cue, const core::Stream& coins) const {
  State state = cue;
  for (std::size_t spin = 0; spin < cue.size(); ++spin)
    if (cue[spin] == 0) state[spin] = (coins.block(spin / 256, 0)[spin % 256 / 64] >> (spin % 64) & 1) != 0 ? 1 : -1;
  if (start_ == ErasedStart::random) return state;
  // What erased neurons add to an overlap cancels between all of them +1 and all of them −1.
  const std::vector<int> plus = overlaps(patterns, filled(cue, 1)), minus = overlaps(patterns, filled(cue, -1));
  std::vector<std::int64_t> counts(weights_.weights().size());
  for (std::size_t spin = 0; spin < cue.size(); ++spin) {
    if (cue[spin] != 0) continue;
    std::ranges::fill(counts, 0);
    for (std::size_t pattern = 0; pattern < plus.size(); ++pattern) {
      const int overlap = (plus[pattern] + minus[pattern]) / 2;
      counts[static_cast<std::size_t>(patterns.num_neurons() + overlap)] +=
          patterns.bit(static_cast<int>(spin), static_cast<std::int64_t>(pattern)) ? 1 : -1;
    }
    if (const int sign = weights_.sign(counts); sign != 0) state[spin] = static_cast<std::int8_t>(sign);
  }
  return state;
}

std::vector<std::uint32_t> known_neurons(const State& cue) {
  std::vector<std::uint32_t> known;
  for (std::uint32_t spin = 0; spin < cue.size(); ++spin)
    if (cue[spin] != 0) known.push_back(spin);
  return known;
}

}  // namespace dam

#include "dam/fields/energy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

namespace dam {
namespace {

/// log Σ counts[a]·e^{λS(a)} relative to the largest term present.
double log_sum(const core::EnergyModel& model, const std::vector<std::int64_t>& counts) {
  const int num_neurons = static_cast<int>(counts.size()) - 1;
  const auto similarity = core::on_overlap(model.similarity, num_neurons);
  const auto exponent = [&](int a) { return model.separation.parameter * similarity(2 * a - num_neurons); };
  int largest = num_neurons;
  while (counts[largest] == 0) --largest;
  double sum = 0;
  for (int a = 0; a <= largest; ++a) sum += static_cast<double>(counts[a]) * std::exp(exponent(a) - exponent(largest));
  return exponent(largest) + std::log(sum);
}

}  // namespace

std::vector<int> overlaps(const Patterns& patterns, const State& state) {
  const int num_neurons = patterns.num_neurons();
  if (state.size() != static_cast<std::size_t>(num_neurons))
    throw std::invalid_argument("a state of " + std::to_string(state.size()) + " spins does not fit patterns of " +
                                std::to_string(num_neurons));
  std::vector<int> result(patterns.num_patterns());
  for (std::size_t word = 0; 64 * word < result.size(); ++word) {
    // Bit b of the 64 agreement counts stands in counters[b]: a column is added by rippling its carry.
    std::array<std::uint64_t, 32> counters{};
    for (int spin = 0; spin < num_neurons; ++spin) {
      std::uint64_t carry = patterns.column(spin)[word] ^ (state[spin] > 0 ? 0 : ~0ull);
      for (std::size_t b = 0; carry != 0; ++b) {
        const std::uint64_t next = counters[b] & carry;
        counters[b] ^= carry;
        carry = next;
      }
    }
    const std::size_t last = std::min(result.size(), 64 * word + 64);
    for (std::size_t pattern = 64 * word; pattern < last; ++pattern) {
      int agreements = 0;
      for (int b = 0; num_neurons >> b != 0; ++b)
        agreements |= static_cast<int>(counters[b] >> (pattern % 64) & 1) << b;
      result[pattern] = 2 * agreements - num_neurons;
    }
  }
  return result;
}

double energy(const core::EnergyModel& model, const Patterns& patterns, const State& state) {
  const int num_neurons = patterns.num_neurons();
  std::vector<std::int64_t> counts(num_neurons + 1);
  for (const int overlap : overlaps(patterns, state)) ++counts[(num_neurons + overlap) / 2];

  if (model.separation.kind == core::SeparationKind::exponential && model.shaping.kind == core::ShapingKind::log)
    return -model.shaping.scale * log_sum(model, counts);
  const auto similarity = core::on_overlap(model.similarity, num_neurons);
  double sum = 0;
  for (int a = 0; a <= num_neurons; ++a)
    if (counts[a] != 0) sum += static_cast<double>(counts[a]) * model.separation.value(similarity(2 * a - num_neurons));
  return -model.shaping.value(sum);
}

}  // namespace dam

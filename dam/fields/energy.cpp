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
  // Bit b of the agreement counts stands in counters[b]; a column is added by rippling its carry. As many words at a
  // time as a cache line has.
  constexpr std::size_t kWords = 8;
  for (std::size_t first = 0; 64 * first < result.size(); first += kWords) {
    const std::size_t words = std::min(kWords, patterns.words_per_column() - first);
    std::array<std::array<std::uint64_t, kWords>, 32> counters{};
    std::array<std::uint64_t, kWords> carry{};
    for (int spin = 0; spin < num_neurons; ++spin) {
      const std::uint64_t flipped = state[spin] > 0 ? 0 : ~0ull;
      const std::uint64_t* column = patterns.column(spin).data() + first;
      for (std::size_t w = 0; w < words; ++w) carry[w] = column[w] ^ flipped;
      for (std::uint64_t left = 1, b = 0; left != 0 && num_neurons >> b != 0; ++b) {
        left = 0;
        for (std::size_t w = 0; w < kWords; ++w) {
          const std::uint64_t next = counters[b][w] & carry[w];
          counters[b][w] ^= carry[w];
          carry[w] = next;
          left |= next;
        }
      }
    }
    const std::size_t last = std::min(result.size(), 64 * (first + kWords));
    for (std::size_t pattern = 64 * first; pattern < last; ++pattern) {
      int agreements = 0;
      for (int b = 0; num_neurons >> b != 0; ++b)
        agreements |= static_cast<int>(counters[b][pattern / 64 - first] >> (pattern % 64) & 1) << b;
      result[pattern] = 2 * agreements - num_neurons;
    }
  }
  return result;
}

double energy(const core::EnergyModel& model, const Patterns& patterns, const State& state) {
  return energy(model, patterns.num_neurons(), overlaps(patterns, state));
}

double energy(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps) {
  std::vector<std::int64_t> counts(num_neurons + 1);
  for (const int overlap : overlaps) ++counts[(num_neurons + overlap) / 2];

  if (model.separation.kind == core::SeparationKind::exponential && model.shaping.kind == core::ShapingKind::log)
    return -model.shaping.scale * log_sum(model, counts);
  const auto similarity = core::on_overlap(model.similarity, num_neurons);
  double sum = 0;
  for (int a = 0; a <= num_neurons; ++a)
    if (counts[a] != 0) sum += static_cast<double>(counts[a]) * model.separation.value(similarity(2 * a - num_neurons));
  return -model.shaping.value(sum);
}

}  // namespace dam

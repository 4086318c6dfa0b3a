#include "dam/fields/energy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace dam {
namespace {

using core::SeparationKind;

/// A real number as its sign and ln of its size: Σ F, which may lie beyond the doubles, beside its value where it does
/// not.
struct Sum {
  double value;
  int sign;
  double log_size;
};

Sum plain(double value) { return {value, (value > 0) - (value < 0), std::log(std::abs(value))}; }
Sum scaled(double sum, double log_scale) {
  const int sign = (sum > 0) - (sum < 0);
  const double log_size = std::log(std::abs(sum)) + log_scale;
  return {sign == 0 ? 0 : sign * std::exp(log_size), sign, log_size};
}

/// A similarity and how many patterns have it.
struct Level {
  double similarity;
  std::int64_t count;
};

/// The levels of Σ F, from the smallest overlap to the largest; opposite similarities are one level, with the sum or
/// difference of their counts, where F is even or odd.
std::vector<Level> levels_of(const core::EnergyModel& model, const std::vector<std::int64_t>& counts) {
  const int num_neurons = static_cast<int>(counts.size()) - 1;
  const auto similarity = core::on_overlap(model.similarity, num_neurons);
  const core::Separation& separation = model.separation;
  const bool power = separation.kind == SeparationKind::power, odd = power && separation.degree() % 2 != 0;
  const bool joined = similarity.intercept == 0 && (power || separation.kind == SeparationKind::log_cosh);
  std::vector<Level> levels;
  for (int a = joined ? (num_neurons + 1) / 2 : 0; a <= num_neurons; ++a) {
    std::int64_t count = counts[a];
    if (joined && 2 * a != num_neurons) count += (odd ? -1 : 1) * counts[num_neurons - a];
    if (count != 0) levels.push_back({similarity(2 * a - num_neurons), count});
  }
  return levels;
}

/// ln Σ counts·e^{λS} relative to the largest term.
double log_sum_of_exponentials(double lambda, const std::vector<Level>& levels) {
  double sum = 0;
  const double largest = lambda * levels.back().similarity;
  for (const Level& level : levels)
    sum += static_cast<double>(level.count) * std::exp(lambda * level.similarity - largest);
  return largest + std::log(sum);
}

/// Σ counts·F(S).
Sum sum_of(const core::EnergyModel& model, const std::vector<Level>& levels) {
  const core::Separation& separation = model.separation;
  if (separation.kind == SeparationKind::exponential && model.shaping.kind == core::ShapingKind::log)
    return scaled(1, log_sum_of_exponentials(separation.parameter, levels));
  double sum = 0, largest = 0;
  for (const auto& [similarity, count] : levels) {
    sum += static_cast<double>(count) * separation.value(similarity);
    largest = std::max(largest, std::abs(similarity));
  }
  const bool lost = !std::isfinite(sum) || (sum == 0 && !levels.empty());
  if (lost && separation.kind == SeparationKind::exponential)
    return scaled(1, log_sum_of_exponentials(separation.parameter, levels));
  if (!lost || largest == 0 || !separation.integer_valued()) return plain(sum);
  double relative = 0;
  for (const auto& [similarity, count] : levels)
    relative += static_cast<double>(count) * separation.degree() * separation.value(similarity / largest);
  return scaled(relative, separation.degree() * std::log(largest) - std::log(separation.degree()));
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

Energy energy_of(const core::EnergyModel& model, const Patterns& patterns, const State& state) {
  return energy_of(model, patterns.num_neurons(), overlaps(patterns, state));
}

Energy energy_of(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps) {
  std::vector<std::int64_t> counts(num_neurons + 1);
  for (const int overlap : overlaps) ++counts[(num_neurons + overlap) / 2];
  const Sum sum = sum_of(model, levels_of(model, counts));
  const core::Shaping& shaping = model.shaping;
  const auto result = [](double value, double log_size) {
    const bool zero = value == 0 && std::isinf(log_size);  // not too small for a double, and not -0
    return Energy{zero ? 0.0 : -value, log_size / std::numbers::ln10};
  };
  switch (shaping.kind) {
    case core::ShapingKind::linear:
      return result(shaping.scale * sum.value, sum.log_size + std::log(std::abs(shaping.scale)));
    case core::ShapingKind::log: {
      const double value = sum.sign < 0 ? std::nan("") : shaping.scale * sum.log_size;
      return result(value, std::log(std::abs(value)));
    }
    case core::ShapingKind::power: {
      const double value = shaping.value(sum.value);
      const bool fits = std::isfinite(value) && (value != 0 || sum.sign == 0);
      const double log_size =
          shaping.exponent *
          (std::isfinite(sum.value) && sum.value != 0 ? std::log(std::abs(sum.value + shaping.offset)) : sum.log_size);
      return result(value, fits ? std::log(std::abs(value)) : log_size + std::log(std::abs(shaping.scale)));
    }
  }
  throw std::logic_error("shaping");
}

double energy(const core::EnergyModel& model, const Patterns& patterns, const State& state) {
  return energy_of(model, patterns, state).value;
}

double energy(const core::EnergyModel& model, int num_neurons, std::span<const int> overlaps) {
  return energy_of(model, num_neurons, overlaps).value;
}

std::vector<double> fields(const core::EnergyModel& model, SelfCoupling self_coupling, const Patterns& patterns,
                           const State& state) {
  const std::vector<int> all = overlaps(patterns, state);
  const int num_neurons = patterns.num_neurons();
  const core::AffineSimilarity similarity = core::on_overlap(model.similarity, num_neurons);
  std::vector<double> slopes(static_cast<std::size_t>(2 * num_neurons + 3));  // f by overlap + N + 1
  for (int m = -num_neurons - 1; m <= num_neurons + 1; ++m)
    slopes[static_cast<std::size_t>(m + num_neurons + 1)] = model.separation.derivative(similarity(m));
  std::vector<double> sums(state.size());
  for (int spin = 0; spin < num_neurons; ++spin)
    for (std::size_t pattern = 0; pattern < all.size(); ++pattern) {
      const bool plus = patterns.bit(spin, static_cast<std::int64_t>(pattern));
      const bool agrees = plus == (state[static_cast<std::size_t>(spin)] > 0);
      const int others = self_coupling == SelfCoupling::kept ? all[pattern] : all[pattern] - (agrees ? 1 : -1);
      const double slope = slopes[static_cast<std::size_t>(others + num_neurons + 1)];
      sums[static_cast<std::size_t>(spin)] += plus ? slope : -slope;
    }
  return sums;
}

std::string text(const Energy& energy) {
  if (std::isnan(energy.value)) return "undefined";
  const bool fits = std::isfinite(energy.value) && (energy.value != 0 || std::isinf(energy.log10_size));
  if (fits || !std::isfinite(energy.log10_size)) return fmt::format("{:.8g}", energy.value);
  double exponent = std::floor(energy.log10_size);
  std::string digits = fmt::format("{:.8g}", std::pow(10, energy.log10_size - exponent));
  if (digits == "10") digits = "1", ++exponent;
  return fmt::format("{}{}e{:+.0f}", std::signbit(energy.value) ? "-" : "", digits, exponent);
}

}  // namespace dam

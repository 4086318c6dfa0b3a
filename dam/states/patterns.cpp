#include "dam/states/patterns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

#include "dam/states/random_blocks.h"

namespace dam {
namespace {

using core::Purpose;
using core::Stream;

// Rows of the pattern stream beyond the spins' own.
constexpr std::uint64_t kChoiceRow = std::uint64_t{1} << 40;
constexpr std::uint64_t kMixtureRow = std::uint64_t{1} << 41;
constexpr std::uint64_t kNoiseRow = std::uint64_t{1} << 42;

template <typename Value>
Patterns read_rows(std::span<const Value> rows, int num_neurons, Value minus) {
  if (num_neurons < 1 || rows.size() % static_cast<std::size_t>(num_neurons) != 0)
    throw std::invalid_argument("patterns: " + std::to_string(rows.size()) + " values are not rows of " +
                                std::to_string(num_neurons) + " neurons");
  Patterns patterns(num_neurons, static_cast<std::int64_t>(rows.size()) / num_neurons);
  for (std::size_t place = 0; place < rows.size(); ++place) {
    const std::size_t row = place / num_neurons, neuron = place % num_neurons;
    if (rows[place] != 1 && rows[place] != minus)
      throw std::invalid_argument("patterns: value " + std::to_string(rows[place]) + " at row " + std::to_string(row) +
                                  ", neuron " + std::to_string(neuron) + " is not " + (minus == 0 ? "0 or 1" : "±1"));
    patterns.set(static_cast<int>(neuron), static_cast<std::int64_t>(row), rows[place] == 1);
  }
  return patterns;
}

/// 256 bits, each 1 with probability p: uniform numbers are compared with p digit by digit from the most significant,
/// until no comparison is open; at most 64 digits.
Stream::Block bernoulli_block(const Stream& stream, double p, std::uint64_t column, std::uint64_t row) {
  if (p >= 1) return {~0ull, ~0ull, ~0ull, ~0ull};
  const auto digits = static_cast<std::uint64_t>(std::ldexp(p, 64));
  Stream::Block less{}, open{~0ull, ~0ull, ~0ull, ~0ull};
  for (std::uint64_t digit = 0; digit < 64 && (open[0] | open[1] | open[2] | open[3]) != 0; ++digit) {
    const bool one = digits >> (63 - digit) & 1;
    const Stream::Block uniform = stream.block(column | digit << 48, row);
    for (int j = 0; j < 4; ++j) {
      if (one) less[j] |= open[j] & ~uniform[j];
      open[j] &= one ? uniform[j] : ~uniform[j];
    }
  }
  return less;
}

void draw_iid(const Stream& stream, Patterns& out, const core::StopToken& stop) {
  constexpr std::size_t kWordsAtOnce = std::size_t{1} << 20;  // some milliseconds
  const std::size_t words = out.words_per_column(), neurons = static_cast<std::size_t>(out.num_neurons());
  const std::size_t rows = std::max<std::size_t>(1, kWordsAtOnce / std::max<std::size_t>(1, words));
  for (std::size_t first = 0; first < neurons; first += rows) {
    stop.check();
    fill_random(stream, first, std::min(rows, neurons - first), words, words,
                out.column(static_cast<int>(first)).data());
  }
}

void draw_biased(const Stream& stream, double p, Patterns& out, const core::StopToken& stop) {
  for (int spin = 0; spin < out.num_neurons(); ++spin) {
    if (spin % 64 == 0) stop.check();
    const auto column = out.column(spin);
    for (std::size_t word = 0; word < column.size(); word += 4) {
      const auto block = bernoulli_block(stream, p, word / 4, spin);
      std::copy_n(block.begin(), std::min<std::size_t>(4, column.size() - word), column.begin() + word);
    }
  }
}

void draw_copies(const Stream& stream, const Stream& prototypes, const PatternSource& source, Patterns& out,
                 const core::StopToken& stop) {
  draw_biased(stream, source.parameter, out, stop);  // 1 = flipped
  for (std::int64_t pattern = 0; pattern < out.num_patterns(); ++pattern) {
    if (pattern % 64 == 0) stop.check();
    const std::uint64_t draw = stream.block(pattern / 4, kChoiceRow)[pattern % 4];
    const auto prototype = static_cast<std::uint64_t>((static_cast<unsigned __int128>(draw) * source.rank) >> 64);
    for (int spin = 0; spin < out.num_neurons(); ++spin) {
      const bool plus = prototypes.block(prototype / 256, spin)[prototype % 256 / 64] >> (prototype % 64) & 1;
      out.set(spin, pattern, plus != out.bit(spin, pattern));
    }
  }
}

/// Four standard normal numbers (Box–Muller).
std::array<double, 4> normal_block(const Stream& stream, std::uint64_t column, std::uint64_t row) {
  const auto bits = stream.block(column, row);
  std::array<double, 4> normal;
  for (int j = 0; j < 4; j += 2) {
    const double uniform = std::ldexp(static_cast<double>(bits[j] >> 11) + 0.5, -53);
    const double angle = std::ldexp(static_cast<double>(bits[j + 1] >> 11), -52) * std::numbers::pi;
    const double radius = std::sqrt(-2 * std::log(uniform));
    normal[j] = radius * std::cos(angle);
    normal[j + 1] = radius * std::sin(angle);
  }
  return normal;
}

/// Normal numbers block(first, row), block(first + 1, row), … in order.
void fill_normal(const Stream& stream, std::uint64_t first, std::uint64_t row, std::span<double> out) {
  for (std::size_t at = 0; at < out.size(); at += 4) {
    const auto normal = normal_block(stream, first + at / 4, row);
    std::copy_n(normal.begin(), std::min<std::size_t>(4, out.size() - at), out.begin() + at);
  }
}

void draw_low_rank(const Stream& stream, const Stream& prototype_stream, const PatternSource& source, Patterns& out,
                   const core::StopToken& stop) {
  const std::size_t neurons = out.num_neurons(), rank = source.rank;
  std::vector<double> prototypes(neurons * rank), mixture(rank), noise(neurons);
  for (std::size_t spin = 0; spin < neurons; ++spin) {
    if (spin % 64 == 0) stop.check();
    fill_normal(prototype_stream, 0, spin, std::span(prototypes).subspan(spin * rank, rank));
  }
  for (std::int64_t pattern = 0; pattern < out.num_patterns(); ++pattern) {
    stop.check();
    fill_normal(stream, 0, kMixtureRow + pattern, mixture);
    fill_normal(stream, 0, kNoiseRow + pattern, noise);
    for (std::size_t spin = 0; spin < neurons; ++spin) {
      const double signal = std::inner_product(mixture.begin(), mixture.end(), prototypes.begin() + spin * rank, 0.0);
      out.set(static_cast<int>(spin), pattern, signal + source.parameter * noise[spin] >= 0);
    }
  }
}

void draw_rows(Stream stream, const Patterns* bank, Patterns& out, const core::StopToken& stop) {
  if (bank == nullptr) throw std::invalid_argument("patterns from a file need the file's patterns");
  if (bank->num_neurons() != out.num_neurons())
    throw std::invalid_argument("the pattern file has " + std::to_string(bank->num_neurons()) + " neurons, not " +
                                std::to_string(out.num_neurons()));
  if (bank->num_patterns() < out.num_patterns())
    throw std::invalid_argument("the pattern file has " + std::to_string(bank->num_patterns()) + " patterns, not " +
                                std::to_string(out.num_patterns()));
  std::vector<std::uint32_t> rows(bank->num_patterns());
  std::iota(rows.begin(), rows.end(), 0u);
  for (std::int64_t at = 0; at < out.num_patterns(); ++at)
    std::swap(rows[at], rows[at + core::uniform_below(stream, rows.size() - at)]);
  for (int spin = 0; spin < out.num_neurons(); ++spin) {
    if (spin % 64 == 0) stop.check();
    for (std::int64_t pattern = 0; pattern < out.num_patterns(); ++pattern)
      out.set(spin, pattern, bank->bit(spin, rows[pattern]));
  }
}

}  // namespace

std::size_t column_words(std::int64_t num_patterns) {
  const auto words = static_cast<std::size_t>((num_patterns + 63) / 64);
  return words <= 8 ? words : (words + 7) / 8 * 8;
}

void Patterns::reset(int num_neurons, std::int64_t num_patterns) {
  if (num_neurons < 1 || num_patterns < 0)
    throw std::invalid_argument("patterns need N >= 1 and K >= 0, not N = " + std::to_string(num_neurons) +
                                ", K = " + std::to_string(num_patterns));
  num_neurons_ = num_neurons;
  num_patterns_ = num_patterns;
  words_ = column_words(num_patterns);
  bits_.resize(words_ * num_neurons);
}

void Patterns::clear_padding() {
  const std::size_t full = num_patterns_ / 64;
  if (full == words_) return;
  const std::uint64_t kept = (std::uint64_t{1} << (num_patterns_ % 64)) - 1;
  for (int spin = 0; spin < num_neurons_; ++spin) {
    const auto words = column(spin);
    words[full] &= kept;
    std::fill(words.begin() + full + 1, words.end(), 0);
  }
}

void Patterns::set(int spin, std::int64_t pattern, bool plus) {
  std::uint64_t& word = bits_[spin * words_ + pattern / 64];
  const std::uint64_t mask = std::uint64_t{1} << (pattern % 64);
  word = plus ? word | mask : word & ~mask;
}

State Patterns::row(std::int64_t pattern) const {
  State state(num_neurons_);
  for (int spin = 0; spin < num_neurons_; ++spin) state[spin] = bit(spin, pattern) ? 1 : -1;
  return state;
}

Patterns Patterns::from_rows(std::span<const std::int8_t> rows, int num_neurons) {
  return read_rows<std::int8_t>(rows, num_neurons, -1);
}
Patterns Patterns::from_rows(std::span<const std::uint8_t> rows, int num_neurons) {
  return read_rows<std::uint8_t>(rows, num_neurons, 0);
}

void draw_patterns(const Configuration& configuration, std::uint64_t id, std::int64_t num_patterns,
                   std::int64_t cluster, const Patterns* bank, Patterns& out, const core::StopToken& stop) {
  const PatternSource& source = configuration.patterns;
  const Stream stream(configuration.seed, id, cluster, Purpose::patterns, num_patterns);
  const Stream prototypes(configuration.seed, id, cluster, Purpose::prototypes, num_patterns);
  out.reset(configuration.num_neurons, num_patterns);
  switch (source.kind) {
    case PatternKind::iid:
      draw_iid(stream, out, stop);
      break;
    case PatternKind::biased:
      draw_biased(stream, source.parameter, out, stop);
      break;
    case PatternKind::low_rank:
      draw_low_rank(stream, prototypes, source, out, stop);
      break;
    case PatternKind::copies:
      draw_copies(stream, prototypes, source, out, stop);
      break;
    case PatternKind::file:
      draw_rows(stream, bank, out, stop);
      break;
  }
  out.clear_padding();
}

void draw_cue(const Patterns& patterns, std::int64_t source, double alpha, const Stream& stream, State& cue) {
  cue.resize(patterns.num_neurons());
  for (int first = 0; first < patterns.num_neurons(); first += 256) {
    const auto kept = bernoulli_block(stream, alpha, first / 256, 0);
    const int last = std::min(first + 256, patterns.num_neurons());
    for (int spin = first; spin < last; ++spin) {
      const auto keep = static_cast<int>(kept[spin % 256 / 64] >> (spin % 64) & 1);
      const int differs = keep ^ static_cast<int>(patterns.bit(spin, source));  // from +1
      cue[spin] = static_cast<std::int8_t>(1 - 2 * differs);
    }
  }
}

}  // namespace dam

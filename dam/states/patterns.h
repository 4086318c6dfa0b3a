// Stored patterns ξ as bits, and the states and cues that are compared with them.
#pragma once

#include <boost/align/aligned_allocator.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "core/stop.h"
#include "dam/configuration.h"

namespace dam {

/// A network state: num_neurons numbers ±1.
using State = std::vector<std::int8_t>;

/// K patterns of N spins, one bit each (1 = +1), spin-major.
///
/// Column i holds spin i of patterns 0 … K−1 in bits 0 … K−1 of consecutive 64-bit words, so that fields, flips and
/// overlaps all stream the same bits. Up to 512 patterns a column has ⌈K/64⌉ words; above, whole 512-bit blocks,
/// aligned to 64 bytes. Bits beyond K are 0.
class Patterns {
 public:
  Patterns() = default;
  /// N×K patterns of −1. Throws std::invalid_argument unless num_neurons ≥ 1 and num_patterns ≥ 0.
  Patterns(int num_neurons, std::int64_t num_patterns) { reset(num_neurons, num_patterns); }

  /// Reads K×N rows of ±1; throws std::invalid_argument naming the first other value and its place, or the bad size.
  static Patterns from_rows(std::span<const std::int8_t> rows, int num_neurons);
  /// Reads K×N rows of 0 and 1 (0 means −1); throws like the other.
  static Patterns from_rows(std::span<const std::uint8_t> rows, int num_neurons);

  int num_neurons() const { return num_neurons_; }
  std::int64_t num_patterns() const { return num_patterns_; }
  /// 64-bit words from one column to the next.
  std::size_t words_per_column() const { return words_; }

  bool bit(int spin, std::int64_t pattern) const { return column(spin)[pattern / 64] >> (pattern % 64) & 1; }
  void set(int spin, std::int64_t pattern, bool plus);
  std::span<const std::uint64_t> column(int spin) const { return {bits_.data() + spin * words_, words_}; }
  std::span<std::uint64_t> column(int spin) { return {bits_.data() + spin * words_, words_}; }
  /// Pattern μ as a state.
  State row(std::int64_t pattern) const;

  /// Makes this N×K; contents are then unspecified but for the padding, which stays the caller's to clear.
  void reset(int num_neurons, std::int64_t num_patterns);
  /// Sets the bits beyond K to 0.
  void clear_padding();

  bool operator==(const Patterns&) const = default;

 private:
  int num_neurons_ = 0;
  std::int64_t num_patterns_ = 0;
  std::size_t words_ = 0;
  std::vector<std::uint64_t, boost::alignment::aligned_allocator<std::uint64_t, 64>> bits_;
};

/// Words per column of K patterns, padding included.
std::size_t column_words(std::int64_t num_patterns);

/// Draws pattern set number `cluster` of a configuration with K patterns into `out`, reusing its memory.
///
/// `id` is configuration_id(configuration). Sets of different K are independent. iid: bits of block(w, i) are patterns
/// 256w … 256w+255 of spin i. `bank` holds the patterns of a file source (else null); throws std::invalid_argument when
/// it is missing, has another N or fewer than K patterns, core::Stopped when asked to.
void draw_patterns(const Configuration& configuration, std::uint64_t id, std::int64_t num_patterns,
                   std::int64_t cluster, const Patterns* bank, Patterns& out, const core::StopToken& stop = {});

/// Draws pattern `source` with every component kept with probability alpha, exact to 2⁻⁶⁴, into `cue`.
void draw_cue(const Patterns& patterns, std::int64_t source, double alpha, const core::Stream& stream, State& cue);

}  // namespace dam

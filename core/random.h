// Counter-based random streams: a number depends on where it is used, never on what was drawn before it.
#pragma once

#include <Random123/threefry.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>

namespace core {

/// What a stream's numbers are for; part of its key, so that purposes never share numbers.
enum class Purpose : std::uint64_t {
  patterns = 1,
  cue = 2,
  order = 3,
  tie = 4,
  bootstrap = 5,
  prototypes = 6,
  weights = 7,
  data = 8
};

/// Which numbers a seed stands for. Files say it, since counts of different versions are never added up: up to 1 the
/// streams did not contain the number of patterns, so that all K of a search shared their pattern sets.
inline constexpr int kStreamVersion = 2;

/// One random stream, Threefry-4x64-20 keyed by (seed, configuration, trial, purpose), its counter carrying the number
/// of patterns K (0 where there are none).
///
/// block(i, j) is the cipher of the counter (i, j, K, 0): a pure function of key, K and (i, j). Any two streams that
/// differ in any of the five are independent. The engine interface (operator()) walks the blocks of row 0, so
/// Boost.Random distributions accept a Stream. Source: Salmon et al. 2011 (Random123).
class Stream {
 public:
  using result_type = std::uint64_t;
  using Block = std::array<std::uint64_t, 4>;

  Stream(std::uint64_t seed, std::uint64_t configuration, std::uint64_t trial, Purpose purpose,
         std::uint64_t num_patterns = 0)
      : key_{{seed, configuration, trial, static_cast<std::uint64_t>(purpose)}}, num_patterns_(num_patterns) {}

  /// The 256 random bits at (column, row).
  Block block(std::uint64_t column, std::uint64_t row) const {
    const auto bits = r123::Threefry4x64{}({{column, row, num_patterns_, 0}}, key_);
    return {bits[0], bits[1], bits[2], bits[3]};
  }

  /// The four key words and the counter's third, for kernels that draw many blocks at once and must give block()'s
  /// bits.
  Block key() const { return {key_[0], key_[1], key_[2], key_[3]}; }
  std::uint64_t num_patterns() const { return num_patterns_; }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() {
    if (used_ == 4) {
      buffer_ = block(next_++, 0);
      used_ = 0;
    }
    return buffer_[used_++];
  }

 private:
  r123::Threefry4x64::key_type key_;
  std::uint64_t num_patterns_;
  Block buffer_{};
  std::uint64_t next_ = 0;
  unsigned used_ = 4;
};

/// A uniform integer in [0, bound), unbiased (Lemire 2019); bound ≥ 1.
std::uint64_t uniform_below(Stream& stream, std::uint64_t bound);

/// True with probability `probability`, one draw; exact for 0 and 1.
bool bernoulli(Stream& stream, double probability);

/// Shuffles in place, every permutation equally likely (Fisher–Yates).
void shuffle(Stream& stream, std::span<std::uint32_t> items);

}  // namespace core

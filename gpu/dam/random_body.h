// The same random streams as core/random.h, on the card.
#pragma once

#include <Random123/threefry.h>

#include "core/random.h"
#include "gpu/dam/work.h"

namespace gpu {

struct RandomBlock {
  std::uint64_t words[4];
};

/// core::Stream(seed, configuration, trial, purpose, K)'s block at (column, row).
GPU_BODY RandomBlock random_block(const StreamKey& key, std::int64_t trial, core::Purpose purpose, std::uint64_t column,
                                  std::uint64_t row) {
  const r123::Threefry4x64::ctr_type counter = {{column, row, key.num_patterns, 0}};
  const r123::Threefry4x64::key_type whole = {
      {key.seed, key.configuration, static_cast<std::uint64_t>(trial), static_cast<std::uint64_t>(purpose)}};
  const r123::Threefry4x64::ctr_type bits = r123::Threefry4x64{}(counter, whole);
  return {{bits[0], bits[1], bits[2], bits[3]}};
}

/// 256 bits, each 1 with probability digits/2⁶⁴, as in dam/states/patterns.cpp.
GPU_BODY RandomBlock bernoulli_block(const StreamKey& key, std::int64_t trial, core::Purpose purpose,
                                     std::uint64_t digits, std::uint64_t column, std::uint64_t row) {
  RandomBlock less = {{0, 0, 0, 0}};
  std::uint64_t open[4] = {~0ull, ~0ull, ~0ull, ~0ull};
  for (std::uint64_t digit = 0; digit < 64 && (open[0] | open[1] | open[2] | open[3]) != 0; ++digit) {
    const bool one = digits >> (63 - digit) & 1;
    const RandomBlock uniform = random_block(key, trial, purpose, column | digit << 48, row);
    for (int j = 0; j < 4; ++j) {
      if (one) less.words[j] |= open[j] & ~uniform.words[j];
      open[j] &= one ? uniform.words[j] : ~uniform.words[j];
    }
  }
  return less;
}

/// ⌊bound·draw/2⁶⁴⌋.
GPU_BODY std::uint32_t scale_draw(std::uint64_t draw, std::uint64_t bound) {
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(draw) * bound) >> 64);
}

/// The random key of "spin i is +1" in a state's hash, as in dam/recall/recall.cpp.
GPU_BODY std::uint64_t spin_key(std::uint64_t spin) {
  std::uint64_t z = (spin + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace gpu

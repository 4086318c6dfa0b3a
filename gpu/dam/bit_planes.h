// From sixteen-bit numbers of 32 patterns a lane to the bit planes that the lanes multiply by.
#pragma once

#include <cstdint>

#include "gpu/device/body.h"

namespace gpu {

/// Words of a group: one a lane, 32 patterns each.
inline constexpr int kGroupWords = 32;
/// Words of a warp's exchange area: eight planes of a group.
inline constexpr int kExchangeWords = 8 * kGroupWords;

/// Four words that move together.
struct alignas(16) Words4 {
  std::uint32_t words[4];
};

template <int kBy, std::uint32_t kMask>
GPU_BODY void transpose_by(std::uint32_t (&words)[16]) {
#pragma unroll
  for (int j = 0; j < 16; ++j)
    if ((j & kBy) == 0) {
      const std::uint32_t low = words[j], high = words[j + kBy];
      words[j] = kBy == 8 ? choose_bytes<0x6240>(low, high) : select_bits(kMask, low, high << kBy);
      words[j + kBy] = kBy == 8 ? choose_bytes<0x7351>(low, high) : select_bits(kMask, low >> kBy, high);
    }
}

/// Of both halves of sixteen words: bit k of word j becomes bit j of word k.
GPU_BODY void transpose_halves(std::uint32_t (&words)[16]) {
  transpose_by<8, 0x00ff00ffu>(words);
  transpose_by<4, 0x0f0f0f0fu>(words);
  transpose_by<2, 0x33333333u>(words);
  transpose_by<1, 0x55555555u>(words);
}

/// A lane gives its word of eight planes to the others, odd planes with their halves swapped, so that no two readers
/// share a bank.
GPU_BODY void give_planes(int lane, int half, const std::uint32_t (&planes)[16], std::uint32_t* exchange) {
#pragma unroll
  for (int plane = 0; plane < 8; ++plane)
    exchange[plane * kGroupWords + (lane ^ (plane % 2 * 16))] = planes[8 * half + plane];
}

/// And takes, of the plane lane/4, the words that it multiplies by: 4t … 4t + 3 and 16 more, t = lane % 4.
GPU_BODY void take_planes(int lane, const std::uint32_t* exchange, std::uint32_t (&columns)[8]) {
  const int plane = lane / 4, first = lane % 4 * 4;
#pragma unroll
  for (int chunk = 0; chunk < 2; ++chunk) {
    const Words4 words =
        *reinterpret_cast<const Words4*>(exchange + plane * kGroupWords + ((16 * chunk + first) ^ (plane % 2 * 16)));
#pragma unroll
    for (int j = 0; j < 4; ++j) columns[4 * chunk + j] = words.words[j];
  }
}

}  // namespace gpu

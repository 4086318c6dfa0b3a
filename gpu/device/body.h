// What a function needs to be compiled for the card by nvcc and for the host by g++.
#pragma once

#include <cstdint>

// The only macro of the house: CUDA gives functions of the card a word of their own, which g++ does not know.
#ifdef __CUDACC__
#define GPU_BODY __device__ __forceinline__
#else
#define GPU_BODY inline
#endif

namespace gpu {

/// Threads that run in step.
inline constexpr int kWarp = 32;

/// The place of the lowest bit that is set; one must be.
GPU_BODY int trailing_zeros(std::uint32_t word) {
#ifdef __CUDA_ARCH__
  return __ffs(static_cast<int>(word)) - 1;
#else
  return __builtin_ctz(word);
#endif
}

GPU_BODY int count_ones(std::uint32_t word) {
#ifdef __CUDA_ARCH__
  return __popc(word);
#else
  return __builtin_popcount(word);
#endif
}

/// sum + both halves of a word, as signed numbers.
GPU_BODY std::int32_t add_halves(std::uint32_t word, std::int32_t sum) {
#ifdef __CUDA_ARCH__
  return __dp2a_lo(static_cast<int>(word), 0x0101, sum);
#else
  return sum + static_cast<std::int16_t>(word) + static_cast<std::int16_t>(word >> 16);
#endif
}

/// The lower halves of two words, or the upper ones, first below second.
GPU_BODY std::uint32_t lower_halves(std::uint32_t first, std::uint32_t second) {
  return (first & 0xffff) | (second << 16);
}
GPU_BODY std::uint32_t upper_halves(std::uint32_t first, std::uint32_t second) {
  return (first >> 16) | (second & 0xffff0000u);
}

}  // namespace gpu

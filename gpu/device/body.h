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

/// The same number, of which the compiler knows nothing: what follows from it is not computed ahead of a loop, for all
/// of its rounds to keep.
GPU_BODY std::uint64_t opaque(std::uint64_t number) {
#ifdef __CUDA_ARCH__
  asm volatile("" : "+l"(number));
#endif
  return number;
}

/// A word of shared memory that no thread changes any more, `offset` bytes after `base`. Reads stay in their order.
GPU_BODY std::uint32_t constant_word(const void* base, std::uint32_t offset) {
#ifdef __CUDA_ARCH__
  // Said outright: through pointers, the compiler computes an address of its own for every member of an entry.
  std::uint32_t word;
  asm volatile("ld.shared.b32 %0, [%1];"
               : "=r"(word)
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(base)) + offset));
  return word;
#else
  return *reinterpret_cast<const std::uint32_t*>(static_cast<const char*>(base) + offset);
#endif
}

/// Where the mask has ones the bits of `ones`, elsewhere those of `zeros`.
GPU_BODY std::uint32_t select_bits(std::uint32_t mask, std::uint32_t ones, std::uint32_t zeros) {
#ifdef __CUDA_ARCH__
  std::uint32_t word;
  asm("lop3.b32 %0, %1, %2, %3, 0xca;" : "=r"(word) : "r"(mask), "r"(ones), "r"(zeros));
  return word;
#else
  return (mask & ones) | (~mask & zeros);
#endif
}

/// Four bytes of two words: digit d of `order`, from the lowest, chooses byte d of the result; 0 … 3 stand in `first`,
/// 4 … 7 in `second`.
template <std::uint32_t kOrder>
GPU_BODY std::uint32_t choose_bytes(std::uint32_t first, std::uint32_t second) {
#ifdef __CUDA_ARCH__
  return __byte_perm(first, second, kOrder);
#else
  const std::uint64_t both = first | static_cast<std::uint64_t>(second) << 32;
  std::uint32_t word = 0;
  for (int d = 0; d < 4; ++d) word |= static_cast<std::uint32_t>(both >> 8 * (kOrder >> 4 * d & 7) & 0xff) << 8 * d;
  return word;
#endif
}

/// The lower halves of two words, or the upper ones, first below second.
GPU_BODY std::uint32_t lower_halves(std::uint32_t first, std::uint32_t second) {
  return choose_bytes<0x5410>(first, second);
}
GPU_BODY std::uint32_t upper_halves(std::uint32_t first, std::uint32_t second) {
  return choose_bytes<0x7632>(first, second);
}

}  // namespace gpu

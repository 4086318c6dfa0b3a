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

}  // namespace gpu

// HostBlock's interface on the card: every thread runs its own part of each phase.
#pragma once

#include <cstdint>

#include "gpu/device/body.h"
#include "gpu/device/fragments.h"

namespace gpu {

/// See HostWarp.
class CudaWarp {
 public:
  template <class Phase>
  __device__ __forceinline__ void each(const Phase& phase) const {
    phase(static_cast<int>(threadIdx.x));
  }
  __device__ __forceinline__ void sync() const { __syncwarp(); }

  template <class C, class Fragment>
  __device__ __forceinline__ void multiply(const C& c, const Fragment& fragment) const {
    const BinaryFragment f = fragment(static_cast<int>(threadIdx.x));
    std::int32_t(&sums)[4] = c(static_cast<int>(threadIdx.x));
    asm volatile(
        "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(f.a[0]), "r"(f.a[1]), "r"(f.a[2]), "r"(f.a[3]), "r"(f.b[0]), "r"(f.b[1]));
  }

  template <int kRows, int kColumns, class T, class C, class A, class B>
  __device__ __forceinline__ void multiply_real(Precision precision, const C& c, const A& a, const B& b) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    T* const sums = c(static_cast<int>(threadIdx.x));
    if constexpr (sizeof(T) == sizeof(double)) {
#pragma unroll
      for (int i = 0; i < kRows; ++i)
#pragma unroll
        for (int j = 0; j < kColumns; ++j)
#pragma unroll
          for (int e = 0; e < 4; ++e)
#pragma unroll
            for (int k = 0; k < 8; ++k)
              sums[4 * (i * kColumns + j) + e] +=
                  a(16 * i + fragment_row(lane, e), k) * b(k, 8 * j + fragment_column(lane, e));
    } else {
      std::uint32_t right[kColumns][2], right_rest[kColumns][2];
#pragma unroll
      for (int j = 0; j < kColumns; ++j)
#pragma unroll
        for (int r = 0; r < 2; ++r) split(b(real_inner_b(lane, r), 8 * j + lane / 4), right[j][r], right_rest[j][r]);
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        std::uint32_t left[4], left_rest[4];
#pragma unroll
        for (int r = 0; r < 4; ++r) split(a(16 * i + real_row(lane, r), real_inner(lane, r)), left[r], left_rest[r]);
        // The small parts first, each kind over all columns, so that products do not wait for one another.
        if (precision == Precision::full) {
#pragma unroll
          for (int j = 0; j < kColumns; ++j) multiply_tf32(sums + 4 * (i * kColumns + j), left_rest, right[j]);
#pragma unroll
          for (int j = 0; j < kColumns; ++j) multiply_tf32(sums + 4 * (i * kColumns + j), left, right_rest[j]);
        }
#pragma unroll
        for (int j = 0; j < kColumns; ++j) multiply_tf32(sums + 4 * (i * kColumns + j), left, right[j]);
      }
    }
  }

  template <class Wanted>
  __device__ __forceinline__ int find(int begin, int end, const Wanted& wanted) const {
    const int lane = static_cast<int>(threadIdx.x);
    for (int first = begin; first < end; first += kWarp) {
      const unsigned found = __ballot_sync(kAllLanes, first + lane < end && wanted(first + lane));
      if (found != 0) return first + trailing_zeros(found);
    }
    return end;
  }
  template <class Wanted, class Take>
  __device__ __forceinline__ int gather(int begin, int end, int most, const Wanted& wanted, const Take& take) const {
    const int lane = static_cast<int>(threadIdx.x);
    int count = 0;
    for (int first = begin; first < end && count < most; first += kWarp) {
      const bool own = first + lane < end && wanted(first + lane);
      const unsigned found = __ballot_sync(kAllLanes, own);
      const int slot = count + count_ones(found & ((1u << lane) - 1));
      if (own && slot < most) take(slot, first + lane);
      count += count_ones(found);
    }
    __syncwarp();
    return count < most ? count : most;
  }
  template <class Work>
  __device__ __forceinline__ void one(const Work& work) const {
    __syncwarp();
    if (threadIdx.x == 0) work();
    __syncwarp();
  }

 private:
  static __device__ __forceinline__ void split(float x, std::uint32_t& big, std::uint32_t& rest) {
    const float rounded = rounded_tf32(x);
    big = __float_as_uint(rounded);
    rest = __float_as_uint(rounded_tf32(x - rounded));
  }
  static __device__ __forceinline__ void multiply_tf32(float* c, const std::uint32_t (&a)[4],
                                                       const std::uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }

  static constexpr unsigned kAllLanes = 0xffffffffu;
};

/// See HostBlock.
class CudaBlock {
 public:
  __device__ int threads() const { return static_cast<int>(blockDim.x); }
  __device__ int warps() const { return threads() / kWarp; }
  __device__ std::int64_t index() const { return blockIdx.x; }
  __device__ std::int64_t count() const { return gridDim.x; }

  template <class T>
  class PerThread {
   public:
    __device__ explicit PerThread(const CudaBlock&) {}
    __device__ __forceinline__ T& operator[](int) { return value_; }

   private:
    T value_{};
  };

  template <class Phase>
  __device__ __forceinline__ void each(const Phase& phase) {
    phase(static_cast<int>(threadIdx.x));
  }
  template <class Phase>
  __device__ __forceinline__ void first(const Phase& phase) {
    if (threadIdx.x == 0) phase();
  }
  template <class Phase>
  __device__ __forceinline__ void last(const Phase& phase) {
    if (threadIdx.x == blockDim.x - 1) phase();
  }
  template <class Phase>
  __device__ __forceinline__ void first_warp(const Phase& phase) {
    if (threadIdx.x < kWarp) phase(CudaWarp{});
  }
  __device__ __forceinline__ void sync() { __syncthreads(); }

  __device__ __forceinline__ void sum_warps(PerThread<std::int64_t>& value) { sum_over(kWarp, value); }
  __device__ __forceinline__ void sum_quads(PerThread<std::int64_t>& value) { sum_over(4, value); }

  template <class T, class Combine>
  __device__ __forceinline__ void combine_warps(PerThread<T>& value, const Combine& combine) {
#pragma unroll
    for (int distance = kWarp / 2; distance > 0; distance /= 2)
      value[0] = combine(value[0], __shfl_xor_sync(0xffffffffu, value[0], distance));
  }

  template <class Body>
  __device__ __forceinline__ void share_out(std::int64_t count, const Body& body) {
    for (std::int64_t item = threadIdx.x / kWarp; item < count; item += warps()) body(CudaWarp{}, item);
  }

  __device__ std::int64_t fetch_add(std::int64_t* counter, std::int64_t amount) {
    return static_cast<std::int64_t>(
        atomicAdd(reinterpret_cast<unsigned long long*>(counter), static_cast<unsigned long long>(amount)));
  }
  __device__ int fetch_add(int* counter, int amount) { return atomicAdd(counter, amount); }

 private:
  __device__ __forceinline__ void sum_over(int width, PerThread<std::int64_t>& value) {
    for (int distance = width / 2; distance > 0; distance /= 2)
      value[0] += __shfl_xor_sync(0xffffffffu, value[0], distance);
  }
};

}  // namespace gpu

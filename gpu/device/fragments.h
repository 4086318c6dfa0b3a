// The products of the tensor cores: which lane holds which bits (m16n8k256 with AND and popcount) and which numbers
// (m16n8k8 of tf32).
#pragma once

#include <cstdint>
#include <cstring>

#include "gpu/device/body.h"

namespace gpu {

/// One lane's part of C += popcount(A and B), A 16 rows × 256 bits, B 256 bits × 8 columns, C 16 × 8 numbers.
///
/// Lane l has g = l/4, t = l%4. Register r of `a` holds bits 128·(r/2) + 32t … +31 of row g + 8·(r%2); register r of
/// `b` bits 128r + 32t … +31 of column g; number j of `c` stands in row g + 8·(j/2), column 2t + j%2. Source: PTX ISA,
/// "Matrix Fragments for mma.m16n8k256".
struct BinaryFragment {
  std::uint32_t a[4];
  std::uint32_t b[2];
};

GPU_BODY constexpr int fragment_row(int lane, int j) { return lane / 4 + 8 * (j / 2); }
GPU_BODY constexpr int fragment_column(int lane, int j) { return 2 * (lane % 4) + j % 2; }

/// Of C += A B, A 16 × 8, B 8 × 8: register r of a lane's `a` (four) and `b` (two); C as above. Source: PTX ISA,
/// "Matrix Fragments for mma.m16n8k8".
GPU_BODY constexpr int real_row(int lane, int r) { return lane / 4 + 8 * (r % 2); }
GPU_BODY constexpr int real_inner(int lane, int r) { return lane % 4 + 4 * (r / 2); }
GPU_BODY constexpr int real_inner_b(int lane, int r) { return lane % 4 + 4 * r; }

/// The nearest number of 10 binary digits after the leading one: what the tensor cores multiply.
GPU_BODY float rounded_tf32(float x) {
#ifdef __CUDA_ARCH__
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits);
#else
  std::uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x1000u) & ~0x1fffu;
  std::memcpy(&x, &bits, sizeof x);
  return x;
#endif
}

/// How exactly floats are multiplied: each as the sum of two such numbers (three products for one; a term's error is
/// below 2⁻²¹), or rounded to one.
enum class Precision : int { full, tf32 };

}  // namespace gpu

// The binary product of the tensor cores, m16n8k256 with AND and popcount: which lane holds which bits.
#pragma once

#include <cstdint>

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

}  // namespace gpu

// Products of float matrices on AMX tiles: each factor is split into two bfloat16 numbers, x = x₁ + x₂ + O(2⁻¹⁷x), and
// C = A₁B₁ + A₁B₂ + A₂B₁ in single precision, so that a term's relative error is about 2⁻¹⁶. All else is x86-64-v4's.
#include "ham/kernels/sets.h"

#if defined(HAM_AMX)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace ham::amx {
namespace {

// A tile has 16 rows of 64 bytes. A block of C is 2×2 tiles; its factors are 32 rows of A and 32 columns of B, 32
// numbers of the inner axis at a time, in tiles of 16×32 bfloat16 (of B: 16 pairs of lines, 16 columns).
constexpr long kSide = 32, kDepth = 32, kSlice = 512, kTile = 512;

// Nothing of the standard library's templates: they would be compiled for this processor, and shared with all others.
long least(long a, long b) { return a < b ? a : b; }
long padded(long length, long step) { return (length + step - 1) / step * step; }

// Sixteen numbers, split; the second bfloat16 is what the first leaves.
struct Split {
  __m256i first, second;
};
Split split(__m512 x) {
  const __m256i first = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x));
  const __m512 rest = _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(first), 16)));
  return {first, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(rest))};
}

// One line of a factor as the packing loops read it: `count` of 16 numbers from `at`, the rest zeros.
__m512 load_line(const float* from, long count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << (count < 0 ? 0 : count)) - 1),
                               from);
}

using Half = std::uint16_t;

// A slice of op(A), rows first, as tiles: for each 16 rows and 32 columns the first parts, then the second.
void pack_a(const float* a, long lda, long m, long k, Half* to) {
  const long deep = padded(k, kDepth);
  for (long i = 0; i < padded(m, kSide); ++i)
    for (long l = 0; l < deep; l += 16) {
      const Split x = split(i < m ? load_line(a + i * lda + l, k - l) : _mm512_setzero_ps());
      Half* const tile = to + ((i / 16) * (deep / kDepth) + l / kDepth) * 2 * kTile + i % 16 * kDepth + l % kDepth;
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(tile), x.first);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(tile + kTile), x.second);
    }
}

// 32 columns of a slice of B, whose line l stands at b + l·ldb: for each 32 lines and 16 columns a tile of pairs.
void pack_b(const float* b, long ldb, long k, long columns, Half* to) {
  for (long l = 0; l < padded(k, kDepth); l += 2)
    for (long j = 0; j < kSide; j += 16) {
      const Split x = split(l < k ? load_line(b + l * ldb + j, columns - j) : _mm512_setzero_ps());
      const Split y = split(l + 1 < k ? load_line(b + (l + 1) * ldb + j, columns - j) : _mm512_setzero_ps());
      const auto pairs = [](__m256i even, __m256i odd) {
        return _mm512_or_si512(_mm512_cvtepu16_epi32(even), _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16));
      };
      Half* const tile = to + ((l / kDepth) * 2 + j / 16) * 2 * kTile + l % kDepth / 2 * kDepth;
      _mm512_storeu_si512(tile, pairs(x.first, y.first));
      _mm512_storeu_si512(tile + kTile, pairs(x.second, y.second));
    }
}

struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// The 32×32 block c += A·B over one slice; packed A begins at its two rows of tiles.
void block(const Half* a, const Half* b, long depth, float* c, long ldc) {
  constexpr long kLine = 64;
  const auto line = static_cast<long>(static_cast<std::size_t>(ldc) * sizeof(float));
  _tile_loadd(0, c, line);
  _tile_loadd(1, c + 16, line);
  _tile_loadd(2, c + 16 * ldc, line);
  _tile_loadd(3, c + 16 * ldc + 16, line);
  const Half* const lower = a + depth / kDepth * 2 * kTile;
  for (long l = 0; l < depth; l += kDepth, a += 2 * kTile, b += 4 * kTile) {
    const Half* const below = lower + l / kDepth * 2 * kTile;
    _tile_loadd(4, a, kLine);
    _tile_loadd(5, below, kLine);
    _tile_loadd(6, b, kLine);
    _tile_loadd(7, b + 2 * kTile, kLine);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    _tile_loadd(6, b + kTile, kLine);
    _tile_loadd(7, b + 3 * kTile, kLine);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    _tile_loadd(4, a + kTile, kLine);
    _tile_loadd(5, below + kTile, kLine);
    _tile_loadd(6, b, kLine);
    _tile_loadd(7, b + 2 * kTile, kLine);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, line);
  _tile_stored(1, c + 16, line);
  _tile_stored(2, c + 16 * ldc, line);
  _tile_stored(3, c + 16 * ldc + 16, line);
}

// Bfloat16 numbers that 32 columns of a slice take, both parts.
long panel(long depth) { return 2 * padded(depth, kDepth) * kSide; }

// In floats: panels of 32 columns, slice after slice.
long packed_count(long k, long n) {
  long halves = 0;
  for (long begin = 0; begin < k; begin += kSlice)
    halves += panel(least(kSlice, k - begin)) * (padded(n, kSide) / kSide);
  return (halves + 1) / 2;
}

// A panel of op(B) from its slice at `begin`, its columns from j on.
void pack_panel(const Product<float>& p, long begin, long depth, long j, Half* to) {
  const long columns = least(kSide, p.n - j);
  if (!p.transpose_b) return pack_b(p.b + begin * p.ldb + j, p.ldb, depth, columns, to);
  float* const turned = scratch<float>(Scratch::group, depth * kSide);
  v4::single().turn(columns, depth, p.b + j * p.ldb + begin, p.ldb, turned, kSide);
  pack_b(turned, kSide, depth, columns, to);
}

void pack(const Product<float>& p, float* packed) {
  auto* to = reinterpret_cast<Half*>(packed);
  for (long begin = 0; begin < p.k; begin += kSlice) {
    const long depth = least(kSlice, p.k - begin);
    for (long j = 0; j < p.n; j += kSide, to += panel(depth)) pack_panel(p, begin, depth, j, to);
  }
}

void on_tiles(const Product<float>& p) {
  const TileShapes shapes;
  _tile_loadconfig(&shapes);
  const float* a = p.a;
  long lda = p.lda;
  if (p.transpose_a) {
    float* const turned = scratch<float>(Scratch::turned, p.m * p.k);
    v4::single().turn(p.k, p.m, p.a, p.lda, turned, p.k);
    a = turned;
    lda = p.k;
  }
  const long rows = padded(p.m, kSide);
  Half* const packed_a = scratch<Half>(Scratch::tiles, 2 * rows * kSlice);
  Half* const own_panel = scratch<Half>(Scratch::packed_b, panel(kSlice));
  alignas(64) float edge[kSide * kSide];
  const auto* packed_b = reinterpret_cast<const Half*>(p.packed_b);
  for (long begin = 0; begin < p.k; begin += kSlice) {
    const long depth = least(kSlice, p.k - begin), deep = padded(depth, kDepth);
    const float* const start = begin == 0 ? p.start : p.c;
    pack_a(a + begin, lda, p.m, depth, packed_a);
    for (long j = 0; j < p.n; j += kSide) {
      const Half* b = own_panel;
      if (packed_b != nullptr)
        b = packed_b, packed_b += panel(depth);
      else
        pack_panel(p, begin, depth, j, own_panel);
      const long columns = least(kSide, p.n - j);
      for (long i = 0; i < p.m; i += kSide) {
        const long lines = least(kSide, p.m - i);
        float* const c = p.c + i * p.ldc + j;
        const float* const from = start == nullptr ? nullptr : start + i * p.ldc + j;
        const Half* const strip = packed_a + i / 16 * (deep / kDepth) * 2 * kTile;
        const bool whole = lines == kSide && columns == kSide;
        if (whole && from == c) {
          block(strip, b, deep, c, p.ldc);
          continue;
        }
        std::memset(edge, 0, sizeof edge);
        const auto width = static_cast<std::size_t>(columns) * sizeof(float);
        for (long r = 0; from != nullptr && r < lines; ++r) std::memcpy(edge + r * kSide, from + r * p.ldc, width);
        block(strip, b, deep, edge, kSide);
        for (long r = 0; r < lines; ++r) std::memcpy(c + r * p.ldc, edge + r * kSide, width);
      }
    }
  }
  _tile_release();
}

void multiply(const Product<float>& given) {
  constexpr long kFew = 16, kWorthTiles = 1 << 18;
  if (given.m >= kFew && given.n >= kFew && given.k >= kFew && given.m * given.n * given.k > kWorthTiles)
    return on_tiles(given);
  Product<float> product = given;
  product.packed_b = nullptr;  // not arranged for those loops
  v4::single().multiply(product);
}

}  // namespace

bool available() {
  constexpr int kAskForTiles = 0x1023, kTileData = 18;  // arch_prctl: ARCH_REQ_XCOMP_PERM
  static const bool granted = syscall(SYS_arch_prctl, kAskForTiles, kTileData) == 0;
  return granted;
}

const Kernels<float>& single() {
  static const Kernels<float> table = [] {
    Kernels<float> kernels = v4::single();
    kernels.multiply = multiply;
    kernels.packed_count = packed_count;
    kernels.pack = pack;
    kernels.mostly_zeros = [](const float*, long, long, long) { return false; };  // tiles are faster than lists
    return kernels;
  }();
  return table;
}

}  // namespace ham::amx

#endif

// Matrix products for ham/kernels/loops.h, under the same rules.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "ham/kernels/sets.h"

namespace ham::HAM_KERNEL_SET {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kTileRows = 5, kTileVectors = 4;  // 20 sums in 32 registers
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kTileRows = 5, kTileVectors = 2;  // 10 in 16
#else
constexpr int kVectorBytes = 16, kTileRows = 5, kTileVectors = 2;
#endif

// What a product keeps of one factor in the first-level cache, which has 48 KiB where vectors have 64 bytes and may
// have 32 elsewhere, and of the other in the second-level cache.
constexpr long kFirstLevelBytes = (kVectorBytes == 64 ? 40 : 26) << 10;
constexpr long kSecondLevelBytes = (kVectorBytes == 64 ? 512 : 192) << 10;

template <class T>
using Run = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstRun = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

// A vector register of numbers.
template <class T>
struct Wide {
  typedef T type __attribute__((vector_size(kVectorBytes), may_alias));
  static constexpr long kLanes = kVectorBytes / sizeof(T);
};
template <class T>
using Vector = typename Wide<T>::type;
template <class T>
constexpr long kLanes = Wide<T>::kLanes;

template <class T>
Vector<T> load(const T* from) {
  Vector<T> x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}

template <class T>
void store(const Vector<T>& x, T* to) {
  __builtin_memcpy(to, &x, sizeof x);
}

// 0, 1, 2, …
template <class T>
Vector<T> lane_numbers() {
  Vector<T> x;
  for (long i = 0; i < kLanes<T>; ++i) x[i] = static_cast<T>(i);
  return x;
}

// to[j, i] = from[i, j], or += it: square blocks of packets, and what is left at the edges.
template <class T, bool kAdd>
void turn(long rows, long columns, const T* from, long from_stride, T* to, long to_stride) {
  namespace packets = Eigen::internal;
  using Packet = typename packets::packet_traits<T>::type;
  constexpr long kSide = packets::unpacket_traits<Packet>::size;
  const long whole_rows = rows - rows % kSide, whole_columns = columns - columns % kSide;
  for (long i = 0; i < whole_rows; i += kSide)
    for (long j = 0; j < whole_columns; j += kSide) {
      packets::PacketBlock<Packet, kSide> block;
      for (long k = 0; k < kSide; ++k) block.packet[k] = packets::ploadu<Packet>(from + (i + k) * from_stride + j);
      packets::ptranspose(block);
      for (long k = 0; k < kSide; ++k) {
        T* row = to + (j + k) * to_stride + i;
        packets::pstoreu(row, kAdd ? packets::padd(block.packet[k], packets::ploadu<Packet>(row)) : block.packet[k]);
      }
    }
  for (long i = 0; i < rows; ++i)
    for (long j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_stride + i] = (kAdd ? to[j * to_stride + i] : T(0)) + from[i * from_stride + j];
}

// C = start, where products that can only add begin.
template <class T>
void begin_at_start(const Product<T>& p) {
  if (p.start == p.c) return;
  for (long i = 0; i < p.m; ++i)
    if (p.start == nullptr)
      std::memset(p.c + i * p.ldc, 0, static_cast<std::size_t>(p.n) * sizeof(T));
    else
      std::memcpy(p.c + i * p.ldc, p.start + i * p.ldc, static_cast<std::size_t>(p.n) * sizeof(T));
}

// ---- tiles of C --------------------------------------------------------------------------------------------------

// C at row i, column j, from the columns of op(B) at b: kRows rows and kCount vectors of it stay in registers. Of the
// last vector only the lanes from `first_lane` on are written.
template <class T, int kRows, int kCount>
void tile(const Product<T>& p, const T* b, long i, long j, long first_lane) {
  using V = Vector<T>;
  const long across = p.transpose_a ? 1 : p.lda, along = p.transpose_a ? p.lda : 1;
  const T* a = p.a + i * across;
  V sum[kRows][kCount];
  for (int r = 0; r < kRows; ++r)
    for (int w = 0; w < kCount; ++w)
      sum[r][w] = p.start == nullptr ? V{} : load(p.start + (i + r) * p.ldc + j + w * kLanes<T>);
  for (int r = 0; r < kRows; ++r) __builtin_prefetch(p.c + (i + r) * p.ldc + j + kCount * kLanes<T>);
  for (long l = 0; l < p.k; ++l, a += along, b += p.ldb) {
    V row[kCount];
    __builtin_prefetch(b + 16 * p.ldb);  // the first rows of A meet B before it is in the nearest cache
    for (int w = 0; w < kCount; ++w) row[w] = load(b + w * kLanes<T>);
    for (int r = 0; r < kRows; ++r)
      for (int w = 0; w < kCount; ++w) sum[r][w] += a[r * across] * row[w];
  }
  for (int r = 0; r < kRows; ++r) {
    T* c = p.c + (i + r) * p.ldc + j;
    if (first_lane > 0) {
      T* last = c + (kCount - 1) * kLanes<T>;
      sum[r][kCount - 1] = lane_numbers<T>() < static_cast<T>(first_lane) ? load(last) : sum[r][kCount - 1];
    }
    for (int w = 0; w < kCount; ++w) store(sum[r][w], c + w * kLanes<T>);
  }
}

// All rows of these columns, from row i on.
template <class T, int kCount, int kRows = kTileRows>
void tile_columns(const Product<T>& p, const T* b, long j, long first_lane, long i = 0) {
  for (; i + kRows <= p.m; i += kRows) tile<T, kRows, kCount>(p, b, i, j, first_lane);
  if constexpr (kRows > 1) tile_columns<T, kCount, kRows - 1>(p, b, j, first_lane, i);
}

// Calls body<vectors>(first column, first lane) for strips of the columns from j on. Where columns are left that fill
// no vector, the last strip begins before them, and they are its lanes from the first on.
template <class T, int kCount = kTileVectors, class Body>
void for_each_strip(long columns, Body body, long j = 0) {
  constexpr long kWidth = kCount * kLanes<T>;
  for (; j + kWidth <= columns; j += kWidth) body.template operator()<kCount>(j, 0L);
  if constexpr (kCount > 1)
    for_each_strip<T, kCount - 1>(columns, body, j);
  else if (j < columns)
    body.template operator()<1>(columns - kWidth, kWidth - (columns - j));
}

// ---- few rows, or a short sum: one pass over B or C, nothing packed ----------------------------------------------

// B not transposed, at least one vector wide.
template <class T>
void thin(const Product<T>& p) {
  for_each_strip<T>(p.n,
                    [&]<int kCount>(long j, long first_lane) { tile_columns<T, kCount>(p, p.b + j, j, first_lane); });
}

// ---- both factors large ------------------------------------------------------------------------------------------

// op(B) packed: a slice of its rows after the other, in each of them strip after strip, line by line. While some rows
// of A, which stay in the second-level cache, meet a slice, each strip of it stays in the first-level one.
template <class T>
struct Slices {
  static constexpr long kMost = kFirstLevelBytes / (kTileVectors * kVectorBytes);
  long k, n, count;
  Slices(long rows, long columns) : k(rows), n(columns), count((k + kMost - 1) / kMost) {}
  long begin(long slice) const { return slice * k / count; }
  long size(long slice) const { return begin(slice + 1) - begin(slice); }
  long padded() const { return (n + kLanes<T> - 1) / kLanes<T> * kLanes<T>; }  // columns
};

template <class T>
long packed_count(long k, long n) {
  return k * Slices<T>(k, n).padded();
}

// Lines `begin` … `begin` + `size` − 1 of op(B), of its columns from j to `end`.
template <class T>
void pack_lines(const Product<T>& p, long begin, long size, long j, long end, T* to) {
  const auto each_strip = [&](auto body) {
    T* strip = to;
    const auto next = [&]<int kCount>(long column, long) {
      body.template operator()<kCount * kLanes<T>>(column, strip);
      strip += size * kCount * kLanes<T>;
    };
    for_each_strip<T>(end, next, j);
  };
  if (p.transpose_b)
    return each_strip([&]<long kWidth>(long column, T* strip) {
      turn<T, false>(kWidth, size, p.b + column * p.ldb + begin, p.ldb, strip, kWidth);
    });
  for (long l = 0; l < size; ++l)
    each_strip([&]<long kWidth>(long column, T* strip) {
      std::memcpy(strip + l * kWidth, p.b + (begin + l) * p.ldb + column, kWidth * sizeof(T));
    });
}

template <class T>
void pack(const Product<T>& p, T* packed) {
  const Slices<T> slices(p.k, p.n);
  for (long s = 0; s < slices.count; ++s)
    pack_lines(p, slices.begin(s), slices.size(s), 0, p.n, packed + slices.begin(s) * slices.padded());
}

// Some rows of A by one slice of op(B), of its columns from j to `end`, packed.
template <class T>
void multiply_packed(const Product<T>& p, const T* packed, long j, long end) {
  Product<T> strip = p;
  const auto multiply_strip = [&]<int kCount>(long column, long first_lane) {
    strip.ldb = kCount * kLanes<T>;
    tile_columns<T, kCount>(strip, packed, column, first_lane);
    packed += p.k * strip.ldb;
  };
  for_each_strip<T>(end, multiply_strip, j);
}

// C is at least one vector wide. What was not packed before is packed here, as many columns at a time as stay in the
// second-level cache.
template <class T>
void large(const Product<T>& p) {
  constexpr long kShort = 128;  // sums that take no longer than fetching C, which they pass some rows at a time
  constexpr long kStrip = kTileVectors * kLanes<T>, kSecondLevel = kSecondLevelBytes / static_cast<long>(sizeof(T));
  const Slices<T> slices(p.k, p.n);
  Product<T> part = p;
  part.transpose_a = false;
  const T* a = p.a;
  if (p.transpose_a) {
    T* const turned = scratch<T>(Scratch::turned, p.m * p.k);
    turn<T, false>(p.k, p.m, p.a, p.lda, turned, p.k);
    a = turned;
    part.lda = p.k;
  }
  for (long s = 0; s < slices.count; ++s) {
    const long begin = slices.begin(s), size = slices.size(s);
    const long rows = p.k < kShort ? 4 * kTileRows : kSecondLevel / size / kTileRows * kTileRows;
    const long columns = p.packed_b != nullptr ? p.n : (kSecondLevel / size / kStrip + 1) * kStrip;
    const T* const start = s == 0 ? p.start : p.c;
    T* const room = p.packed_b != nullptr ? nullptr : scratch<T>(Scratch::packed_b, size * (columns + kLanes<T>));
    part.k = size;
    for (long j = 0; j < p.n; j += columns) {
      const long end = p.n - j < columns ? p.n : j + columns;
      if (room != nullptr) pack_lines(p, begin, size, j, end, room);
      for (long i = 0; i < p.m; i += rows) {
        part.m = p.m - i < rows ? p.m - i : rows;
        part.a = a + i * part.lda + begin;
        part.start = start == nullptr ? nullptr : start + i * p.ldc;
        part.c = p.c + i * p.ldc;
        multiply_packed(part, room != nullptr ? room : p.packed_b + begin * slices.padded(), j, end);
      }
    }
  }
}

// ---- C narrower than a vector ------------------------------------------------------------------------------------

template <class T>
void small(const Product<T>& p) {
  for (long i = 0; i < p.m; ++i)
    for (long j = 0; j < p.n; ++j) {
      T sum = p.start == nullptr ? T(0) : p.start[i * p.ldc + j];
      for (long l = 0; l < p.k; ++l)
        sum += p.a[p.transpose_a ? l * p.lda + i : i * p.lda + l] * p.b[p.transpose_b ? j * p.ldb + l : l * p.ldb + j];
      p.c[i * p.ldc + j] = sum;
    }
}

// ---- few columns: scalar products of rows ------------------------------------------------------------------------

template <class T>
T total(const Vector<T>& x) {
  alignas(kVectorBytes) T lanes[kLanes<T>];
  store(x, lanes);
  return Eigen::Map<const Eigen::Array<T, kLanes<T>, 1>, kVectorBytes>(lanes).sum();
}

template <class T, int kRows, int kColumns>
void dots_tile(const Product<T>& p, long i, long j) {
  using V = Vector<T>;
  const T *a = p.a + i * p.lda, *b = p.b + j * p.ldb;
  V sum[kRows][kColumns] = {};
  const auto add = [&](long l, long first_lane) {
    V row[kRows];
    for (int r = 0; r < kRows; ++r) {
      row[r] = load(a + r * p.lda + l);
      if (first_lane > 0) row[r] = lane_numbers<T>() < static_cast<T>(first_lane) ? V{} : row[r];
    }
    for (int c = 0; c < kColumns; ++c) {
      const V column = load(b + c * p.ldb + l);
      for (int r = 0; r < kRows; ++r) sum[r][c] += row[r] * column;
    }
  };
  long l = 0;
  for (; l + kLanes<T> <= p.k; l += kLanes<T>) add(l, 0);
  if (l < p.k) add(p.k - kLanes<T>, kLanes<T> - (p.k - l));
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kColumns; ++c) {
      const long at = (i + r) * p.ldc + j + c;
      p.c[at] = (p.start == nullptr ? T(0) : p.start[at]) + total<T>(sum[r][c]);
    }
}

template <class T, int kRows>
void dots_rows(const Product<T>& p, long i) {
  long j = 0;
  for (; j + kTileRows <= p.n; j += kTileRows) dots_tile<T, kRows, kTileRows>(p, i, j);
  for (; j < p.n; ++j) dots_tile<T, kRows, 1>(p, i, j);
}

// A as it is, B transposed, at least one vector long.
template <class T>
void dots(const Product<T>& p) {
  long i = 0;
  for (; i + kTileVectors <= p.m; i += kTileVectors) dots_rows<T, kTileVectors>(p, i);
  for (; i < p.m; ++i) dots_rows<T, 1>(p, i);
}

// ---- a factor that is mostly zeros -------------------------------------------------------------------------------

// Whether most of a matrix's numbers are zeros, judged by some of its rows.
template <class T>
bool mostly_zeros(const T* x, long rows, long columns, long stride) {
  constexpr long kLooked = 32;
  const long every = rows > kLooked ? rows / kLooked : 1;
  long zeros = 0, seen = 0;
  for (long r = 0; r < rows; r += every, seen += columns) {
    int in_row = 0;
    for (long c = 0; c < columns; ++c) in_row += x[r * stride + c] == 0;
    zeros += in_row;
  }
  return 3 * zeros > 2 * seen;
}

// The nonzeros of op(A), row by row.
template <class T>
struct Nonzeros {
  long* begin;  // where each row starts; one more for the end
  std::int32_t* column;
  T* value;
};

// Lists the nonzeros of a row from column j on, and returns how many they are. Every number is written, and overwritten
// by the next when it does not count: no branch to mispredict.
template <class T>
long list_nonzeros(const T* row, long j, long columns, std::int32_t* column, T* value) {
  long count = 0;
  for (; j < columns; ++j) {
    column[count] = static_cast<std::int32_t>(j);
    value[count] = row[j];
    count += row[j] != 0;
  }
  return count;
}

#if defined(__AVX512F__)
inline long list_nonzeros(const float* row, long, long columns, std::int32_t* column, float* value) {
  constexpr long kStep = 16;
  __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  long count = 0, j = 0;
  for (; j + kStep <= columns; j += kStep) {
    const __m512 x = _mm512_loadu_ps(row + j);
    const __mmask16 listed = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    _mm512_storeu_ps(value + count, _mm512_maskz_compress_ps(listed, x));
    _mm512_storeu_si512(column + count, _mm512_maskz_compress_epi32(listed, numbers));
    numbers = _mm512_add_epi32(numbers, _mm512_set1_epi32(kStep));
    count += __builtin_popcount(listed);
  }
  return count + list_nonzeros<float>(row, j, columns, column + count, value + count);
}
#endif

constexpr long kListRoom = 16;  // what may be written beyond the last of a list

template <class T>
long list_bytes(long m, long k) {
  const long most = m * k + kListRoom;
  return (m + 1) * static_cast<long>(sizeof(long)) + most * static_cast<long>(sizeof(T) + sizeof(std::int32_t));
}

// The list that stands in a room of list_bytes.
template <class T>
Nonzeros<T> list_in(void* room, long m, long k) {
  long* const begin = static_cast<long*>(room);
  T* const value = reinterpret_cast<T*>(begin + m + 1);
  return {begin, reinterpret_cast<std::int32_t*>(value + m * k + kListRoom), value};
}

template <class T>
void list(const Product<T>& p, void* room) {
  const Nonzeros<T> list = list_in<T>(room, p.m, p.k);
  const T* a = p.a;
  long lda = p.lda;
  if (p.transpose_a) {
    T* turned = scratch<T>(Scratch::turned, p.m * p.k);
    turn<T, false>(p.k, p.m, p.a, p.lda, turned, p.k);
    a = turned;
    lda = p.k;
  }
  long at = 0;
  for (long i = 0; i < p.m; ++i) {
    list.begin[i] = at;
    at += list_nonzeros(a + i * lda, 0, p.k, list.column + at, list.value + at);
  }
  list.begin[p.m] = at;
}

// kCount vectors of a row of C stay in registers while the row's nonzeros pass by; so many rows of B at a time that
// their aligned copy stays in the first-level cache. Of the vectors' numbers only `columns` exist.
template <class T, int kCount>
void skip_zeros_tile(const Nonzeros<T>& a, const Product<T>& p, long j, long columns) {
  constexpr long kLine = kCount * kLanes<T>;
  constexpr long kBlock = kFirstLevelBytes / (kLine * static_cast<long>(sizeof(T)));
  const std::size_t width = static_cast<std::size_t>(columns) * sizeof(T);
  T* const packed = scratch<T>(Scratch::packed_b, kBlock * kLine);
  alignas(kVectorBytes) T edge[kLine];
  long* const cursor = scratch<long>(Scratch::starts, p.m);  // for each row, where the pass over it stands
  std::memcpy(cursor, a.begin, static_cast<std::size_t>(p.m) * sizeof(long));
  for (long begin = 0; begin < p.k; begin += kBlock) {
    const long end = begin + kBlock < p.k ? begin + kBlock : p.k;
    if (columns < kLine) std::memset(packed, 0, static_cast<std::size_t>((end - begin) * kLine) * sizeof(T));
    if (p.transpose_b)
      turn<T, false>(columns, end - begin, p.b + j * p.ldb + begin, p.ldb, packed, kLine);
    else
      for (long l = begin; l < end; ++l) std::memcpy(packed + (l - begin) * kLine, p.b + l * p.ldb + j, width);
    for (long i = 0; i < p.m; ++i) {
      long at = cursor[i];
      const long last = a.begin[i + 1];
      if (at == last || a.column[at] >= end) continue;
      T* c = p.c + i * p.ldc + j;
      if (columns < kLine) c = static_cast<T*>(std::memcpy(edge, c, width));
      Vector<T> sum[kCount];
      for (int w = 0; w < kCount; ++w) sum[w] = load(c + w * kLanes<T>);
      for (; at < last && a.column[at] < end; ++at) {
        const T* row = packed + (a.column[at] - begin) * kLine;
        for (int w = 0; w < kCount; ++w) sum[w] += a.value[at] * load(row + w * kLanes<T>);
      }
      for (int w = 0; w < kCount; ++w) store(sum[w], c + w * kLanes<T>);
      if (columns < kLine) std::memcpy(p.c + i * p.ldc + j, edge, width);
      cursor[i] = at;
    }
  }
}

template <class T>
void skip_zeros(const Product<T>& p) {
  begin_at_start(p);
  void* room = const_cast<void*>(p.listed_a);  // lists are only read
  if (room == nullptr) list(p, room = scratch<std::byte>(Scratch::values, list_bytes<T>(p.m, p.k)));
  const Nonzeros<T> a = list_in<T>(room, p.m, p.k);
  constexpr long kWidth = kLanes<T>;
  long j = 0;
  for (; j + 8 * kWidth <= p.n; j += 8 * kWidth) skip_zeros_tile<T, 8>(a, p, j, 8 * kWidth);
  const long left = p.n - j;
  if (left > 4 * kWidth)
    skip_zeros_tile<T, 8>(a, p, j, left);
  else if (left > 2 * kWidth)
    skip_zeros_tile<T, 4>(a, p, j, left);
  else if (left > 0)
    skip_zeros_tile<T, 2>(a, p, j, left);
}

// ---- the choice --------------------------------------------------------------------------------------------------

template <class T>
void multiply(const Product<T>& p);

// C = start + (op(B)ᵀ op(A)ᵀ)ᵀ by way of a buffer.
template <class T>
void multiply_transposed(const Product<T>& p) {
  begin_at_start(p);
  T* turned = scratch<T>(Scratch::product, p.m * p.n);
  multiply(Product<T>{p.n, p.m, p.k, p.b, p.ldb, !p.transpose_b, p.a, p.lda, !p.transpose_a, turned, p.m, nullptr});
  turn<T, true>(p.n, p.m, turned, p.m, p.c, p.ldc);
}

template <class T>
void multiply(const Product<T>& p) {
  constexpr long kWorthLooking = 1 << 18;  // multiplications below which zeros are not worth a look
  constexpr long kNarrow = 24;             // a length that leaves vectors half empty, or packing unpaid
  if (p.m == 0 || p.n == 0 || p.k == 0) return begin_at_start(p);
  if (p.listed_a != nullptr) return skip_zeros(p);
  if (!p.transpose_b && p.n >= kLanes<T> && (p.m < kNarrow || p.k < kNarrow)) return thin(p);
  if (!p.transpose_a && p.transpose_b && p.n < kNarrow && p.k >= kLanes<T>) return dots(p);
  if (p.m * p.n * p.k > kWorthLooking && p.n >= 2 * kNarrow) {
    const bool a_sparse = p.transpose_a ? mostly_zeros(p.a, p.k, p.m, p.lda) : mostly_zeros(p.a, p.m, p.k, p.lda);
    if (a_sparse) return skip_zeros(p);
    const bool b_sparse = p.transpose_b ? mostly_zeros(p.b, p.n, p.k, p.ldb) : mostly_zeros(p.b, p.k, p.n, p.ldb);
    if (b_sparse && p.m >= 2 * kNarrow) return multiply_transposed(p);
  }
  if (p.n < kNarrow && p.m > p.n) return multiply_transposed(p);
  p.n < kLanes<T> ? small(p) : large(p);
}

}  // namespace
}  // namespace ham::HAM_KERNEL_SET

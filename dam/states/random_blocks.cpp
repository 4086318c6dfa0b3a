// Threefry-4x64-20 (Salmon et al. 2011), one block per vector lane.
#include "dam/states/random_blocks.h"

#include <algorithm>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dam/states/random_blocks.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, so that it is read once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dam::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<std::uint64_t>;
using V = hn::Vec<D>;

// Vectors that advance together: one alone would wait for its own rotations.
constexpr int kTogether = 2;

/// One block per lane.
struct Blocks {
  V a[kTogether], b[kTogether], c[kTogether], d[kTogether];
};

template <int kFirst, int kSecond>
HWY_INLINE void mix(V (&a)[kTogether], V (&b)[kTogether], V (&c)[kTogether], V (&d)[kTogether]) {
  for (int j = 0; j < kTogether; ++j) {
    a[j] = hn::Add(a[j], b[j]);
    b[j] = hn::Xor(hn::RotateRight<64 - kFirst>(b[j]), a[j]);
    c[j] = hn::Add(c[j], d[j]);
    d[j] = hn::Xor(hn::RotateRight<64 - kSecond>(d[j]), c[j]);
  }
}

HWY_INLINE void inject(const std::uint64_t (&keys)[5], std::uint64_t step, Blocks& x) {
  const D tag;
  for (int j = 0; j < kTogether; ++j) {
    x.a[j] = hn::Add(x.a[j], hn::Set(tag, keys[step % 5]));
    x.b[j] = hn::Add(x.b[j], hn::Set(tag, keys[(step + 1) % 5]));
    x.c[j] = hn::Add(x.c[j], hn::Set(tag, keys[(step + 2) % 5]));
    x.d[j] = hn::Add(x.d[j], hn::Set(tag, keys[(step + 3) % 5] + step));
  }
}

/// Eight rounds and the key injections after the fourth and the last of them.
HWY_INLINE void eight_rounds(const std::uint64_t (&keys)[5], std::uint64_t step, Blocks& x) {
  mix<14, 16>(x.a, x.b, x.c, x.d);
  mix<52, 57>(x.a, x.d, x.c, x.b);
  mix<23, 40>(x.a, x.b, x.c, x.d);
  mix<5, 37>(x.a, x.d, x.c, x.b);
  inject(keys, step, x);
  mix<25, 33>(x.a, x.b, x.c, x.d);
  mix<46, 12>(x.a, x.d, x.c, x.b);
  mix<58, 22>(x.a, x.b, x.c, x.d);
  mix<32, 32>(x.a, x.d, x.c, x.b);
  inject(keys, step + 1, x);
}

/// Turns the counters (a, b, third, 0) into random words.
HWY_INLINE void threefry(const std::uint64_t (&keys)[5], std::uint64_t third, Blocks& x) {
  for (int j = 0; j < kTogether; ++j) {
    x.c[j] = hn::Set(D{}, third);
    x.d[j] = hn::Zero(D{});
  }
  inject(keys, 0, x);
  eight_rounds(keys, 1, x);
  eight_rounds(keys, 3, x);
  mix<14, 16>(x.a, x.b, x.c, x.d);
  mix<52, 57>(x.a, x.d, x.c, x.b);
  mix<23, 40>(x.a, x.b, x.c, x.d);
  mix<5, 37>(x.a, x.d, x.c, x.b);
  inject(keys, 5, x);
}

HWY_INLINE void store(const Blocks& x, std::uint64_t* out) {
  const D tag;
  for (int j = 0; j < kTogether; ++j)
    hn::StoreInterleaved4(x.a[j], x.b[j], x.c[j], x.d[j], tag, out + 4 * j * hn::Lanes(tag));
}

void fill(const std::uint64_t (&keys)[5], std::uint64_t third, std::uint64_t first_row, std::size_t num_rows,
          std::size_t words_per_row, std::size_t stride, std::uint64_t* out) {
  const D tag;
  constexpr std::size_t kMaxLanes = kTogether * HWY_MAX_BYTES / 8;
  const std::size_t lanes = kTogether * hn::Lanes(tag);
  const std::size_t whole = words_per_row / 4 / lanes * lanes;  // blocks of a row that fill vectors
  Blocks x;

  const V counting = hn::Iota(tag, 0);
  for (std::size_t row = 0; row < num_rows; ++row)
    for (std::size_t column = 0; column < whole; column += lanes) {
      for (int j = 0; j < kTogether; ++j) {
        x.a[j] = hn::Add(counting, hn::Set(tag, column + j * hn::Lanes(tag)));
        x.b[j] = hn::Set(tag, first_row + row);
      }
      threefry(keys, third, x);
      store(x, out + row * stride + 4 * column);
    }

  // The ends of the rows, packed into vectors across rows.
  const std::size_t per_row = (words_per_row + 3) / 4 - whole;
  const std::size_t rest = num_rows * per_row;
  HWY_ALIGN std::uint64_t columns[kMaxLanes], rows[kMaxLanes], words[4 * kMaxLanes];
  std::size_t column = 0, row = 0;
  for (std::size_t done = 0; done < rest; done += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      columns[lane] = whole + column;
      rows[lane] = row;
      if (++column == per_row) column = 0, ++row;
    }
    for (int j = 0; j < kTogether; ++j) {
      x.a[j] = hn::Load(tag, columns + j * hn::Lanes(tag));
      x.b[j] = hn::Add(hn::Load(tag, rows + j * hn::Lanes(tag)), hn::Set(tag, first_row));
    }
    threefry(keys, third, x);
    store(x, words);
    for (std::size_t lane = 0; lane < std::min(lanes, rest - done); ++lane) {
      const std::size_t at = 4 * columns[lane];
      const std::size_t count = std::min<std::size_t>(4, words_per_row - at);
      for (std::size_t word = 0; word < count; ++word) out[rows[lane] * stride + at + word] = words[4 * lane + word];
    }
  }
}

}  // namespace
}  // namespace dam::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dam {

HWY_EXPORT(fill);

void fill_random(const core::Stream& stream, std::uint64_t first_row, std::size_t num_rows, std::size_t words_per_row,
                 std::size_t stride, std::uint64_t* out) {
  constexpr std::uint64_t kParity = 0x1BD11BDAA9FC1A22;  // of the key schedule, Salmon et al. 2011
  const auto key = stream.key();
  const std::uint64_t keys[5] = {key[0], key[1], key[2], key[3], kParity ^ key[0] ^ key[1] ^ key[2] ^ key[3]};
  HWY_DYNAMIC_DISPATCH(fill)(keys, stream.num_patterns(), first_row, num_rows, words_per_row, stride, out);
}

}  // namespace dam
#endif

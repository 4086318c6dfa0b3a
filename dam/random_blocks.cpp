// Threefry-4x64-20 (Salmon et al. 2011), one block per vector lane.
#include "dam/random_blocks.h"

#include <algorithm>
#include <cstring>

#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dam/random_blocks.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, so that it is read once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dam::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<std::uint64_t>;
using V = hn::Vec<D>;

template <int kFirst, int kSecond>
HWY_INLINE void round_pair(V& a, V& b, V& c, V& d) {
  a = hn::Add(a, b);
  b = hn::Xor(hn::RotateRight<64 - kFirst>(b), a);
  c = hn::Add(c, d);
  d = hn::Xor(hn::RotateRight<64 - kSecond>(d), c);
}

template <bool kEven>
HWY_INLINE void four_rounds(V& a, V& b, V& c, V& d) {
  if (kEven) {
    round_pair<14, 16>(a, b, c, d);
    round_pair<52, 57>(a, d, c, b);
    round_pair<23, 40>(a, b, c, d);
    round_pair<5, 37>(a, d, c, b);
  } else {
    round_pair<25, 33>(a, b, c, d);
    round_pair<46, 12>(a, d, c, b);
    round_pair<58, 22>(a, b, c, d);
    round_pair<32, 32>(a, d, c, b);
  }
}

/// One block per lane: counters (column, row, 0, 0) in, the four words out.
HWY_INLINE void threefry(const std::uint64_t (&keys)[5], V& a, V& b, V& c, V& d) {
  const D tag;
  c = d = hn::Zero(tag);
  const auto inject = [&](std::uint64_t step) {
    a = hn::Add(a, hn::Set(tag, keys[step % 5]));
    b = hn::Add(b, hn::Set(tag, keys[(step + 1) % 5]));
    c = hn::Add(c, hn::Set(tag, keys[(step + 2) % 5]));
    d = hn::Add(d, hn::Set(tag, keys[(step + 3) % 5] + step));
  };
  inject(0);
  four_rounds<true>(a, b, c, d);
  inject(1);
  four_rounds<false>(a, b, c, d);
  inject(2);
  four_rounds<true>(a, b, c, d);
  inject(3);
  four_rounds<false>(a, b, c, d);
  inject(4);
  four_rounds<true>(a, b, c, d);
  inject(5);
}

void fill(const std::uint64_t (&keys)[5], std::uint64_t first_row, std::size_t num_rows, std::size_t words_per_row,
          std::size_t stride, std::uint64_t* out) {
  const D tag;
  constexpr std::size_t kMaxLanes = HWY_MAX_BYTES / 8;
  const std::size_t lanes = hn::Lanes(tag);
  const std::size_t blocks_per_row = (words_per_row + 3) / 4;
  const std::size_t blocks = num_rows * blocks_per_row;
  HWY_ALIGN std::uint64_t column[kMaxLanes], row[kMaxLanes], words[4 * kMaxLanes];

  std::size_t next_column = 0, next_row = 0;
  for (std::size_t done = 0; done < blocks; done += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      column[lane] = next_column;
      row[lane] = next_row;
      if (++next_column == blocks_per_row) next_column = 0, ++next_row;
    }
    V a = hn::Load(tag, column);
    V b = hn::Add(hn::Load(tag, row), hn::Set(tag, first_row));
    V c, d;
    threefry(keys, a, b, c, d);
    hn::StoreInterleaved4(a, b, c, d, tag, words);
    const std::size_t used = std::min(lanes, blocks - done);
    for (std::size_t lane = 0; lane < used; ++lane) {
      std::uint64_t* to = out + row[lane] * stride + 4 * column[lane];
      const std::size_t count = std::min<std::size_t>(4, words_per_row - 4 * column[lane]);
      if (count == 4)
        std::memcpy(to, words + 4 * lane, 32);
      else
        std::memcpy(to, words + 4 * lane, 8 * count);
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
  HWY_DYNAMIC_DISPATCH(fill)(keys, first_row, num_rows, words_per_row, stride, out);
}

}  // namespace dam
#endif

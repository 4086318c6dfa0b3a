#include "dam/fields/plane_ops.h"

#include <algorithm>
#include <bit>
#include <cstring>

#define HWY_WANT_AVX3_DL 1
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dam/fields/plane_ops.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, so that it is read once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dam::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Bytes = hn::ScalableTag<std::uint8_t>;
using Words = hn::ScalableTag<std::uint64_t>;
using ByteVector = hn::Vec<Bytes>;
using WordVector = hn::Vec<Words>;

constexpr int kMaxCounterBits = 32;  // agreements − lowest, with a sign

const std::uint8_t* bytes_of(const std::uint64_t* words) { return reinterpret_cast<const std::uint8_t*>(words); }

// ---- counting agreements -------------------------------------------------------------------------------------------

/// (sum, carry) of three bits in every lane.
template <class V>
HWY_INLINE void full_adder(V a, V b, V c, V& sum, V& carry) {
  const V half = hn::Xor(a, b);
#if HWY_TARGET <= HWY_AVX3
  carry = hn::IfVecThenElse(half, c, a);  // one instruction here; elsewhere it selects whole bytes
#else
  carry = hn::Or(hn::And(a, b), hn::And(half, c));
#endif
  sum = hn::Xor(half, c);
}

/// Bit-sliced counters of 64·Lanes(d) patterns: eight columns at a time through a tree of full adders, whose carries of
/// weight 8 ripple through the higher bits. Writes counter bit b to slices[b·Lanes(d)].
template <class D>
HWY_INLINE void count_slice(D d, const std::uint64_t* column, std::size_t words, std::span<const std::int8_t> state,
                            std::uint64_t start, int bits, std::uint64_t* slices) {
  using V = hn::Vec<D>;
  V counter[kMaxCounterBits];
  for (int b = 0; b < bits; ++b) counter[b] = hn::Set(d, start >> b & 1 ? ~std::uint64_t{0} : 0);
  const auto ripple = [&](V carry, int b) {
    for (; b < bits; ++b) {
      const V sum = hn::Xor(counter[b], carry);
      carry = hn::And(counter[b], carry);
      counter[b] = sum;
    }
  };
  const auto agreement = [&](std::size_t spin) {
    return hn::Xor(hn::LoadU(d, column + spin * words), hn::Set(d, state[spin] > 0 ? 0 : ~std::uint64_t{0}));
  };
  std::size_t spin = 0;
  if (bits > 3)
    for (; spin + 8 <= state.size(); spin += 8) {
      V two_a, two_b, four_a, four_b, eight;
      full_adder(counter[0], agreement(spin), agreement(spin + 1), counter[0], two_a);
      full_adder(counter[0], agreement(spin + 2), agreement(spin + 3), counter[0], two_b);
      full_adder(counter[1], two_a, two_b, counter[1], four_a);
      full_adder(counter[0], agreement(spin + 4), agreement(spin + 5), counter[0], two_a);
      full_adder(counter[0], agreement(spin + 6), agreement(spin + 7), counter[0], two_b);
      full_adder(counter[1], two_a, two_b, counter[1], four_b);
      full_adder(counter[2], four_a, four_b, counter[2], eight);
      ripple(eight, 3);
    }
  for (; spin < state.size(); ++spin) ripple(agreement(spin), 0);
  for (int b = 0; b < bits; ++b) hn::StoreU(counter[b], d, slices + b * hn::Lanes(d));
}

/// Positions of 64 patterns from their counter bits slices[b·stride]; the bits of those outside the window.
HWY_INLINE std::uint64_t positions_of_word(const std::uint64_t* slices, std::size_t stride, int bits, int width,
                                           std::uint8_t* positions) {
  const Bytes d;
  std::uint64_t outside = 0;
  for (int b = 7; b < bits; ++b) outside |= slices[b * stride];
  for (std::size_t at = 0; at < 64; at += hn::Lanes(d)) {
    ByteVector position = hn::Zero(d);
    for (int b = 0; b < std::min(bits, 7); ++b) {
      const auto mask = hn::LoadMaskBits(d, bytes_of(slices + b * stride) + at / 8);
      position = hn::Or(position, hn::IfThenElseZero(mask, hn::Set(d, static_cast<std::uint8_t>(1 << b))));
    }
    hn::StoreU(position, d, positions + at);
    std::uint8_t beyond[8] = {};
    const hn::RebindToSigned<Bytes> signed_tag;  // positions are below 128
    const auto last = hn::Set(signed_tag, static_cast<std::int8_t>(width - 1));
    hn::StoreMaskBits(signed_tag, hn::Gt(hn::BitCast(signed_tag, position), last), beyond);
    std::uint64_t beyond_word = 0;
    std::memcpy(&beyond_word, beyond, hn::Lanes(d) / 8);
    outside |= beyond_word << at;
  }
  return outside;
}

template <std::size_t kWords>
std::size_t count_from(std::size_t first, const std::uint64_t* columns, std::size_t words,
                       std::span<const std::int8_t> state, std::int64_t num_patterns, int lowest, int width,
                       std::uint8_t* positions, std::vector<Outlier>& outliers) {
  const hn::CappedTag<std::uint64_t, kWords> d;
  const std::size_t lanes = hn::Lanes(d);
  const int bits = static_cast<int>(std::bit_width(state.size())) + 1;
  HWY_ALIGN std::uint64_t slices[kMaxCounterBits * 8];
  for (; first + lanes <= words; first += lanes) {
    count_slice(d, columns + first, words, state, -static_cast<std::uint64_t>(lowest), bits, slices);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::size_t word = first + lane;
      std::uint64_t outside = positions_of_word(slices + lane, lanes, bits, width, positions + 64 * word);
      for (; outside != 0; outside &= outside - 1) {
        const int bit = std::countr_zero(outside);
        const auto pattern = static_cast<std::int64_t>(64 * word) + bit;
        positions[pattern] = kNowhere;
        if (pattern >= num_patterns) continue;
        int position = 0;
        for (int b = 0; b < bits; ++b) position |= static_cast<int>(slices[b * lanes + lane] >> bit & 1) << b;
        if (position >> (bits - 1) != 0) position -= 1 << bits;
        outliers.push_back({pattern, lowest + position});
      }
    }
  }
  return first;
}

void count(const std::uint64_t* columns, std::size_t words, std::span<const std::int8_t> state,
           std::int64_t num_patterns, int lowest, int width, std::uint8_t* positions, std::vector<Outlier>& outliers) {
  std::size_t first = 0;
  const auto go = [&](auto from) {
    first = from(first, columns, words, state, num_patterns, lowest, width, positions, outliers);
  };
  go(count_from<8>);
  go(count_from<4>);
  go(count_from<2>);
  go(count_from<1>);
}

// ---- stepping agreements after a flip ------------------------------------------------------------------------------

void step(const std::uint64_t* column, std::size_t words, bool plus, int width, std::uint8_t* positions,
          std::vector<std::int64_t>& left) {
  const Bytes d;
  const ByteVector up = hn::Set(d, 1), down = hn::Set(d, 255), beyond = hn::Set(d, static_cast<std::uint8_t>(width));
  const ByteVector at_one = plus ? down : up, at_zero = plus ? up : down;
  for (std::size_t at = 0; at < 64 * words; at += hn::Lanes(d)) {
    const auto bits = hn::LoadMaskBits(d, bytes_of(column) + at / 8);
    const ByteVector position = hn::Add(hn::LoadU(d, positions + at), hn::IfThenElse(bits, at_one, at_zero));
    hn::StoreU(position, d, positions + at);
    const auto leaves = hn::Or(hn::Eq(position, beyond), hn::Eq(position, down));
    if (HWY_LIKELY(hn::AllFalse(d, leaves))) continue;
    for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane)
      if (positions[at + lane] == width || positions[at + lane] == 255)
        left.push_back(static_cast<std::int64_t>(at + lane));
  }
}

// ---- table look-up -------------------------------------------------------------------------------------------------

/// A 128-byte table in registers; positions from 128 read 0 or the entry 128 below, which the tables keep 0.
class Table {
 public:
  explicit Table(const std::uint8_t* bytes) {
    const Bytes d;
#if HWY_TARGET == HWY_AVX3_DL
    low_ = hn::LoadU(d, bytes);
    high_ = hn::LoadU(d, bytes + 64);
#else
    for (int part = 0; part < 8; ++part) part_[part] = hn::LoadDup128(d, bytes + 16 * part);
#endif
  }

  HWY_INLINE ByteVector operator[](ByteVector position) const {
#if HWY_TARGET == HWY_AVX3_DL
    return ByteVector{_mm512_permutex2var_epi8(low_.raw, position.raw, high_.raw)};
#else
    const Bytes d;
    ByteVector result = hn::Zero(d);
    for (int part = 0; part < 8; ++part) {
      // Positions of this part become 0x70 … 0x7F, all others get the top bit, for which the shuffle gives 0.
      const ByteVector relative = hn::Sub(position, hn::Set(d, static_cast<std::uint8_t>(16 * part)));
      const ByteVector index = hn::SaturatedAdd(relative, hn::Set(d, 0x70));
      result = hn::Or(result, hn::TableLookupBytesOr0(part_[part], index));
    }
    return result;
#endif
  }

 private:
#if HWY_TARGET == HWY_AVX3_DL
  ByteVector low_, high_;
#else
  ByteVector part_[8];
#endif
};

/// Σ of bytes, signed or not, over many vectors of them.
class ByteSum {
 public:
  /// A signed byte x is added as x + 128.
  explicit ByteSum(bool is_signed) : bias_(hn::Set(Bytes{}, is_signed ? 0x80 : 0)), biased_(is_signed) {}
  HWY_INLINE void add(ByteVector bytes) { total_ = hn::Add(total_, hn::SumsOf8(hn::Xor(bytes, bias_))); }
  /// The sum, when `count` bytes were added.
  std::int64_t of(std::size_t count) const {
    const auto biased = static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(Words{}, total_)));
    return biased - (biased_ ? 128 * static_cast<std::int64_t>(count) : 0);
  }

 private:
  ByteVector bias_;
  WordVector total_ = hn::Zero(Words{});
  bool biased_;
};

/// kTables tables at once: positions are read once for all of them.
template <int kTables>
void sum_tables(const std::uint8_t* positions, std::size_t words, const ByteWeights* tables, std::int64_t* sums) {
  const Bytes d;
  const auto all = [&]<std::size_t... kTable>(std::index_sequence<kTable...>) {
    const Table table[] = {Table(tables[kTable].bytes)...};
    ByteSum sum[] = {ByteSum(tables[kTable].is_signed)...};
    for (std::size_t at = 0; at < 64 * words; at += hn::Lanes(d)) {
      const ByteVector position = hn::LoadU(d, positions + at);
      (sum[kTable].add(table[kTable][position]), ...);
    }
    ((sums[kTable] = sum[kTable].of(64 * words)), ...);
  };
  all(std::make_index_sequence<kTables>());
}

void sum(const std::uint8_t* positions, std::size_t words, std::span<const ByteWeights> tables, std::int64_t* sums) {
  std::size_t t = 0;
#if HWY_TARGET == HWY_AVX3_DL  // elsewhere one table fills the registers
  for (; t + 4 <= tables.size(); t += 4) sum_tables<4>(positions, words, tables.data() + t, sums + t);
  for (; t + 2 <= tables.size(); t += 2) sum_tables<2>(positions, words, tables.data() + t, sums + t);
#endif
  for (; t < tables.size(); ++t) sum_tables<1>(positions, words, tables.data() + t, sums + t);
}

template <int kBits>
std::int64_t build_planes(const std::uint8_t* positions, std::size_t words, const Limb& limb, std::size_t bit_stride,
                          std::size_t word_stride, std::uint64_t* planes) {
  const Bytes d;
  const hn::RebindToSigned<Bytes> signed_tag;
  const Table table(limb.bytes.data());
  ByteSum sum(limb.is_signed);
  for (std::size_t word = 0; word < words; ++word) {
    auto* out = reinterpret_cast<std::uint8_t*>(planes + word * word_stride);
    for (std::size_t at = 0; at < 64; at += hn::Lanes(d)) {
      ByteVector bits = table[hn::LoadU(d, positions + 64 * word + at)];
      sum.add(bits);
      for (int bit = 0; bit < kBits; ++bit) {
        hn::StoreMaskBits(signed_tag, hn::Lt(hn::BitCast(signed_tag, bits), hn::Zero(signed_tag)),
                          out + 8 * bit * bit_stride + at / 8);
        bits = hn::Add(bits, bits);
      }
    }
  }
  return sum.of(64 * words);
}

std::int64_t build(const std::uint8_t* positions, std::size_t words, const Limb& limb, bool interleaved,
                   std::uint64_t* planes) {
  constexpr decltype(&build_planes<1>) kBuild[] = {build_planes<1>, build_planes<2>, build_planes<3>, build_planes<4>,
                                                   build_planes<5>, build_planes<6>, build_planes<7>, build_planes<8>};
  return kBuild[limb.num_bits - 1](positions, words, limb, interleaved ? 1 : words, interleaved ? 8 : 1, planes);
}

// ---- fields --------------------------------------------------------------------------------------------------------

/// Adds planes first … first + kPlanes − 1 of the limb, words begin … end − 1, to the sums of kSpins columns.
template <int kSpins, int kPlanes>
void field_tile(const std::uint64_t* const* columns, std::size_t begin, std::size_t end, std::size_t words,
                const Limb& limb, int first, const std::uint64_t* planes, std::int64_t* sums) {
  const Words d;
  const hn::RebindToSigned<Words> signed_tag;
  WordVector counts[kSpins][kPlanes];
  for (int s = 0; s < kSpins; ++s)
    for (int p = 0; p < kPlanes; ++p) counts[s][p] = hn::Zero(d);
  planes += first * words;
  for (std::size_t word = begin; word < end; word += hn::Lanes(d)) {
    WordVector column[kSpins];
    for (int s = 0; s < kSpins; ++s) column[s] = hn::LoadU(d, columns[s] + word);
    for (int p = 0; p < kPlanes; ++p) {
      const WordVector weights = hn::LoadU(d, planes + p * words + word);
      for (int s = 0; s < kSpins; ++s)
        counts[s][p] = hn::Add(counts[s][p], hn::PopulationCount(hn::And(column[s], weights)));
    }
  }
  for (int s = 0; s < kSpins; ++s) {
    auto sum = hn::Zero(signed_tag);
    for (int p = 0; p < kPlanes; ++p) {
      const auto count = hn::BitCast(signed_tag, counts[s][p]);
      sum = hn::Add(sum, sum);
      sum = limb.is_signed && first + p == 0 ? hn::Sub(sum, count) : hn::Add(sum, count);
    }
    sums[s] += hn::GetLane(hn::SumOfLanes(signed_tag, sum)) * (1 << (limb.num_bits - first - kPlanes));
  }
}

template <int kSpins>
void field_group(const std::uint64_t* const* columns, std::size_t begin, std::size_t end, std::size_t words,
                 const Limb& limb, const std::uint64_t* planes, std::int64_t* sums) {
  constexpr decltype(&field_tile<kSpins, 1>) kTile[] = {field_tile<kSpins, 1>, field_tile<kSpins, 2>,
                                                        field_tile<kSpins, 3>, field_tile<kSpins, 4>,
                                                        field_tile<kSpins, 5>};
  const int tiles = (limb.num_bits + 4) / 5;
  for (int tile = 0, first = 0; tile < tiles; ++tile) {
    const int count = (limb.num_bits - first + tiles - tile - 1) / (tiles - tile);
    kTile[count - 1](columns, begin, end, words, limb, first, planes, sums);
    first += count;
  }
}

void fields(std::span<const std::uint64_t* const> columns, std::size_t words, const Limb& limb,
            const std::uint64_t* planes, std::int64_t* sums) {
  std::fill_n(sums, columns.size(), 0);
  constexpr std::size_t kStrip = 256;  // words of which four columns and eight planes fit the smallest cache
  for (std::size_t begin = 0; begin < words; begin += kStrip) {
    const std::size_t end = std::min(words, begin + kStrip);
    const auto go = [&]<int kSpins>(std::size_t j) {
      field_group<kSpins>(columns.data() + j, begin, end, words, limb, planes, sums + j);
    };
    std::size_t j = 0;
    for (; j + 4 <= columns.size(); j += 4) go.template operator()<4>(j);
    for (; j + 2 <= columns.size(); j += 2) go.template operator()<2>(j);
    for (; j < columns.size(); ++j) go.template operator()<1>(j);
  }
}

/// Lanes are planes: one word of a column, in all lanes, meets the words of up to eight planes side by side.
template <int kSpins>
void short_group(const std::uint64_t* const* columns, std::size_t words, std::span<const Limb> limbs,
                 const std::uint64_t* planes, std::int64_t* sums) {
  const Words d;
  const hn::RebindToSigned<Words> signed_tag;
  std::fill_n(sums, kSpins, 0);
  for (std::size_t part = 0; part < 8; part += hn::Lanes(d)) {
    hn::Vec<decltype(signed_tag)> total[kSpins];
    for (int s = 0; s < kSpins; ++s) total[s] = hn::Zero(signed_tag);
    for (std::size_t l = 0; l < limbs.size(); ++l) {
      const std::uint64_t* plane = planes + 8 * words * l + part;
      WordVector counts[kSpins];
      for (int s = 0; s < kSpins; ++s) counts[s] = hn::Zero(d);
      for (std::size_t word = 0; word < words; ++word) {
        const WordVector weights = hn::LoadU(d, plane + 8 * word);
        for (int s = 0; s < kSpins; ++s)
          counts[s] = hn::Add(counts[s], hn::PopulationCount(hn::And(hn::Set(d, columns[s][word]), weights)));
      }
      // Lane b has weight 2^(top − b), negative for the sign bit; lanes without a plane hold 0.
      const auto lane = hn::Iota(signed_tag, static_cast<std::int64_t>(part));
      const auto top = hn::Set(signed_tag, limbs[l].first_bit + limbs[l].num_bits - 1);
      const auto shift = hn::Max(hn::Sub(top, lane), hn::Zero(signed_tag));
      const auto sign_lane = hn::Set(signed_tag, limbs[l].is_signed ? 0 : -1);
      const auto negative = hn::VecFromMask(signed_tag, hn::Eq(lane, sign_lane));
      for (int s = 0; s < kSpins; ++s) {
        const auto weighted = hn::Shl(hn::BitCast(signed_tag, counts[s]), shift);
        total[s] = hn::Add(total[s], hn::Sub(hn::Xor(weighted, negative), negative));
      }
    }
    for (int s = 0; s < kSpins; ++s) sums[s] += hn::GetLane(hn::SumOfLanes(signed_tag, total[s]));
  }
}

void short_fields(std::span<const std::uint64_t* const> columns, std::size_t words, std::span<const Limb> limbs,
                  const std::uint64_t* planes, std::int64_t* sums) {
  std::size_t j = 0;
  for (; j + 4 <= columns.size(); j += 4) short_group<4>(columns.data() + j, words, limbs, planes, sums + j);
  for (; j < columns.size(); ++j) short_group<1>(columns.data() + j, words, limbs, planes, sums + j);
}

/// Lanes are spins.
void add_differences(const std::uint64_t* columns, std::size_t words, std::size_t spins, std::size_t spin,
                     std::int64_t offset, int shift, std::int64_t* supports) {
  const Words d;
  const hn::RebindToSigned<Words> signed_tag;
  for (std::size_t word = 0; word < words; ++word) {
    const std::uint64_t* row = columns + word * spins;
    const WordVector own = hn::Set(d, row[spin]);
    const auto start = hn::Set(signed_tag, word == 0 ? offset : 0);
    for (std::size_t i = 0; i < spins; i += hn::Lanes(d)) {
      const WordVector count = hn::PopulationCount(hn::Xor(hn::LoadU(d, row + i), own));
      const auto change = hn::BitCast(signed_tag, hn::ShiftLeftSame(count, shift));
      const auto support = hn::Add(hn::LoadU(signed_tag, supports + i), start);
      hn::StoreU(hn::Add(support, change), signed_tag, supports + i);
    }
  }
}

PlaneOps ops() { return {"", HWY_TARGET, count, step, sum, build, fields, short_fields, add_differences}; }

}  // namespace
}  // namespace dam::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dam {

HWY_EXPORT(ops);

std::span<const PlaneOps> plane_ops() {
  static const std::vector<PlaneOps> all = [] {
    struct Name {
      std::int64_t target;
      const char* name;
    };
    constexpr Name kNames[] = {{HWY_AVX3_DL, "planes-avx3_dl"}, {HWY_AVX3, "planes-avx3"},   {HWY_AVX2, "planes-avx2"},
                               {HWY_SSE4, "planes-sse4"},       {HWY_SSSE3, "planes-ssse3"}, {HWY_NEON, "planes-neon"}};
    std::vector<PlaneOps> rows;
    for (const Name& name : kNames) {
      if ((HWY_TARGETS & name.target) == 0) continue;
      hwy::ChosenTarget chosen;
      chosen.Update(name.target);
      PlaneOps row = HWY_DISPATCH_TABLE(ops)[chosen.GetIndex()]();
      row.name = name.name;
      rows.push_back(row);
    }
    return rows;
  }();
  return all;
}

}  // namespace dam
#endif

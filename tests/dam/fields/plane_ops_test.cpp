#include "dam/fields/plane_ops.h"

#include <hwy/targets.h>

#include <bit>
#include <boost/align/aligned_allocator.hpp>
#include <catch2/catch.hpp>
#include <random>

#include "dam/fields/energy.h"
#include "dam/states/patterns.h"

using namespace dam;

namespace {

using Engine = std::mt19937_64;
template <typename T>
using Aligned = std::vector<T, boost::alignment::aligned_allocator<T, 64>>;

Patterns random_patterns(int num_neurons, std::int64_t num_patterns, Engine& engine) {
  Patterns patterns(num_neurons, num_patterns);
  for (int spin = 0; spin < num_neurons; ++spin)
    for (std::uint64_t& word : patterns.column(spin)) word = engine();
  patterns.clear_padding();
  return patterns;
}

State random_state(int num_neurons, Engine& engine) {
  State state(num_neurons);
  for (auto& spin : state) spin = engine() % 2 == 0 ? 1 : -1;
  return state;
}

Limb random_limb(int num_bits, bool is_signed, Engine& engine) {
  Limb limb{0, num_bits, is_signed, {}, {}};
  for (int at = 0; at < kMaxWidth; ++at) limb.bytes[at] = static_cast<std::uint8_t>(engine() << (8 - num_bits));
  return limb;
}

int limb_value(const Limb& limb, std::uint8_t position) {
  const int byte = position < kTableSize ? limb.bytes[position] : 0;
  return (limb.is_signed ? static_cast<std::int8_t>(byte) : byte) / (1 << (8 - limb.num_bits));
}

/// Runs check(ops) for every instruction set of the build that this processor has.
template <typename Check>
void for_available_ops(const Check& check) {
  int checked = 0;
  for (const PlaneOps& ops : plane_ops()) {
    if ((hwy::SupportedTargets() & ops.target) == 0) continue;
    INFO(ops.name);
    check(ops);
    ++checked;
  }
  REQUIRE(checked > 0);
}

}  // namespace

TEST_CASE("counting and stepping agreements is exact on every instruction set") {
  const int num_neurons = GENERATE(1, 2, 7, 8, 9, 63, 64, 65, 130, 300);
  const int num_patterns = GENERATE(1, 63, 64, 65, 129, 511, 513, 1025);
  INFO("N = " << num_neurons << ", K = " << num_patterns);
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(num_neurons, num_patterns, engine);
  State state = random_state(num_neurons, engine);
  const int width = std::min(num_neurons + 1, 5), lowest = std::max(0, num_neurons / 2 - width / 2);
  const std::size_t words = patterns.words_per_column();
  for_available_ops([&](const PlaneOps& ops) {
    Aligned<std::uint8_t> positions(64 * words);
    std::vector<Outlier> outliers;
    ops.count(patterns.column(0).data(), words, state, num_patterns, lowest, width, positions.data(), outliers);
    const auto m = overlaps(patterns, state);
    std::size_t outside = 0;
    for (int pattern = 0; pattern < num_patterns; ++pattern) {
      const int position = (num_neurons + m[pattern]) / 2 - lowest;
      const bool inside = position >= 0 && position < width;
      REQUIRE(positions[pattern] == (inside ? position : kNowhere));
      if (inside) continue;
      REQUIRE(outside < outliers.size());
      REQUIRE(outliers[outside].pattern == pattern);
      REQUIRE(outliers[outside++].agreements == position + lowest);
    }
    REQUIRE(outside == outliers.size());

    const int spin = num_neurons / 2;
    Aligned<std::uint8_t> stepped = positions;
    std::vector<std::int64_t> left, expected_left;
    ops.step(patterns.column(spin).data(), words, state[spin] > 0, width, stepped.data(), left);
    for (int pattern = 0; pattern < num_patterns; ++pattern) {
      const bool agrees = patterns.bit(spin, pattern) == (state[spin] > 0);
      const auto after = static_cast<std::uint8_t>(positions[pattern] + (agrees ? -1 : 1));
      REQUIRE(stepped[pattern] == after);
      if (after == width || after == 255) expected_left.push_back(pattern);
    }
    std::erase_if(left, [&](std::int64_t pattern) { return pattern >= num_patterns; });
    REQUIRE(left == expected_left);
  });
}

TEST_CASE("differences from one column are added to every spin's support on every instruction set") {
  const std::size_t words = GENERATE(1, 2, 5), num_spins = GENERATE(8, 24, 64);
  Engine engine(Catch::rngSeed());
  Aligned<std::uint64_t> columns(words * num_spins);
  for (auto& word : columns) word = engine();
  Aligned<std::int64_t> before(num_spins);
  for (auto& support : before) support = static_cast<std::int64_t>(engine() % 2001) - 1000;
  const std::size_t spin = engine() % num_spins;
  for_available_ops([&](const PlaneOps& ops) {
    Aligned<std::int64_t> supports = before;
    ops.add_differences(columns.data(), words, num_spins, spin, -77, 3, supports.data());
    for (std::size_t i = 0; i < num_spins; ++i) {
      int differences = 0;
      for (std::size_t w = 0; w < words; ++w)
        differences += std::popcount(columns[w * num_spins + i] ^ columns[w * num_spins + spin]);
      REQUIRE(supports[i] == before[i] - 77 + 8 * differences);
    }
  });
}

TEST_CASE("limb sums, planes and fields are exact on every instruction set") {
  const int num_bits = GENERATE(1, 2, 3, 4, 5, 6, 7, 8);
  const bool is_signed = GENERATE(false, true);
  const std::size_t words = GENERATE(1, 2, 3, 7, 8, 16, 40);
  Engine engine(Catch::rngSeed());
  const Limb limb = random_limb(num_bits, is_signed, engine), other = random_limb(8, false, engine);
  Aligned<std::uint8_t> positions(64 * words);
  for (auto& position : positions) position = static_cast<std::uint8_t>(engine() % kTableSize);
  const Patterns columns = random_patterns(7, static_cast<std::int64_t>(64 * words), engine);
  REQUIRE(columns.words_per_column() == words);

  std::int64_t expected_sum = 0, expected_other = 0;
  std::vector<std::int64_t> expected(7), expected_unsigned(7);
  for (std::size_t pattern = 0; pattern < positions.size(); ++pattern) {
    const int value = limb_value(limb, positions[pattern]);
    expected_sum += value;
    expected_other += limb_value(other, positions[pattern]);
    for (int spin = 0; spin < 7; ++spin)
      if (columns.bit(spin, static_cast<std::int64_t>(pattern))) {
        expected[spin] += value;
        expected_unsigned[spin] += limb.bytes[positions[pattern]] >> (8 - num_bits);
      }
  }

  for_available_ops([&](const PlaneOps& ops) {
    const ByteWeights one{limb.bytes.data(), is_signed}, two{other.bytes.data(), false};
    const std::int64_t sum_one = expected_sum * (1 << (8 - num_bits));
    std::vector<std::int64_t> table_sums(7);
    ops.sum(positions.data(), words, std::vector{one, two, two, one, one, two, one}, table_sums.data());
    REQUIRE(table_sums ==
            std::vector{sum_one, expected_other, expected_other, sum_one, sum_one, expected_other, sum_one});
    Aligned<std::uint64_t> planes(8 * words), interleaved(2 * 8 * words);
    REQUIRE(ops.build(positions.data(), words, limb, false, planes.data()) == sum_one);
    ops.build(positions.data(), words, limb, true, interleaved.data());
    ops.build(positions.data(), words, limb, true, interleaved.data() + 8 * words);
    for (std::size_t pattern = 0; pattern < positions.size(); ++pattern)
      for (int bit = 0; bit < num_bits; ++bit) {
        const bool expected_bit = limb.bytes[positions[pattern]] >> (7 - bit) & 1;
        REQUIRE((planes[bit * words + pattern / 64] >> (pattern % 64) & 1) == expected_bit);
        REQUIRE((interleaved[pattern / 64 * 8 + bit] >> (pattern % 64) & 1) == expected_bit);
      }

    std::vector<const std::uint64_t*> pointers;
    for (int spin = 0; spin < 7; ++spin) pointers.push_back(columns.column(spin).data());
    std::vector<std::int64_t> sums(7);
    // Two limbs of one number, the same bits once with weight 2^20 and once with 1; only the first has a sign.
    Limb low = limb;
    low.is_signed = false;
    Limb high = limb;
    high.first_bit = 20;
    ops.short_fields(pointers, words, std::vector<Limb>{high, low}, interleaved.data(), sums.data());
    for (int spin = 0; spin < 7; ++spin) REQUIRE(sums[spin] == (expected[spin] << 20) + expected_unsigned[spin]);
    if (words % 8 != 0) return;
    ops.fields(pointers, words, limb, planes.data(), sums.data());
    REQUIRE(sums == expected);
  });
}

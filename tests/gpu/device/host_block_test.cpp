#include "gpu/device/host_block.h"

#include <bit>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <set>

namespace gpu {

TEST_CASE("every bit of a product stands in one lane's register, and every number in one lane's place") {
  // A row, a bit and a column at a time: the product is 1 there and 0 elsewhere.
  std::mt19937 engine(Catch::rngSeed());
  for (int round = 0; round < 200; ++round) {
    const int row = static_cast<int>(engine() % 16), column = static_cast<int>(engine() % 8),
              bit = static_cast<int>(engine() % 256);
    const int word = bit / 32;  // of the row: lane t = word % 4 holds it, in the register of its half
    std::int32_t sums[kWarp][4] = {};
    HostWarp(0).multiply([&](int thread) -> std::int32_t(&)[4] { return sums[thread]; },
                         [&](int thread) {
                           BinaryFragment f{};
                           const std::uint32_t one = 1u << (bit % 32);
                           if (thread / 4 == row % 8 && thread % 4 == word % 4) f.a[2 * (word / 4) + row / 8] = one;
                           if (thread / 4 == column && thread % 4 == word % 4) f.b[word / 4] = one;
                           return f;
                         });
    for (int lane = 0; lane < kWarp; ++lane)
      for (int j = 0; j < 4; ++j)
        REQUIRE(sums[lane][j] == (fragment_row(lane, j) == row && fragment_column(lane, j) == column));
  }
}

TEST_CASE("products add to what is there, and are popcounts of common bits") {
  std::mt19937 engine(Catch::rngSeed());
  std::uint32_t rows[16][8], columns[8][8];
  for (auto& row : rows)
    for (auto& word : row) word = static_cast<std::uint32_t>(engine());
  for (auto& column : columns)
    for (auto& word : column) word = static_cast<std::uint32_t>(engine());
  std::int32_t sums[kWarp][4];
  for (auto& lane : sums) std::fill(std::begin(lane), std::end(lane), 5);
  HostWarp(0).multiply([&](int thread) -> std::int32_t(&)[4] { return sums[thread]; },
                       [&](int thread) {
                         const int g = thread / 4, t = thread % 4;
                         return BinaryFragment{{rows[g][t], rows[g + 8][t], rows[g][t + 4], rows[g + 8][t + 4]},
                                               {columns[g][t], columns[g][t + 4]}};
                       });
  for (int lane = 0; lane < kWarp; ++lane)
    for (int j = 0; j < 4; ++j) {
      int common = 5;
      for (int word = 0; word < 8; ++word)
        common += std::popcount(rows[fragment_row(lane, j)][word] & columns[fragment_column(lane, j)][word]);
      CHECK(sums[lane][j] == common);
    }
}

TEST_CASE("what blocks share out is done once, and sums reach every thread") {
  HostBlock block(128, 2, 5);
  CHECK(block.warps() == 4);
  std::multiset<std::int64_t> items;
  block.share_out(10, [&](const HostWarp& warp, std::int64_t item) {
    items.insert(item);
    warp.each([&](int thread) { CHECK(thread / kWarp == item % 4); });
  });
  CHECK(items == std::multiset<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});

  HostBlock::PerThread<std::int64_t> value(block);
  block.each([&](int thread) { value[thread] = thread; });
  block.sum_quads(value);
  block.each([&](int thread) { CHECK(value[thread] == 16 * (thread / 4) + 6); });
  block.sum_warps(value);
  block.each([&](int thread) { CHECK(value[thread] == 4 * (496 + 1024 * (thread / 32))); });
}

TEST_CASE("a warp finds the first that is wanted and gathers in order") {
  const HostWarp warp(0);
  const auto odd = [](int i) { return i % 2 == 1; };
  CHECK(warp.find(2, 9, odd) == 3);
  CHECK(warp.find(2, 3, odd) == 3);  // none: the end
  std::vector<int> taken(4);
  CHECK(warp.gather(0, 100, 4, odd, [&](int slot, int i) { taken[slot] = i; }) == 4);
  CHECK(taken == std::vector<int>{1, 3, 5, 7});
  CHECK(warp.gather(0, 4, 4, odd, [&](int slot, int i) { taken[slot] = i; }) == 2);
}

TEST_CASE("bits and bytes are chosen as the card's instructions choose them") {
  CHECK(select_bits(0x0f0f0f0f, 0x12345678, 0x9abcdef0) == 0x92b4d6f8);
  CHECK(choose_bytes<0x5410>(0x33221100, 0x77665544) == 0x55441100);
  CHECK(choose_bytes<0x7351>(0x33221100, 0x77665544) == 0x77335511);
  CHECK(upper_halves(0x33221100, 0x77665544) == 0x77663322);
  CHECK(add_halves(0xffff0003, 10) == 12);
  CHECK(trailing_zeros(8) == 3);
  CHECK(count_ones(0xf0f0) == 8);
}

}  // namespace gpu

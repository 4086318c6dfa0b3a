#include "dam/states/spins.h"

#include <catch2/catch.hpp>

using core::NumericArray;
using dam::Erased;
using dam::Threshold;

namespace {

using Signs = std::vector<std::int8_t>;

}  // namespace

TEST_CASE("signs, bits and unsigned signs become spins") {
  const Signs expected{1, -1, -1, 1};
  CHECK(spins_of({{2, 2}, Signs{1, -1, -1, 1}}, {}, Erased::refused).values == expected);
  CHECK(spins_of({{2, 2}, std::vector<float>{1, -1, -1, 1}}, {}, Erased::refused).values == expected);
  CHECK(spins_of({{2, 2}, std::vector<std::uint8_t>{1, 255, 255, 1}}, {}, Erased::refused).values == expected);
  CHECK(spins_of({{2, 2}, std::vector<std::int64_t>{1, 65535, 4294967295, 1}}, {}, Erased::refused).values == expected);
  const dam::Spins bits = spins_of({{2, 2}, std::vector<std::uint8_t>{1, 0, 0, 1}}, {}, Erased::refused);
  CHECK(bits.values == expected);
  CHECK(bits.bits);
  CHECK_FALSE(bits.erased);
}

TEST_CASE("pictures are rows, one axis is one row, a long row can be many") {
  const auto shape = [](std::vector<std::uint64_t> extents, std::int64_t num_neurons) {
    const dam::Spins spins = spins_of({std::move(extents), Signs(12, 1)}, {}, Erased::refused, num_neurons);
    return std::pair(spins.rows(), spins.num_neurons);
  };
  CHECK(shape({3, 2, 2}, 0) == std::pair(std::int64_t{3}, 4));
  CHECK(shape({12}, 0) == std::pair(std::int64_t{1}, 12));
  CHECK(shape({12}, 4) == std::pair(std::int64_t{3}, 4));
  CHECK(shape({1, 12}, 6) == std::pair(std::int64_t{2}, 6));
  CHECK(shape({2, 6}, 3) == std::pair(std::int64_t{2}, 6));
  CHECK(shape({12}, 5) == std::pair(std::int64_t{1}, 12));
}

TEST_CASE("grey values are cut at a number, or at the mean or median of their row") {
  const NumericArray grey({2, 4}, std::vector<double>{0, 0, 0, 8, 1, 2, 3, 4});
  const auto cut = [&](const char* text) { return spins_of(grey, dam::parse_threshold(text), Erased::refused).values; };
  CHECK(cut("mean") == Signs{-1, -1, -1, 1, -1, -1, 1, 1});
  CHECK(cut("median") == Signs{-1, -1, -1, 1, -1, -1, 1, 1});
  CHECK(cut("3") == Signs{-1, -1, -1, 1, -1, -1, -1, 1});
  CHECK(cut("-1") == Signs(8, 1));
  CHECK_THROWS_WITH(dam::parse_threshold("half"), "threshold 'half' is not mean, median or a number");
  CHECK_THROWS_WITH(spins_of({{1, 2}, std::vector<double>{1, NAN}}, dam::parse_threshold("mean"), Erased::refused),
                    "value nan at row 0, neuron 1 is no number");
}

TEST_CASE("zeros among signs are erased neurons of cues, and an error of patterns") {
  const NumericArray masked({2, 3}, Signs{1, 0, -1, 0, 1, 1});
  const dam::Spins spins = spins_of(masked, {}, Erased::allowed);
  CHECK(spins.erased);
  CHECK(spins.row(1) == dam::State{0, 1, 1});
  CHECK_THROWS_WITH(spins_of(masked, {}, Erased::refused),
                    "value 0 at row 0, neuron 1 stands among -1 and +1; only cues have erased neurons");
}

TEST_CASE("a mask erases, row by row or in all rows") {
  dam::Spins spins = spins_of({{2, 3}, Signs{1, 1, -1, -1, 1, 1}}, {}, Erased::allowed);
  dam::Spins same = spins;
  erase(spins, {{2, 3}, std::vector<std::uint8_t>{0, 0, 1, 0, 1, 0}});
  CHECK(spins.values == Signs{1, 1, 0, -1, 0, 1});
  CHECK(spins.erased);
  erase(same, {{3}, std::vector<std::int64_t>{1, 0, 0}});
  CHECK(same.values == Signs{0, 1, -1, 0, 1, 1});
  CHECK_THROWS_WITH(erase(same, {{2}, Signs{1, 0}}),
                    "has shape (2), the cues have (2, 3); a mask is like them, or one row for all");
  CHECK_THROWS_WITH(erase(same, {{3}, Signs{1, 0, -1}}),
                    "value -1 at row 0, neuron 2 is neither 0 (known) nor 1 (erased)");
}

TEST_CASE("what is no row of spins is refused with its place") {
  const auto refused = [](const NumericArray& array, const std::string& what) {
    CHECK_THROWS_WITH(spins_of(array, {}, Erased::allowed), what);
  };
  refused({{2, 2}, Signs{1, -1, 2, 1}},
          "value 2 at row 1, neuron 0 is neither -1, +1 nor 0, 1; grey values need a threshold");
  refused({{1, 2}, std::vector<std::uint8_t>{0, 255}},
          "value 255 at row 0, neuron 1 is neither -1, +1 nor 0, 1; grey values need a threshold");
  refused({{}, Signs{1}}, "has shape (); patterns are rows of 2 to 1048576 neurons");
  refused({{3, 1}, Signs{1, 1, 1}}, "has shape (3, 1); patterns are rows of 2 to 1048576 neurons");
  refused({{0, 4}, Signs{}}, "has shape (0, 4); patterns are rows of 2 to 1048576 neurons");
}

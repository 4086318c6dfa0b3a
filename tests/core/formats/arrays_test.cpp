#include "core/formats/arrays.h"

#include <catch2/catch.hpp>

using core::ArrayInfo;
using core::ElementType;
using core::NumericArray;

TEST_CASE("an array has one value per place of its shape") {
  const NumericArray zeros(ArrayInfo{{2, 3}, ElementType::float32});
  CHECK(zeros.values == NumericArray::Values(std::vector<float>(6)));
  CHECK(zeros.type() == ElementType::float32);
  CHECK_NOTHROW(NumericArray({2, 2}, std::vector<std::int8_t>{1, 2, 3, 4}));
  CHECK_THROWS_WITH(NumericArray({2, 2}, std::vector<std::int8_t>{1, 2, 3}),
                    "3 values do not fill an array of shape (2, 2)");
}

TEST_CASE("an empty array may have other extents of any size") {
  const std::vector<std::uint64_t> shape = {UINT64_MAX, 3, 0, UINT64_MAX};
  CHECK(core::NumericArray(shape, std::vector<std::uint8_t>{}).shape == shape);
}

TEST_CASE("the bytes of an array are known without overflow before any are allocated") {
  CHECK(core::checked_bytes({{10, 20}, ElementType::int64}, 1600, "x") == 1600);
  CHECK(core::checked_bytes({{}, ElementType::float64}, 8, "x") == 8);
  CHECK(core::checked_bytes({{0, UINT64_MAX, UINT64_MAX}, ElementType::int64}, 0, "x") == 0);
  CHECK_THROWS_WITH(core::checked_bytes({{10, 20}, ElementType::int64}, 1599, "patterns"),
                    "patterns of shape (10, 20) needs 1600 bytes, the limit is 1599");
  CHECK_THROWS_WITH(core::checked_bytes({{1ull << 62, 2, 2}, ElementType::int8}, UINT64_MAX, "patterns"),
                    Catch::Contains("more than 2^64 bytes"));
}

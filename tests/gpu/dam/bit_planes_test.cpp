#include "gpu/dam/bit_planes.h"

#include <catch2/catch.hpp>
#include <random>

namespace gpu {

TEST_CASE("both halves are transposed") {
  std::mt19937 engine(Catch::rngSeed());
  std::uint32_t words[16], transposed[16];
  for (int j = 0; j < 16; ++j) transposed[j] = words[j] = static_cast<std::uint32_t>(engine());
  transpose_halves(transposed);
  for (int half = 0; half < 2; ++half)
    for (int j = 0; j < 16; ++j)
      for (int k = 0; k < 16; ++k) REQUIRE((transposed[k] >> (16 * half + j) & 1) == (words[j] >> (16 * half + k) & 1));
}

TEST_CASE("every lane takes the words of its plane that it multiplies by") {
  for (int half = 0; half < 2; ++half) {
    std::uint32_t exchange[kExchangeWords];
    for (int lane = 0; lane < 32; ++lane) {
      std::uint32_t planes[16];
      for (int plane = 0; plane < 16; ++plane) planes[plane] = static_cast<std::uint32_t>(100 * plane + lane);
      give_planes(lane, half, planes, exchange);
    }
    for (int lane = 0; lane < 32; ++lane) {
      std::uint32_t columns[8];
      take_planes(lane, exchange, columns);
      for (int j = 0; j < 8; ++j)
        REQUIRE(columns[j] ==
                static_cast<std::uint32_t>(100 * (8 * half + lane / 4) + 16 * (j / 4) + lane % 4 * 4 + j % 4));
    }
  }
}

}  // namespace gpu

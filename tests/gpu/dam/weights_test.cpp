#include "gpu/dam/weights.h"

#include <catch2/catch.hpp>
#include <string>

namespace gpu {

TEST_CASE("digits, totals and F are the tables' weights in the window, and marked outside it") {
  const auto* text = GENERATE("hopfield", "dense:3", "dense:4", "dense:5", "dense:10", "dense:30", "rectified:3",
                              "exponential:0.5", "cosine/exp:20/log");
  const int neurons = GENERATE(3, 48, 256, 1024);
  const dam::Dynamics dynamics{.rule = GENERATE(dam::UpdateRule::derivative, dam::UpdateRule::energy)};
  INFO(text << " N = " << neurons);
  const dam::Support support(core::EnergyModel::parse(text), dynamics, neurons);
  const int centre = neurons / 2;
  const Weights weights(support, centre);
  const dam::Window window = dam::window_around(centre, neurons);
  const WeightView& w = weights.numbers;
  const auto within = [](Units a, Units b, Units error) { return a - b <= error && b - a <= error; };
  for (int a = 0; a <= neurons; ++a) {
    const bool inside = a >= window.lowest && a < window.lowest + window.width;
    REQUIRE(inside == !(weights.digits[a] >> 15 & 1));
    const Units high = static_cast<std::int32_t>(weights.digits[a] << 17) >> 17;
    const Units low = static_cast<std::int32_t>(weights.digits[a]) >> 16;
    if (!inside) {
      CHECK(weights.digits[a] == 0x8000);
      CHECK(weights.totals[a] == 0);
      CHECK(weights.separations[a] == 0);
      continue;
    }
    const Units difference = w.unit * (high * (Units{1} << w.low_bits) + low);
    CHECK(within(difference, weights.agree[a] - weights.disagree[a], w.error));
    CHECK(within(w.unit * low, 0, w.largest_low));
    CHECK(within(w.total_offset + w.total_unit * weights.totals[a], weights.agree[a] + weights.disagree[a], w.error));
    CHECK(within(w.separation_offset + w.separation_unit * weights.separations[a], weights.separation[a],
                 w.separation_error));
    if (w.narrow) {
      CHECK(weights.totals[a] < 1 << 26);
      CHECK(weights.separations[a] < 1 << 26);
    }
  }
}

TEST_CASE("powers of usual size are exact") {
  for (const auto& [text, neurons] :
       {std::pair{"dense:3", 1024}, {"dense:4", 256}, {"dense:5", 128}, {"dense:6", 64}}) {
    INFO(text);
    const Weights weights(dam::Support(core::EnergyModel::parse(text), {}, neurons), neurons / 2);
    CHECK(weights.numbers.error == 0);
    CHECK(weights.numbers.separation_error == 0);
    CHECK(weights.numbers.narrow);
  }
}

}  // namespace gpu

#include "dam/fields/energy.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

using namespace dam;
using core::EnergyModel;

TEST_CASE("overlaps and energies are the sums of the formula") {
  std::mt19937_64 engine(Catch::rngSeed());
  for (const int num_neurons : {1, 2, 17, 64, 65}) {
    for (const int num_patterns : {1, 63, 64, 65, 130}) {
      std::vector<std::int8_t> rows(num_neurons * num_patterns);
      for (auto& value : rows) value = engine() % 2 == 0 ? 1 : -1;
      const Patterns patterns = Patterns::from_rows(std::span<const std::int8_t>(rows), num_neurons);
      State state(num_neurons);
      for (auto& value : state) value = engine() % 2 == 0 ? 1 : -1;
      const auto m = overlaps(patterns, state);
      const auto cubic = EnergyModel::parse("dense:3");
      double expected = 0;
      for (int pattern = 0; pattern < num_patterns; ++pattern) {
        int overlap = 0;
        for (int spin = 0; spin < num_neurons; ++spin) overlap += rows[pattern * num_neurons + spin] * state[spin];
        REQUIRE(m[pattern] == overlap);
        expected -= cubic.separation.value(overlap);
      }
      CHECK(energy(cubic, patterns, state) == Approx(expected).margin(1e-9));
    }
  }
}

TEST_CASE("the logarithm of huge exponentials stays finite") {
  const int num_neurons = 1000;
  const Patterns patterns(num_neurons, 3);  // three equal patterns
  const State aligned(num_neurons, -1), opposed(num_neurons, 1);
  const auto model = EnergyModel::parse("modern:7");
  CHECK(energy(model, patterns, aligned) == Approx(-(7000 + std::log(3.0))));
  CHECK(energy(model, patterns, opposed) == Approx(-(-7000 + std::log(3.0))));
}

TEST_CASE("a state of the wrong size is refused") {
  CHECK_THROWS_WITH(overlaps(Patterns(4, 1), State(5, 1)), Catch::Contains("5") && Catch::Contains("4"));
}

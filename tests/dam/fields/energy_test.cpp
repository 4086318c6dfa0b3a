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

TEST_CASE("patterns that cancel leave an energy of exactly 0") {
  std::mt19937_64 engine(Catch::rngSeed());
  const int num_neurons = 40;
  std::vector<std::int8_t> rows(10 * num_neurons);
  for (int i = 0; i < 5 * num_neurons; ++i) {
    rows[i] = engine() % 2 == 0 ? 1 : -1;
    rows[5 * num_neurons + i] = static_cast<std::int8_t>(-rows[i]);
  }
  const Patterns patterns = Patterns::from_rows(std::span<const std::int8_t>(rows), num_neurons);
  for (const char* model : {"dense:3", "dense:99", "dense:111", "dense:999", "cosine/power:5/linear"}) {
    INFO(model);
    for (const std::int64_t row : {0, 3, 9}) {
      const Energy none = energy_of(EnergyModel::parse(model), patterns, patterns.row(row));
      CHECK(none.value == 0);
      CHECK_FALSE(std::signbit(none.value));
      CHECK(text(none) == "0");
    }
  }
}

TEST_CASE("energies beyond the doubles keep their logarithm") {
  const Patterns patterns(1000, 1);  // of −1
  const State aligned(1000, -1), opposed(1000, 1);
  const auto of = [&](const char* model, const State& state) {
    return energy_of(EnergyModel::parse(model), patterns, state);
  };
  // −1000^110/110
  const Energy high = of("dense:110", aligned);
  CHECK(std::isinf(high.value));
  CHECK(high.value < 0);
  CHECK(high.log10_size == Approx(330 - std::log10(110.)).epsilon(1e-14));
  CHECK(text(high) == "-9.0909091e+327");
  CHECK(text(of("dense:111", opposed)) == "9.009009e+330");
  CHECK(text(of("dense:100", aligned)) == "-1e+298");
  // e^{λN}, and e^{−λN}, which is none the less not 0
  CHECK(of("exponential:1", aligned).log10_size == Approx(1000 / std::log(10)));
  CHECK(text(of("exponential:1", aligned)) == "-1.9700711e+434");
  CHECK(text(of("exponential:1", opposed)) == "-5.0759589e-435");
  CHECK(text(of("exponential:1e9", aligned)).ends_with("e+434294481903"));
  CHECK(of("dot/exp:1/power:2", aligned).log10_size == Approx(2000 / std::log(10)));
  CHECK(text(of("dense:2", aligned)) == "-500000");
  CHECK(text(of("dot/power:3/log", opposed)) == "undefined");
  // In range, value and logarithm agree.
  const Energy usual = of("rectified:7", aligned);
  CHECK(usual.log10_size == Approx(std::log10(-usual.value)));
}

TEST_CASE("a state of the wrong size is refused") {
  CHECK_THROWS_WITH(overlaps(Patterns(4, 1), State(5, 1)), Catch::Contains("5") && Catch::Contains("4"));
}

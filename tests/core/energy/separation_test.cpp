#include "core/energy/separation.h"

#include <catch2/catch.hpp>

#include "core/energy/energy_model.h"

using core::EnergyModel;
using core::Separation;

TEST_CASE("derivatives of every separation agree with central differences") {
  const auto* text = GENERATE("power:2", "power:3", "power:4", "power:7", "relu-power:2", "relu-power:3",
                              "relu-power:5", "exp:0.5", "exp:1.3", "log-cosh:1.7", "softplus:0.8");
  const Separation separation = Separation::parse(text);
  for (const double x : {-2.3, -0.7, 0.4, 1.9, 3.1}) {
    const double step = 1e-5;
    INFO(text << " at " << x);
    const double slope = (separation.value(x + step) - separation.value(x - step)) / (2 * step);
    const double curvature = (separation.derivative(x + step) - separation.derivative(x - step)) / (2 * step);
    CHECK(separation.derivative(x) == Approx(slope).epsilon(1e-7).margin(1e-8));
    CHECK(separation.second_derivative(x) == Approx(curvature).epsilon(1e-7).margin(1e-8));
  }
}

TEST_CASE("log-cosh and softplus stay finite where cosh and exp overflow") {
  const Separation log_cosh = Separation::parse("log-cosh:1");
  const Separation softplus = Separation::parse("softplus:1");
  CHECK(log_cosh.value(1e4) == Approx(1e4 - std::log(2.0)));
  CHECK(log_cosh.value(-1e4) == log_cosh.value(1e4));
  CHECK(softplus.value(1e4) == 1e4);
  CHECK(softplus.value(-1e4) == 0);
  CHECK(softplus.derivative(-1e4) == 0);
}

TEST_CASE("models read back from their text") {
  const auto* text = GENERATE("hopfield", "dense:3", "rectified:4", "exponential:0.5", "modern:1",
                              "cosine/power:3/linear", "euclidean/exp:0.25/log", "dot/power:2/power:2");
  CHECK(EnergyModel::parse(text).text() == text);
}

TEST_CASE("bad model texts name what is accepted") {
  CHECK_THROWS_WITH(EnergyModel::parse("krotov"), Catch::Contains("hopfield, dense:N"));
  CHECK_THROWS_WITH(EnergyModel::parse("dense:1"), Catch::Contains("integer from 2"));
  CHECK_THROWS_WITH(EnergyModel::parse("dense:2.5"), Catch::Contains("integer from 2"));
  CHECK_THROWS_WITH(EnergyModel::parse("exponential:-1"), Catch::Contains("above 0"));
  CHECK_THROWS_WITH(EnergyModel::parse("dot/power:3"), Catch::Contains("SIMILARITY/SEPARATION/SHAPING"));
}

TEST_CASE("degenerate models say why") {
  CHECK_THAT(EnergyModel::parse("euclidean/power:2/linear").degenerate(), Catch::Contains("farthest"));
  CHECK_THAT(EnergyModel::parse("euclidean/relu-power:3/linear").degenerate(), Catch::Contains("0 everywhere"));
  CHECK_THAT(EnergyModel::parse("dot/power:3/log").degenerate(), Catch::Contains("odd power"));
  CHECK(EnergyModel::parse("euclidean/power:3/linear").degenerate().empty());
  CHECK(EnergyModel::parse("dot/power:4/log").degenerate().empty());
  CHECK(EnergyModel::parse("modern:1").degenerate().empty());
}

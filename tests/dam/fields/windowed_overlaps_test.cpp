#include "dam/fields/windowed_overlaps.h"

#include <hwy/targets.h>
#include <catch2/catch.hpp>
#include <random>

using namespace dam;

namespace {

using Engine = std::mt19937_64;

int agreements_of(const Patterns& patterns, const State& state, std::int64_t pattern) {
  int count = 0;
  for (int spin = 0; spin < patterns.num_neurons(); ++spin) count += patterns.bit(spin, pattern) == (state[spin] > 0);
  return count;
}

/// Every pattern once, with as many agreements as a plain count finds; bytes and list say the same.
void check_all(const WindowedOverlaps& overlaps) {
  const Patterns& patterns = overlaps.patterns();
  std::vector<int> seen(patterns.num_patterns(), -1);
  overlaps.for_each([&](std::int64_t pattern, int agreements) {
    REQUIRE(seen[pattern] == -1);
    seen[pattern] = agreements;
  });
  for (std::int64_t pattern = 0; pattern < patterns.num_patterns(); ++pattern)
    REQUIRE(seen[pattern] == agreements_of(patterns, overlaps.state(), pattern));
  for (std::size_t at = patterns.num_patterns(); at < 64 * overlaps.words(); ++at)
    REQUIRE(overlaps.positions()[at] == kNowhere);
  for (const Outlier& outlier : overlaps.outliers()) {
    REQUIRE(overlaps.positions()[outlier.pattern] == kNowhere);
    const int position = outlier.agreements - overlaps.window().lowest;
    REQUIRE((position < 0 || position >= overlaps.window().width));
  }
  REQUIRE(overlaps.in_window() + static_cast<std::int64_t>(overlaps.outliers().size()) == patterns.num_patterns());
}

}  // namespace

TEST_CASE("overlaps follow flips, in the window and out of it, on every instruction set") {
  const int num_neurons = GENERATE(5, 64, 301);
  const std::int64_t num_patterns = GENERATE(1, 64, 700);
  const double noise = GENERATE(0.5, 0.05);  // patterns of their own, or alike: then all leave the usual window
  INFO("N = " << num_neurons << " K = " << num_patterns << " noise " << noise << " seed " << Catch::rngSeed());
  for (const PlaneOps& ops : plane_ops()) {
    if ((hwy::SupportedTargets() & ops.target) == 0) continue;
    INFO(ops.name);
    Engine engine(Catch::rngSeed());
    std::bernoulli_distribution plus(0.5), differs(noise);
    State prototype(num_neurons), state(num_neurons);
    for (int spin = 0; spin < num_neurons; ++spin) prototype[spin] = plus(engine) ? 1 : -1;
    Patterns patterns(num_neurons, num_patterns);
    for (int spin = 0; spin < num_neurons; ++spin)
      for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern)
        patterns.set(spin, pattern, (prototype[spin] > 0) != differs(engine));
    for (std::int8_t& spin : state) spin = plus(engine) ? 1 : -1;

    WindowedOverlaps overlaps(ops, num_neurons);
    overlaps.load(patterns, state);
    check_all(overlaps);
    // From a random state to the prototype, which alike patterns come close to, and a little further.
    bool moved = false;
    for (int spin = 0; spin < num_neurons; ++spin)
      if (overlaps.state()[spin] != prototype[spin]) {
        overlaps.flip(static_cast<std::uint32_t>(spin));
        moved |= overlaps.move_window_if_crowded();
        if (spin % 40 == 0 || spin + 5 > num_neurons) check_all(overlaps);
      }
    CHECK(overlaps.state() == prototype);
    check_all(overlaps);
    // 300 alike neurons leave a window of some deviations around one half.
    if (num_neurons == 301 && num_patterns == 700) CHECK(moved == (noise < 0.5));
    overlaps.load(patterns, state);  // again, with the window where it went
    check_all(overlaps);
  }
}

#include "dam/fields/couplings.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <string_view>

#include "dam/recall/recall.h"

using namespace dam;

namespace {

using Engine = std::mt19937_64;

Patterns random_patterns(int num_neurons, std::int64_t num_patterns, double plus, Engine& engine) {
  Patterns patterns(num_neurons, num_patterns);
  std::bernoulli_distribution coin(plus);
  for (int spin = 0; spin < num_neurons; ++spin)
    for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern) patterns.set(spin, pattern, coin(engine));
  return patterns;
}

template <typename Check>
void for_plane_kernels(const Check& check) {
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available() || std::string_view(kernel.name) == "reference") continue;
    INFO(kernel.name);
    check(kernel);
  }
}

}  // namespace

TEST_CASE("couplings are sums of products over the patterns, on every kernel and number of threads") {
  const int num_neurons = GENERATE(1, 2, 9, 64, 101);
  const std::int64_t num_patterns = GENERATE(1, 63, 64, 65, 600, 1000);
  const int threads = GENERATE(1, 3);
  INFO("N = " << num_neurons << " K = " << num_patterns << " on " << threads);
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(num_neurons, num_patterns, 0.3, engine);
  for_plane_kernels([&](const Kernel& kernel) {
    const Couplings couplings(patterns, kernel, threads);
    for (int i = 0; i < num_neurons; ++i)
      for (int j = 0; j < num_neurons; ++j) {
        int sum = 0;
        for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern)
          sum += patterns.bit(i, pattern) == patterns.bit(j, pattern) ? 1 : -1;
        REQUIRE(couplings.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)] == sum);
      }
  });
}

TEST_CASE("slabs of patterns add up") {
  // So many neurons that a slab is 21 words of patterns: two whole ones and a part.
  Engine engine(Catch::rngSeed());
  Patterns patterns(3000, 3000);
  for (int spin = 0; spin < patterns.num_neurons(); ++spin)
    for (std::uint64_t& word : patterns.column(spin)) word = engine();
  patterns.clear_padding();
  const Couplings couplings(patterns, find_kernel("auto"), 2);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto i = static_cast<int>(engine() % 3000), j = static_cast<int>(engine() % 3000);
    int sum = 0;
    for (std::int64_t pattern = 0; pattern < 3000; ++pattern)
      sum += patterns.bit(i, pattern) == patterns.bit(j, pattern) ? 1 : -1;
    REQUIRE(couplings.row(static_cast<std::size_t>(i))[static_cast<std::size_t>(j)] == sum);
  }
}

TEST_CASE("recall by couplings is recall, spin for spin and counter for counter") {
  const auto order =
      GENERATE(UpdateOrder::random, UpdateOrder::sequential, UpdateOrder::replacement, UpdateOrder::synchronous);
  const auto tie = GENERATE(TieRule::keep, TieRule::plus, TieRule::random);
  const auto rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const auto self_coupling = GENERATE(SelfCoupling::removed, SelfCoupling::kept);
  const auto* model_text = GENERATE("hopfield", "cosine/power:2/log");
  const auto model = core::EnergyModel::parse(model_text);
  const Dynamics dynamics{rule, order, tie, self_coupling, 20};
  Engine engine(Catch::rngSeed());
  for (const auto& [num_neurons, num_patterns] : {std::pair{1, 3}, {2, 5}, {30, 100}, {65, 700}}) {
    const Patterns patterns = random_patterns(num_neurons, num_patterns, engine() % 2 == 0 ? 0.5 : 0.2, engine);
    const auto couplings = std::make_shared<const Couplings>(patterns, find_kernel("auto"), 1);
    Recall by_couplings(dynamics, num_neurons, make_coupling_fields(couplings, model, dynamics));
    for (int repeat = 0; repeat < 3; ++repeat) {
      INFO(model_text << " " << text(order) << " " << text(tie) << " " << text(rule) << " self-coupling "
                      << text(self_coupling) << " N = " << num_neurons << " K = " << num_patterns);
      State expected = random_patterns(num_neurons, 1, 0.5, engine).row(0);
      State state = expected;
      const std::uint64_t seed = engine();
      const RecallStreams streams{core::Stream(seed, 0, 0, core::Purpose::order),
                                  core::Stream(seed, 0, 0, core::Purpose::tie)};
      const RecallResult reference = recall(patterns, model, dynamics, find_kernel("reference"), streams, expected);
      REQUIRE(by_couplings(patterns, streams, state) == reference);
      REQUIRE(state == expected);
    }
  }
}

TEST_CASE("couplings are taken where they pay, and refuse what they are not for") {
  const Kernel &fast = find_kernel("auto"), &reference = find_kernel("reference");
  const core::EnergyModel hopfield;
  const Patterns many(64, 65), few(64, 64);
  CHECK(Couplings::pay(hopfield, fast, many, 2));
  CHECK_FALSE(Couplings::pay(hopfield, fast, many, 1));
  CHECK_FALSE(Couplings::pay(hopfield, fast, few, 1000));
  CHECK_FALSE(Couplings::pay(hopfield, reference, many, 1000));
  CHECK_FALSE(Couplings::pay(core::EnergyModel::parse("dense:4"), fast, many, 1000));
  CHECK(Couplings::memory(1000) == 4000000);

  CHECK_THROWS_AS(Couplings(many, reference, 1), std::invalid_argument);
  CHECK_THROWS_AS(Couplings(many, fast, 1, core::StopToken([] { return true; })), core::Stopped);
  const auto couplings = std::make_shared<const Couplings>(many, fast, 1);
  CHECK_THROWS_AS(make_coupling_fields(couplings, core::EnergyModel::parse("dense:3"), {}), std::invalid_argument);
  CHECK_THROWS_WITH(make_coupling_fields(couplings, hopfield, {})->load(few, State(64, 1)),
                    Catch::Contains("other patterns"));
}

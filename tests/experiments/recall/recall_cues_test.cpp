#include "experiments/recall/recall_cues.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "experiments/command_line/cli.h"

using namespace experiments;

namespace {

struct Example {
  dam::Patterns patterns{40, 60};
  dam::Spins cues;
  Example() {
    std::mt19937_64 engine(Catch::rngSeed());
    std::bernoulli_distribution coin(0.5);
    for (int spin = 0; spin < 40; ++spin)
      for (std::int64_t pattern = 0; pattern < 60; ++pattern) patterns.set(spin, pattern, coin(engine));
    cues.num_neurons = 40;
    for (int i = 0; i < 50 * 40; ++i) cues.values.push_back(coin(engine) ? 1 : -1);
  }
  std::vector<dam::State> recall(std::int64_t count, PreparedRecalls* prepared,
                                 std::int64_t max_memory = 1 << 30) const {
    const RecallTask task{.model = core::EnergyModel::parse("hopfield"), .seed = 7};
    const RecallMeans means{&dam::find_kernel("auto"), nullptr, 2, max_memory, prepared};
    std::vector<std::int64_t> which(count);
    std::iota(which.begin(), which.end(), 0);
    std::vector<dam::State> states(count);
    Stopping stopping(0, Stopping::Clock::now());
    const bool all = recall_cues(task, patterns, cues, which, means, stopping,
                                 [&](std::int64_t cue, Recalled recalled) { states[cue] = std::move(recalled.state); });
    CHECK(all);
    return states;
  }
};

}  // namespace

TEST_CASE("what recalls prepare is kept, made anew when more cues pay for couplings, and changes no answer") {
  const Example example;
  const auto expected = example.recall(50, nullptr);
  PreparedRecalls prepared;
  CHECK(example.recall(1, &prepared) == std::vector(expected.begin(), expected.begin() + 1));
  REQUIRE(!prepared.couplings);
  const dam::Recall* first = prepared.by_thread[0] ? prepared.by_thread[0].get() : prepared.by_thread[1].get();
  example.recall(1, &prepared);
  CHECK((prepared.by_thread[0].get() == first || prepared.by_thread[1].get() == first));
  CHECK(example.recall(50, &prepared) == expected);
  REQUIRE(prepared.couplings);
  const auto couplings = prepared.couplings;
  CHECK(example.recall(1, &prepared) == std::vector(expected.begin(), expected.begin() + 1));
  CHECK(example.recall(50, &prepared) == expected);
  CHECK(prepared.couplings == couplings);
}

TEST_CASE("recalls that need more memory than there is are refused, whoever asks") {
  const Example example;
  CHECK_THROWS_AS(example.recall(5, nullptr, 1000), UsageError);
}

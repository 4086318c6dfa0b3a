#include "dam/recall/erased.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "dam/recall/recall.h"

using namespace dam;

namespace {

using core::EnergyModel;

const core::Stream kCoins(3, 0, 0, core::Purpose::cue);

/// The field of a neuron without a value, as one would write it down.
double plain_field(const Patterns& patterns, const EnergyModel& model, UpdateRule rule, const State& cue, int spin) {
  const auto similarity = core::on_overlap(model.similarity, patterns.num_neurons());
  double field = 0;
  for (std::int64_t pattern = 0; pattern < patterns.num_patterns(); ++pattern) {
    const State xi = patterns.row(pattern);
    double overlap = 0;
    for (std::size_t j = 0; j < cue.size(); ++j) overlap += xi[j] * cue[j];
    const double own = xi[static_cast<std::size_t>(spin)];
    field += rule == UpdateRule::derivative ? own * model.separation.derivative(similarity(overlap))
                                            : model.separation.value(similarity(overlap + own)) -
                                                  model.separation.value(similarity(overlap - own));
  }
  return field;
}

Patterns random_patterns(int num_neurons, int num_patterns, std::mt19937_64& engine) {
  std::vector<std::int8_t> rows(num_neurons * num_patterns);
  for (auto& value : rows) value = engine() % 2 == 0 ? 1 : -1;
  return Patterns::from_rows(std::span<const std::int8_t>(rows), num_neurons);
}

}  // namespace

TEST_CASE("erased neurons start with the sign of the field of the known ones") {
  std::mt19937_64 engine(Catch::rngSeed());
  const auto* text = GENERATE("hopfield", "dense:3", "dense:4", "rectified:3", "exponential:0.2",
                              "dot/log-cosh:0.3/linear", "euclidean/power:3/linear");
  const auto rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const auto model = EnergyModel::parse(text);
  int decided = 0;
  for (const auto& [neurons, count] : {std::pair{9, 4}, {30, 7}, {65, 70}}) {
    const Patterns patterns = random_patterns(neurons, count, engine);
    State cue = patterns.row(1);
    for (auto& spin : cue)
      if (engine() % 2 == 0) spin = 0;
    const State state = ErasedStarts(model, rule, neurons, ErasedStart::field).state(patterns, cue, kCoins);
    for (int spin = 0; spin < neurons; ++spin) {
      if (cue[spin] != 0) {
        CHECK(state[spin] == cue[spin]);
        continue;
      }
      const double field = plain_field(patterns, model, rule, cue, spin);
      INFO(text << " N = " << neurons << ", field " << field);
      if (std::abs(field) < 1e-9) continue;
      CHECK(state[spin] == (field > 0 ? 1 : -1));
      ++decided;
    }
  }
  CHECK(decided > 20);
}

TEST_CASE("coins fill erased neurons at random, and at field 0") {
  const int neurons = 600;
  const Patterns none(neurons, 2);
  const State cue(neurons, 0);
  const ErasedStarts random(EnergyModel::parse("hopfield"), UpdateRule::derivative, neurons, ErasedStart::random);
  const State state = random.state(none, cue, kCoins);
  int sum = 0;
  for (const int spin : state) {
    CHECK(std::abs(spin) == 1);
    sum += spin;
  }
  CHECK(std::abs(sum) < 5 * std::sqrt(neurons));
  CHECK(random.state(none, cue, core::Stream(4, 0, 0, core::Purpose::cue)) != state);
  // Nothing is known: every overlap is 0, and with it the field of x².
  const ErasedStarts field(EnergyModel::parse("hopfield"), UpdateRule::derivative, neurons, ErasedStart::field);
  CHECK(field.state(none, cue, kCoins) == state);
}

TEST_CASE("a third of a pattern brings back the rest, held or not") {
  std::mt19937_64 engine(Catch::rngSeed());
  const int neurons = 300;
  const Patterns patterns = random_patterns(neurons, 6, engine);
  State cue = patterns.row(2);
  for (std::size_t spin = 0; spin < cue.size(); ++spin)
    if (spin % 3 != 0) cue[spin] = 0;
  const auto known = known_neurons(cue);
  CHECK(known.size() == 100);
  const auto model = EnergyModel::parse("dense:3");
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available()) continue;
    INFO(kernel.name);
    Recall recall(model, {}, neurons, kernel);
    recall.hold(known);
    State state = ErasedStarts(model, {}, neurons, ErasedStart::field).state(patterns, cue, kCoins);
    recall(patterns, {kCoins, kCoins}, state);
    CHECK(state == patterns.row(2));
  }
  CHECK_THROWS_WITH(Recall(model, {}, neurons, *kernels().begin()).hold(std::vector<std::uint32_t>{300}),
                    "spin 300 cannot be held, there are 300");
}

TEST_CASE("starts have names") {
  CHECK(parse_erased_start("field") == ErasedStart::field);
  CHECK_THROWS_WITH(parse_erased_start("zero"), "start of erased neurons 'zero' is not random or field");
}

#include "dam/fields/local_fields.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "dam/fields/energy.h"
#include "dam/fields/kernels.h"

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

/// A state at some distance from a stored pattern, so that near, far and unrelated overlaps all occur.
State random_state(const Patterns& patterns, Engine& engine) {
  State state = patterns.row(static_cast<std::int64_t>(engine() % patterns.num_patterns()));
  std::bernoulli_distribution flip(std::uniform_real_distribution<>(0, 0.5)(engine));
  for (auto& spin : state)
    if (flip(engine)) spin = static_cast<std::int8_t>(-spin);
  return state;
}

std::vector<std::uint32_t> all_spins(int num_neurons) {
  std::vector<std::uint32_t> spins(num_neurons);
  std::iota(spins.begin(), spins.end(), 0u);
  return spins;
}

/// The support of one spin straight from the formulas of THEORY §1, everything computed anew, and the size of its
/// terms.
struct NaiveSupport {
  long double sum = 0, size = 0;
};
NaiveSupport naive_support(const core::EnergyModel& model, const Dynamics& dynamics, const Patterns& patterns,
                           const State& state, int spin) {
  const int num_neurons = patterns.num_neurons();
  const auto similarity = core::on_overlap(model.similarity, num_neurons);
  const int self = dynamics.self_coupling == SelfCoupling::removed ? 1 : 0;
  NaiveSupport support;
  const auto add = [&](long double term) {
    support.sum += term;
    support.size += std::abs(term);
  };
  for (std::int64_t pattern = 0; pattern < patterns.num_patterns(); ++pattern) {
    int overlap = 0;
    for (int i = 0; i < num_neurons; ++i) overlap += (patterns.bit(i, pattern) ? 1 : -1) * state[i];
    const int own = (patterns.bit(spin, pattern) ? 1 : -1) * state[spin];
    if (dynamics.rule == UpdateRule::derivative) {
      add(own * model.separation.derivative(similarity(overlap - self * own)));
    } else {
      add(model.separation.value(similarity(overlap)));
      add(-model.separation.value(similarity(overlap - 2 * own)));
    }
  }
  return support;
}

constexpr const char* kModels[] = {"hopfield",
                                   "dense:3",
                                   "dense:4",
                                   "dense:5",
                                   "dense:8",
                                   "dense:30",
                                   "rectified:2",
                                   "rectified:3",
                                   "rectified:4",
                                   "exponential:0.5",
                                   "exponential:2",
                                   "modern:0.1",
                                   "cosine/power:3/linear",
                                   "cosine/exp:3/log",
                                   "euclidean/power:3/linear",
                                   "euclidean/exp:0.25/linear",
                                   "dot/log-cosh:0.3/linear",
                                   "dot/softplus:0.2/linear"};

}  // namespace

TEST_CASE("the reference decides as the formulas say") {
  const auto* model_text = GENERATE(from_range(std::begin(kModels), std::end(kModels)));
  const UpdateRule rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const SelfCoupling self_coupling = GENERATE(SelfCoupling::removed, SelfCoupling::kept);
  const auto model = core::EnergyModel::parse(model_text);
  const Dynamics dynamics{.rule = rule, .self_coupling = self_coupling};
  Engine engine(Catch::rngSeed());
  for (const int num_neurons : {1, 2, 5, 12}) {
    INFO(model_text << " " << text(rule) << " self-coupling " << text(self_coupling) << " N = " << num_neurons);
    const Patterns patterns = random_patterns(num_neurons, 1 + engine() % 9, 0.5, engine);
    const State state = random_state(patterns, engine);
    const auto fields = make_reference_fields(model, dynamics, num_neurons);
    fields->load(patterns, state);
    std::vector<std::int8_t> signs(num_neurons);
    fields->decide(all_spins(num_neurons), signs);
    for (int spin = 0; spin < num_neurons; ++spin) {
      const auto [sum, size] = naive_support(model, dynamics, patterns, state, spin);
      const bool clear = std::abs(sum) > 1e-13L * size;
      CHECK(signs[spin] == (clear ? (sum > 0) - (sum < 0) : 0));
    }
  }
}

TEST_CASE("every kernel decides and counts like the reference") {
  const auto* model_text = GENERATE(from_range(std::begin(kModels), std::end(kModels)));
  const UpdateRule rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const SelfCoupling self_coupling = GENERATE(SelfCoupling::removed, SelfCoupling::kept);
  const auto model = core::EnergyModel::parse(model_text);
  const Dynamics dynamics{.rule = rule, .order = UpdateOrder::synchronous, .self_coupling = self_coupling};

  Engine engine(Catch::rngSeed());
  for (const int num_neurons : {1, 2, 31, 63, 64, 65, 128, 129}) {
    const auto reference = make_reference_fields(model, dynamics, num_neurons);
    std::vector<std::unique_ptr<LocalFields>> engines;
    std::vector<const char*> names;
    for (const Kernel& kernel : kernels())
      if (kernel.available())
        engines.push_back(kernel.make(model, dynamics, num_neurons)), names.push_back(kernel.name);

    for (const std::int64_t num_patterns : {1, 2, 63, 64, 65, 511, 513, 1025}) {
      const double plus = num_patterns % 2 == 0 ? 0.85 : 0.5;  // biased patterns have overlaps far from 0
      const Patterns patterns = random_patterns(num_neurons, num_patterns, plus, engine);
      State state = random_state(patterns, engine);
      reference->load(patterns, state);
      for (auto& fields : engines) fields->load(patterns, state);
      std::vector<std::int8_t> expected(num_neurons), signs(num_neurons);
      const auto spins = all_spins(num_neurons);
      for (int round = 0; round < 4; ++round) {
        std::vector<std::uint32_t> flipped{static_cast<std::uint32_t>(engine() % num_neurons)};
        if (round == 2 && num_neurons > 8) flipped = {0, 1, 2, 3, 4, 5, 6, 7};
        reference->decide(spins, expected);
        const bool rose = reference->flip(flipped);
        for (std::size_t k = 0; k < engines.size(); ++k) {
          INFO(names[k] << ": " << model_text << " " << text(rule) << " self-coupling " << text(self_coupling)
                        << " N = " << num_neurons << " K = " << num_patterns << " round " << round);
          engines[k]->decide(spins, signs);
          REQUIRE(signs == expected);
          REQUIRE(engines[k]->flip(flipped) == rose);
        }
      }
    }
  }
}

TEST_CASE("for n = 2 and short columns the supports of all spins are kept, and follow every flip") {
  const auto rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const int num_neurons = GENERATE(1, 2, 9, 64, 101);
  const int num_patterns = GENERATE(1, 2, 63, 64, 65, 600);
  INFO(text(rule) << " N = " << num_neurons << " K = " << num_patterns);
  const Dynamics dynamics{.rule = rule};
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(num_neurons, num_patterns, 0.5, engine);
  const State state = random_state(patterns, engine);
  const auto spins = all_spins(num_neurons);
  const bool fits = patterns.words_per_column() * num_neurons <= 1024;  // kept by every instruction set
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available() || std::string_view(kernel.name) == "reference") continue;
    INFO(kernel.name);
    const auto reference = make_reference_fields(core::EnergyModel{}, dynamics, num_neurons);
    const auto fields = kernel.make(core::EnergyModel{}, dynamics, num_neurons);
    reference->load(patterns, state);
    fields->load(patterns, state);
    if (fits) REQUIRE(fields->supports().size() == spins.size());
    std::vector<std::int8_t> expected(num_neurons), signs(num_neurons);
    for (int round = 0; round < 20; ++round) {
      reference->decide(spins, expected);
      fields->decide(spins, signs);
      REQUIRE(signs == expected);
      const auto kept = fields->supports();
      for (std::size_t spin = 0; spin < kept.size(); ++spin)
        REQUIRE((kept[spin] > 0) - (kept[spin] < 0) == expected[spin]);
      const auto flipped = static_cast<std::uint32_t>(engine() % num_neurons);
      reference->flip({&flipped, 1});
      fields->flip({&flipped, 1});
    }
  }
}

TEST_CASE("windows of overlaps are left and entered without losing a pattern") {
  // A walk through the whole state space: from a pattern to its negative and back, one spin at a time.
  const int num_neurons = GENERATE(200, 1100);
  const auto model = core::EnergyModel::parse("dense:4");
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(num_neurons, 600, 0.5, engine);
  const State state = patterns.row(5);
  const auto reference = make_reference_fields(model, {}, num_neurons);
  const auto fields = find_kernel("auto").make(model, {}, num_neurons);
  reference->load(patterns, state);
  fields->load(patterns, state);
  std::vector<std::int8_t> expected(8), signs(8);
  for (int step = 0; step < 2 * num_neurons; ++step) {
    const std::uint32_t spin = step % num_neurons;
    REQUIRE(fields->flip({&spin, 1}) == reference->flip({&spin, 1}));
    if (step % 16 != 0) continue;
    std::vector<std::uint32_t> spins(8);
    for (auto& s : spins) s = static_cast<std::uint32_t>(engine() % num_neurons);
    reference->decide(spins, expected);
    fields->decide(spins, signs);
    REQUIRE(signs == expected);
  }
}

TEST_CASE("the window follows a state through correlated patterns, and every kernel decides like the reference") {
  // Noisy copies of few prototypes with many spins alike, as pictures are: overlaps are far from 0, and a walk from one
  // prototype to another takes most of them across the whole range.
  const auto* model_text = GENERATE("hopfield", "dense:3", "dense:4", "dense:30", "rectified:3", "exponential:0.2");
  const auto model = core::EnergyModel::parse(model_text);
  const int num_neurons = 300, num_patterns = GENERATE(700, 2100);  // short columns and long ones
  Engine engine(Catch::rngSeed());
  const Patterns prototypes = random_patterns(num_neurons, 3, 0.15, engine);
  Patterns patterns(num_neurons, num_patterns);
  std::bernoulli_distribution noise(0.03);
  for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern) {
    const auto prototype = static_cast<std::int64_t>(engine() % 3);
    for (int spin = 0; spin < num_neurons; ++spin)
      patterns.set(spin, pattern, prototypes.bit(spin, prototype) != noise(engine));
  }
  // Asynchronous energy descent has no need to know whether a flip raised the energy, and these flips are of any spins.
  const Dynamics dynamics{.order = GENERATE(UpdateOrder::random, UpdateOrder::synchronous)};
  const auto reference = make_reference_fields(model, dynamics, num_neurons);
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available() || std::string_view(kernel.name) == "reference") continue;
    INFO(kernel.name << " " << model_text << " K = " << num_patterns);
    State state = prototypes.row(0);
    const auto fields = kernel.make(model, dynamics, num_neurons);
    const auto spins = all_spins(num_neurons);
    std::vector<std::int8_t> expected(num_neurons), signs(num_neurons);
    for (const std::int64_t goal : {1, 2}) {  // the second load begins with the window of the first walk's end
      reference->load(patterns, state);
      fields->load(patterns, state);
      const State target = prototypes.row(goal);
      for (std::uint32_t spin = 0; spin < spins.size(); ++spin) {
        if (state[spin] == target[spin] && spin % 3 != 0) continue;
        state[spin] = static_cast<std::int8_t>(-state[spin]);
        const bool rose = fields->flip({&spin, 1}), rose_in_reference = reference->flip({&spin, 1});
        if (dynamics.order == UpdateOrder::synchronous) REQUIRE(rose == rose_in_reference);
        if (spin % 10 != 0) continue;
        reference->decide(spins, expected);
        fields->decide(spins, signs);
        REQUIRE(signs == expected);
      }
    }
  }
}

TEST_CASE("the tie of equal and opposite patterns is found by every kernel") {
  // K = 2, ξ² = −ξ¹ and an even degree: both pull alike; an odd degree: they cancel wherever the self-coupling is kept.
  const int num_neurons = 40;
  Engine engine(Catch::rngSeed());
  Patterns patterns = random_patterns(num_neurons, 2, 0.5, engine);
  for (int spin = 0; spin < num_neurons; ++spin) patterns.set(spin, 1, !patterns.bit(spin, 0));
  const State state = random_state(patterns, engine);
  for (const char* model_text : {"dense:3", "dense:5", "dense:31"}) {
    const auto model = core::EnergyModel::parse(model_text);
    for (const Kernel& kernel : kernels()) {
      if (!kernel.available()) continue;
      INFO(kernel.name << " " << model_text);
      const auto fields = kernel.make(model, {.self_coupling = SelfCoupling::kept}, num_neurons);
      fields->load(patterns, state);
      std::vector<std::int8_t> signs(num_neurons, 1);
      fields->decide(all_spins(num_neurons), signs);
      CHECK(signs == std::vector<std::int8_t>(num_neurons, 0));
    }
  }
}

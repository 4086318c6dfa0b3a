#include "dam/recall/recall.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "dam/fields/energy.h"

using namespace dam;

namespace {

using Engine = std::mt19937_64;
using core::EnergyModel;

Patterns random_patterns(int num_neurons, std::int64_t num_patterns, Engine& engine) {
  Patterns patterns(num_neurons, num_patterns);
  for (int spin = 0; spin < num_neurons; ++spin)
    for (std::uint64_t& word : patterns.column(spin)) word = engine();
  patterns.clear_padding();
  return patterns;
}

State corrupted(State state, double flip, Engine& engine) {
  std::bernoulli_distribution coin(flip);
  for (auto& spin : state)
    if (coin(engine)) spin = static_cast<std::int8_t>(-spin);
  return state;
}

RecallStreams streams(std::uint64_t seed) {
  return {core::Stream(seed, 0, 0, core::Purpose::order), core::Stream(seed, 0, 0, core::Purpose::tie)};
}

/// Recall as one would write it down: no memory of decisions, no looking ahead, one spin after the other.
RecallResult plain_recall(const Patterns& patterns, const EnergyModel& model, const Dynamics& dynamics,
                          const RecallStreams& random, State& state, const std::vector<bool>& held = {}) {
  std::vector<std::uint32_t> free;
  for (std::uint32_t spin = 0; spin < state.size(); ++spin)
    if (held.empty() || !held[spin]) free.push_back(spin);
  const std::size_t num_free = free.size();
  const auto fields = make_reference_fields(model, dynamics, static_cast<int>(state.size()));
  fields->load(patterns, state);
  RecallResult result;
  std::vector<State> seen{state};
  for (std::int64_t update = 0; result.passes < dynamics.max_passes;) {
    std::vector<std::uint32_t> order = free, flipped;
    const auto draw = [&](std::size_t j, std::size_t bound) {
      const std::uint64_t word = random.order.block(j / 4, result.passes)[j % 4];
      return static_cast<std::uint32_t>((static_cast<unsigned __int128>(word) * bound) >> 64);
    };
    if (dynamics.order == UpdateOrder::random)
      for (std::size_t j = num_free; j-- > 1;) std::swap(order[j], order[draw(j, j + 1)]);
    if (dynamics.order == UpdateOrder::replacement)
      for (std::size_t j = 0; j < num_free; ++j) order[j] = free[draw(j, num_free)];

    for (const std::uint32_t spin : order) {
      std::int8_t sign = 0;
      fields->decide({&spin, 1}, {&sign, 1});
      const bool coin = random.tie.block(update / 256, 0)[update % 256 / 64] >> (update % 64) & 1;
      ++update;
      bool flip = sign < 0;
      if (sign == 0) {
        ++result.ties;
        if (dynamics.tie == TieRule::plus) flip = state[spin] < 0;
        if (dynamics.tie == TieRule::minus) flip = state[spin] > 0;
        if (dynamics.tie == TieRule::random) flip = coin != (state[spin] > 0);
      }
      if (!flip) continue;
      flipped.push_back(spin);
      if (dynamics.order == UpdateOrder::synchronous) continue;
      result.energy_rises += fields->flip({&spin, 1});
      state[spin] = static_cast<std::int8_t>(-state[spin]);
    }
    if (dynamics.order == UpdateOrder::synchronous) {
      result.energy_rises += !flipped.empty() && fields->flip(flipped);
      for (const std::uint32_t spin : flipped) state[spin] = static_cast<std::int8_t>(-state[spin]);
    }
    ++result.passes;
    result.flips += static_cast<std::int64_t>(flipped.size());
    result.converged = flipped.empty();
    for (const std::uint32_t spin : free) {
      if (dynamics.order != UpdateOrder::replacement) break;
      std::int8_t sign = 0;
      fields->decide({&spin, 1}, {&sign, 1});
      const bool tied_away = sign == 0 && ((dynamics.tie == TieRule::plus && state[spin] < 0) ||
                                           (dynamics.tie == TieRule::minus && state[spin] > 0));
      result.converged &= sign >= 0 && !tied_away;
    }
    if (result.converged) break;
    const bool repeats = std::find(seen.begin(), seen.end(), state) != seen.end();
    const bool ordered = dynamics.order == UpdateOrder::sequential || dynamics.order == UpdateOrder::synchronous;
    result.cycle = repeats && ordered && dynamics.tie != TieRule::random;
    if (result.cycle) break;
    seen.push_back(state);
  }
  return result;
}

}  // namespace

TEST_CASE("every kernel runs plain recall, spin for spin and counter for counter") {
  const auto* model_text = GENERATE("hopfield", "dense:3", "dense:4", "rectified:3", "exponential:0.3",
                                    "euclidean/power:3/linear", "dot/softplus:0.2/linear");
  const auto order =
      GENERATE(UpdateOrder::random, UpdateOrder::sequential, UpdateOrder::replacement, UpdateOrder::synchronous);
  const auto tie = GENERATE(TieRule::keep, TieRule::plus, TieRule::minus, TieRule::random);
  const auto rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const auto model = EnergyModel::parse(model_text);
  Engine engine(Catch::rngSeed());
  for (const auto& [num_neurons, num_patterns] :
       {std::pair{1, 1}, {5, 3}, {6, 4}, {64, 8}, {65, 64}, {33, 130}, {63, 600}, {130, 20}}) {
    const Dynamics dynamics{rule, order, tie, engine() % 2 == 0 ? SelfCoupling::removed : SelfCoupling::kept, 20};
    const Patterns patterns = random_patterns(num_neurons, num_patterns, engine);
    const State cue = corrupted(patterns.row(0), 0.2, engine);
    const RecallStreams random = streams(engine());
    // Every third time some spins are held, all of them once in a while.
    std::vector<bool> held;
    if (engine() % 3 == 0)
      for (int spin = 0; spin < num_neurons; ++spin) held.push_back(num_neurons == 5 || engine() % 4 != 0);
    std::vector<std::uint32_t> held_spins;
    for (std::uint32_t spin = 0; spin < held.size(); ++spin)
      if (held[spin]) held_spins.push_back(spin);
    State expected_state = cue;
    const RecallResult expected = plain_recall(patterns, model, dynamics, random, expected_state, held);
    for (const Kernel& kernel : kernels()) {
      if (!kernel.available()) continue;
      INFO(kernel.name << " " << model_text << " N = " << num_neurons << " K = " << num_patterns << " "
                       << text(dynamics.order) << " " << text(dynamics.tie) << " " << text(dynamics.rule) << ", "
                       << held_spins.size() << " held");
      State state = cue;
      Recall prepared(model, dynamics, num_neurons, kernel);
      prepared.hold(held_spins);
      const RecallResult result = prepared(patterns, random, state);
      REQUIRE(state == expected_state);
      REQUIRE(result == expected);
    }
  }
}

TEST_CASE("the derivative rule of degree 3 is not energy descent: the counterexample of THEORY 1") {
  std::vector<std::int8_t> rows;
  for (int copy = 0; copy < 8; ++copy) rows.insert(rows.end(), {1, 1, 1, -1});
  rows.insert(rows.end(), {-1, 1, 1, 1});
  const Patterns patterns = Patterns::from_rows(std::span<const std::int8_t>(rows), 4);
  const auto model = EnergyModel::parse("dense:3");
  const State start(4, 1);
  CHECK(energy(model, patterns, start) == Approx(-24));
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available()) continue;
    INFO(kernel.name);
    std::vector<std::pair<std::uint32_t, double>> trace;
    const auto observe = [&](std::uint32_t spin, const State& state) {
      trace.emplace_back(spin, energy(model, patterns, state));
    };
    State state = start;
    const Dynamics derivative{.order = UpdateOrder::sequential, .max_passes = 1};
    const RecallResult result = recall(patterns, model, derivative, kernel, streams(1), state, observe);
    REQUIRE(!trace.empty());
    CHECK(trace[0].first == 0);
    CHECK(trace[0].second == Approx(-64.0 / 3));
    CHECK(result.energy_rises >= 1);
    trace.clear();
    state = start;
    const Dynamics descent{.rule = UpdateRule::energy, .order = UpdateOrder::sequential};
    CHECK(recall(patterns, model, descent, kernel, streams(1), state, observe).energy_rises == 0);
    CHECK((trace.empty() || trace[0].first != 0));
  }
}

TEST_CASE("the energy rule never raises the energy, and counts of rises are true") {
  const auto* model_text =
      GENERATE("hopfield", "dense:3", "dense:4", "dense:7", "rectified:3", "exponential:0.2", "modern:0.2",
               "dot/power:2/power:2", "euclidean/power:3/linear", "dot/log-cosh:0.3/linear");
  const auto rule = GENERATE(UpdateRule::energy, UpdateRule::derivative);
  const auto model = EnergyModel::parse(model_text);
  Engine engine(Catch::rngSeed());
  std::int64_t flips = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const int num_neurons = 8 + static_cast<int>(engine() % 60);
    const Patterns patterns = random_patterns(num_neurons, 1 + static_cast<std::int64_t>(engine() % 300), engine);
    State state = corrupted(patterns.row(0), 0.3, engine);
    double before = energy(model, patterns, state);
    std::int64_t rises = 0;
    const auto observe = [&](std::uint32_t, const State& now) {
      const double after = energy(model, patterns, now);
      const double rounding = 1e-12 * (std::abs(before) + std::abs(after));
      if (rule == UpdateRule::energy) REQUIRE(after <= before + rounding);
      rises += after > before + rounding;
      before = after;
    };
    const RecallResult result = recall(patterns, model, {.rule = rule, .tie = TieRule::random}, find_kernel("auto"),
                                       streams(engine()), state, observe);
    CHECK(result.energy_rises == rises);
    flips += result.flips;
  }
  CHECK(flips > 100);
}

TEST_CASE("synchronous updates fall into a 2-cycle, which is found and flagged") {
  // Two spins that want to be alike, started unlike: each takes the other's sign for ever.
  const std::vector<std::int8_t> rows{1, 1};
  const Patterns patterns = Patterns::from_rows(std::span<const std::int8_t>(rows), 2);
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available()) continue;
    State state{1, -1};
    const RecallResult result =
        recall(patterns, EnergyModel{}, {.order = UpdateOrder::synchronous}, kernel, streams(1), state);
    CHECK(result == RecallResult{.passes = 2, .flips = 4, .cycle = true});
    CHECK(state == State{1, -1});
  }
}

TEST_CASE("recall commutes with the symmetries of the model") {
  const auto* model_text = GENERATE("hopfield", "dense:3", "dense:4", "rectified:3", "exponential:0.4");
  const auto model = EnergyModel::parse(model_text);
  const Kernel& kernel = find_kernel("auto");
  Engine engine(Catch::rngSeed());
  const int num_neurons = 70;
  const std::int64_t num_patterns = 90;
  const Patterns patterns = random_patterns(num_neurons, num_patterns, engine);
  const State cue = corrupted(patterns.row(3), 0.15, engine);
  const RecallStreams random = streams(engine());
  const Dynamics dynamics{.order = UpdateOrder::random};
  State plain = cue;
  const RecallResult expected = recall(patterns, model, dynamics, kernel, random, plain);
  REQUIRE(expected.flips > 0);

  SECTION("gauge: flipping neuron i in every pattern and in the state") {
    const State gauge = corrupted(State(num_neurons, 1), 0.5, engine);
    Patterns turned = patterns;
    State state = cue;
    for (int spin = 0; spin < num_neurons; ++spin) {
      state[spin] = static_cast<std::int8_t>(state[spin] * gauge[spin]);
      for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern)
        turned.set(spin, pattern, patterns.bit(spin, pattern) == (gauge[spin] > 0));
    }
    CHECK(recall(turned, model, dynamics, kernel, random, state) == expected);
    for (int spin = 0; spin < num_neurons; ++spin) CHECK(state[spin] == plain[spin] * gauge[spin]);
  }
  SECTION("the order of the patterns") {
    std::vector<int> places(num_patterns);
    std::iota(places.begin(), places.end(), 0);
    std::shuffle(places.begin(), places.end(), engine);
    Patterns shuffled(num_neurons, num_patterns);
    for (int spin = 0; spin < num_neurons; ++spin)
      for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern)
        shuffled.set(spin, pattern, patterns.bit(spin, places[pattern]));
    State state = cue;
    CHECK(recall(shuffled, model, dynamics, kernel, random, state) == expected);
    CHECK(state == plain);
  }
  SECTION("the global sign, for even functions") {
    if (std::string_view(model_text) != "hopfield" && std::string_view(model_text) != "dense:4") return;
    State state = cue;
    for (auto& spin : state) spin = static_cast<std::int8_t>(-spin);
    CHECK(recall(patterns, model, dynamics, kernel, random, state) == expected);
    for (int spin = 0; spin < num_neurons; ++spin) CHECK(state[spin] == -plain[spin]);
  }
  SECTION("a shaping that only rises") {
    const Dynamics descent{.rule = UpdateRule::energy};
    State linear = cue, shaped = cue;
    const std::string base = "dot/" + model.separation.text();
    const std::string shape = model.degenerate().empty() && model.separation.degree() % 2 == 0 ? "/log" : "/power:2";
    const auto one = recall(patterns, EnergyModel::parse(base + "/linear"), descent, kernel, random, linear);
    const auto other = recall(patterns, EnergyModel::parse(base + shape), descent, kernel, random, shaped);
    CHECK(one == other);
    CHECK(linear == shaped);
  }
}

TEST_CASE("the kernel that is named is the kernel that runs") {
  CHECK(std::string_view(find_kernel("reference").name) == "reference");
  const auto runs_here = [](const Kernel& kernel) { return kernel.available(); };
  CHECK(find_kernel("auto").name == std::ranges::find_if(kernels(), runs_here)->name);
  CHECK_THROWS_WITH(find_kernel("planes-z80"), Catch::Contains("auto") && Catch::Contains("reference"));

  // A kernel of our own in the table's form counts its calls: recall must go through the one it is given.
  static int loads;
  loads = 0;
  struct Counting final : LocalFields {
    std::unique_ptr<LocalFields> inner;
    void load(const Patterns& patterns, const State& state) override {
      ++loads;
      inner->load(patterns, state);
    }
    void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
      inner->decide(spins, signs);
    }
    std::size_t spins_per_decision() const override { return 3; }
    bool flip(std::span<const std::uint32_t> spins) override { return inner->flip(spins); }
  };
  const Kernel counting{
      "counting", [] { return true; },
      [](const EnergyModel& model, const Dynamics& dynamics, int num_neurons, const core::StopToken&) {
        auto fields = std::make_unique<Counting>();
        fields->inner = make_reference_fields(model, dynamics, num_neurons);
        return std::unique_ptr<LocalFields>(std::move(fields));
      }};
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(20, 3, engine);
  State state = patterns.row(0);
  recall(patterns, EnergyModel{}, {}, counting, streams(1), state);
  CHECK(loads == 1);
}

TEST_CASE("a token stops the preparation of a kernel, the drawing of patterns and recall") {
  const core::StopToken at_once([] { return true; });
  CHECK_THROWS_AS(find_kernel("auto").make(EnergyModel::parse("dense:100"), {}, 1000, at_once), core::Stopped);
  CHECK_THROWS_AS(find_kernel("reference").make(EnergyModel{}, {}, 10, at_once), core::Stopped);
  for (const char* source : {"iid", "biased:0.6", "low-rank:2:0.5", "copies:2:0.1"}) {
    INFO(source);
    Configuration configuration;
    configuration.num_neurons = 20;
    configuration.patterns = parse_patterns(source);
    Patterns patterns;
    CHECK_THROWS_AS(draw_patterns(configuration, 1, 5, 0, nullptr, patterns, at_once), core::Stopped);
  }
  Engine engine(Catch::rngSeed());
  const Patterns patterns = random_patterns(60, 40, engine);
  State state = patterns.row(0);
  Recall prepared(EnergyModel{}, {}, 60, find_kernel("auto"));
  CHECK_THROWS_AS(prepared(patterns, streams(1), state, {}, at_once), core::Stopped);

  // Asked again and again, not only at the beginning.
  int questions = 0;
  const core::StopToken later([&] { return ++questions == 300; });
  CHECK_THROWS_AS(find_kernel("auto").make(EnergyModel::parse("dense:100"), {}, 1000, later), core::Stopped);
}

TEST_CASE("recall refuses what does not fit") {
  const Patterns patterns(5, 2);
  State state(6, 1);
  CHECK_THROWS_WITH(recall(patterns, EnergyModel{}, {}, find_kernel("auto"), streams(1), state),
                    Catch::Contains("5") && Catch::Contains("6"));
}

TEST_CASE("exponentials far beyond any floating-point exponent recall the nearest pattern") {
  Engine engine(Catch::rngSeed());
  const auto* text = GENERATE("exponential:1e9", "modern:1e12", "euclidean/exp:1e9/linear", "dot/softplus:1e9/linear");
  const auto model = EnergyModel::parse(text);
  for (const auto& [num_neurons, num_patterns] : {std::pair{64, 20}, {200, 500}}) {
    const Patterns patterns = random_patterns(num_neurons, num_patterns, engine);
    const State cue = corrupted(patterns.row(0), 0.1, engine);
    const RecallStreams random = streams(engine());
    State expected = cue;
    const RecallResult result = plain_recall(patterns, model, {}, random, expected);
    if (std::string_view(text).find("softplus") == std::string_view::npos) CHECK(expected == patterns.row(0));
    for (const Kernel& kernel : kernels()) {
      if (!kernel.available()) continue;
      INFO(kernel.name << " " << text << " N = " << num_neurons);
      State state = cue;
      CHECK(recall(patterns, model, {}, kernel, random, state) == result);
      CHECK(state == expected);
    }
  }
  CHECK_THROWS_WITH(Recall(EnergyModel::parse("exponential:1e17"), {}, 100, kernels().front()),
                    "model 'exponential:1e+17' at N = 100: its parameter times 4N is above 1e18, beyond what can be "
                    "computed");
}

#include "ham/engine/dynamics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "ham/network/synapses.h"
#include "tests/support/random_states.h"

using namespace ham;
using test::normal_states;

namespace {

Network small_hopfield(Lagrangian image = Lagrangian::tanh()) {
  Network network;
  network.add_layer("image", {8}, std::move(image));
  network.add_layer("label", {3}, Lagrangian::softmax());
  network.connect({"image", "label"}, dense_hidden({.hidden = 6}));
  return network;
}

std::vector<double> random_parameters(std::mt19937& random, const Network& network) {
  auto parameters = network.initial_parameters<double>(random());
  for (const Parameter& parameter : network.parameters())
    if (parameter.initial.kind == Initial::Kind::normal)
      for (long i = 0; i < parameter.size(); ++i) parameters[parameter.offset + i] *= 15;
  return parameters;
}

// The largest rise of a sample's total energy from one time to the next.
double largest_rise(const Trace<double>& trace) {
  double rise = -1e300;
  for (std::size_t t = 1; t < trace.energies.size(); ++t) {
    const auto before = trace.energies[t - 1].total(), after = trace.energies[t].total();
    for (std::size_t b = 0; b < before.size(); ++b) rise = std::max(rise, after[b] - before[b]);
  }
  return rise;
}

struct Named {
  std::string name;
  Network network;
  bool sliding = false;
};

Named linked(const std::string& name, const Shape& a, const Shape& b, const Lagrangian& first, const Lagrangian& second,
             Alignment alignment, bool sliding = false) {
  Network network;
  network.add_layer({"a", a, first, 1.3});
  network.add_layer({"b", b, second, 0.6});
  network.connect({"a", "b"}, std::move(alignment));
  return {name, std::move(network), sliding};
}

// Every built-in synapse, and every layer whose energy is bounded below, in some network.
std::vector<Named> every_kind() {
  using L = Lagrangian;
  std::vector<Named> list;
  const auto add = [&](Named named) { list.push_back(std::move(named)); };
  add(linked("dense, tanh and softmax", {4}, {3}, L::tanh(), L::softmax(), dense()));
  add(linked("hidden ReLU, sigmoid and layer norm", {4}, {5}, L::sigmoid(), L::layer_norm(),
             dense_hidden({.hidden = 6})));
  add(linked("hidden softmax, spherical norm and tanh", {4}, {5}, L::spherical_norm(), L::tanh(),
             dense_hidden({.hidden = 6, .lagrangian = L::softmax(), .norm = UnitNorm::joint})));
  add(linked("unit norm per block, softmax along the first axis", {4, 2}, {3}, L::softmax(1, 0), L::tanh(),
             dense_hidden({.hidden = 6, .norm = UnitNorm::per_block})));
  add(linked("tensor, softmax of the whole layer", {2, 2}, {3}, L::softmax(1, L::kWhole), L::tanh(),
             tensor_hidden({.heads = 2, .hidden = 3, .lagrangian = L::softmax()})));
  for (const PoolKind kind : {PoolKind::max, PoolKind::average, PoolKind::softmax})
    add(linked("convolution and pooling", {6, 6, 2}, {2, 2, 3}, L::tanh(), L::tanh(),
               convolution_synapse({.pooled = true, .pooling = {.kind = kind}}), kind == PoolKind::max));
  add(linked("convolution", {4, 4, 1}, {2, 2, 2}, L::tanh(), L::sigmoid(), convolution_synapse({.pooling = {}})));
  add(linked("attention", {3, 4}, {2, 5}, L::layer_norm(), L::tanh(), attention({.heads = 2, .z = 3})));
  add(linked("normalized attention", {3, 4}, {2, 5}, L::layer_norm(), L::tanh(),
             attention({.heads = 2, .z = 3, .normalize = true})));
  add(linked("mixer", {3, 4}, {3, 2}, L::layer_norm(), L::tanh(), mixer({.heads = 2, .units = 3})));
  for (const Lagrangian& steep :
       {L::identity(), L::relu(), L::rectified_power(3), L::exponential(0.5), L::rectified_exponential(0.5)})
    add(linked("bounded force on " + steep.name, {4}, {3}, steep, L::tanh(),
               dense_hidden({.hidden = 6, .lagrangian = L::softmax(), .norm = UnitNorm::per_block})));
  Network biased;
  for (const Bias kind : {Bias::input, Bias::threshold})
    biased.add_layer({kind == Bias::input ? "a" : "b", {4}, L::tanh(), 1, kind});
  biased.connect({"a"}, bias());
  biased.connect({"a", "b"}, dense());
  add({"biases", std::move(biased)});
  return list;
}

}  // namespace

TEST_CASE("the energy never rises along the flow") {
  std::mt19937 random(Catch::rngSeed());
  for (const Named& each : every_kind()) {
    INFO(each.name);
    Engine<double> engine(each.network, {});
    engine.set_parameters(random_parameters(random, each.network));
    States<double> x = normal_states<double>(random, each.network, 2);
    Trace<double> trace;
    trace.keep_states = false;
    // Where two inputs of a maximum compete, the force jumps, and the flow slides along the tie in small steps.
    const double precision = each.sliding ? 1e-3 : 1e-8;
    const Flow options{.duration = 4, .absolute_error = precision, .relative_error = precision};
    const auto times = flow(engine, x, options, nullptr, &trace);
    CHECK(times.back() == Approx(4));
    CHECK(times.size() == trace.energies.size());
    CHECK(largest_rise(trace) <= 100 * precision);
    const auto first = trace.energies.front().total(), last = trace.energies.back().total();
    CHECK(last[0] < first[0] - 1e-6);  // and it did go somewhere
  }
}

TEST_CASE("Euler steps break the descent from a step size on that depends on the curvature") {
  // One identity neuron with F = 2g²: wait for E = x²/2 − F to be a bowl needs F < x²/2, so take F = −2g² (a spring).
  Network network;
  network.add_layer("x", {1}, Lagrangian::identity());
  network.connect({"x"}, [](Scope&, std::span<const Value> g) { return -2.0 * dot(g[0], g[0]); });
  Engine<double> engine(network, {});
  engine.set_parameters({});
  // E = x²/2 + 2x², x ← x − 5 dt x: the energy falls for dt < 2/5 and rises for every larger step.
  for (const double time_step : {0.1, 0.39, 0.41, 0.6}) {
    INFO("time step " << time_step);
    States<double> x = {Tensor<double>({1, 1}, 1)};
    Trace<double> trace;
    descend(engine, x, {.depth = 8, .time_step = time_step}, nullptr, &trace);
    CHECK((largest_rise(trace) > 0) == (time_step > 0.4));
  }
}

TEST_CASE("small Euler steps follow the flow") {
  std::mt19937 random(Catch::rngSeed());
  const Network network = small_hopfield();
  Engine<double> engine(network, {.clamped = {"image"}});
  engine.set_parameters(random_parameters(random, network));
  const States<double> start = normal_states<double>(random, network, 3);
  States<double> flowed = start, stepped = start;
  flow(engine, flowed, {.duration = 2});
  descend(engine, stepped, {.depth = 20000, .time_step = 1e-4});
  for (long i = 0; i < flowed[1].size(); ++i)
    CHECK(stepped[1].values[i] == Approx(flowed[1].values[i]).epsilon(1e-3).margin(1e-4));
  CHECK(flowed[0].values == start[0].values);
}

TEST_CASE("what is clamped does not move, layer by layer or neuron by neuron, and hoisting changes nothing") {
  std::mt19937 random(Catch::rngSeed());
  const Network network = small_hopfield();
  const auto parameters = random_parameters(random, network);
  const States<double> start = normal_states<double>(random, network, 5);
  States<double> free = network.states<double>(5);
  std::fill(free[1].values.begin(), free[1].values.end(), 1.0);

  Engine<double> hoisting(network, {.clamped = {"image"}}), masking(network, {});
  hoisting.set_parameters(parameters);
  masking.set_parameters(parameters);
  States<double> hoisted = start, masked = start;
  descend(hoisting, hoisted, {});
  descend(masking, masked, {}, &free);
  CHECK(masked[0].values == start[0].values);
  CHECK(hoisted[0].values == start[0].values);
  for (long i = 0; i < masked[1].size(); ++i) CHECK(masked[1].values[i] == Approx(hoisted[1].values[i]).epsilon(1e-13));

  free[0].values[3] = 1;  // one pixel of one sample may move
  masked = start;
  descend(masking, masked, {}, &free);
  for (long i = 0; i < masked[0].size(); ++i) CHECK((masked[0].values[i] != start[0].values[i]) == (i == 3));
}

TEST_CASE("a sample stops at its tolerance, whatever its neighbours do") {
  std::mt19937 random(Catch::rngSeed());
  const Network network = small_hopfield();
  Engine<double> engine(network, {.clamped = {"image"}, .lane_rows = 4});
  engine.set_parameters(random_parameters(random, network));
  States<double> start = normal_states<double>(random, network, 7);
  const Descent descent{.depth = 500, .time_step = 0.2, .tolerance = 1e-6};
  States<double> together = start;
  const auto steps = descend(engine, together, descent);
  for (int b = 0; b < 7; ++b) {
    CHECK(steps[b] < 500);
    States<double> alone = network.states<double>(1);
    for (std::size_t i = 0; i < alone.size(); ++i)
      std::copy_n(start[i].values.begin() + b * alone[i].size(), alone[i].size(), alone[i].values.begin());
    CHECK(descend(engine, alone, descent)[0] == steps[b]);
    for (long k = 0; k < alone[1].size(); ++k)
      CHECK(alone[1].values[k] == Approx(together[1].values[b * alone[1].size() + k]).epsilon(1e-12));
  }
  const Evaluation<double> end = evaluate(engine, together);
  for (const double slope : end.gradients[1].values) CHECK(std::abs(slope) <= 1e-6);
}

TEST_CASE("a response is what the whole descent gives, though it leaves out what comes too late for it") {
  std::mt19937 random(Catch::rngSeed());
  Network chain;  // a says something to d after three steps only
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  for (const std::string& name : names) chain.add_layer(name, {5}, Lagrangian::tanh());
  for (std::size_t i = 0; i + 1 < names.size(); ++i)
    chain.connect({names[i], names[i + 1]}, dense_hidden({.hidden = 6}));
  Engine<double> engine(chain, {.clamped = {"a"}, .lane_rows = 2});
  engine.set_parameters(random_parameters(random, chain));
  const States<double> start = normal_states<double>(random, chain, 3);
  for (const Descent& descent : {Descent{.depth = 1}, Descent{.depth = 5, .time_step = 0.3},
                                 Descent{.depth = 200, .time_step = 0.3, .tolerance = 1e-3}}) {
    States<double> whole = start, part = start;
    descend(engine, whole, descent);
    const Tensor<double> response = respond(engine, part, descent, 3);
    CHECK(response.values == evaluate(engine, whole).activations[3].values);
    CHECK((part[1].values == whole[1].values) == (descent.tolerance > 0));
  }
}

TEST_CASE("a trace has the energies that evaluations give") {
  std::mt19937 random(Catch::rngSeed());
  const Network network = small_hopfield();
  Engine<double> engine(network, {.clamped = {"image"}, .lane_rows = 2});
  engine.set_parameters(random_parameters(random, network));
  States<double> x = normal_states<double>(random, network, 3);
  Trace<double> trace;
  descend(engine, x, {.depth = 3}, nullptr, &trace);
  for (int t = 0; t <= 3; ++t) {
    const Evaluation<double> now = evaluate(engine, trace.states[t]);
    CHECK(now.energies.layers.values == trace.energies[t].layers.values);
    CHECK(now.energies.connections.values == trace.energies[t].connections.values);
  }
}

TEST_CASE("states that do not fit are refused by layer and shape") {
  const Network network = small_hopfield();
  Engine<double> engine(network, {});
  engine.set_parameters(network.initial_parameters<double>(1));
  States<double> x = network.states<double>(2);
  x[1] = Tensor<double>({2, 4});
  CHECK_THROWS_WITH(evaluate(engine, x), "states of layer 'label': shape 2x4, expected 2x3");
  CHECK_THROWS_WITH(engine.set_parameters(std::vector<double>(3)), Catch::Contains("3 parameters given"));
  CHECK_THROWS_WITH(Engine<double>(network, {.clamped = {"imag"}}), Catch::Contains("'imag' is not one of"));
}

TEST_CASE("a state that runs away is named with its step, never returned") {
  // x' = x (W Wᵀ − 1) grows without bound for a strong synapse between identity layers: E = x²/2 − (Wx)²/2 has no
  // floor.
  Network network;
  network.add_layer("image", {2}, Lagrangian::identity());
  network.add_layer("other", {2}, Lagrangian::identity());
  network.connect({"image", "other"}, dense());
  const std::vector<double> strong = {3, 0, 0, 3};
  Engine<double> engine(network, {});
  engine.set_parameters(strong);
  const auto start = [&] {
    States<double> x = network.states<double>(1);
    x[0].values = {1, 0};
    return x;
  };
  // A step takes x to x + 0.4 (3 y − x) and so on: its growing mode by 1.8, and 1.8^n passes the largest double's root,
  // where energies overflow, at n = 604.
  Trace<double> trace{.keep_states = false};
  States<double> x = start();
  try {
    descend(engine, x, {.depth = 1000, .time_step = 0.4}, nullptr, &trace);
    FAIL("a runaway was returned");
  } catch (const NotFinite& ran_away) {
    CHECK((ran_away.layer == "image" || ran_away.layer == "other"));
    CHECK(ran_away.step > 595);
    CHECK(ran_away.step < 610);
    CHECK_THAT(ran_away.what(), Catch::Contains("no floor"));
  }
  x = start();
  CHECK_THROWS_AS(descend(engine, x, {.depth = 3000, .time_step = 0.4}), NotFinite);
  x = start();
  CHECK_THROWS_AS(respond(engine, x, {.depth = 3000, .time_step = 0.4}, 1), NotFinite);
  x = start();
  CHECK_NOTHROW(descend(engine, x, {.depth = 100, .time_step = 0.4}));
}

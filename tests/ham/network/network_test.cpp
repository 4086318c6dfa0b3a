// Networks that exist elsewhere under other names, and synapses written by users.
#include "ham/network/network.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/energy/energy_model.h"
#include "ham/engine/dynamics.h"
#include "ham/network/synapses.h"
#include "tests/support/random_states.h"

using namespace ham;

TEST_CASE("a dense associative memory is one synapse with a hidden layer: the same energies") {
  constexpr int kNeurons = 16, kPatterns = 6, kStates = 5;
  std::mt19937 random(Catch::rngSeed());
  for (const char* name :
       {"hopfield", "dense:3", "rectified:4", "exponential:0.3", "modern:0.5", "dot/power:4/power:2"}) {
    INFO(name);
    const core::EnergyModel model = core::EnergyModel::parse(name);
    Network network;
    network.add_layer("sigma", {kNeurons}, Lagrangian::identity());
    network.connect({"sigma"}, dense_hidden({.hidden = kPatterns, .lagrangian = Lagrangian::hidden(model)}));
    Engine<double> engine(network, {});
    std::vector<double> patterns(kNeurons * kPatterns);
    for (double& xi : patterns) xi = random() % 2 == 0 ? 1 : -1;
    engine.set_parameters(patterns);
    States<double> states = network.states<double>(kStates);
    for (double& sigma : states[0].values) sigma = random() % 2 == 0 ? 1 : -1;
    const Evaluation<double> now = evaluate(engine, states);
    for (int s = 0; s < kStates; ++s) {
      double sum = 0;
      for (int mu = 0; mu < kPatterns; ++mu) {
        int overlap = 0;
        for (int i = 0; i < kNeurons; ++i)
          overlap += static_cast<int>(patterns[i * kPatterns + mu] * states[0].values[s * kNeurons + i]);
        sum += model.separation.value(overlap);
      }
      CHECK(now.energies.connections.values[s] == Approx(-model.shaping.value(sum)).epsilon(1e-13));
    }
  }
}

namespace {

// The published energy of an Energy Transformer block as a function of the layer-normed tokens g (Hoover et al. 2023):
// −(1/β) Σ_h Σ_q log Σ_{k≠q} exp(β K_k·Q_q) − ½ Σ_tokens Σ_μ relu(ξ_μ·g)².
double transformer_energy(const std::vector<double>& g, int tokens, int width, int heads, int z, double beta,
                          const double* wq, const double* wk, int memories, const double* xi) {
  const auto project = [&](const double* w, int token, int head, int a) {
    double sum = 0;
    for (int d = 0; d < width; ++d) sum += g[token * width + d] * w[(d * heads + head) * z + a];
    return sum;
  };
  double energy = 0;
  for (int h = 0; h < heads; ++h)
    for (int q = 0; q < tokens; ++q) {
      double sum = 0;
      for (int k = 0; k < tokens; ++k) {
        double product = 0;
        for (int a = 0; a < z; ++a) product += project(wq, q, h, a) * project(wk, k, h, a);
        if (k != q) sum += std::exp(beta * product);
      }
      energy -= std::log(sum) / beta;
    }
  for (int t = 0; t < tokens; ++t)
    for (int mu = 0; mu < memories; ++mu) {
      double product = 0;
      for (int d = 0; d < width; ++d) product += g[t * width + d] * xi[d * memories + mu];
      energy -= std::pow(std::max(product, 0.0), 2) / 2;
    }
  return energy;
}

}  // namespace

TEST_CASE("the Energy Transformer block descends the published energy") {
  constexpr int kTokens = 5, kWidth = 4, kHeads = 2, kZ = 3, kMemories = 7;
  Network network;
  network.add_layer("tokens", {kTokens, kWidth}, Lagrangian::layer_norm());
  network.connect({"tokens", "tokens"}, attention({.heads = kHeads, .z = kZ, .skip_self = true}), "attention");
  network.connect({"tokens"}, dense_hidden({.hidden = kMemories, .per_token = true}), "memory");
  std::mt19937 random(Catch::rngSeed());
  Engine<double> engine(network, {});
  auto parameters = test::normal_numbers<double>(random, network.num_parameters(), 0.5);
  const double beta = parameters[network.parameter("attention.beta_hid").offset] = 1.3;
  parameters[network.parameter("tokens.gamma").offset] = 1;
  engine.set_parameters(parameters);
  const States<double> x = test::normal_states<double>(random, network, 1);
  const Evaluation<double> now = evaluate(engine, x);

  const auto energy_at = [&](const std::vector<double>& g) {
    const auto weights = [&](const char* name) { return parameters.data() + network.parameter(name).offset; };
    return transformer_energy(g, kTokens, kWidth, kHeads, kZ, beta, weights("attention.Wq"), weights("attention.Wk"),
                              kMemories, weights("memory.W0"));
  };
  const std::vector<double>& g = now.activations[0].values;
  CHECK(now.energies.connections.values[0] + now.energies.connections.values[1] == Approx(energy_at(g)).epsilon(1e-12));
  for (std::size_t i = 0; i < g.size(); ++i) {
    constexpr double kStep = 1e-5;
    std::vector<double> above = g, below = g;
    above[i] += kStep;
    below[i] -= kStep;
    const double expected = x[0].values[i] + (energy_at(above) - energy_at(below)) / (2 * kStep);
    CHECK(now.gradients[0].values[i] == Approx(expected).epsilon(1e-7).margin(1e-7));
  }
}

TEST_CASE("a user's synapse is its alignment, nothing else") {
  // A three-body force with a learned strength: F = k Σ_i a_i b_i c_i.
  const Alignment three_body = [](Scope& scope, std::span<const Value> g) {
    return dot(g[0] * g[1] * scope.parameter("k", {}, constant(0.5)), g[2]);
  };
  Network network;
  for (const char* name : {"a", "b", "c"}) network.add_layer(name, {3}, Lagrangian::identity());
  network.connect({"a", "b", "c"}, three_body, "triple");
  Engine<double> engine(network, {});
  engine.set_parameters(network.initial_parameters<double>(1));
  States<double> x = network.states<double>(1);
  x[0].values = {1, 2, 3};
  x[1].values = {1, -1, 2};
  x[2].values = {2, 2, 2};
  const Evaluation<double> now = evaluate(engine, x);
  CHECK(now.energies.connections.values[0] == -0.5 * (2 - 4 + 12));
  CHECK(now.gradients[0].values == std::vector<double>{1 - 1, 2 + 1, 3 - 2});  // x − k b∘c
}

TEST_CASE("networks refuse what does not fit, and say why") {
  Network network;
  network.add_layer("a", {3}, Lagrangian::tanh());
  network.add_layer("b", {4}, Lagrangian::tanh());
  CHECK_THROWS_WITH(network.add_layer("a", {3}, Lagrangian::tanh()), Catch::Contains("taken"));
  CHECK_THROWS_WITH(network.add_layer("c", {0}, Lagrangian::tanh()), Catch::Contains("below 1"));
  CHECK_THROWS_WITH(network.add_layer({"c", {3}, Lagrangian::tanh(), -1}), Catch::Contains("time constant"));
  CHECK_THROWS_WITH(network.connect({"a", "z"}, dense()), Catch::Contains("'z' is not one of 'a', 'b'"));
  CHECK_THROWS_WITH(network.connect({"a", "b"}, convolution_synapse({.pooling = {}})),
                    Catch::Contains("height, width"));
  CHECK_THROWS_WITH(network.connect({"a"}, [](Scope&, std::span<const Value> g) { return g[0]; }),
                    Catch::Contains("one number per sample"));
  CHECK_THROWS_WITH(network.connect({"a", "b"}, [](Scope&, std::span<const Value> g) { return dot(g[0], g[1]); }),
                    Catch::Contains("dot: shapes 3 and 4"));
  CHECK_THROWS_WITH(Lagrangian::rectified_power(0), Catch::Contains("from 1 on"));
}

TEST_CASE("starting parameters depend on the seed alone") {
  Network network;
  network.add_layer("a", {30}, Lagrangian::tanh());
  network.connect({"a"}, dense_hidden({.hidden = 40}));
  const auto first = network.initial_parameters<double>(7);
  CHECK(first == network.initial_parameters<double>(7));
  CHECK(first != network.initial_parameters<double>(8));
  const auto single = network.initial_parameters<float>(7);
  CHECK(single[5] == static_cast<float>(first[5]));
  double square = 0;
  for (long i = 1; i < network.num_parameters(); ++i) square += first[i] * first[i];
  const double spread = std::sqrt(square / 1200) / 0.02;  // standard deviation of the estimate: 1/√2400
  CHECK(std::abs(spread - 1) < 5 / std::sqrt(2400.0));
}

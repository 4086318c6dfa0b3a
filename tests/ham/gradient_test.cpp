// One checker for everything that has a derivative: a network is descended, and every derivative the library computes
// on the way is compared with central differences, in double.
#include <catch2/catch.hpp>
#include <cmath>

#include "ham/network/synapses.h"
#include "ham/training/training.h"
#include "tests/support/every_network.h"
#include "tests/support/random_states.h"

using namespace ham;
using test::normal_numbers;
using test::normal_states;

namespace {

constexpr double kStep = 3e-6;  // small: a step over the kink of a ReLU or of max-pooling must be unlikely

// A loss with a gradient and a curvature: Σ c·g + g²/2.
Loss<double> test_loss(const std::vector<double>& c) {
  return [&c](long, long rows, const double* g, double* g_bar) {
    double sum = 0;
    for (long i = 0; i < rows * static_cast<long>(c.size()); ++i) {
      const double weight = c[i % c.size()];
      sum += weight * g[i] + g[i] * g[i] / 2;
      g_bar[i] = weight + g[i];
    }
    return sum;
  };
}

double inner(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Central differences of fourth order.
template <class Function>
double slope(Function f) {
  return (8 * (f(kStep) - f(-kStep)) - (f(2 * kStep) - f(-2 * kStep))) / (12 * kStep);
}

void advance_by(std::span<double> x, std::span<const double> direction, double step) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += step * direction[i];
}

// E_connections along v changes by −Σ force·dg, E_layers by Σ (x − I)·dg.
void check_forces(const Network& network, std::span<const double> parameters, const States<double>& x,
                  const States<double>& v) {
  Engine<double> engine(network, {});
  engine.set_parameters(parameters);
  const auto at = [&](double step) {
    States<double> moved = x;
    for (std::size_t i = 0; i < x.size(); ++i) advance_by(moved[i].values, v[i].values, step);
    return evaluate(engine, moved);
  };
  const Evaluation<double> here = evaluate(engine, x), above = at(kStep), below = at(-kStep);
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (long k = 0; k < x[i].size(); ++k)
      total +=
          here.gradients[i].values[k] * (above.activations[i].values[k] - below.activations[i].values[k]) / (2 * kStep);
  double expected = 0;
  const auto up = above.energies.total(), down = below.energies.total();
  for (std::size_t b = 0; b < up.size(); ++b) expected += (up[b] - down[b]) / (2 * kStep);
  INFO("energy along a direction");
  CHECK(total == Approx(expected).epsilon(1e-6).margin(1e-7));
}

// d loss/d parameter and d loss/d state through a descent, each along one direction.
void check_training(const Network& network, std::vector<std::string> clamped, const std::string& readout,
                    const std::vector<double>& parameters, const States<double>& x, const States<double>& v,
                    const States<double>* free, std::mt19937& random) {
  Engine<double> engine(network,
                        {.clamped = std::move(clamped), .lane_rows = 2, .training = true, .state_gradients = true});
  Backpropagation<double> backpropagation(engine, {{.depth = 3, .time_step = 0.3}, readout});
  const auto c = normal_numbers<double>(random, count(network.layers()[network.layer_index(readout)].layer.shape));
  const auto loss_at = [&](std::span<const double> numbers, const States<double>& states) {
    engine.set_parameters(numbers);
    return backpropagation.run(states, test_loss(c), free);
  };
  engine.set_parameters(parameters);
  States<double> by_state = x;
  backpropagation.run(x, test_loss(c), free, &by_state);
  const std::vector<double> gradient(backpropagation.gradient().begin(), backpropagation.gradient().end());

  for (const Parameter& parameter : network.parameters()) {
    const auto direction = normal_numbers<double>(random, parameter.size());
    const double expected = slope([&](double step) {
      std::vector<double> moved = parameters;
      advance_by(std::span(moved).subspan(parameter.offset, parameter.size()), direction, step);
      return loss_at(moved, x);
    });
    INFO("loss by parameter " << parameter.name);
    CHECK(inner(std::span(gradient).subspan(parameter.offset, parameter.size()), direction) ==
          Approx(expected).epsilon(1e-5).margin(1e-7));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = slope([&](double step) {
      States<double> moved = x;
      advance_by(moved[i].values, v[i].values, step);
      return loss_at(parameters, moved);
    });
    INFO("loss by the initial state of layer " << network.layers()[i].layer.name);
    CHECK(inner(by_state[i].values, v[i].values) == Approx(expected).epsilon(1e-5).margin(1e-7));
  }
}

void check_network(const std::string& name, const Network& network, const std::vector<std::string>& clamped) {
  INFO(name);
  std::mt19937 random(Catch::rngSeed());
  auto parameters = normal_numbers<double>(random, network.num_parameters(), 0.4);
  for (const Parameter& parameter : network.parameters())  // coefficients are positive
    if (parameter.name.find(".beta") != std::string::npos || parameter.name.find(".gamma") != std::string::npos)
      for (long i = 0; i < parameter.size(); ++i)
        parameters[parameter.offset + i] = 0.8 + 0.5 * std::abs(parameters[parameter.offset + i]);
  const States<double> x = normal_states<double>(random, network, 3), v = normal_states<double>(random, network, 3);
  const std::string readout = network.layers().back().layer.name;
  check_forces(network, parameters, x, v);
  check_training(network, {}, readout, parameters, x, v, nullptr, random);
  States<double> free = network.states<double>(3);
  for (Tensor<double>& mask : free)
    for (double& each : mask.values) each = random() % 3 != 0;
  check_training(network, clamped, readout, parameters, x, v, &free, random);
}

}  // namespace

TEST_CASE("gradients of every operation") {
  for (const auto& [name, network, clamped] : test::operation_networks()) check_network(name, network, clamped);
}

TEST_CASE("gradients of every Lagrangian, as a layer and as hidden units") {
  for (const auto& [name, network, clamped] : test::lagrangian_networks()) check_network(name, network, clamped);
}

TEST_CASE("gradients of every synapse") {
  for (const auto& [name, network, clamped] : test::synapse_networks()) check_network(name, network, clamped);
}

TEST_CASE("gradients of random hypergraphs: shared synapses, biases, time constants, repeated layers") {
  std::mt19937 random(Catch::rngSeed());
  const Lagrangian kinds[] = {Lagrangian::tanh(), Lagrangian::sigmoid(), Lagrangian::softmax(),
                              Lagrangian::layer_norm(), Lagrangian::rectified_power(3)};
  for (int trial = 0; trial < 6; ++trial) {
    Network network;
    std::vector<std::string> names;
    const int layers = 3 + static_cast<int>(random() % 3);
    for (int i = 0; i < layers; ++i) {
      names.push_back("layer" + std::to_string(i));
      network.add_layer({names.back(),
                         {4},
                         kinds[random() % 5],
                         0.7 + 0.1 * static_cast<double>(random() % 10),
                         static_cast<Bias>(random() % 3)});
    }
    const int shared = network.add_synapse(dense_hidden({.hidden = 5, .lagrangian = Lagrangian::softmax()}));
    for (int i = 0; i + 1 < layers; ++i) network.connect({names[i], names[i + 1]}, shared);
    network.connect({names[random() % layers], names[random() % layers], names[random() % layers]}, dense(0.3));
    check_network("trial " + std::to_string(trial), network, {names[0], names[layers > 3 ? 2 : 0]});
  }
}

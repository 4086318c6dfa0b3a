// A machine's interpreter of a Program against the plain one, on whatever a network can be made of.
#include "gpu/ham/interpreter.h"

#include <catch2/catch.hpp>

#include "ham/engine/reference.h"
#include "tests/support/every_network.h"
#include "tests/support/random_hypergraph.h"
#include "tests/support/random_states.h"

namespace gpu {
namespace {

constexpr Limits kHost = {1, 228 << 10, 228 << 10, std::int64_t{1} << 32};

double largest(std::span<const double> numbers) {
  double most = 0;
  for (const double x : numbers) most = std::max(most, std::abs(x));
  return most;
}

template <class T>
std::vector<double> read(const Memory& memory, const T* there, long count) {
  std::vector<T> numbers(static_cast<std::size_t>(count));
  memory.get(std::span(numbers), there);
  return {numbers.begin(), numbers.end()};
}
template <class T>
void write(const Memory& memory, T* there, const std::vector<double>& numbers) {
  const std::vector<T> here(numbers.begin(), numbers.end());
  memory.put(there, std::span<const T>(here));
}

// Numbers apart by a share of the largest of their kind, or of `scale`, whichever is more.
void check_close(const std::string& what, std::span<const double> found, std::span<const double> expected, double scale,
                 double tolerance) {
  REQUIRE(found.size() == expected.size());
  double apart = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double difference = std::abs(found[i] - expected[i]);
    apart = difference <= apart ? apart : difference;
  }
  INFO(what << ": " << apart << " apart, numbers up to " << largest(expected) << " where others reach " << scale);
  CHECK(apart <= tolerance * std::max(scale, largest(expected)));
}

struct Setting {
  bool state_gradients = false, masks = false, positive_coefficients = false;
  int batch = 3, depth = 3;
  double scale = 0.4;  // of parameters
};

template <class T>
void compare(Launcher& launcher, const ham::Network& network, const std::vector<std::string>& clamped,
             const std::string& readout, const Setting& setting, double tolerance, std::mt19937& random) {
  std::vector<double> parameters = test::normal_numbers<double>(random, network.num_parameters(), setting.scale);
  for (const ham::Parameter& parameter : network.parameters())
    if (parameter.name.find(".beta") != std::string::npos || parameter.name.find(".gamma") != std::string::npos)
      for (long i = 0; i < parameter.size(); ++i)
        parameters[parameter.offset + i] = 0.8 + 0.5 * std::abs(parameters[parameter.offset + i]);
  for (double& each : parameters) each = static_cast<float>(each);  // the same numbers for every T
  ham::States<double> initial = test::normal_states<double>(random, network, setting.batch);
  for (auto& state : initial)
    for (double& each : state.values) each = static_cast<float>(each);
  ham::States<double> free = network.states<double>(setting.batch);
  for (auto& mask : free)
    for (double& each : mask.values) each = random() % 3 != 0;
  const int layer = network.layer_index(readout);
  const long outputs = ham::count(network.layers()[layer].layer.shape);
  const auto loss = [outputs](long, long rows, const double* g, double* g_bar) {
    double sum = 0;
    for (long at = 0; at < rows * outputs; ++at) {
      const double weight = static_cast<double>(at % 7) - 3;
      sum += weight * g[at] + g[at] * g[at] / 2;
      g_bar[at] = weight + g[at];
    }
    return sum;
  };
  const ham::Program program(network, {clamped, setting.state_gradients});
  const ham::Unrolled unrolled = program.unroll(layer, setting.depth);
  std::vector<double> rates;
  for (const auto& each : network.layers()) rates.push_back(0.3 / each.layer.time_constant);
  const ham::Gradients plain =
      ham::interpret(program, unrolled, parameters, initial, rates, setting.masks ? &free : nullptr, loss);

  Memory memory(launcher);
  Interpreter<T> card(program, unrolled, rates, typename Interpreter<T>::Constants(program, memory),
                      {.rows = setting.batch, .training = true, .masks = setting.masks}, memory);
  write(memory, card.numbers(), parameters);
  for (std::size_t i = 0; i < initial.size(); ++i) {
    write(memory, card.state(static_cast<int>(i)), initial[i].values);
    if (setting.masks) write(memory, card.free(static_cast<int>(i)), free[i].values);
  }
  double scale = std::max(1e-3, largest(plain.parameters));
  for (const auto& state : plain.states) scale = std::max(scale, largest(state.values));
  for (int again = 0; again < 2; ++again) {  // the second time, arrays are no longer fresh
    run(launcher, card.parameters());
    run(launcher, card.forward());
    const std::vector<double> output = read(memory, card.output(), setting.batch * outputs);
    check_close("output", output, plain.output, largest(plain.output), tolerance);
    std::vector<double> by_output(output.size());
    loss(0, setting.batch, output.data(), by_output.data());
    write(memory, card.output_gradient(), by_output);
    run(launcher, card.backward());
    const std::vector<double> gradient = read(memory, card.gradient(), network.num_parameters());
    for (const ham::Parameter& parameter : network.parameters())
      check_close(parameter.name, std::span(gradient).subspan(parameter.offset, parameter.size()),
                  std::span(plain.parameters).subspan(parameter.offset, parameter.size()), scale, tolerance);
    for (std::size_t i = 0; i < initial.size(); ++i)
      if (!program.clamped[i] || setting.state_gradients)
        check_close("state " + std::to_string(i),
                    read(memory, card.state_gradient(static_cast<int>(i)), initial[i].size()), plain.states[i].values,
                    scale, tolerance);
  }
}

constexpr double kExact = 1e-11;

// Norms of a few numbers, which may be all but equal, magnify every rounding.
bool ill_conditioned(const ham::Network& network) {
  const auto shaped = [](const ham::LagrangianSum& sum) { return sum.lagrangian.form == ham::Form::shaped; };
  return std::ranges::any_of(network.layers(), [&](const auto& neurons) { return shaped(neurons.lagrangian); }) ||
         std::ranges::any_of(network.graph().nodes(), [&](const ham::Node& node) {
           const auto* const sum = std::get_if<ham::LagrangianSum>(&node.operation);
           return sum != nullptr && shaped(*sum);
         });
}

// Everything a network can be made of; floats where they are well-conditioned.
template <class T>
void compare_all(Launcher& launcher, double tolerance, std::mt19937& random) {
  for (const auto& networks : {test::operation_networks(), test::lagrangian_networks(), test::synapse_networks()})
    for (const auto& [name, network, clamped] : networks) {
      if (name.starts_with("memory") || (sizeof(T) == sizeof(float) && ill_conditioned(network))) continue;
      INFO(name);
      const std::string readout = network.layers().back().layer.name;
      const double scale = sizeof(T) == sizeof(double) ? 0.4 : 0.2;
      compare<T>(launcher, network, {}, readout, {.scale = scale}, tolerance, random);
      compare<T>(launcher, network, clamped, readout, {.masks = true, .scale = scale}, tolerance, random);
      compare<T>(launcher, network, clamped, readout, {.state_gradients = true, .scale = scale}, tolerance, random);
    }
}

}  // namespace

TEST_CASE("a machine computes what a program says, for everything a network can be made of") {
  std::mt19937 random(Catch::rngSeed());
  const auto launcher = make_host_launcher(kHost);
  compare_all<double>(*launcher, kExact, random);
  compare_all<float>(*launcher, 1e-4, random);
}

TEST_CASE("what a card cannot compute is said by name") {
  const auto launcher = make_host_launcher(kHost);
  for (const auto& [name, network, clamped] : test::lagrangian_networks()) {
    if (!name.starts_with("memory")) continue;
    const ham::Program program(network, {clamped, false});
    const ham::Unrolled unrolled = program.unroll(1, 1);
    Memory memory(*launcher);
    CHECK_THROWS_WITH(Interpreter<float>(program, unrolled, std::vector<double>(2, 0.3),
                                         Interpreter<float>::Constants(program, memory), {}, memory),
                      Catch::Contains("the card cannot compute the Lagrangian 'memory'"));
  }
}

TEST_CASE("a card of this machine computes what a program says", "[card]") {
  if (num_cards() == 0) {
    WARN("SKIPPED: no card here");
    return;
  }
  std::mt19937 random(Catch::rngSeed());
  const auto launcher = make_cuda_launcher(0);
  compare_all<double>(*launcher, 1e-10, random);
  compare_all<float>(*launcher, 1e-4, random);
}

TEST_CASE("small networks for a sanitizer", "[card][sanitize]") {
  if (num_cards() == 0) {
    WARN("SKIPPED: no card here");
    return;
  }
  std::mt19937 random(Catch::rngSeed());
  const auto launcher = make_cuda_launcher(0);
  for (const auto& [name, network, clamped] : test::synapse_networks())
    compare<float>(*launcher, network, clamped, network.layers().back().layer.name, {}, 1e-2, random);
}

TEST_CASE("a machine computes what a program says, on random hypergraphs") {
  std::mt19937 random(Catch::rngSeed());
  const auto launcher = make_host_launcher(kHost);
  for (int trial = 0; trial < 10; ++trial) {
    INFO("hypergraph " << trial);
    const test::Hypergraph graph = test::random_hypergraph(random);
    const Setting setting{.state_gradients = trial % 3 == 0,
                          .masks = random() % 2 == 0,
                          .batch = 1 + static_cast<int>(random() % 7),
                          .depth = 1 + static_cast<int>(random() % 4),
                          .scale = 0.1};
    compare<double>(*launcher, graph.network, graph.clamped, graph.readout, setting, kExact, random);
  }
}

}  // namespace gpu

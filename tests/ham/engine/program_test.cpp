// The fast interpreter of a Program against the plain one, on random hypergraphs; and what a Program says of itself.
#include <catch2/catch.hpp>
#include <random>

#include "ham/engine/reference.h"
#include "ham/network/synapses.h"
#include "ham/training/training.h"
#include "tests/support/random_hypergraph.h"
#include "tests/support/random_states.h"

using namespace ham;

namespace {

double largest(std::span<const double> numbers) {
  double most = 0;
  for (const double x : numbers) most = std::max(most, std::abs(x));
  return most;
}

void check_close(const std::string& what, std::span<const double> fast, std::span<const double> plain, double scale) {
  REQUIRE(fast.size() == plain.size());
  double apart = 0;
  for (std::size_t i = 0; i < fast.size(); ++i) apart = std::max(apart, std::abs(fast[i] - plain[i]));
  INFO(what << ": " << apart << " apart, numbers up to " << largest(plain) << " where others reach " << scale);
  CHECK(apart <= 1e-11 * scale);
}

// What a program of some hypergraph has in it, so that the test knows it looked at everything.
struct Seen {
  long batch = 0, deferred = 0, lane = 0, beta = 0, still = 0, parameters = 0, finish = 0;
};

void compare(const test::Hypergraph& graph, bool state_gradients, std::mt19937& random, Seen& seen) {
  const Network& network = graph.network;
  const int batch = 1 + static_cast<int>(random() % 7), depth = 1 + static_cast<int>(random() % 4);
  const auto parameters = [&] {
    std::vector<double> numbers = network.initial_parameters<double>(random());
    const auto noise = test::normal_numbers<double>(random, network.num_parameters(), 0.02);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] += noise[i];
    return numbers;
  }();
  const States<double> initial = test::normal_states<double>(random, network, batch);
  States<double> free = network.states<double>(batch);
  for (Tensor<double>& mask : free)
    for (double& each : mask.values) each = random() % 3 != 0;
  const States<double>* masks = random() % 2 ? &free : nullptr;
  // Only the first number of every sample counts.
  const long outputs = count(network.layers()[network.layer_index(graph.readout)].layer.shape);
  const Loss<double> loss = [outputs](long, long rows, const double* g, double* g_bar) {
    std::fill_n(g_bar, rows * outputs, 0.0);
    double sum = 0;
    for (long at = 0; at < rows * outputs; at += outputs) sum += g[at] * g[at], g_bar[at] = 2 * g[at];
    return sum;
  };
  const Readout readout{{.depth = depth, .time_step = 0.3}, graph.readout};

  Program program(network, {graph.clamped, state_gradients});
  const Unrolled unrolled = program.unroll(network.layer_index(graph.readout), depth);
  std::vector<double> rates;
  for (const auto& layer : network.layers()) rates.push_back(0.3 / layer.layer.time_constant);
  const Gradients plain = interpret(program, unrolled, parameters, initial, rates, masks, loss);
  for (const Slot& slot : program.slots) seen.deferred += slot.deferred;
  for (const Instruction& each : program.batch) seen.batch += each.act == Act::forward;
  for (const Step& step : unrolled.steps) seen.still += static_cast<long>(step.still.size());
  for (const bool by : program.by_tangent) seen.beta += by;
  seen.lane += static_cast<long>(program.lane.size());
  seen.parameters += static_cast<long>(program.parameters.size());
  seen.finish += static_cast<long>(unrolled.finish.size());

  double scale = std::max(1e-3, largest(plain.parameters));
  for (const Tensor<double>& state : plain.states) scale = std::max(scale, largest(state.values));

  for (const int lane_rows : {1, 3, 100}) {
    INFO("lanes of " << lane_rows << ", batch " << batch << ", depth " << depth);
    Engine<double> engine(network, {.clamped = graph.clamped,
                                    .threads = 2,
                                    .lane_rows = lane_rows,
                                    .training = true,
                                    .state_gradients = state_gradients});
    engine.set_parameters(parameters);
    Backpropagation<double> backpropagation(engine, readout);
    States<double> by_state = network.states<double>(batch);
    for (int again = 0; again < 2; ++again) {  // the second time, arrays are no longer fresh
      const double value = backpropagation.run(initial, loss, masks, &by_state);
      CHECK(value == Approx(plain.loss).epsilon(1e-12));
      check_close("output", backpropagation.output().values, plain.output, largest(plain.output));
      for (const Parameter& parameter : network.parameters())
        check_close(parameter.name.c_str(), backpropagation.gradient().subspan(parameter.offset, parameter.size()),
                    std::span(plain.parameters).subspan(parameter.offset, parameter.size()), scale);
      for (std::size_t i = 0; i < by_state.size(); ++i) {
        const bool fixed = std::ranges::count(graph.clamped, network.layers()[i].layer.name) > 0;
        if (!fixed || state_gradients) check_close("state", by_state[i].values, plain.states[i].values, scale);
      }
    }
  }
}

}  // namespace

TEST_CASE("random hypergraphs: lanes and tiles compute what the program says") {
  std::mt19937 random(Catch::rngSeed());
  Seen seen;
  for (int trial = 0; trial < 24; ++trial) {
    INFO("hypergraph " << trial);
    const test::Hypergraph graph = test::random_hypergraph(random);
    compare(graph, false, random, seen);
    compare(graph, true, random, seen);
  }
  CHECK(std::min({seen.batch, seen.deferred, seen.lane, seen.beta, seen.still, seen.parameters, seen.finish}) > 0);
}

TEST_CASE("a program says what a training step costs, line by line") {
  Network network;
  network.add_layer("image", {784}, Lagrangian::tanh());
  network.add_layer("label", {10}, Lagrangian::softmax());
  network.connect({"image", "label"}, dense_hidden({.hidden = 1000}));
  const Program program(network, {{"image"}});
  const Unrolled unrolled = program.unroll(1, 4);
  // Three products with the image; with the labels, in each of four steps, two forward and five in reverse, one of
  // which computes again what was not kept.
  const double products = 2.0 * 400 * 1000 * (3 * 784 + 4 * 8 * 10);
  const double flops = training_cost(program, unrolled, 400, 4).flops;
  CHECK(flops >= products);
  CHECK(flops <= 1.02 * products);
  const std::string lines = text(program, unrolled, 400);
  CHECK_THAT(lines, Catch::Contains("linear 784x1000") && Catch::Contains("steps 0-3") && Catch::Contains("GFLOP"));
  std::size_t instructions = program.parameters.size() + program.batch.size() + program.lane.size() + 2 +
                             unrolled.steps[0].forward.size() + unrolled.steps[0].reverse.size();
  for (const auto* list : {&unrolled.lane_reverse, &unrolled.batch_reverse, &unrolled.finish, &unrolled.gradients,
                           &unrolled.parameters_reverse})
    instructions += list->size();
  CHECK(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')) == instructions + 3);
  CHECK(training_memory(program, unrolled, 400, 2, 4) > training_memory(program, unrolled, 100, 2, 4));
  CHECK(program.lane_rows() == 25);
}

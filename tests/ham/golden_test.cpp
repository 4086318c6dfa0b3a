// The numbers of an independent autograd implementation, to 1e-10; the file's `about` attribute explains every array.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "ham/network/synapses.h"
#include "ham/training/training.h"
#include "ham/uses/inspect.h"

using namespace ham;

namespace {

// Every array of the file, as `case/name`.
const NamedArrays& golden() {
  static const NamedArrays arrays = [] {
    const core::Hdf5File file = core::Hdf5File::open(DAMBENCH_FIXTURES "/ham_golden.h5");
    NamedArrays all;
    for (const core::Hdf5File::Member& group : file.members("/"))
      for (auto& [name, array] : in_double(file.read_arrays("/" + group.name, 1 << 24)))
        all[group.name + "/" + name] = array;
    return all;
  }();
  return arrays;
}

struct Case {
  const char* name;
  Network network;
  std::vector<std::string> clamped;
};

HiddenOptions hidden(int units, Lagrangian lagrangian, UnitNorm norm = UnitNorm::none) {
  return {.hidden = units, .lagrangian = std::move(lagrangian), .norm = norm};
}

Case hopfield(const char* name, const Lagrangian& lagrangian, UnitNorm norm) {
  Network network;
  network.add_layer("l0", {12}, Lagrangian::tanh());
  network.add_layer("l1", {4}, Lagrangian::softmax());
  network.connect({"l0", "l1"}, dense_hidden(hidden(7, lagrangian, norm)));
  return {name, std::move(network), {"l0"}};
}

Case convolutional() {
  Network network;
  network.add_layer("l0", {8, 8, 1}, Lagrangian::tanh());
  network.add_layer("l1", {4, 4, 3}, Lagrangian::tanh());
  network.add_layer("l2", {1, 1, 5}, Lagrangian::tanh());
  network.add_layer("l3", {4}, Lagrangian::softmax());
  network.connect({"l0", "l1"}, convolution_synapse({.kernel_height = 4,
                                                     .kernel_width = 4,
                                                     .padding_height = 2,
                                                     .padding_width = 2,
                                                     .pooled = true,
                                                     .pooling = {}}));
  network.connect({"l1", "l2"}, convolution_synapse({.pooled = true, .pooling = {}}));
  network.connect({"l2", "l3"}, dense_hidden(hidden(6, Lagrangian::relu())));
  return {"conv8_max", std::move(network), {"l0"}};
}

Case attentive() {
  Network network;
  network.add_layer("l0", {3, 6}, Lagrangian::layer_norm());
  network.add_layer("l1", {4}, Lagrangian::softmax());
  network.connect({"l0", "l0"}, attention({.heads = 2, .z = 3}));
  network.connect({"l1", "l0"}, attention({.heads = 2, .z = 3}));
  return {"ln_attn", std::move(network), {}};
}

std::vector<Case> cases() {
  std::vector<Case> list;
  list.push_back(hopfield("hn_relu", Lagrangian::relu(), UnitNorm::none));
  list.push_back(hopfield("hn_softmax_norm", Lagrangian::softmax(), UnitNorm::per_block));
  list.push_back(convolutional());
  list.push_back(attentive());
  return list;
}

const Tensor<double>& array(const Case& c, const std::string& name) {
  return golden().at(std::string(c.name) + "/" + name);
}

// Every element to 1e-10 of the array's largest.
void check_same(const std::string& what, std::span<const double> ours, std::span<const double> theirs) {
  INFO(what);
  REQUIRE(ours.size() == theirs.size());
  double scale = 0, worst = 0;
  for (const double x : theirs) scale = std::max(scale, std::abs(x));
  for (std::size_t i = 0; i < ours.size(); ++i) worst = std::max(worst, std::abs(ours[i] - theirs[i]));
  CHECK(worst <= 1e-10 * scale);
}

std::span<const double> slice(const Tensor<double>& whole, int index) {
  const std::size_t size = whole.values.size() / whole.shape[0];
  return std::span<const double>(whole.values).subspan(index * size, size);
}

std::vector<double> parameters(const Case& c) {
  std::vector<double> numbers(c.network.num_parameters());
  for (const Parameter& parameter : c.network.parameters()) {
    const Tensor<double>& values = array(c, "p." + parameter.name);
    REQUIRE(values.shape == parameter.shape);
    std::copy(values.values.begin(), values.values.end(), numbers.begin() + parameter.offset);
  }
  return numbers;
}

States<double> states(const Case& c) {
  States<double> x;
  for (std::size_t i = 0; i < c.network.layers().size(); ++i) x.push_back(array(c, "x." + std::to_string(i)));
  return x;
}

// The image clamped and everything else at rest, or (nothing clamped) the stored states.
States<double> start(const Case& c) {
  if (c.clamped.empty()) return states(c);
  States<double> x = c.network.states<double>(array(c, "img").shape[0]);
  x[0] = array(c, "img");
  return x;
}

Descent descent(const Case& c) {
  const std::vector<double>& meta = array(c, "meta").values;
  return {.depth = static_cast<int>(meta[0]), .time_step = meta[1]};
}

}  // namespace

TEST_CASE("every case of the golden file is tested here") {
  std::set<std::string> stored, tested = {"adamw", "lagr", "loss"};
  for (const auto& [name, array] : golden()) stored.insert(name.substr(0, name.find('/')));
  for (const Case& c : cases()) tested.insert(c.name);
  CHECK(stored == tested);
}

TEST_CASE("golden networks: energies, activations and gradients at one point") {
  for (Case& c : cases()) {
    INFO(c.name);
    Engine<double> engine(c.network, {});
    engine.set_parameters(parameters(c));
    const Evaluation<double> now = evaluate(engine, states(c));
    check_same("E_layer", now.energies.layers.values, array(c, "E_layer").values);
    check_same("E_syn", now.energies.connections.values, array(c, "E_syn").values);
    check_same("E", now.energies.total(), array(c, "E").values);
    for (std::size_t i = 0; i < now.activations.size(); ++i) {
      const std::string layer = std::to_string(i);
      check_same("g." + layer, now.activations[i].values, array(c, "g." + layer).values);
      check_same("dEdg." + layer, now.gradients[i].values, array(c, "dEdg." + layer).values);
    }
  }
}

TEST_CASE("golden networks: free and clamped trajectories") {
  for (Case& c : cases()) {
    INFO(c.name);
    for (const char* run : {"free", "run"}) {
      const bool free = std::string(run) == "free";
      Engine<double> engine(c.network, {.clamped = free ? std::vector<std::string>{} : c.clamped, .lane_rows = 2});
      engine.set_parameters(parameters(c));
      States<double> x = free ? states(c) : start(c);
      Trace<double> trace;
      descend(engine, x, descent(c), nullptr, &trace);
      REQUIRE(static_cast<int>(trace.states.size()) == descent(c).depth + 1);
      for (int time = 0; time <= descent(c).depth; ++time) {
        for (std::size_t i = 0; i < x.size(); ++i)
          check_same(run + std::to_string(i) + " at " + std::to_string(time), trace.states[time][i].values,
                     slice(array(c, std::string(run) + "." + std::to_string(i)), time));
        if (free) check_same("free.E", trace.energies[time].total(), slice(array(c, "free.E"), time));
      }
    }
  }
}

TEST_CASE("golden networks: loss and gradients through time") {
  for (Case& c : cases()) {
    for (const int lane_rows : {1, 2, 100}) {
      INFO(c.name << ", lanes of " << lane_rows);
      Engine<double> engine(c.network, {.clamped = c.clamped, .lane_rows = lane_rows, .training = true});
      engine.set_parameters(parameters(c));
      const Tensor<double>& y = array(c, "y");
      const std::vector<int> labels(y.values.begin(), y.values.end());
      const std::string readout = c.network.layers().back().layer.name;
      Backpropagation<double> backpropagation(engine, {descent(c), readout});
      const double loss = backpropagation.run(start(c), smoothed_cross_entropy<double>(labels, 4));
      CHECK(loss == Approx(array(c, "loss").values[0]).epsilon(1e-12));
      check_same("probs", backpropagation.output().values, array(c, "probs").values);
      for (const Parameter& parameter : c.network.parameters())
        check_same("grad." + parameter.name, backpropagation.gradient().subspan(parameter.offset, parameter.size()),
                   array(c, "grad." + parameter.name).values);
    }
  }
}

TEST_CASE("golden optimizer: three AdamW steps of the first network") {
  Case c = hopfield("hn_relu", Lagrangian::relu(), UnitNorm::none);
  Engine<double> engine(c.network, {.clamped = {"l0"}, .training = true});
  engine.set_parameters(parameters(c));
  const std::vector<double>& hyper = golden().at("adamw/hyper").values;
  AdamW<double> optimizer(
      c.network.num_parameters(),
      {.rate = hyper[0], .beta1 = hyper[1], .beta2 = hyper[2], .epsilon = hyper[3], .weight_decay = hyper[4]});
  const Tensor<double>& y = array(c, "y");
  const std::vector<int> labels(y.values.begin(), y.values.end());
  Backpropagation<double> backpropagation(engine, {descent(c), "l1"});
  for (int step = 0; step < 3; ++step) {
    const double loss = backpropagation.run(start(c), smoothed_cross_entropy<double>(labels, 4));
    CHECK(loss == Approx(golden().at("adamw/loss").values[step]).epsilon(1e-12));
    optimizer.step(engine.parameters(), backpropagation.gradient());
    engine.parameters_changed();
  }
  // The file's three copies of the parameters are one and the same array, the last; the losses tell the steps apart.
  for (const Parameter& parameter : c.network.parameters())
    check_same(parameter.name, engine.parameters().subspan(parameter.offset, parameter.size()),
               golden().at("adamw/step3." + parameter.name).values);
}

TEST_CASE("golden Lagrangians at hard points") {
  struct Named {
    const char* name;
    const char* points;
    Lagrangian lagrangian;
  };
  const Named list[] = {{"identity", "x", Lagrangian::identity()},
                        {"repu2", "x", Lagrangian::relu()},
                        {"repu5", "x", Lagrangian::rectified_power(5)},
                        {"exp_b0.7", "x_exp", Lagrangian::exponential(0.7)},
                        {"rexp_b0.7", "x_exp", Lagrangian::rectified_exponential(0.7)},
                        {"tanh_b0.7", "x", Lagrangian::tanh(0.7)},
                        {"sigmoid_b0.7_s2", "x", Lagrangian::sigmoid(0.7, 2)},
                        {"softmax_b0.7", "x", Lagrangian::softmax(0.7)},
                        {"layernorm_g1.3", "x", Lagrangian::layer_norm(1.3)},
                        {"spherical", "x", Lagrangian::spherical_norm()}};
  for (const Named& each : list) {
    INFO(each.name);
    Network network;
    network.add_layer("l0", {6}, each.lagrangian);
    Engine<double> engine(network, {});
    std::vector<double> numbers = network.initial_parameters<double>(1);
    const bool shifted = std::string(each.name) == "layernorm_g1.3";
    if (shifted) {
      const std::vector<double>& delta = golden().at("lagr/delta").values;
      std::copy(delta.begin(), delta.end(), numbers.begin() + network.parameter("l0.delta").offset);
    }
    engine.set_parameters(numbers);
    const Tensor<double>& x = golden().at(std::string("lagr/") + each.points);
    const Evaluation<double> now = evaluate(engine, {x});
    const std::string prefix = std::string("lagr/") + each.name;
    check_same("g", now.activations[0].values, golden().at(prefix + ".g").values);
    // E = x·g − L nearly cancels for the norms, so L itself is compared.
    std::vector<double> value(x.shape[0]);
    for (std::size_t row = 0; row < value.size(); ++row) {
      value[row] = -now.energies.layers.values[row];
      for (int i = 0; i < 6; ++i) value[row] += x.values[row * 6 + i] * now.activations[0].values[row * 6 + i];
    }
    check_same("L", value, golden().at(prefix + ".L").values);
  }
}

TEST_CASE("golden loss") {
  const Tensor<double>&probabilities = golden().at("loss/probs"), &y = golden().at("loss/y");
  const std::vector<int> labels(y.values.begin(), y.values.end());
  std::vector<double> gradient(probabilities.values.size());
  const double loss = smoothed_cross_entropy<double>(labels, 4)(0, probabilities.shape[0], probabilities.values.data(),
                                                                gradient.data());
  CHECK(loss == Approx(golden().at("loss/loss").values[0]).epsilon(1e-12));
  check_same("dprobs", gradient, golden().at("loss/dprobs").values);
}

#include "ham/network/alignment_text.h"

#include <catch2/catch.hpp>
#include <random>

#include "ham/engine/dynamics.h"
#include "ham/network/model_file.h"
#include "ham/training/training.h"
#include "tests/support/random_states.h"

using namespace ham;

namespace {

AlignmentNames some_names() {
  AlignmentNames names;
  names.layers = {"a", "b"};
  names.arrays["k"] = {{}, constant(0.7)};
  names.arrays["W"] = {{4, 3}, normal(0.5)};
  names.lagrangians["relu"] = Lagrangian::relu();
  names.lagrangians["soft"] = Lagrangian::softmax(1.5);
  return names;
}

Network network_of(const Alignment& alignment) {
  Network network;
  network.add_layer("a", {4}, Lagrangian::tanh());
  network.add_layer("b", {3}, Lagrangian::tanh());
  network.connect({"a", "b"}, alignment, "s");
  return network;
}

/// Energies of the connection and forces on all layers at some states.
std::vector<double> all_of(const Network& network) {
  std::mt19937 random(7);
  Engine<double> engine(network, {});
  engine.set_parameters(network.initial_parameters<double>(3));
  const Evaluation<double> found = evaluate(engine, test::normal_states<double>(random, network, 2));
  std::vector<double> all = found.energies.connections.values;
  for (const Tensor<double>& gradient : found.gradients)
    all.insert(all.end(), gradient.values.begin(), gradient.values.end());
  return all;
}

void check_same(const std::string& text, const Alignment& expected) {
  INFO(text);
  // Only what a text uses may be declared.
  AlignmentNames names = some_names();
  std::erase_if(names.arrays, [&](const auto& each) { return text.find(each.first) == std::string::npos; });
  const std::vector<double> found = all_of(network_of(parse_alignment(text, names))),
                            wanted = all_of(network_of(expected));
  REQUIRE(found.size() == wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(wanted[i]).epsilon(1e-12).margin(1e-14));
}

}  // namespace

TEST_CASE("an alignment's text is the expression it says") {
  using Values = std::span<const Value>;
  const auto k = [](Scope& s) { return s.parameter("k", {}, constant(0.7)); };
  const auto w = [](Scope& s) { return s.parameter("W", {4, 3}, normal(0.5)); };
  check_same("dot(linear(g.a, W), g.b) * k", [=](Scope& s, Values g) {
    const Value forward = dot(linear(g[0], w(s)), g[1]);  // W is asked for first, as in the text
    return forward * k(s);
  });
  check_same("dot(g0, g0) - 2*sum(g1) / 4", [](Scope&, Values g) { return dot(g[0], g[0]) + -0.5 * sum(g[1]); });
  check_same("-sum(g.a ^ 2)", [](Scope&, Values g) { return -1.0 * dot(g[0], g[0]); });
  check_same("sum(g.a)^2 / (1 + dot(g.b, g.b))", [](Scope&, Values g) {
    const Value total = sum(g[0]);
    return total * total * power(dot(g[1], g[1]) + 1.0, -1);
  });
  check_same("2^3 * sum(g.a)", [](Scope&, Values g) { return 8.0 * sum(g[0]); });
  check_same("1 - 2 - 3 + sum(g.a) * - - 2", [](Scope&, Values g) { return 2.0 * sum(g[0]) + -4.0; });
  check_same("h = linear(g.a, W) + 0.1;\n  lagrangian(h, soft) + lagrangian(h * g.b, relu)", [=](Scope& s, Values g) {
    const Value h = linear(g[0], w(s)) + 0.1;
    const Lagrangian soft = Lagrangian::softmax(1.5);
    return lagrangian(h, soft, s.coefficients(soft, 3, "_soft")) + lagrangian(h * g[1], Lagrangian::relu(), {});
  });
  check_same("sum(relu(g.a)) + sum(max(g.a, 0.25)) + sum(max(g.a, tanh(g.a * 0.5)))", [](Scope&, Values g) {
    const Value half = tanh(0.5 * g[0]);
    return sum(relu(g[0])) + sum(relu(g[0] + -0.25) + 0.25) + sum(relu(g[0] + -1.0 * half) + half);
  });
  check_same("sum(exp(log(g.a*g.a + 1)))", [](Scope&, Values g) { return dot(g[0], g[0]) + 4.0; });
  // The smaller of two goes round on either side.
  check_same("sum(k * (k + g.a) * reshape(g.a, 4))",
             [=](Scope& s, Values g) { return sum((g[0] + k(s)) * k(s) * g[0]); });
}

TEST_CASE("max is the larger of both and divides its gradient so") {
  const Network network = network_of([](Scope&, std::span<const Value> g) {
    return sum(max(reshape(g[0], {4}), 0.5 * g[0])) + sum(g[1] / (g[1] * g[1] + 1.0) - g[1]);
  });
  Engine<double> engine(network, {});
  States<double> x = network.states<double>(1);
  x[0].values = {-1, 2, 0.5, -0.25};
  x[1].values = {0.5, -1, 3};
  engine.set_parameters(network.initial_parameters<double>(1));
  const Evaluation<double> found = evaluate(engine, x);
  double expected = 0;
  for (int i = 0; i < 4; ++i)
    expected += std::max(found.activations[0].values[i], 0.5 * found.activations[0].values[i]);
  for (const double g : found.activations[1].values) expected += g / (g * g + 1) - g;
  CHECK(found.energies.connections.values[0] == Approx(-expected).epsilon(1e-14));
  for (int i = 0; i < 4; ++i)
    CHECK(found.gradients[0].values[i] == Approx(x[0].values[i] - (x[0].values[i] > 0 ? 1 : 0.5)).epsilon(1e-14));
}

TEST_CASE("an expression in a model file trains like the synapse it spells out") {
  const char* const layers = R"toml(
name = "m"
[[layer]]
name = "image"
shape = [5]
lagrangian = "tanh"
[[layer]]
name = "label"
shape = [3]
lagrangian = "softmax"
[dynamics]
clamped = ["image"]
readout = "label"
[[synapse]]
name = "memory"
connects = ["image", "label"]
)toml";
  const Model built =
      parse_model(std::string(layers) + "kind = \"dense_hidden\"\nhidden = 7\nlagrangian = \"softmax\"", "m");
  const Model spelt = parse_model(std::string(layers) + R"toml(kind = "expression"
alignment = """
h = linear(g.image, W0) + linear(g.label, W1);
lagrangian(h, hid)"""
parameters = {W0 = {shape = [5, 7]}, W1 = {shape = [3, 7]}}
lagrangians = {hid = "softmax"})toml",
                                  "m");
  REQUIRE(spelt.network.parameters().size() == built.network.parameters().size());
  std::mt19937 random(5);
  const States<double> x = test::normal_states<double>(random, built.network, 4);
  const std::vector<int> labels = {0, 1, 2, 1};
  std::vector<double> gradients[2];
  for (const auto& [model, gradient] : {std::pair{&built, &gradients[0]}, std::pair{&spelt, &gradients[1]}}) {
    Engine<double> engine(model->network, {.clamped = model->clamped, .training = true});
    engine.set_parameters(model->network.initial_parameters<double>(1));
    Backpropagation<double> training(engine, model->readout);
    training.run(x, smoothed_cross_entropy<double>(labels, 3));
    gradient->assign(training.gradient().begin(), training.gradient().end());
  }
  for (std::size_t i = 0; i < built.network.parameters().size(); ++i) {
    const Parameter &a = built.network.parameters()[i], &b = spelt.network.parameter(a.name);
    INFO(a.name);
    REQUIRE(a.offset == b.offset);  // W0, W1, beta_hid: in the order in which both ask for them
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i)
    CHECK(gradients[0][i] == Approx(gradients[1][i]).epsilon(1e-10).margin(1e-14));
}

TEST_CASE("an alignment's text that is none names the character") {
  const auto error = [](const std::string& text) -> std::string {
    AlignmentNames names = some_names();
    std::erase_if(names.arrays, [&](const auto& each) { return text.find(each.first) == std::string::npos; });
    try {
      network_of(parse_alignment(text, names));
    } catch (const std::invalid_argument& refused) {
      return refused.what();
    }
    return "taken";
  };
  using Catch::Contains;
  CHECK_THAT(error(""), Contains("character 1, the end: expected a number, a name or `(`"));
  CHECK_THAT(error("sum(g.a) +"), Contains("character 11, the end"));
  CHECK_THAT(error("sum(g.a)) "), Contains("character 9, ')'"));
  CHECK_THAT(error("sum(g.c)"), Contains("character 5, 'g.c': 'c' is not one of the layers it connects, a, b"));
  CHECK_THAT(error("sum(g7)"), Contains("character 5, 'g7': the name is not known"));
  CHECK_THAT(error("sum(g.a) * 1.2.3"), Contains("character 12, '1.2.3': is no number"));
  CHECK_THAT(error("sum(g.a)^k"), Contains("character 10, 'k': an exponent is a number"));
  CHECK_THAT(error("sum(g.a, 0.5)"), Contains("argument 2 is 0.5, expected an integer"));
  CHECK_THAT(error("sum(3)"), Contains("character 1, 'sum(3)': argument 1 is no fit, expected an array"));
  CHECK_THAT(error("lagrangian(g.a, sift)"), Contains("character 17, 'sift'"));
  CHECK_THAT(error("soft * sum(g.a)"), Contains("a Lagrangian is no array"));
  CHECK_THAT(error("sum(g.a + g.b)"), Contains("character 9, '+ g.b': a + b: shapes 4 and 3 do not fit"));
  CHECK_THAT(error("g.a"), Contains("the alignment is one number per sample, not 4"));
  CHECK_THAT(error("k"), Contains("depends on no layer"));
  CHECK_THAT(error("k = 3; sum(g.a)"), Contains("character 1, 'k': the name is taken"));
  CHECK_THAT(error("h = 3 sum(g.a)"), Contains("character 7, 's': expected `;`"));
  CHECK_THAT(error(std::string(500, '(') + "1"), Contains("nested too deeply"));
  CHECK_THAT(error(std::string(5000, ' ')), Contains("longer than 4096 characters"));
  CHECK(error("k * sum(g.a)") == "taken");
  // As deep as a tree may get.
  std::string chain = "sum(g.a)";
  while (chain.size() + 3 <= 4096) chain += "+g0";
  CHECK_THAT(error(chain), Contains("the alignment is one number per sample"));
}

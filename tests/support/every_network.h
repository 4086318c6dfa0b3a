// A small network for everything that a network can be made of.
#pragma once

#include <string>
#include <vector>

#include "ham/network/synapses.h"

namespace test {

using namespace ham;  // networks are written in its words

struct NamedNetwork {
  std::string name;
  Network network;
  std::vector<std::string> clamped;
};

inline Network pair_of(const Shape& first, const Shape& second, const Lagrangian& lagrangian, Alignment alignment) {
  Network network;
  network.add_layer("first", first, lagrangian);
  network.add_layer("second", second, Lagrangian::tanh());
  network.connect({"first", "second"}, std::move(alignment));
  return network;
}

// A network whose alignment is made of one expression of the first layer, squared so that it has a Hessian.
template <class Expression>
Network expression_network(const Shape& shape, Expression expression) {
  Network network;
  network.add_layer("first", shape, Lagrangian::identity());
  network.add_layer("second", {2}, Lagrangian::identity());
  network.connect({"first", "second"}, [=](Scope& scope, std::span<const Value> g) {
    const Value y = expression(scope, g[0]);
    const Value w = scope.parameter("read", {static_cast<int>(y.size()), 2}, normal(1));
    return dot(linear(flatten(y), w), g[1]) + 0.3 * dot(y, y);
  });
  return network;
}

/// One for every operation of ham/network/expression.h.
inline std::vector<NamedNetwork> operation_networks() {
  std::vector<NamedNetwork> all;
  const auto check = [&](const char* name, const Shape& shape, auto expression) {
    all.push_back({name, expression_network(shape, expression), {"first"}});
  };
  check("add parameter", {3, 4}, [](Scope& s, const Value& x) { return x + s.parameter("p", {4}, normal(1)); });
  check("add itself", {3, 4}, [](Scope&, const Value& x) { return x + x; });
  check("multiply by parameter", {3, 4}, [](Scope& s, const Value& x) {
    return x * s.parameter("p", {3, 4}, normal(1));
  });
  check("square", {3, 4}, [](Scope&, const Value& x) { return x * x; });
  check("multiply by its sum", {3, 4, 2}, [](Scope&, const Value& x) { return x * sum(x, 1); });
  check("sum over the last axis", {3, 4}, [](Scope&, const Value& x) { return x + 0.5 * sum(x, -1); });
  check("sum of all", {3, 4}, [](Scope&, const Value& x) { return reshape(sum(x), {1}); });
  check("power", {5}, [](Scope&, const Value& x) { return power(x * x + 1.0, -0.5); });
  check("exp, log, tanh", {5}, [](Scope&, const Value& x) { return log(exp(x) + 1.0) * tanh(x); });
  check("minus, relu, max, division", {5},
        [](Scope&, const Value& x) { return relu(x) - max(x * x, x + 1.0) / (x * x + 1.0) - -tanh(x); });
  check("linear per token", {3, 4}, [](Scope& s, const Value& x) {
    return linear(x, s.parameter("p", {4, 5}, normal(1)));
  });
  check("linear of a made weight", {4}, [](Scope& s, const Value& x) {
    const Value p = s.parameter("p", {4, 5}, normal(1));
    return linear(x, p * power(sum(p * p, 0), -0.5));
  });
  check("contract", {6}, [](Scope& s, const Value& x) {
    return contract(reshape(linear(x, s.parameter("p", {6, 18}, normal(1))), {6, 3}), x);
  });
  check("outer", {3, 4}, [](Scope& s, const Value& x) {
    return outer(x, linear(x, s.parameter("p", {4, 2}, normal(1))));
  });
  check("scores", {3, 2, 4}, [](Scope& s, const Value& x) {
    return scores(x, linear(x, s.parameter("p", {4, 4}, normal(1))));
  });
  check("diagonal", {2, 3, 3}, [](Scope&, const Value& x) { return with_diagonal(x, 1.5); });
  check("convolution", {5, 6, 2}, [](Scope& s, const Value& x) {
    return convolution(x, s.parameter("p", {3, 2, 2, 3}, normal(1)),
                       {.stride_height = 2, .padding_height = 1, .padding_width = 1});
  });
  for (const PoolKind kind : {PoolKind::max, PoolKind::average, PoolKind::softmax})
    check(kind == PoolKind::max       ? "max pool"
          : kind == PoolKind::average ? "average pool"
                                      : "softmax pool",
          {5, 5, 2}, [=](Scope&, const Value& x) {
            return pool(x, {.kind = kind, .height = 3, .width = 2, .stride_height = 1, .beta = 1.4});
          });
  return all;
}

/// Every Lagrangian, as a layer and as hidden units.
inline std::vector<NamedNetwork> lagrangian_networks() {
  std::vector<NamedNetwork> all;
  Lagrangian steep = Lagrangian::sigmoid(1.2, 1.7);
  Lagrangian single = Lagrangian::layer_norm();
  single.single_delta = true;
  for (const Lagrangian& lagrangian :
       {Lagrangian::identity(), Lagrangian::relu(), Lagrangian::rectified_power(1), Lagrangian::rectified_power(5),
        Lagrangian::exponential(0.5), Lagrangian::rectified_exponential(0.5), Lagrangian::tanh(1.3), steep,
        Lagrangian::softmax(1.5), Lagrangian::softmax(1.5, 0), Lagrangian::softmax(1, Lagrangian::kWhole),
        Lagrangian::layer_norm(1.2, 0.1), single, Lagrangian::layer_norm(1, 0, 1e-5, 0), Lagrangian::spherical_norm(),
        Lagrangian::tanh(1.3).fixed(), Lagrangian::hidden(core::EnergyModel::parse("modern:0.5"))}) {
    const std::string name = lagrangian.name + ", axis " + std::to_string(lagrangian.axis);
    all.push_back({name + ", layer", pair_of({3, 4}, {2}, lagrangian, dense()), {"first"}});
    all.push_back({name + ", hidden",
                   pair_of({2, 3}, {2, 5}, Lagrangian::tanh(),
                           dense_hidden({.hidden = 4, .lagrangian = lagrangian, .per_token = true})),
                   {"first"}});
  }
  return all;
}

/// Every synapse.
inline std::vector<NamedNetwork> synapse_networks() {
  std::vector<NamedNetwork> all;
  const auto check = [&](const char* name, const Shape& a, const Shape& b, Alignment alignment) {
    all.push_back({name, pair_of(a, b, Lagrangian::tanh(), std::move(alignment)), {"first"}});
  };
  check("dense", {3, 2}, {4}, dense());
  for (const UnitNorm norm : {UnitNorm::none, UnitNorm::joint, UnitNorm::per_block})
    check("dense with hidden units", {6}, {3},
          dense_hidden({.hidden = 5, .lagrangian = Lagrangian::softmax(), .norm = norm}));
  check("tensor with hidden units", {3}, {4},
        tensor_hidden({.heads = 2, .hidden = 3, .lagrangian = Lagrangian::softmax()}));
  check("convolution", {6, 6, 2}, {3, 3, 3},
        convolution_synapse(
            {.kernel_height = 2, .kernel_width = 2, .stride_height = 2, .stride_width = 2, .pooling = {}}));
  for (const PoolKind kind : {PoolKind::max, PoolKind::average, PoolKind::softmax})
    check("convolution and pooling", {7, 7, 2}, {2, 2, 3},
          convolution_synapse({.pooled = true, .pooling = {.kind = kind}}));
  check("attention", {3, 4}, {2, 5}, attention({.heads = 2, .z = 3}));
  check("attention of a vector, normalized", {4}, {2, 2, 5}, attention({.heads = 2, .z = 5, .normalize = true}));
  check("mixer", {3, 4}, {3, 2}, mixer({.heads = 2, .units = 3}));
  check("mixer of a vector", {3, 4}, {2}, mixer({.heads = 2, .units = 3}));

  Network three;
  for (const char* name : {"a", "b", "c"}) three.add_layer(name, {3}, Lagrangian::tanh());
  three.connect({"a", "b", "c"}, dense(0.5));
  three.connect({"c", "a", "b"}, tensor_hidden({.heads = 1, .hidden = 4}));
  three.connect({"b"}, bias());
  all.push_back({"three layers at once", std::move(three), {"a"}});

  Network self;
  self.add_layer("tokens", {4, 3}, Lagrangian::layer_norm());
  self.connect({"tokens", "tokens"}, attention({.heads = 1, .z = 2}));
  all.push_back({"self attention", std::move(self), {}});

  Network others;
  others.add_layer("tokens", {4, 3}, Lagrangian::layer_norm());
  others.connect({"tokens", "tokens"}, attention({.heads = 2, .z = 2, .skip_self = true}));
  all.push_back({"attention to other tokens", std::move(others), {}});
  return all;
}

}  // namespace test

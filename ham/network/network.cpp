#include "ham/network/network.h"

#include <fmt/format.h>

#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <stdexcept>

#include "core/random.h"

namespace ham {
namespace {

std::string quoted_names(const auto& items, auto name) {
  std::string list;
  for (const auto& item : items) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", name(item));
  return list.empty() ? "none" : list;
}

double draw(const Initial& initial, core::Stream& stream) {
  boost::random::normal_distribution<double> normal;
  if (initial.kind == Initial::Kind::constant) return initial.value;
  if (initial.kind == Initial::Kind::normal) return initial.value * normal(stream);
  constexpr double kSpreadOfCutNormal = 0.87962566103423978;
  double x = normal(stream);
  while (std::abs(x) > 2) x = normal(stream);
  return x * std::sqrt(1 / initial.value) / kSpreadOfCutNormal;
}

}  // namespace

int Network::add_layer(Layer layer) {
  const int index = static_cast<int>(layers_.size());
  if (layer.name.empty()) layer.name = fmt::format("l{}", index);
  const std::string what = "layer '" + layer.name + "': ";
  for (const Neurons& other : layers_)
    if (other.layer.name == layer.name) throw std::invalid_argument(what + "the name is taken");
  for (const int length : layer.shape)
    if (length < 1) throw std::invalid_argument(what + "shape " + text(layer.shape) + " has a length below 1");
  if (!(layer.time_constant > 0)) throw std::invalid_argument(what + "the time constant is a number above 0");

  Neurons neurons{layer, graph_->activation(layer.shape).node, lagrangian_sum(layer.shape, layer.lagrangian), {}};
  Scope scope(*graph_, layer.name);
  for (const Value& value : scope.coefficients(layer.lagrangian, static_cast<int>(neurons.lagrangian.n)))
    neurons.coefficients.push_back(value.node);
  if (layer.bias != Bias::none) neurons.bias = scope.parameter("b", layer.shape, normal(0.02)).node;
  layers_.push_back(std::move(neurons));
  return index;
}

int Network::add_synapse(Alignment alignment, std::string name) {
  if (name.empty()) name = fmt::format("s{}", synapses_.size());
  for (const Synapse& other : synapses_)
    if (other.name == name) throw std::invalid_argument("synapse '" + name + "': the name is taken");
  synapses_.push_back({std::move(name), std::move(alignment)});
  return static_cast<int>(synapses_.size()) - 1;
}

void Network::connect(const std::vector<std::string>& layers, int synapse) {
  if (synapse < 0 || synapse >= static_cast<int>(synapses_.size()))
    throw std::invalid_argument("connect: there is no synapse " + std::to_string(synapse));
  const Synapse& given = synapses_[synapse];
  Connection connection{synapse, {}, -1, given.name};
  std::vector<Value> activations;
  for (const std::string& name : layers) {
    const int index = layer_index(name);
    connection.layers.push_back(index);
    activations.push_back({graph_.get(), layers_[index].node, layers_[index].layer.shape, true});
  }
  if (layers.empty()) throw std::invalid_argument("synapse '" + given.name + "': it connects no layer");
  Scope scope(*graph_, given.name);
  try {
    const Value alignment = given.alignment(scope, activations);
    if (!alignment.batched || alignment.size() != 1)
      throw std::invalid_argument("the alignment is one number per sample, not " + text(alignment.shape));
    connection.node = alignment.node;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("synapse '" + given.name + "': " + error.what());
  }
  for (const Connection& other : connections_)
    if (other.node == connection.node)
      throw std::invalid_argument("synapse '" + given.name + "': its alignment is another connection's");
  connections_.push_back(std::move(connection));
}

int Network::layer_index(const std::string& name) const {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (layers_[i].layer.name == name) return static_cast<int>(i);
  throw std::invalid_argument("layer '" + name + "' is not one of " +
                              quoted_names(layers_, [](const Neurons& n) { return n.layer.name; }));
}

const Parameter& Network::parameter(const std::string& name) const {
  for (const Parameter& parameter : parameters())
    if (parameter.name == name) return parameter;
  throw std::invalid_argument("parameter '" + name + "' is not one of " +
                              quoted_names(parameters(), [](const Parameter& p) { return p.name; }));
}

template <class T>
std::vector<T> Network::initial_parameters(std::uint64_t seed) const {
  std::vector<T> numbers(num_parameters());
  for (std::size_t k = 0; k < parameters().size(); ++k) {
    const Parameter& parameter = parameters()[k];
    core::Stream stream(seed, 0, k, core::Purpose::weights);
    for (long i = 0; i < parameter.size(); ++i)
      numbers[parameter.offset + i] = static_cast<T>(draw(parameter.initial, stream));
  }
  return numbers;
}

template <class T>
States<T> Network::states(int batch) const {
  States<T> result;
  for (const Neurons& neurons : layers_) {
    Shape shape = neurons.layer.shape;
    shape.insert(shape.begin(), batch);
    result.emplace_back(shape);
  }
  return result;
}

template std::vector<float> Network::initial_parameters<float>(std::uint64_t) const;
template std::vector<double> Network::initial_parameters<double>(std::uint64_t) const;
template States<float> Network::states<float>(int) const;
template States<double> Network::states<double>(int) const;

}  // namespace ham

#include "ham/uses/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace ham {
namespace {

Tensor<double> as_tensor(const core::NumericArray& array, const std::string& name) {
  Shape shape;
  for (const std::uint64_t length : array.shape) {
    if (length > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
      throw std::runtime_error(name + ": axis of " + std::to_string(length) + " elements");
    shape.push_back(static_cast<int>(length));
  }
  return {shape, std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); },
                            array.values)};
}

const Tensor<double>& need(const NamedArrays& given, const std::string& name, const Shape& expected) {
  const auto found = given.find(name);
  if (found == given.end())
    throw std::invalid_argument(fmt::format("array '{}' is missing, expected shape {}", name, text(expected)));
  if (found->second.shape != expected)
    throw std::invalid_argument(
        fmt::format("array '{}' has shape {}, expected {}", name, text(found->second.shape), text(expected)));
  return found->second;
}

Shape with_front(int length, Shape shape) {
  shape.insert(shape.begin(), length);
  return shape;
}

std::vector<double> read_parameters(const Network& network, const NamedArrays& given) {
  std::vector<double> numbers(network.num_parameters());
  for (const Parameter& parameter : network.parameters()) {
    const Tensor<double>& values = need(given, "p." + parameter.name, parameter.shape);
    std::copy(values.values.begin(), values.values.end(), numbers.begin() + parameter.offset);
  }
  return numbers;
}

// Stored under prefix.I for every layer I, the times one after the other.
void store(NamedArrays& result, const std::string& prefix, const std::vector<States<double>>& times) {
  for (std::size_t i = 0; i < times.front().size(); ++i) {
    Tensor<double>& all = result[fmt::format("{}.{}", prefix, i)];
    all.shape = with_front(static_cast<int>(times.size()), times.front()[i].shape);
    for (const States<double>& states : times)
      all.values.insert(all.values.end(), states[i].values.begin(), states[i].values.end());
  }
}

Tensor<double> row(std::vector<double> numbers) {
  const int length = static_cast<int>(numbers.size());
  return {{length}, std::move(numbers)};
}

const ArrayMeaning kMeanings[] = {
    {"p.NAME", "the parameter's", "a parameter, `p.memory.W0`; `ham describe` lists names and shapes", true},
    {"x.I", "(batch, layer shape…)", "the states of layer I, counted from 0 in the order of the model file", true},
    {"img", "(batch, image layer's shape…)",
     "optional: the state that the first clamped layer is held at, the others then start at 0", true},
    {"y", "(batch)", "optional: labels 0, 1, …", true},
    {"g.I", "(batch, layer shape…)", "activations at x", false},
    {"dEdg.I", "(batch, layer shape…)", "∂E/∂g = x − I − Σ ∂F/∂g at x", false},
    {"E_layer", "(layers, batch)", "energies (x − I)·g − L(x − b) of the layers at x", false},
    {"E_syn", "(connections, batch)", "energies −F of the connections at x, in the order of the model file", false},
    {"E", "(batch)", "their sum", false},
    {"free.I", "(depth + 1, batch, layer shape…)", "states of the descent from x with nothing clamped", false},
    {"free.E", "(depth + 1, batch)", "its energies", false},
    {"run.I", "(depth + 1, batch, layer shape…)", "states of the model's own descent, from img (from x without one)",
     false},
    {"probs", "(batch, readout's shape…)", "the readout's activations at its end", false},
    {"loss", "one number", "with y: the loss that training lowers", false},
    {"grad.NAME", "the parameter's", "with y: its gradient, through time", false}};

}  // namespace

std::span<const ArrayMeaning> array_meanings() { return kMeanings; }

NamedArrays in_double(const core::NamedArrays& arrays) {
  NamedArrays tensors;
  for (const auto& [name, array] : arrays) tensors.emplace(name, as_tensor(array, name));
  return tensors;
}

NamedArrays given_of(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                     std::span<const int> labels) {
  const Network& network = model.network;
  if (model.clamped.empty()) throw std::invalid_argument(model.name + ": clamps no layer to show images to");
  const int image = network.layer_index(model.clamped[0]), batch = images.shape.at(0);
  NamedArrays given;
  for (const Parameter& parameter : network.parameters()) {
    const auto part = weights.subspan(parameter.offset, parameter.size());
    given["p." + parameter.name] = Tensor<double>(parameter.shape, std::vector<double>(part.begin(), part.end()));
  }
  const Shape shape = with_front(batch, network.layers()[image].layer.shape);
  if (count(shape) != images.size())
    throw std::invalid_argument(
        fmt::format("images of shape {}, the image layer takes {}", text(images.shape), text(shape)));
  given["img"] = Tensor<double>(shape, std::vector<double>(images.values.begin(), images.values.end()));
  given["y"] = row(std::vector<double>(labels.begin(), labels.end()));
  Engine<double> engine(network, {.clamped = model.clamped});
  engine.set_parameters(read_parameters(network, given));
  States<double> states = network.states<double>(batch);
  states[image] = given["img"];
  descend(engine, states, model.readout.descent);
  for (std::size_t i = 0; i < states.size(); ++i) given[fmt::format("x.{}", i)] = std::move(states[i]);
  return given;
}

NamedArrays inspect(const Model& model, const NamedArrays& given) {
  const Network& network = model.network;
  const auto& layers = network.layers();
  const auto first = given.find("x.0");
  if (first == given.end() || first->second.shape.empty())
    throw std::invalid_argument("array 'x.0' is missing, expected (batch, layer shape)");
  const int batch = first->second.shape[0];
  States<double> x;
  for (std::size_t i = 0; i < layers.size(); ++i)
    x.push_back(need(given, fmt::format("x.{}", i), with_front(batch, layers[i].layer.shape)));
  const std::vector<double> parameters = read_parameters(network, given);

  NamedArrays result;
  Engine<double> free(network, {});
  free.set_parameters(parameters);
  const Evaluation<double> now = evaluate(free, x);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    result[fmt::format("g.{}", i)] = now.activations[i];
    result[fmt::format("dEdg.{}", i)] = now.gradients[i];
  }
  result["E_layer"] = now.energies.layers;
  result["E_syn"] = now.energies.connections;
  result["E"] = row(now.energies.total());

  Trace<double> trace;
  States<double> moving = x;
  descend(free, moving, model.readout.descent, nullptr, &trace);
  store(result, "free", trace.states);
  Tensor<double>& energies = result["free.E"];
  energies.shape = {static_cast<int>(trace.energies.size()), batch};
  for (const EnergyTable<double>& table : trace.energies) {
    const std::vector<double> total = table.total();
    energies.values.insert(energies.values.end(), total.begin(), total.end());
  }

  States<double> start = x;
  if (given.contains("img")) {
    if (model.clamped.empty()) throw std::invalid_argument("array 'img' is given, but the model clamps no layer");
    start = network.states<double>(batch);
    const int clamped = network.layer_index(model.clamped[0]);
    start[clamped] = need(given, "img", with_front(batch, layers[clamped].layer.shape));
  }
  Engine<double> engine(network, {.clamped = model.clamped, .training = true});
  engine.set_parameters(parameters);
  moving = start;
  descend(engine, moving, model.readout.descent, nullptr, &trace);
  store(result, "run", trace.states);
  result["probs"] = evaluate(engine, moving).activations[network.layer_index(model.readout.layer)];
  if (!given.contains("y")) return result;

  const Tensor<double>& y = need(given, "y", {batch});
  const std::vector<int> labels(y.values.begin(), y.values.end());
  Backpropagation<double> backpropagation(engine, model.readout);
  const int classes = static_cast<int>(result["probs"].size() / batch);
  for (const int label : labels)
    if (label < 0 || label >= classes)
      throw std::invalid_argument(fmt::format("array 'y' has label {}, expected 0 to {}", label, classes - 1));
  result["loss"] = Tensor<double>(Shape{}, backpropagation.run(start, smoothed_cross_entropy<double>(labels, classes)));
  for (const Parameter& parameter : network.parameters()) {
    const auto part = backpropagation.gradient().subspan(parameter.offset, parameter.size());
    result["grad." + parameter.name] = Tensor<double>(parameter.shape, std::vector<double>(part.begin(), part.end()));
  }
  return result;
}

}  // namespace ham

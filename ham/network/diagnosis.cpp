#include "ham/network/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "core/numbers.h"

namespace ham {
namespace {

/// What a layer's activations are good for as a readout.
enum class Readable { probabilities, positive, neither };

Readable readable(const Layer& layer) {
  const Lagrangian& lagrangian = layer.lagrangian;
  const bool one_run = lagrangian.axis == Lagrangian::kWhole || layer.shape.size() == 1 ||
                       std::ranges::count_if(layer.shape, [](int length) { return length > 1; }) <= 1;
  if (lagrangian.name == "softmax") return one_run ? Readable::probabilities : Readable::positive;
  return lagrangian.name == "sigmoid" ? Readable::positive : Readable::neither;
}

const std::string& name_of(const Network& network, int layer) { return network.layers()[layer].layer.name; }

}  // namespace

std::vector<int> steps_from(const Network& network, int from) {
  std::vector<int> steps(network.layers().size(), -1);
  std::deque<int> next{from};
  steps[from] = 0;
  for (; !next.empty(); next.pop_front())
    for (const Network::Connection& connection : network.connections()) {
      if (!std::ranges::count(connection.layers, next.front())) continue;
      for (const int layer : connection.layers)
        if (steps[layer] < 0) {
          steps[layer] = steps[next.front()] + 1;
          next.push_back(layer);
        }
    }
  return steps;
}

std::vector<Finding> diagnose(const Model& model) {
  std::vector<Finding> found;
  const auto say = [&](Finding::Weight weight, std::string text) { found.push_back({weight, std::move(text)}); };
  constexpr auto kError = Finding::Weight::error, kWarning = Finding::Weight::warning;
  const Network& network = model.network;
  const int depth = model.readout.descent.depth, readout = network.layer_index(model.readout.layer);
  if (model.clamped.empty()) {
    say(kError, "no layer is clamped, so there is none to show images to; name it in dynamics: clamped = [\"…\"]");
    return found;
  }
  const int image = network.layer_index(model.clamped[0]);
  if (std::ranges::count(model.clamped, model.readout.layer))
    say(kError, fmt::format("the readout '{}' is clamped and would tell what it was given", model.readout.layer));

  const std::vector<int> from_image = steps_from(network, image), to_readout = steps_from(network, readout);
  if (from_image[readout] < 0)
    say(kError, fmt::format("no way leads from the image layer '{}' to the readout '{}'; a synapse has to join them",
                            name_of(network, image), name_of(network, readout)));
  else if (from_image[readout] > depth)
    say(kError, fmt::format("the image '{}' takes {} steps to reach the readout '{}', the descent has {}; depth = {} "
                            "would do",
                            name_of(network, image), from_image[readout], name_of(network, readout), depth,
                            from_image[readout]));

  for (const Network::Neurons& neurons : network.layers()) {
    const double rate = model.readout.descent.time_step / neurons.layer.time_constant;
    const bool moves = !std::ranges::count(model.clamped, neurons.layer.name);
    if (moves && rate > 2)
      say(kError,
          fmt::format("layer '{}' overshoots: its state changes by time_step/tau = {} > 2 of the way in a step "
                      "and grows without bound; take a time_step of at most {}",
                      neurons.layer.name, core::number_text(rate), core::number_text(neurons.layer.time_constant)));
  }
  const Layer& told = network.layers()[readout].layer;
  if (const Readable how = readable(told); how != Readable::probabilities)
    say(how == Readable::neither ? kError : kWarning,
        fmt::format("the readout '{}' has the Lagrangian '{}', whose activations are no probabilities of one class; "
                    "softmax over the whole layer gives some",
                    told.name, told.lagrangian.name));
  for (const Network::Connection& connection : network.connections()) {
    const bool has_say = std::ranges::any_of(
        connection.layers, [&](int layer) { return to_readout[layer] >= 0 && to_readout[layer] < depth; });
    if (!has_say)
      say(kWarning,
          fmt::format("synapse '{}' is too far from the readout '{}' to have a say in it within {} steps; its "
                      "parameters will not train",
                      connection.name, told.name, depth));
  }
  return found;
}

std::vector<Finding> diagnose(const DataSet& data) {
  std::vector<long> training(static_cast<std::size_t>(data.classes)), test = training;
  for (const int label : data.train.labels) ++training[static_cast<std::size_t>(label)];
  for (const int label : data.test.labels) ++test[static_cast<std::size_t>(label)];
  std::string missing;
  int absent = 0;
  for (std::size_t label = 0; label < training.size(); ++label)
    if (training[label] == 0) {
      ++absent;
      if (absent <= 8) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", label);
    }
  if (absent == 0) return {};
  if (absent == 1 && training[0] == 0 && test[0] == 0)
    return {
        {Finding::Weight::warning,
         fmt::format("{}: no image has label 0, so labels seem to count from 1; subtract 1 from them, or a class is "
                     "trained that does not exist",
                     data.name)}};
  return {{Finding::Weight::warning, fmt::format("{}: no training image has label {}{}; {} classes would be trained",
                                                 data.name, missing, absent > 8 ? ", …" : "", data.classes)}};
}

}  // namespace ham

#include "ham/uses/predict.h"

#include <algorithm>
#include <stdexcept>

#include "ham/uses/retrieval.h"

namespace ham {
namespace {

constexpr long kAtOnce = 400;  // samples

/// Columns first … first + rows − 1 of a table.
void put_columns(Tensor<float>& table, const Tensor<float>& part, long first) {
  const long all = table.shape[1], rows = part.shape[1];
  for (long i = 0; i < table.shape[0]; ++i)
    std::copy_n(part.values.begin() + i * rows, rows, table.values.begin() + i * all + first);
}

void put_rows(Tensor<float>& all, const Tensor<float>& part, long first) {
  const long size = part.size() / part.shape[0];
  std::ranges::copy(part.values, all.values.begin() + first * size);
}

}  // namespace

Prediction predict(const Model& model, std::span<const float> weights, const Tensor<float>& images, int threads) {
  const Network& network = model.network;
  if (model.clamped.empty()) throw std::invalid_argument(model.name + ": clamps no layer to show images to");
  const int image = network.layer_index(model.clamped[0]), readout = network.layer_index(model.readout.layer);
  const long count = images.shape.at(0), size = ham::count(network.layers()[image].layer.shape);
  if (images.size() != count * size)
    throw std::invalid_argument(model.name + ": images of " + std::to_string(count == 0 ? 0 : images.size() / count) +
                                " numbers, its image layer has " + std::to_string(size));
  Engine<float> engine(network, {.clamped = model.clamped, .threads = threads});
  engine.set_parameters(weights);

  const int all = static_cast<int>(count),
            classes = static_cast<int>(ham::count(network.layers()[readout].layer.shape));
  Prediction result{Tensor<float>({all, classes}), {}, {}, network.states<float>(all)};
  result.energies.layers = Tensor<float>({static_cast<int>(network.layers().size()), all});
  result.energies.connections = Tensor<float>({static_cast<int>(network.connections().size()), all});
  for (long first = 0; first < count; first += kAtOnce) {
    const long rows = std::min(kAtOnce, count - first);
    States<float> states = network.states<float>(static_cast<int>(rows));
    std::copy_n(images.values.begin() + first * size, rows * size, states[image].values.begin());
    descend(engine, states, model.readout.descent);
    const Evaluation<float> found = evaluate(engine, states);
    put_rows(result.probabilities, found.activations[readout], first);
    put_columns(result.energies.layers, found.energies.layers, first);
    put_columns(result.energies.connections, found.energies.connections, first);
    for (std::size_t i = 0; i < states.size(); ++i) put_rows(result.states[i], states[i], first);
  }
  result.classes = largest(result.probabilities);
  return result;
}

}  // namespace ham

#include "ham/retrieval.h"

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <stdexcept>

#include "core/random.h"

namespace ham {
namespace {

constexpr std::uint64_t kRetrieval = 0;  // configuration of the streams of starting noise

struct Layers {
  int image, label;
  explicit Layers(const Model& model) : label(model.network.layer_index(model.readout.layer)) {
    if (model.clamped.empty()) throw std::invalid_argument(model.name + ": clamps no layer, so none shows images");
    image = model.network.layer_index(model.clamped[0]);
  }
};

std::vector<float> sharpened(const Network& network, std::span<const float> weights, double factor) {
  std::vector<float> colder(weights.begin(), weights.end());
  if (static_cast<long>(colder.size()) != network.num_parameters())
    throw std::invalid_argument("retrieval: another number of weights than the network has parameters");
  for (const Parameter& parameter : network.parameters())
    if (parameter.name.ends_with(".beta_hid"))
      for (long i = 0; i < parameter.size(); ++i) colder[parameter.offset + i] *= static_cast<float>(factor);
  return colder;
}

void add_noise(const RetrievalOptions& options, Tensor<float>& images) {
  const long samples = images.shape[0], size = images.size() / samples;
  for (long sample = 0; sample < samples; ++sample) {
    core::Stream stream(options.seed, kRetrieval, static_cast<std::uint64_t>(sample), core::Purpose::data);
    boost::random::normal_distribution<double> normal(0, options.noise);
    for (long i = 0; i < size; ++i) images.values[sample * size + i] = static_cast<float>(normal(stream));
  }
}

void append(const Trace<float>& trace, std::size_t from, Tensor<float>& energies) {
  for (std::size_t time = from; time < trace.energies.size(); ++time) {
    const std::vector<float> total = trace.energies[time].total();
    energies.values.insert(energies.values.end(), total.begin(), total.end());
  }
}

/// The first steps, then on to rest; both keep to the model's step in time.
Retrieved retrieve(Engine<float>& engine, const Model& model, const Layers& layers, States<float>& states,
                   const States<float>* free, const RetrievalOptions& options) {
  Retrieved found;
  Trace<float> trace{.keep_states = false};
  Descent descent = model.readout.descent;
  descent.depth = options.steps;
  descent.tolerance = options.tolerance;
  found.steps = descend(engine, states, descent, free, &trace);
  found.after_steps = states[layers.image];
  append(trace, 0, found.energies);
  descent.depth = options.most_steps - options.steps;
  const std::vector<int> more = descend(engine, states, descent, free, &trace);
  append(trace, 1, found.energies);
  for (std::size_t i = 0; i < more.size(); ++i) found.steps[i] += more[i];
  found.at_rest = states[layers.image];
  found.labels = evaluate(engine, states).activations[layers.label];
  const int samples = found.at_rest.shape[0];
  found.energies.shape = {static_cast<int>(found.energies.size() / samples), samples};
  return found;
}

}  // namespace

Retrieved dream(const Model& model, std::span<const float> weights, const RetrievalOptions& options) {
  // e^{−30} is below float's rounding of 1, whatever the label layer's own β has become, so long as it is not small.
  constexpr float kCertain = 30;
  const Layers layers(model);
  const auto classes = static_cast<int>(count(model.network.layers()[layers.label].layer.shape));
  Engine<float> engine(model.network, {.clamped = {model.readout.layer}, .threads = options.threads});
  engine.set_parameters(sharpened(model.network, weights, options.sharpening));
  States<float> states = model.network.states<float>(classes);
  for (int label = 0; label < classes; ++label) states[layers.label].values[label * (classes + 1)] = kCertain;
  add_noise(options, states[layers.image]);
  return retrieve(engine, model, layers, states, nullptr, options);
}

Retrieved complete(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                   std::span<const std::uint8_t> known, const RetrievalOptions& options) {
  const Layers layers(model);
  States<float> states = model.network.states<float>(images.shape.at(0)), free = states;
  Tensor<float>& image = states[layers.image];
  const auto size = static_cast<long>(known.size());
  if (image.size() != images.size() || size * images.shape[0] != images.size())
    throw std::invalid_argument("retrieval: images or mask of another size than the layer '" + model.clamped[0] + "'");
  Engine<float> engine(model.network, {.threads = options.threads});
  engine.set_parameters(sharpened(model.network, weights, options.sharpening));
  for (Tensor<float>& layer : free) std::ranges::fill(layer.values, 1.f);
  add_noise(options, image);
  for (long i = 0; i < images.size(); ++i)
    if (known[i % size]) image.values[i] = images.values[i], free[layers.image].values[i] = 0;
  return retrieve(engine, model, layers, states, &free, options);
}

std::vector<int> recognise(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                           int threads) {
  const Layers layers(model);
  Engine<float> engine(model.network, {.clamped = model.clamped, .threads = threads});
  engine.set_parameters(weights);
  States<float> states = model.network.states<float>(images.shape.at(0));
  states[layers.image].values = images.values;
  return largest(respond(engine, states, model.readout.descent, layers.label));
}

std::vector<int> largest(const Tensor<float>& rows) {
  const long count = rows.shape.at(0), length = rows.size() / count;
  std::vector<int> found(count);
  for (long row = 0; row < count; ++row) {
    const auto begin = rows.values.begin() + row * length;
    found[row] = static_cast<int>(std::max_element(begin, begin + length) - begin);
  }
  return found;
}

}  // namespace ham

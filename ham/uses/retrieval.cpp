#include "ham/uses/retrieval.h"

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <stdexcept>

#include "core/random.h"

namespace ham {
namespace {

constexpr std::uint64_t kNoise = 0;  // configuration of its streams

struct Layers {
  int image, label;
  explicit Layers(const Model& model) : label(model.network.layer_index(model.readout.layer)) {
    if (model.clamped.empty()) throw std::invalid_argument(model.name + ": clamps no layer, so none shows images");
    image = model.network.layer_index(model.clamped[0]);
  }
};

bool is_hidden_beta(const Parameter& parameter) { return parameter.name.ends_with(".beta_hid"); }

std::vector<double> sharpened(const Network& network, std::span<const float> weights, double factor) {
  std::vector<double> colder(weights.begin(), weights.end());
  if (static_cast<long>(colder.size()) != network.num_parameters())
    throw std::invalid_argument("retrieval: another number of weights than the network has parameters");
  for (const Parameter& parameter : network.parameters())
    if (is_hidden_beta(parameter))
      for (long i = 0; i < parameter.size(); ++i) colder[parameter.offset + i] *= factor;
  return colder;
}

template <class To, class From>
Tensor<To> as(const Tensor<From>& tensor) {
  return {tensor.shape, std::vector<To>(tensor.values.begin(), tensor.values.end())};
}

void append(const Trace<double>& trace, std::size_t from, Tensor<double>& energies) {
  for (std::size_t time = from; time < trace.energies.size(); ++time) {
    const std::vector<double> total = trace.energies[time].total();
    energies.values.insert(energies.values.end(), total.begin(), total.end());
  }
}

/// The images as they are, parts that are held as they are driven.
Tensor<float> recalled(const Evaluation<double>& now, const States<double>& states, const States<double>* free,
                       int layer) {
  Tensor<float> image = as<float>(states[layer]);
  if (!free) return image;
  for (long i = 0; i < image.size(); ++i)
    if ((*free)[layer].values[i] == 0) image.values[i] -= static_cast<float>(now.gradients[layer].values[i]);
  return image;
}

/// The first steps, then on to rest; both keep to the model's step in time.
Retrieved retrieve(Engine<double>& engine, const Model& model, const Layers& layers, States<double>& states,
                   const States<double>* free, const RetrievalOptions& options) {
  Retrieved found;
  Trace<double> trace{.keep_states = false};
  Descent descent = model.readout.descent;
  descent.depth = options.steps;
  found.steps = descend(engine, states, descent, free, &trace);
  found.after_steps = recalled(evaluate(engine, states), states, free, layers.image);
  append(trace, 0, found.energies);
  // A traced descent runs to its depth: go on in short ones until all are at rest.
  constexpr int kLeg = 32;
  descent.depth = kLeg;
  descent.tolerance = options.tolerance;
  for (int leg = kLeg; leg == kLeg && *std::ranges::max_element(found.steps) < options.most_steps;) {
    const std::vector<int> more = descend(engine, states, descent, free, &trace);
    append(trace, 1, found.energies);
    for (std::size_t i = 0; i < more.size(); ++i) found.steps[i] += more[i];
    leg = *std::ranges::max_element(more);
  }
  const Evaluation<double> rest = evaluate(engine, states);
  found.at_rest = recalled(rest, states, free, layers.image);
  found.labels = as<float>(rest.activations[layers.label]);
  const int samples = found.at_rest.shape[0];
  found.energies.shape = {static_cast<int>(found.energies.size() / samples), samples};
  return found;
}

}  // namespace

bool can_be_cooled(const Network& network) { return std::ranges::any_of(network.parameters(), is_hidden_beta); }

Retrieved dream(const Model& model, std::span<const float> weights, const RetrievalOptions& options) {
  // e^{−40} is below the rounding of 1, unless training made the label layer's β small.
  constexpr double kCertain = 40;
  const Layers layers(model);
  const auto classes = static_cast<int>(count(model.network.layers()[layers.label].layer.shape));
  Engine<double> engine(model.network, {.clamped = {model.readout.layer}, .threads = options.threads});
  engine.set_parameters(sharpened(model.network, weights, options.sharpening));
  States<double> states = model.network.states<double>(classes);
  for (int label = 0; label < classes; ++label) states[layers.label].values[label * (classes + 1)] = kCertain;
  states[layers.image] = as<double>(with_noise(as<float>(states[layers.image]), options.noise, options.seed));
  return retrieve(engine, model, layers, states, nullptr, options);
}

Retrieved complete(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                   std::span<const std::uint8_t> known, const RetrievalOptions& options) {
  const Layers layers(model);
  States<double> states = model.network.states<double>(images.shape.at(0)), free = states;
  Tensor<double>& image = states[layers.image];
  const auto size = static_cast<long>(known.size());
  if (image.size() != images.size() || size * images.shape[0] != images.size())
    throw std::invalid_argument("retrieval: images or mask of another size than the layer '" + model.clamped[0] + "'");
  Engine<double> engine(model.network, {.threads = options.threads});
  engine.set_parameters(sharpened(model.network, weights, options.sharpening));
  for (Tensor<double>& layer : free) std::ranges::fill(layer.values, 1.);
  image = as<double>(with_noise(as<float>(image), options.noise, options.seed));
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

Tensor<float> with_noise(Tensor<float> images, double deviation, std::uint64_t seed) {
  const long samples = images.shape.at(0), size = images.size() / samples;
  for (long sample = 0; sample < samples; ++sample) {
    core::Stream stream(seed, kNoise, static_cast<std::uint64_t>(sample), core::Purpose::data);
    boost::random::normal_distribution<double> normal;
    for (long i = 0; i < size; ++i) images.values[sample * size + i] += static_cast<float>(deviation * normal(stream));
  }
  return images;
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

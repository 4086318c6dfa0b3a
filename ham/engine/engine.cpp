#include "ham/engine/engine.h"

#include <algorithm>
#include <stdexcept>

#include "core/parallel.h"

namespace ham {

template <class T>
Engine<T>::Engine(const Network& network, EngineOptions options)
    : options_(std::move(options)),
      plan_(network, options_.clamped, options_.state_gradients),
      packed_(nullptr, [](T*) {}) {
  if (options_.threads < 1 || options_.lane_rows < 1)
    throw std::invalid_argument("engine: threads and lane_rows are at least 1");
  constants_.numbers.assign(plan_.num_constants, T(0));
  constants_.packed.assign(network.graph().nodes().size(), {});
  for (int i = 0; i < options_.threads; ++i) lanes_.emplace_back(plan_, options_.lane_rows, options_.training);
}

template <class T>
void Engine<T>::set_parameters(std::span<const T> numbers) {
  if (static_cast<long>(numbers.size()) != network().num_parameters())
    throw std::invalid_argument("engine: " + std::to_string(numbers.size()) + " parameters given, the network has " +
                                std::to_string(network().num_parameters()));
  std::copy(numbers.begin(), numbers.end(), constants_.numbers.begin());
  parameters_changed();
}

template <class T>
void Engine<T>::parameters_changed() {
  plan_.constants_forward(constants_.numbers.data(), options_.threads);
  pack();
}

template <class T>
void Engine<T>::pack() {
  struct Packing {
    Product<T> products;
    int weights, turned;
    long begin;
  };
  const Kernels<T>& loops = kernels<T>();
  std::vector<Packing> all;
  long numbers = 0;
  for (const int node : plan_.packed)
    for (const int turned : {0, 1}) {
      const Node& map = network().graph().nodes()[node];
      const T* w = constants_.numbers.data() + plan_.offset[map.inputs[1]];
      const Product<T> products = std::get<Linear>(map.operation).products_with(w, turned != 0);
      all.push_back({products, map.inputs[1], turned, numbers});
      numbers += loops.packed_count(products.k, products.n);
    }
  if (packed_for_ != &loops) packed_ = zeros<T>(numbers);
  packed_for_ = &loops;
  core::parallel_for(all.size(), options_.threads, [&](std::size_t i, int) {
    T* const to = packed_.get() + all[i].begin;
    loops.pack(all[i].products, to);
    constants_.packed[all[i].weights][all[i].turned] = to;
  });
}

template <class T>
void Engine<T>::for_each_lane(long batch, const std::function<void(const Share&)>& body,
                              const std::function<void(long, long)>& after_wave) {
  if (packed_for_ != &kernels<T>()) pack();
  const long lanes = num_lanes(batch);
  for (long begin = 0; begin < lanes; begin += options_.threads) {
    const long wave = std::min<long>(options_.threads, lanes - begin);
    const auto run = [&](std::size_t slot, int) {
      const long index = begin + static_cast<long>(slot), first = index * options_.lane_rows;
      body({lanes_[slot], static_cast<int>(slot), index, first, std::min<long>(options_.lane_rows, batch - first)});
    };
    if (wave == 1)
      run(0, 0);
    else
      core::parallel_for(wave, static_cast<int>(wave), run);
    if (after_wave) after_wave(begin, wave);
  }
}

template <class T>
long Engine<T>::batch_of(const States<T>& states) const {
  const auto& layers = network().layers();
  if (states.size() != layers.size())
    throw std::invalid_argument("states: " + std::to_string(states.size()) + " arrays given, the network has " +
                                std::to_string(layers.size()) + " layers");
  const long batch = states.empty() || states[0].shape.empty() ? 0 : states[0].shape[0];
  for (std::size_t i = 0; i < states.size(); ++i) {
    Shape expected = layers[i].layer.shape;
    expected.insert(expected.begin(), static_cast<int>(batch));
    if (states[i].shape != expected || states[i].size() != count(expected) || batch < 1)
      throw std::invalid_argument("states of layer '" + layers[i].layer.name + "': shape " + text(states[i].shape) +
                                  ", expected " + text(expected));
  }
  return batch;
}

template <class T>
void point_at(const States<T>& states, long first, std::vector<const T*>& pointers) {
  pointers.resize(states.size());
  for (std::size_t i = 0; i < states.size(); ++i)
    pointers[i] = states[i].values.data() + first * (states[i].size() / states[i].shape[0]);
}

template <class T>
void point_at(States<T>& states, long first, std::vector<T*>& pointers) {
  pointers.resize(states.size());
  for (std::size_t i = 0; i < states.size(); ++i)
    pointers[i] = states[i].values.data() + first * (states[i].size() / states[i].shape[0]);
}

template class Engine<float>;
template class Engine<double>;
template void point_at(const States<float>&, long, std::vector<const float*>&);
template void point_at(const States<double>&, long, std::vector<const double*>&);
template void point_at(States<float>&, long, std::vector<float*>&);
template void point_at(States<double>&, long, std::vector<double*>&);

}  // namespace ham

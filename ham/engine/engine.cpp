#include "ham/engine/engine.h"

#include <algorithm>
#include <stdexcept>

#include "core/parallel.h"

namespace ham {

template <class T>
Engine<T>::Engine(const Network& network, EngineOptions options)
    : options_(std::move(options)),
      program_(network, {options_.clamped, options_.state_gradients}),
      packed_(nullptr, [](T*) {}),
      whole_(program_, options_.training),
      lane_gradients_(nullptr, [](T*) {}) {
  if (options_.threads < 1 || options_.lane_rows < 0)
    throw std::invalid_argument("engine: threads is at least 1 and lane_rows at least 0");
  if (options_.lane_rows == 0) options_.lane_rows = program_.lane_rows();
  constants_.numbers.assign(program_.num_constants, T(0));
  constants_.packed.assign(network.graph().nodes().size(), {});
  for (int i = 0; i < options_.threads; ++i) lanes_.emplace_back(program_, options_.lane_rows, options_.training);
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
  run_parameters(program_.parameters, nullptr);
  pack();
}

// Instructions of scope parameters: forward, or with a gradient in reverse.
template <class T>
void Engine<T>::run_parameters(const Instructions& instructions, T* gradient) {
  const std::vector<Node>& nodes = network().graph().nodes();
  const auto operand = [&](int node) {
    Operand<T> result;
    result.x.value = constants_.numbers.data() + program_.slots[node].offset;
    if (gradient != nullptr) result.bar.value = gradient + program_.slots[node].offset;
    result.count = nodes[node].size;
    return result;
  };
  for (const Instruction& instruction : instructions) {
    const Node& node = nodes[instruction.target];
    Frame<T> frame;
    frame.rows = 1;
    frame.threads = options_.threads;
    frame.out = operand(instruction.target);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      frame.in[k] = operand(node.inputs[k]);
      frame.in[k].fresh = (instruction.fresh >> k & 1) != 0;
    }
    gradient == nullptr ? ham::forward(node.operation, frame) : ham::reverse(node.operation, frame);
  }
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
  for (const int node : program_.packed)
    for (const int turned : {0, 1}) {
      const Node& map = network().graph().nodes()[node];
      const T* w = constants_.numbers.data() + program_.slots[map.inputs[1]].offset;
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
void Engine<T>::keep(const Unrolled& unrolled) {
  for (Lane<T>& lane : lanes_) lane.remember(static_cast<int>(unrolled.steps.size()));
  whole_.store(unrolled);
}

template <class T>
void Engine<T>::run_lanes(long batch, bool training, const LaneBody& body) {
  core::parallel_for(num_lanes(batch), options_.threads, [&](std::size_t lane, int thread) {
    const auto index = static_cast<long>(lane);
    const long first = index * options_.lane_rows, rows = std::min<long>(options_.lane_rows, batch - first);
    lanes_[thread].take(first, rows, constants_, whole_.arrays(), training ? lane_gradient(index) : nullptr);
    body({lanes_[thread], thread, index, first, rows});
  });
}

template <class T>
void Engine<T>::for_each_lane(const States<T>& states, const LaneBody& body, bool training) {
  if (packed_for_ != &kernels<T>()) pack();
  const long batch = batch_of(states);
  whole_.take(batch);
  if (training && num_lanes(batch) > lanes_room_) {
    lanes_room_ = num_lanes(batch);
    lane_gradients_ = zeros<T>(lanes_room_ * program_.num_collected);
  }
  const auto activate = [&](const Share& share) {
    std::vector<const T*> x;
    point_at(states, share.first, x);
    for (const Instruction& instruction : program_.batch)
      if (instruction.act == Act::activate) share.lane.activate(instruction.target, x[instruction.target]);
  };
  const bool products = std::ranges::any_of(program_.batch, [](const auto& i) { return i.act == Act::forward; });
  if (products) {
    run_lanes(batch, false, activate);
    whole_.forward(constants_, options_.threads);
  }
  run_lanes(batch, training, [&](const Share& share) {
    if (!products) activate(share);
    body(share);
  });
}

template <class T>
void Engine<T>::finish_reverse(const Unrolled& unrolled, const States<T>& states, States<T>* state_gradients,
                               T* gradient) {
  const long batch = batch_of(states), lanes = num_lanes(batch);
  whole_.reverse(unrolled, constants_, options_.threads);
  if (!unrolled.finish.empty())
    run_lanes(batch, true, [&](const Share& share) {
      std::vector<const T*> x;
      std::vector<T*> x_bar(states.size(), nullptr);
      point_at(states, share.first, x);
      if (state_gradients != nullptr) point_at(*state_gradients, share.first, x_bar);
      for (const auto& [act, layer, fresh] : unrolled.finish) share.lane.finish(layer, x[layer], x_bar[layer]);
    });
  // Lanes in order, whatever thread has them.
  for (const Slot& slot : program_.slots) {
    if (slot.collected < 0) continue;
    core::for_each_chunk(slot.size, options_.threads, [&](std::size_t, std::size_t at, std::size_t numbers) {
      T* const total = gradient + slot.offset + at;
      for (long lane = 0; lane < lanes; ++lane)
        kernels<T>().repeat_add({1, 1, static_cast<long>(numbers)}, lane == 0 ? nullptr : total,
                                lane_gradient(lane) + slot.collected + at, total);
    });
  }
  whole_.gradients(unrolled, constants_, gradient, options_.threads);
  run_parameters(unrolled.parameters_reverse, gradient);
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

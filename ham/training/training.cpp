#include "ham/training/training.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/parallel.h"

namespace ham {

template <class T>
Loss<T> smoothed_cross_entropy(std::span<const int> labels, int classes) {
  return [labels, classes](long first, long rows, const T* g, T* g_bar) {
    const double scale = 1 / static_cast<double>(labels.size()), whole = 1 + kLeastProbability * classes;
    double total = 0;
    for (long row = 0; row < rows; ++row)
      for (int c = 0; c < classes; ++c) {
        const double p = static_cast<double>(g[row * classes + c]) + kLeastProbability;
        const double target = ((labels[first + row] == c) + kLabelSmoothing / classes) / (1 + kLabelSmoothing);
        total -= scale * target * std::log(p / whole);
        g_bar[row * classes + c] = static_cast<T>(-scale * target / p);
      }
    return total;
  };
}

template <class T>
Backpropagation<T>::Backpropagation(Engine<T>& engine, Readout readout)
    : engine_(engine), readout_(std::move(readout)), layer_(engine.network().layer_index(readout_.layer)) {
  if (!engine.options().training) throw std::invalid_argument("backpropagation: the engine was not made for training");
  if (readout_.descent.tolerance != 0) throw std::invalid_argument("backpropagation: the descent has a tolerance");
  if (engine.program().clamped[layer_])
    throw std::invalid_argument("backpropagation: the readout layer '" + readout_.layer + "' is clamped");
  const auto& layers = engine.network().layers();
  long moving = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!engine.program().clamped[i]) moving += count(layers[i].layer.shape);
    rates_.push_back(static_cast<T>(readout_.descent.time_step / layers[i].layer.time_constant));
  }
  // Beside depth + 1 states: their derivatives, and the loss's derivative by the readout activations.
  const long rows = engine.options().lane_rows;
  const long numbers = rows * (moving * (readout_.descent.depth + 2) + count(layers[layer_].layer.shape));
  const int threads = engine.options().threads;
  unrolled_ = engine.program().unroll(layer_, readout_.descent.depth);
  engine.keep(unrolled_);
  paths_.assign(threads, std::vector<T>(numbers));
  read_.resize(threads);
  free_rows_.resize(threads);
  bar_.resize(threads);
  state_bar_.resize(threads);
  total_.resize(engine.program().num_constants);
}

template <class T>
double Backpropagation<T>::run(const States<T>& initial, const Loss<T>& loss, const States<T>* free,
                               States<T>* state_gradients) {
  const long batch = engine_.batch_of(initial);
  if (free != nullptr && engine_.batch_of(*free) != batch)
    throw std::invalid_argument("clamping masks: another number of samples than the states");
  if (state_gradients != nullptr && engine_.batch_of(*state_gradients) != batch)
    throw std::invalid_argument("state gradients: another number of samples than the states");
  output_.shape = initial[layer_].shape;
  output_.values.resize(initial[layer_].values.size());
  losses_.assign(engine_.num_lanes(batch), 0);
  const auto run = [&](const typename Engine<T>::Share& share) {
    losses_[share.index] = run_lane(share, initial, loss, free, state_gradients);
  };
  engine_.for_each_lane(initial, run, true);
  engine_.finish_reverse(unrolled_, initial, state_gradients, total_.data());
  double sum = 0;
  for (const double part : losses_) sum += part;
  return sum;
}

template <class T>
double Backpropagation<T>::run_lane(const typename Engine<T>::Share& share, const States<T>& initial,
                                    const Loss<T>& loss, const States<T>* free, States<T>* state_gradients) {
  const auto& layers = engine_.network().layers();
  const int depth = readout_.descent.depth, thread = share.thread;
  Lane<T>& lane = share.lane;
  std::vector<const T*>&x = read_[thread], &free_rows = free_rows_[thread];
  std::vector<T*>&bar = bar_[thread], &state_bar = state_bar_[thread];
  point_at(initial, share.first, x);
  if (free != nullptr)
    point_at(*free, share.first, free_rows);
  else
    free_rows.assign(x.size(), nullptr);

  // Layer i's state at time t stands at path(i) + t·(numbers of it); its derivative after the last of them.
  T* next = paths_[thread].data();
  bar.assign(x.size(), nullptr);
  state_bar.assign(x.size(), nullptr);
  const auto size = [&](std::size_t i) { return share.rows * count(layers[i].layer.shape); };
  const auto path = [&](std::size_t i, int time) { return bar[i] - (depth + 1 - time) * size(i); };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (engine_.program().clamped[i]) continue;
    std::copy_n(x[i], size(i), next);
    bar[i] = next + (depth + 1) * size(i);
    next = bar[i] + size(i);
  }
  const auto go_to = [&](int time) {
    for (std::size_t i = 0; i < x.size(); ++i)
      if (bar[i] != nullptr) x[i] = path(i, time);
  };

  lane.begin(x, nullptr);
  for (int time = 0; time < depth; ++time) {
    go_to(time);
    lane.forces(unrolled_.steps[time], x, nullptr, time);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (bar[i] == nullptr) continue;
      T* after = path(i, time + 1);
      const bool rests = layers[i].layer.bias == Bias::input;
      const long runs = rests ? share.rows : 1, run = size(i) / runs;
      for (long k = 0; k < runs; ++k)
        kernels<T>().descend(
            run, rates_[i], lane.force(static_cast<int>(i)) + k * run, rests ? lane.bias(static_cast<int>(i)) : nullptr,
            free_rows[i] == nullptr ? nullptr : free_rows[i] + k * run, x[i] + k * run, after + k * run);
    }
  }

  go_to(depth);
  lane.begin_reverse();
  lane.activate(layer_, x[layer_]);
  const long outputs = size(layer_);
  std::copy_n(lane.activation(layer_), outputs, output_.values.data() + share.first * (outputs / share.rows));
  const double result = loss(share.first, share.rows, lane.activation(layer_), next);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (bar[i] != nullptr) std::fill_n(bar[i], size(i), T(0));
  lane.reverse_activation(layer_, x[layer_], next, bar[layer_]);
  for (int time = depth; time-- > 0;) {
    go_to(time);
    lane.reverse_step(unrolled_.steps[time], time, x, rates_, free_rows, bar);
  }
  if (state_gradients != nullptr) point_at(*state_gradients, share.first, state_bar);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (state_bar[i] != nullptr && bar[i] != nullptr) std::copy_n(bar[i], size(i), state_bar[i]);
  lane.end_reverse(unrolled_.lane_reverse, x);
  return result;
}

template <class T>
void AdamW<T>::step(std::span<T> parameters, std::span<const T> gradient, int threads, std::span<T> average,
                    double share) {
  if (parameters.size() != first_.size() || gradient.size() != first_.size() ||
      (!average.empty() && average.size() != first_.size()))
    throw std::invalid_argument("adamw: another number of parameters than at the start");
  ++steps_;
  const auto correction = [&](double beta) { return static_cast<T>(1 - std::pow(beta, static_cast<double>(steps_))); };
  const T correction1 = correction(options_.beta1), correction2 = correction(options_.beta2);
  core::for_each_chunk(first_.size(), threads, [&](std::size_t, std::size_t first, std::size_t size) {
    kernels<T>().adamw(static_cast<long>(size), gradient.data() + first, static_cast<T>(options_.rate),
                       static_cast<T>(options_.beta1), static_cast<T>(options_.beta2), correction1, correction2,
                       static_cast<T>(options_.epsilon), static_cast<T>(options_.weight_decay), first_.data() + first,
                       second_.data() + first, parameters.data() + first, static_cast<T>(share),
                       average.empty() ? nullptr : average.data() + first);
  });
}

template Loss<float> smoothed_cross_entropy(std::span<const int>, int);
template Loss<double> smoothed_cross_entropy(std::span<const int>, int);
template class Backpropagation<float>;
template class Backpropagation<double>;
template class AdamW<float>;
template class AdamW<double>;

}  // namespace ham

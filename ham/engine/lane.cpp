#include "ham/engine/lane.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace ham {
namespace {

bool is_leaf(const Node& node) { return std::holds_alternative<Leaf>(node.operation); }

// A frame of constant arrays.
template <class T>
Frame<T> constant_frame(const Plan& plan, int index, T* constants, T* gradient, int threads) {
  const std::vector<Node>& nodes = plan.network->graph().nodes();
  const auto operand = [&](int node) {
    Operand<T> result;
    result.x.value = constants + plan.offset[node];
    if (gradient != nullptr) result.bar.value = gradient + plan.offset[node];
    result.count = nodes[node].size;
    return result;
  };
  Frame<T> frame;
  frame.rows = 1;
  frame.threads = threads;
  frame.out = operand(index);
  for (std::size_t k = 0; k < nodes[index].inputs.size(); ++k) frame.in[k] = operand(nodes[index].inputs[k]);
  return frame;
}

}  // namespace

template <class T>
Numbers<T> zeros(long count) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, bytes);
  return {static_cast<T*>(memory), [](T* numbers) { std::free(numbers); }};
}

Plan::Plan(const Network& given, const std::vector<std::string>& clamped_layers, bool state_gradients)
    : network(&given), clamped(given.layers().size(), false) {
  const std::vector<Node>& nodes = given.graph().nodes();
  phase.resize(nodes.size(), Phase::constant);
  wanted.resize(nodes.size(), true);
  alignment.resize(nodes.size(), false);
  swept.resize(nodes.size(), false);
  boundary.resize(nodes.size(), false);
  by_tangent.resize(clamped.size(), false);
  remembered.resize(nodes.size(), false);
  offset.resize(nodes.size(), -1);
  for (const std::string& name : clamped_layers) clamped[given.layer_index(name)] = true;
  for (std::size_t i = 0; i < clamped.size(); ++i) {
    const Network::Neurons& neurons = given.layers()[i];
    phase[neurons.node] = clamped[i] ? Phase::clamped : Phase::moving;
    const bool only_beta = neurons.lagrangian.beta_input > 0 && neurons.coefficients.size() == 1 && neurons.bias < 0;
    by_tangent[i] = swept[neurons.node] = clamped[i] && !state_gradients && only_beta;
    const bool learns = !neurons.coefficients.empty() || neurons.bias >= 0;
    wanted[neurons.node] = !clamped[i] || state_gradients || (learns && !by_tangent[i]);
  }
  for (const Network::Connection& connection : given.connections()) alignment[connection.node] = true;
  for (const Parameter& parameter : given.parameters()) offset[parameter.node] = parameter.offset;
  num_constants = given.num_parameters();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_leaf(nodes[i])) continue;
    wanted[i] = false;
    for (const int input : nodes[i].inputs) {
      phase[i] = std::max(phase[i], phase[input]);
      wanted[i] = wanted[i] || wanted[input];
      alignment[input] = false;  // used by another operation: always evaluated
    }
    for (const int input : nodes[i].inputs) {
      swept[i] = swept[i] || (phase[i] == Phase::clamped && swept[input]);
      boundary[input] = boundary[input] || (phase[i] == Phase::moving && phase[input] == Phase::clamped);
    }
    if (phase[i] == Phase::constant) offset[i] = num_constants, num_constants += nodes[i].size;
  }
  constexpr int kWide = 64;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Linear* const map = std::get_if<Linear>(&nodes[i].operation);
    if (map == nullptr || phase[i] != Phase::moving || std::min(map->in, map->out) < kWide) continue;
    if (phase[nodes[i].inputs[1]] == Phase::constant) packed.push_back(static_cast<int>(i));
  }
  // What operations keep, and products with parameters as long as all of it takes no more room than the states.
  long room = 0;
  for (std::size_t i = 0; i < clamped.size(); ++i)
    if (!clamped[i]) room += nodes[given.layers()[i].node].size;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    remembered[i] = phase[i] != Phase::constant && kept_numbers(nodes[i].operation) > 0;
    if (remembered[i] && phase[i] == Phase::moving) room -= nodes[i].size + kept_numbers(nodes[i].operation);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (phase[i] != Phase::moving || alignment[i] || !std::holds_alternative<Linear>(nodes[i].operation)) continue;
    remembered[i] = nodes[i].size <= room;
    if (remembered[i]) room -= nodes[i].size;
  }
  std::vector<bool> used(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const int input : nodes[i].inputs)
      if (phase[i] != Phase::constant && phase[input] == Phase::constant) used[input] = true;
  for (const Network::Neurons& neurons : given.layers()) {
    for (const int node : neurons.coefficients) used[node] = true;
    if (neurons.bias >= 0) used[neurons.bias] = true;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (used[i]) collected.emplace_back(offset[i], nodes[i].size);
}

std::vector<std::vector<bool>> Plan::reach(int layer, int steps) const {
  const std::vector<Node>& nodes = network->graph().nodes();
  std::vector<std::vector<bool>> parts(steps);
  std::vector<bool> said(nodes.size(), false);  // the layers that have a say later, and all that they feed
  said[network->layers()[layer].node] = true;
  for (int step = steps; step-- > 0;) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (const int input : nodes[i].inputs) said[i] = said[i] || said[input];
    // What feeds an alignment that such a layer feeds.
    for (std::size_t i = nodes.size(); i-- > 0;)
      for (const int input : nodes[i].inputs) said[input] = said[input] || (said[i] && phase[input] == Phase::moving);
    parts[step] = said;
  }
  return parts;
}

template <class T>
void Plan::constants_forward(T* constants, int threads) const {
  const std::vector<Node>& nodes = network->graph().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (phase[i] != Phase::constant || is_leaf(nodes[i])) continue;
    Frame<T> frame = constant_frame<T>(*this, static_cast<int>(i), constants, nullptr, threads);
    ham::forward(nodes[i].operation, frame);
  }
}

template <class T>
void Plan::constants_reverse(T* constants, T* gradient, int threads) const {
  const std::vector<Node>& nodes = network->graph().nodes();
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (phase[i] != Phase::constant || is_leaf(nodes[i])) continue;
    Frame<T> frame = constant_frame(*this, static_cast<int>(i), constants, gradient, threads);
    ham::reverse(nodes[i].operation, frame);
  }
}

// ---- arrays ------------------------------------------------------------------------------------------------------

template <class T>
Lane<T>::Lane(const Plan& plan, long max_rows, bool training)
    : plan_(&plan), max_rows_(max_rows), memory_(nullptr, [](T*) {}) {
  const std::vector<Node>& nodes = network().graph().nodes();
  // The first pass over these loops counts, the second hands out what was counted.
  for (const bool counting : {true, false}) {
    if (!counting) memory_ = zeros<T>(reserved_);
    reserved_ = 0;
    nodes_.assign(nodes.size(), {});
    gradients_.assign(nodes.size(), {});
    shifted_.assign(network().layers().size(), nullptr);
    work_.assign(network().layers().size(), nullptr);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (plan.phase[i] == Phase::constant) continue;
      const long size = max_rows * nodes[i].size;
      Operand<T>& node = nodes_[i];
      if (!plan.remembered[i]) node.x.value = reserve(size);
      if (plan.phase[i] == Phase::clamped) {
        if (training && plan.swept[i]) node.x.tangent = reserve(size);
        if (training && (plan.wanted[i] || (plan.swept[i] && plan.boundary[i]))) gradients_[i].value = reserve(size);
        continue;
      }
      node.bar.value = reserve(size);
      if (training) node.x.tangent = reserve(size), node.bar.tangent = reserve(size);
    }
    for (std::size_t i = 0; i < network().layers().size(); ++i) {
      const Network::Neurons& neurons = network().layers()[i];
      const long size = max_rows * nodes[neurons.node].size;
      if (neurons.layer.bias == Bias::threshold) shifted_[i] = reserve(size);
      work_[i] = reserve(size);
    }
    ones_ = reserve(max_rows);
  }
  std::fill(ones_, ones_ + max_rows, T(1));
  kept_.resize(nodes.size());
  remember(1);
}

template <class T>
void Lane<T>::remember(int steps) {
  const std::vector<Node>& nodes = network().graph().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!plan_->remembered[i]) continue;
    const long rows = max_rows_ * (plan_->phase[i] == Phase::moving ? steps : 1);
    const auto grow = [&](auto& array, long size) {
      array.resize(std::max(array.size(), static_cast<std::size_t>(rows * size)));
    };
    grow(kept_[i].numbers, kept_numbers(nodes[i].operation));
    grow(kept_[i].values, nodes[i].size);
  }
}

template <class T>
T* Lane<T>::reserve(long count) {
  constexpr long kStep = 64 / sizeof(T);
  T* const at = memory_.get() == nullptr ? nullptr : memory_.get() + reserved_;
  reserved_ += (count + kStep - 1) / kStep * kStep;
  return at;
}

template <class T>
const T* Lane<T>::bias(int layer) const {
  const int node = network().layers()[layer].bias;
  return node < 0 ? nullptr : constants_->numbers.data() + plan_->offset[node];
}

// With tangents this is a pass of the reverse over time: of the derivatives by activations, parameters and hoisted
// arrays only the tangents are wanted, the derivatives of the forces.
template <class T>
Frame<T> Lane<T>::frame(int index, bool tangents) {
  const std::vector<Node>& nodes = network().graph().nodes();
  Frame<T> frame;
  frame.rows = rows_;
  const auto operand = [&](int node) {
    Operand<T> result = nodes_[node];
    result.count = nodes[node].batched ? rows_ * nodes[node].size : nodes[node].size;
    if (plan_->remembered[node]) result.x.value = kept_[node].values.data() + first_row(node) * nodes[node].size;
    if (!tangents) result.bar.tangent = nullptr;
    if (!tangents || plan_->phase[node] != Phase::moving) result.x.tangent = nullptr;
    if (plan_->phase[node] == Phase::constant) {
      result.x.value = const_cast<T*>(constants_->numbers.data()) + plan_->offset[node];  // inputs are only read
      result.packed = constants_->packed[node][0];
      result.packed_turned = constants_->packed[node][1];
    }
    if (tangents && (plan_->phase[node] != Phase::moving || is_leaf(nodes[node]))) result.bar.value = nullptr;
    if (tangents && plan_->phase[node] != Phase::moving) result.bar.tangent = gradients_[node].value;
    return result;
  };
  frame.out = operand(index);
  if (plan_->remembered[index])
    frame.kept = kept_[index].numbers.data() + first_row(index) * kept_numbers(nodes[index].operation);
  if (plan_->alignment[index]) frame.out.bar = {ones_, nullptr};
  for (std::size_t k = 0; k < nodes[index].inputs.size(); ++k) {
    frame.in[k] = operand(nodes[index].inputs[k]);
  }
  return frame;
}

template <class T>
void Lane<T>::run_forward(Phase phase, bool alignments, bool tangents, const std::vector<bool>* part) {
  const std::vector<Node>& nodes = network().graph().nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (plan_->phase[i] != phase || is_leaf(nodes[i]) || (plan_->alignment[i] && !alignments)) continue;
    if (part != nullptr && !(*part)[i]) continue;
    Frame<T> f = frame(static_cast<int>(i), tangents);
    if (tangents && plan_->remembered[i]) f.out.x.value = nullptr;
    ham::forward(nodes[i].operation, f);
  }
}

template <class T>
void Lane<T>::run_reverse(bool tangents, const std::vector<bool>* part) {
  const std::vector<Node>& nodes = network().graph().nodes();
  touched_.assign(nodes.size(), false);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (plan_->phase[i] != Phase::moving || is_leaf(nodes[i]) || (part != nullptr && !(*part)[i])) continue;
    Frame<T> f = frame(static_cast<int>(i), tangents);
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const int input = nodes[i].inputs[k];
      f.in[k].fresh = plan_->phase[input] == Phase::moving && !touched_[input];
      touched_[input] = true;
    }
    ham::reverse(nodes[i].operation, f);
  }
  for (std::size_t i = 0; i < plan_->clamped.size(); ++i) {
    const int node = network().layers()[i].node;
    if (plan_->clamped[i] || touched_[node]) continue;
    T* const force = tangents ? nodes_[node].bar.tangent : nodes_[node].bar.value;
    std::fill_n(force, rows_ * nodes[node].size, T(0));
  }
}

// ---- layers ------------------------------------------------------------------------------------------------------

template <class T>
Frame<T> Lane<T>::layer_frame(int layer, const T* x) const {
  const Network::Neurons& neurons = network().layers()[layer];
  Frame<T> frame;
  frame.rows = rows_;
  frame.in[0].x.value = const_cast<T*>(x);  // inputs are only read
  frame.in[0].count = rows_ * network().graph().nodes()[neurons.node].size;
  frame.in[0].fresh = true;
  frame.out.bar.value = ones_;
  frame.out.count = rows_;
  for (std::size_t k = 0; k < neurons.coefficients.size(); ++k) {
    Operand<T>& coefficient = frame.in[k + 1];
    coefficient.x.value = const_cast<T*>(constants_->numbers.data()) + plan_->offset[neurons.coefficients[k]];
    coefficient.count = network().graph().nodes()[neurons.coefficients[k]].size;
  }
  return frame;
}

template <class T>
void Lane<T>::activate(int layer, const T* x) {
  if (T* shifted = shifted_[layer]; shifted != nullptr) {
    const long size = network().graph().nodes()[network().layers()[layer].node].size;
    for (long i = 0; i < rows_ * size; ++i) shifted[i] = x[i] - bias(layer)[i % size];
    x = shifted;
  }
  Frame<T> frame = layer_frame(layer, x);
  frame.in[0].bar.value = nodes_[network().layers()[layer].node].x.value;
  network().layers()[layer].lagrangian.reverse(frame);
}

template <class T>
void Lane<T>::layer_energy(int layer, const T* x, T* energies) {
  Frame<T> frame = layer_frame(layer, shifted_[layer] != nullptr ? shifted_[layer] : x);
  frame.out.x.value = energies;
  network().layers()[layer].lagrangian.forward(frame);
  const long size = network().graph().nodes()[network().layers()[layer].node].size;
  const T* g = activation(layer);
  const T* rest = network().layers()[layer].layer.bias == Bias::input ? bias(layer) : nullptr;
  for (long row = 0; row < rows_; ++row) {
    T product = 0;
    for (long i = 0; i < size; ++i)
      product += (x[row * size + i] - (rest == nullptr ? T(0) : rest[i])) * g[row * size + i];
    energies[row] = product - energies[row];
  }
}

template <class T>
void Lane<T>::reverse_activation(int layer, const T* x, const T* g_bar, T* out) {
  const Network::Neurons& neurons = network().layers()[layer];
  if (shifted_[layer] != nullptr) x = shifted_[layer];
  Frame<T> frame = layer_frame(layer, x);
  frame.in[0].x.tangent = const_cast<T*>(g_bar);
  frame.in[0].bar.tangent = out;
  for (std::size_t k = 0; k < neurons.coefficients.size(); ++k)
    frame.in[k + 1].bar.tangent = gradients_[neurons.coefficients[k]].value;
  neurons.lagrangian.reverse(frame);
  if (neurons.layer.bias != Bias::threshold) return;
  const long size = network().graph().nodes()[neurons.node].size;
  T* gradient = gradients_[neurons.bias].value;
  for (long i = 0; i < rows_ * size; ++i) gradient[i % size] -= out[i];
}

// ---- passes ------------------------------------------------------------------------------------------------------

template <class T>
void Lane<T>::begin(long rows, std::span<const T* const> x, const Constants<T>& constants,
                    const Energies<T>* energies) {
  rows_ = rows;
  constants_ = &constants;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!plan_->clamped[i]) continue;
    activate(static_cast<int>(i), x[i]);
    if (energies != nullptr) layer_energy(static_cast<int>(i), x[i], energies->layers + i * energies->stride);
  }
  run_forward(Phase::clamped, energies != nullptr, false, nullptr);
}

template <class T>
void Lane<T>::forces(std::span<const T* const> x, const Energies<T>* energies, int step,
                     const std::vector<bool>* part) {
  step_ = step;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!plan_->clamped[i]) activate(static_cast<int>(i), x[i]);
  run_forward(Phase::moving, energies != nullptr, false, part);
  run_reverse(false, part);
  if (energies == nullptr) return;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!plan_->clamped[i]) layer_energy(static_cast<int>(i), x[i], energies->layers + i * energies->stride);
  for (std::size_t c = 0; c < network().connections().size(); ++c) {
    const T* alignment = nodes_[network().connections()[c].node].x.value;
    for (long row = 0; row < rows_; ++row) energies->connections[c * energies->stride + row] = -alignment[row];
  }
}

template <class T>
void Lane<T>::begin_reverse(T* gradient) {
  const std::vector<Node>& nodes = network().graph().nodes();
  for (const auto& [offset, size] : plan_->collected) std::fill_n(gradient + offset, size, T(0));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (plan_->phase[i] == Phase::constant) gradients_[i].value = gradient + plan_->offset[i];
    if (plan_->phase[i] == Phase::clamped && gradients_[i].value != nullptr)
      std::fill(gradients_[i].value, gradients_[i].value + rows_ * nodes[i].size, T(0));
  }
}

template <class T>
void Lane<T>::reverse_step(int step, const std::vector<bool>& part, std::span<const T* const> x,
                           std::span<const T> rate, std::span<const T* const> free, std::span<T* const> x_bar) {
  step_ = step;
  const std::vector<Node>& nodes = network().graph().nodes();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (plan_->clamped[i]) continue;
    const int node = network().layers()[i].node;
    const long size = rows_ * nodes[node].size;
    T* v = nodes_[node].x.tangent;
    kernels<T>().multiply_add({1, size, 1}, nullptr, x_bar[i], &rate[i], v);
    for (long k = 0; free[i] != nullptr && k < size; ++k) v[k] *= free[i][k];
    activate(static_cast<int>(i), x[i]);
  }
  run_forward(Phase::moving, false, true, &part);
  run_reverse(true, &part);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (plan_->clamped[i]) continue;
    const Network::Neurons& neurons = network().layers()[i];
    const long size = nodes[neurons.node].size;
    const T* v = nodes_[neurons.node].x.tangent;
    reverse_activation(static_cast<int>(i), x[i], nodes_[neurons.node].bar.tangent, work_[i]);
    const T kept = 1 - rate[i];  // v is rate·x̄ where all is free
    if (free[i] == nullptr)
      kernels<T>().multiply_add({1, rows_ * size, 1}, work_[i], x_bar[i], &kept, x_bar[i]);
    else
      for (long k = 0; k < rows_ * size; ++k) x_bar[i][k] += work_[i][k] - v[k];
    if (neurons.layer.bias != Bias::input) continue;
    T* gradient = gradients_[neurons.bias].value;
    for (long k = 0; k < rows_ * size; ++k) gradient[k % size] += v[k];
  }
}

// The derivative by β of a clamped layer, forward: the activation's tangent ∂g/∂β = ∇²L x/β goes through the clamped
// operations and meets the derivatives at their end. Where an image is mostly zeros so is this tangent, and products
// with it are cheap; the derivative by the activation itself is dense, and nothing else would need it.
template <class T>
void Lane<T>::sweep_beta(int layer, const T* x) {
  const std::vector<Node>& nodes = network().graph().nodes();
  const Network::Neurons& neurons = network().layers()[layer];
  Frame<T> leaf = layer_frame(layer, x);
  const T beta = *leaf.in[1].x.value;
  if (beta < static_cast<T>(Lagrangian::kMinBeta)) return;
  leaf.in[0].x.tangent = const_cast<T*>(x);  // only read
  leaf.in[0].bar.tangent = nodes_[neurons.node].x.tangent;
  neurons.lagrangian.reverse(leaf);
  T along = 0;
  std::vector<bool> moved(nodes.size(), false);
  moved[neurons.node] = true;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!plan_->swept[i]) continue;
    Frame<T> f = frame(static_cast<int>(i), false);
    f.out.x = {nullptr, nodes_[i].x.tangent};
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const int input = nodes[i].inputs[k];
      if (moved[input]) moved[i] = true, f.in[k].x.tangent = nodes_[input].x.tangent;
    }
    if (!moved[i]) continue;
    ham::forward(nodes[i].operation, f);
    if (plan_->boundary[i])
      kernels<T>().multiply_sum_add({1, rows_ * nodes[i].size, 1}, nodes_[i].x.tangent, gradients_[i].value, &along);
  }
  *gradients_[neurons.coefficients[0]].value += along / beta;
}

template <class T>
void Lane<T>::end_reverse(std::span<const T* const> x, std::span<T* const> x_bar) {
  const std::vector<Node>& nodes = network().graph().nodes();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (plan_->by_tangent[i]) sweep_beta(static_cast<int>(i), x[i]);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (plan_->phase[i] != Phase::clamped || is_leaf(nodes[i]) || !plan_->wanted[i] || plan_->alignment[i]) continue;
    Frame<T> f = frame(static_cast<int>(i), false);
    f.out.bar = gradients_[i];
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k)
      if (plan_->wanted[nodes[i].inputs[k]]) f.in[k].bar = gradients_[nodes[i].inputs[k]];
    ham::reverse(nodes[i].operation, f);
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int node = network().layers()[i].node;
    if (!plan_->clamped[i] || !plan_->wanted[node]) continue;
    reverse_activation(static_cast<int>(i), x[i], gradients_[node].value, x_bar[i] != nullptr ? x_bar[i] : work_[i]);
  }
}

template void Plan::constants_forward<float>(float*, int) const;
template void Plan::constants_forward<double>(double*, int) const;
template void Plan::constants_reverse<float>(float*, float*, int) const;
template void Plan::constants_reverse<double>(double*, double*, int) const;
template class Lane<float>;
template class Lane<double>;
template Numbers<float> zeros(long);
template Numbers<double> zeros(long);

}  // namespace ham

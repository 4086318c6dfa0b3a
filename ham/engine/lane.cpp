#include "ham/engine/lane.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace ham {

template <class T>
Numbers<T> zeros(long count) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t bytes = (static_cast<std::size_t>(count) * sizeof(T) + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, bytes);
  return {static_cast<T*>(memory), [](T* numbers) { std::free(numbers); }};
}

// ---- arrays ------------------------------------------------------------------------------------------------------

template <class T>
Lane<T>::Lane(const Program& program, long max_rows, bool training)
    : program_(&program), max_rows_(max_rows), memory_(nullptr, [](T*) {}) {
  const std::vector<Node>& nodes = network().graph().nodes();
  // The first pass over these loops counts, the second hands out what was counted.
  for (const bool counting : {true, false}) {
    if (!counting) memory_ = zeros<T>(reserved_);
    reserved_ = 0;
    nodes_.assign(nodes.size(), {});
    gradients_.assign(nodes.size(), nullptr);
    shifted_.assign(network().layers().size(), nullptr);
    work_.assign(network().layers().size(), nullptr);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Slot& slot = program.slots[i];
      if (slot.per == Per::parameters) continue;
      const long size = max_rows * nodes[i].size;
      Operand<T>& node = nodes_[i];
      if (!slot.remembered && slot.per != Per::batch) node.x.value = reserve(size);
      if (slot.per != Per::step) {
        if (!training || slot.per == Per::batch) continue;
        if (slot.swept) node.x.tangent = reserve(size);
        if (slot.wanted || (slot.swept && slot.boundary)) gradients_[i] = reserve(size);
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
    const Slot& slot = program_->slots[i];
    if (!slot.remembered) continue;
    const long rows = max_rows_ * (slot.per == Per::step ? steps : 1);
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
  T* const place = memory_.get() == nullptr ? nullptr : memory_.get() + reserved_;
  reserved_ += (count + kStep - 1) / kStep * kStep;
  return place;
}

template <class T>
const T* Lane<T>::bias(int layer) const {
  const int node = network().layers()[layer].bias;
  return node < 0 ? nullptr : constants_->numbers.data() + program_->slots[node].offset;
}

template <class T>
T* Lane<T>::at(T* own, int node) const {
  const Slot& slot = program_->slots[node];
  if (slot.per == Per::batch) return batch_->value[node] + first_ * slot.size;
  return stores(node) ? batch_->stored[node] + (2 * time_ * batch_->rows + first_) * slot.size : own;
}

// Where the derivative by an array that does not move is collected.
template <class T>
T* Lane<T>::gradient_of(int node) const {
  const Slot& slot = program_->slots[node];
  switch (slot.per) {
    case Per::parameters:
      return slot.collected < 0 || gradient_ == nullptr ? nullptr : gradient_ + slot.collected;
    case Per::batch: {
      T* const whole = batch_->gradient[node];
      return whole == nullptr ? nullptr : whole + first_ * slot.size;
    }
    default:
      return gradients_[node];
  }
}

// With tangents this is a pass of the reverse over time: of the derivatives by activations, parameters and hoisted
// arrays only the tangents are wanted, the derivatives of the forces.
template <class T>
Operand<T> Lane<T>::operand(int index, bool tangents) const {
  const Node& node = network().graph().nodes()[index];
  const Slot& slot = program_->slots[index];
  Operand<T> result = nodes_[index];
  result.count = node.batched ? rows_ * node.size : node.size;
  if (slot.remembered) result.x.value = const_cast<T*>(kept_[index].values.data()) + first_kept(index) * node.size;
  result.x.value = at(result.x.value, index);
  if (slot.per == Per::step) {
    const long step = batch_->rows * slot.size;  // from an array to its tangent
    if (stores(index)) result.x.tangent = result.x.value + step;
    if (stores_bar(index)) {
      result.bar.tangent = batch_->bar_stored[index] + (2 * time_ * batch_->rows + first_) * slot.size;
      result.bar.value = result.bar.tangent + step;
    }
    if (!tangents) result.x.tangent = result.bar.tangent = nullptr;
    if (tangents && std::holds_alternative<Leaf>(node.operation)) result.bar.value = nullptr;
    return result;
  }
  if (slot.per == Per::parameters) {
    result.x.value = const_cast<T*>(constants_->numbers.data()) + slot.offset;  // inputs are only read
    result.packed = constants_->packed[index][0];
    result.packed_turned = constants_->packed[index][1];
  }
  result.x.tangent = nullptr;
  result.bar = {nullptr, tangents ? gradient_of(index) : nullptr};
  return result;
}

template <class T>
Frame<T> Lane<T>::frame(const Instruction& instruction, bool tangents) const {
  const int index = instruction.target;
  const Node& node = network().graph().nodes()[index];
  Frame<T> frame;
  frame.rows = rows_;
  frame.out = operand(index, tangents);
  if (program_->slots[index].remembered)
    frame.kept =
        const_cast<std::int32_t*>(kept_[index].numbers.data()) + first_kept(index) * kept_numbers(node.operation);
  if (program_->slots[index].alignment) frame.out.bar = {ones_, nullptr};
  for (std::size_t k = 0; k < node.inputs.size(); ++k) {
    frame.in[k] = operand(node.inputs[k], tangents);
    frame.in[k].fresh = (instruction.fresh >> k & 1) != 0;
  }
  if (program_->slots[index].deferred) frame.in[1].bar = {};
  return frame;
}

template <class T>
void Lane<T>::run(const Instructions& instructions) {
  for (const Instruction& instruction : instructions) {
    const Operation& operation = network().graph().nodes()[instruction.target].operation;
    const Slot& slot = program_->slots[instruction.target];
    switch (instruction.act) {
      case Act::forward: {
        Frame<T> f = frame(instruction, false);
        ham::forward(operation, f);
        break;
      }
      case Act::pull: {
        Frame<T> f = frame(instruction, false);
        ham::reverse(operation, f);
        break;
      }
      case Act::tangent: {
        Frame<T> f = frame(instruction, true);
        if (slot.remembered || stores(instruction.target)) f.out.x.value = nullptr;
        ham::forward(operation, f);
        break;
      }
      case Act::push: {
        Frame<T> f = frame(instruction, true);
        ham::reverse(operation, f);
        break;
      }
      case Act::reverse: {
        Frame<T> f = frame(instruction, false);
        f.out.bar = {gradient_of(instruction.target), nullptr};
        const std::vector<int>& inputs = network().graph().nodes()[instruction.target].inputs;
        for (std::size_t k = 0; k < inputs.size(); ++k)
          if (program_->slots[inputs[k]].wanted) f.in[k].bar = {gradient_of(inputs[k]), nullptr};
        ham::reverse(operation, f);
        break;
      }
      default:  // of layers: whoever has their states
        break;
    }
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
    coefficient.x.value = const_cast<T*>(constants_->numbers.data()) + program_->slots[neurons.coefficients[k]].offset;
    coefficient.count = network().graph().nodes()[neurons.coefficients[k]].size;
  }
  return frame;
}

template <class T>
const T* Lane<T>::shifted(int layer, const T* x) const {
  T* const result = shifted_[layer];
  if (result == nullptr) return x;
  const long size = program_->slots[node_of(layer)].size;
  for (long i = 0; i < rows_ * size; ++i) result[i] = x[i] - bias(layer)[i % size];
  return result;
}

template <class T>
void Lane<T>::activate(int layer, const T* x) {
  Frame<T> frame = layer_frame(layer, shifted(layer, x));
  frame.in[0].bar.value = at(nodes_[node_of(layer)].x.value, node_of(layer));
  network().layers()[layer].lagrangian.reverse(frame);
}

template <class T>
void Lane<T>::layer_energy(int layer, const T* x, T* energies) {
  Frame<T> frame = layer_frame(layer, shifted(layer, x));
  frame.out.x.value = energies;
  network().layers()[layer].lagrangian.forward(frame);
  const long size = program_->slots[node_of(layer)].size;
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
  Frame<T> frame = layer_frame(layer, shifted(layer, x));
  frame.in[0].x.tangent = const_cast<T*>(g_bar);
  frame.in[0].bar.tangent = out;
  for (std::size_t k = 0; k < neurons.coefficients.size(); ++k)
    frame.in[k + 1].bar.tangent = gradient_of(neurons.coefficients[k]);
  neurons.lagrangian.reverse(frame);
  if (neurons.layer.bias != Bias::threshold) return;
  const long size = program_->slots[neurons.node].size;
  T* gradient = gradient_of(neurons.bias);
  for (long i = 0; i < rows_ * size; ++i) gradient[i % size] -= out[i];
}

template <class T>
void Lane<T>::retreat(int layer, const T* x, T rate, const T* free, const T* x_bar) {
  const int node = node_of(layer);
  const long size = rows_ * program_->slots[node].size;
  T* const v = operand(node, true).x.tangent;
  kernels<T>().multiply_add({1, size, 1}, nullptr, x_bar, &rate, v);
  for (long k = 0; free != nullptr && k < size; ++k) v[k] *= free[k];
  if (!stores(node)) activate(layer, x);
}

template <class T>
void Lane<T>::return_(int layer, const T* x, T rate, const T* free, T* x_bar) {
  const Network::Neurons& neurons = network().layers()[layer];
  const long size = program_->slots[neurons.node].size;
  const Operand<T> activation = operand(neurons.node, true);
  const T* v = activation.x.tangent;
  reverse_activation(layer, x, activation.bar.tangent, work_[layer]);
  const T kept = 1 - rate;  // v is rate·x̄ where all is free
  if (free == nullptr)
    kernels<T>().multiply_add({1, rows_ * size, 1}, work_[layer], x_bar, &kept, x_bar);
  else
    for (long k = 0; k < rows_ * size; ++k) x_bar[k] += work_[layer][k] - v[k];
  if (neurons.layer.bias != Bias::input) return;
  T* gradient = gradient_of(neurons.bias);
  for (long k = 0; k < rows_ * size; ++k) gradient[k % size] += v[k];
}

// ---- passes ------------------------------------------------------------------------------------------------------

template <class T>
void Lane<T>::take(long first, long rows, const Constants<T>& constants, const BatchArrays<T>& batch, T* gradient) {
  first_ = first;
  rows_ = rows;
  constants_ = &constants;
  batch_ = &batch;
  gradient_ = gradient;
}

template <class T>
void Lane<T>::begin(std::span<const T* const> x, const Energies<T>* energies) {
  run(program_->lane);
  if (energies == nullptr) return;
  run(program_->lane_energies);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (program_->clamped[i]) layer_energy(static_cast<int>(i), x[i], energies->layers + i * energies->stride);
}

template <class T>
void Lane<T>::forces(const Step& step, std::span<const T* const> x, const Energies<T>* energies, int time) {
  time_ = time;
  for (const Instruction& instruction : step.forward)
    if (instruction.act == Act::activate) activate(instruction.target, x[instruction.target]);
  run(step.forward);
  for (const int layer : step.still)
    std::fill_n(nodes_[node_of(layer)].bar.value, rows_ * program_->slots[node_of(layer)].size, T(0));
  if (energies == nullptr) return;
  run(program_->step_energies);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!program_->clamped[i]) layer_energy(static_cast<int>(i), x[i], energies->layers + i * energies->stride);
  for (std::size_t c = 0; c < network().connections().size(); ++c) {
    const T* alignment = nodes_[network().connections()[c].node].x.value;
    for (long row = 0; row < rows_; ++row) energies->connections[c * energies->stride + row] = -alignment[row];
  }
}

template <class T>
void Lane<T>::begin_reverse() {
  time_ = std::numeric_limits<int>::max();  // after all steps: the readout's activation is stored with none of them
  std::fill_n(gradient_, program_->num_collected, T(0));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const Per per = program_->slots[i].per;
    if (per != Per::batch && per != Per::lane) continue;
    if (T* const gradient = gradient_of(static_cast<int>(i)); gradient != nullptr)
      std::fill_n(gradient, rows_ * program_->slots[i].size, T(0));
  }
}

template <class T>
void Lane<T>::reverse_step(const Step& step, int time, std::span<const T* const> x, std::span<const T> rate,
                           std::span<const T* const> free, std::span<T* const> x_bar) {
  time_ = time;
  for (const Instruction& instruction : step.reverse)
    if (const int i = instruction.target; instruction.act == Act::retreat) retreat(i, x[i], rate[i], free[i], x_bar[i]);
  run(step.reverse);
  for (const int layer : step.still)
    std::fill_n(operand(node_of(layer), true).bar.tangent, rows_ * program_->slots[node_of(layer)].size, T(0));
  for (const Instruction& instruction : step.reverse)
    if (const int i = instruction.target; instruction.act == Act::return_) return_(i, x[i], rate[i], free[i], x_bar[i]);
}

// The derivative by β of a clamped layer, forward: the activation's tangent ∂g/∂β = ∇²L x/β goes through the hoisted
// operations and meets the derivatives at their end. Where an image is mostly zeros so is this tangent, and products
// with it are cheap; the derivative by the activation itself is dense, and nothing else would need it.
template <class T>
void Lane<T>::along_beta(int layer, const T* x) {
  const std::vector<Node>& nodes = network().graph().nodes();
  const Network::Neurons& neurons = network().layers()[layer];
  Frame<T> leaf = layer_frame(layer, x);
  const T beta = *leaf.in[1].x.value;
  T* const start = batch_->tangent[neurons.node] + first_ * nodes[neurons.node].size;
  leaf.in[0].x.tangent = const_cast<T*>(x);  // only read
  leaf.in[0].bar.tangent = start;
  neurons.lagrangian.reverse(leaf);
  if (beta < static_cast<T>(Lagrangian::kMinBeta)) return;
  T along = 0;
  std::vector<bool> moved(nodes.size(), false);
  moved[neurons.node] = true;
  for (const Instruction& instruction : program_->lane) {
    const int i = instruction.target;
    if (!program_->slots[i].swept) continue;
    Frame<T> f = frame(instruction, false);
    f.out.x = {nullptr, nodes_[i].x.tangent};
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const int input = nodes[i].inputs[k];
      if (moved[input]) moved[i] = true, f.in[k].x.tangent = input == neurons.node ? start : nodes_[input].x.tangent;
    }
    if (!moved[i]) continue;
    ham::forward(nodes[i].operation, f);
    if (program_->slots[i].boundary)
      kernels<T>().multiply_sum_add({1, rows_ * nodes[i].size, 1}, nodes_[i].x.tangent, gradients_[i], &along);
  }
  // The activation itself may be what the steps use.
  if (program_->slots[neurons.node].boundary)
    kernels<T>().multiply_sum_add({1, rows_ * nodes[neurons.node].size, 1}, start, gradient_of(neurons.node), &along);
  *gradient_of(neurons.coefficients[0]) += along / beta;
}

template <class T>
void Lane<T>::end_reverse(const Instructions& instructions, std::span<const T* const> x) {
  for (const Instruction& instruction : instructions)
    if (instruction.act == Act::along_beta) along_beta(instruction.target, x[instruction.target]);
  run(instructions);
}

template <class T>
void Lane<T>::finish(int layer, const T* x, T* x_bar) {
  reverse_activation(layer, x, gradient_of(node_of(layer)), x_bar != nullptr ? x_bar : work_[layer]);
}

template class Lane<float>;
template class Lane<double>;
template Numbers<float> zeros(long);
template Numbers<double> zeros(long);

}  // namespace ham

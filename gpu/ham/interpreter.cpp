#include "gpu/ham/interpreter.h"

#include <algorithm>
#include <cstdint>

namespace gpu {

using ham::Act;
using ham::Instruction;
using ham::Per;

template <class T>
Interpreter<T>::Constants::Constants(const ham::Program& program, Memory& memory)
    : numbers(memory.take<T>(program.num_constants)), gradient(memory.take<T>(program.num_constants)) {}

template <class T>
Interpreter<T>::Interpreter(const ham::Program& program, const ham::Unrolled& unrolled, std::span<const double> rates,
                            Constants constants, const Passes& passes, Memory& memory)
    : program_(program),
      unrolled_(unrolled),
      graph_(program.network->graph().nodes()),
      rates_(rates.begin(), rates.end()),
      constants_(constants),
      passes_(passes),
      memory_(memory),
      rules_(memory, passes.precision) {
  for (const ham::Node& node : graph_) Rules<T>::require(node.operation);
  for (const auto& neurons : program.network->layers()) Rules<T>::require(neurons.lagrangian);
  take_arrays();
  rules_.write_to(parameters_);
  for (const Instruction& each : program_.parameters)
    rules_.forward(graph_[each.target].operation, frame(each.target, 0, false));
  rules_.write_to(forward_);
  write_forward();
  if (!passes.training) return;
  rules_.write_to(backward_);
  write_backward();
}

// ---- arrays ------------------------------------------------------------------------------------------------------

template <class T>
void Interpreter<T>::take_arrays() {
  const long depth = passes_.training ? std::max<long>(1, static_cast<long>(unrolled_.steps.size())) : 1;
  const std::size_t nodes = graph_.size(), layers = program_.clamped.size();
  for (auto* list : {&value_, &tangent_, &bar_, &bar_tangent_, &gradient_}) list->assign(nodes, nullptr);
  kept_.assign(nodes, nullptr);
  for (std::size_t i = 0; i < nodes; ++i) {
    const int node = static_cast<int>(i);
    const ham::Slot& at = slot(node);
    const long size = size_of(node);
    if (at.per == Per::parameters) {
      value_[i] = constants_.numbers + at.offset;
      gradient_[i] = constants_.gradient + at.offset;
      continue;
    }
    const long times = moves(node) ? depth : 1;
    value_[i] = memory_.take<T>(times * size);
    if (const long kept = kept_numbers(graph_[i].operation); kept > 0)
      kept_[i] = memory_.take<std::int32_t>(times * passes_.rows * kept);
    if (moves(node)) {
      bar_[i] = memory_.take<T>(times * size);
      if (!passes_.training) continue;
      tangent_[i] = memory_.take<T>(times * size);
      bar_tangent_[i] = memory_.take<T>(times * size);
    } else if (passes_.training) {
      if (at.swept) tangent_[i] = memory_.take<T>(size);
      if (at.wanted || (at.swept && at.boundary)) gradient_[i] = memory_.take<T>(size);
    }
  }
  long largest = 1;
  path_.assign(layers, nullptr);
  free_.assign(layers, nullptr);
  x_bar_.assign(layers, nullptr);
  for (std::size_t i = 0; i < layers; ++i) {
    const long size = size_of(layer(static_cast<int>(i)).node);
    largest = std::max(largest, size);
    path_[i] = memory_.take<T>((passes_.training && !program_.clamped[i] ? depth + 1 : 1) * size);
    if (passes_.masks) free_[i] = memory_.take<T>(size);
    if (passes_.training) x_bar_[i] = memory_.take<T>(size);
  }
  shifted_ = memory_.take<T>(largest);
  work_ = memory_.take<T>(largest);
  along_ = memory_.take<T>(1);
  const long outputs = size_of(layer(unrolled_.readout).node);
  output_ = memory_.take<T>(outputs);
  output_gradient_ = memory_.take<T>(outputs);
  const std::vector<T> ones(static_cast<std::size_t>(depth * passes_.rows), T(1));
  ones_ = memory_.take<T>(depth * passes_.rows);
  memory_.put(ones_, std::span<const T>(ones));
}

template <class T>
T* Interpreter<T>::gradient_of(int node) const {
  return passes_.training ? gradient_[node] : nullptr;
}

// On the way forward an array that moves collects the derivatives of the alignments, on the way back their tangents,
// and what does not move collects tangents where it is wanted.
template <class T>
ham::Operand<T> Interpreter<T>::operand(int node, int time, bool back) const {
  ham::Operand<T> result;
  result.count = size_of(node);
  result.x.value = value(node, time);
  if (moves(node)) {
    if (back) result.x.tangent = stacked(tangent_[node], node, time);
    result.bar.value = back ? nullptr : stacked(bar_[node], node, time);
    result.bar.tangent = back ? stacked(bar_tangent_[node], node, time) : nullptr;
  } else if (back) {
    result.bar.tangent = gradient_of(node);
  }
  return result;
}

template <class T>
ham::Frame<T> Interpreter<T>::frame(int node, int time, bool back) const {
  ham::Frame<T> result;
  result.rows = slot(node).per == Per::parameters ? 1 : passes_.rows;
  if (kept_[node] != nullptr)
    result.kept = kept_[node] +
                  (moves(node) && passes_.training ? time : 0) * passes_.rows * kept_numbers(graph_[node].operation);
  result.out = operand(node, time, back);
  if (back) result.out.bar.value = stacked(bar_[node], node, time);
  if (slot(node).alignment) result.out.bar = {ones_, nullptr};
  for (std::size_t k = 0; k < graph_[node].inputs.size(); ++k)
    result.in[k] = operand(graph_[node].inputs[k], time, back);
  return result;
}

// ---- layers ------------------------------------------------------------------------------------------------------

template <class T>
ham::Frame<T> Interpreter<T>::layer_frame(int i, int time) {
  const ham::Network::Neurons& neurons = layer(i);
  ham::Frame<T> result;
  result.rows = passes_.rows;
  result.in[0].x.value = path(i, time);
  result.in[0].count = size_of(neurons.node);
  result.in[0].fresh = true;
  if (neurons.layer.bias == ham::Bias::threshold) {
    rules_.combine({1, passes_.rows, graph_[neurons.node].size}, path(i, time),
                   {{nullptr, value_[neurons.bias], T(-1)}}, shifted_);
    result.in[0].x.value = shifted_;
  }
  result.out.count = passes_.rows;
  for (std::size_t k = 0; k < neurons.coefficients.size(); ++k) {
    result.in[k + 1].x.value = value_[neurons.coefficients[k]];
    result.in[k + 1].count = graph_[neurons.coefficients[k]].size;
  }
  return result;
}

template <class T>
void Interpreter<T>::activate(int i, int time, T* g) {
  ham::Frame<T> f = layer_frame(i, time);
  f.in[0].bar.value = g;
  f.out.bar.value = ones_;
  rules_.reverse(layer(i).lagrangian, f);
}

// out = ∇²L(x − b) g_bar, or with `less` out += ∇²L(x − b) g_bar − less; and the gradients of the coefficients and of a
// threshold.
template <class T>
void Interpreter<T>::reverse_activation(int i, int time, const T* g_bar, T* out, const T* less) {
  const ham::Network::Neurons& neurons = layer(i);
  ham::Frame<T> f = layer_frame(i, time);
  f.out.bar.value = ones_;
  f.in[0].x.tangent = const_cast<T*>(g_bar);  // only read
  f.in[0].bar.tangent = out;
  f.in[0].fresh = less == nullptr;
  for (std::size_t k = 0; k < neurons.coefficients.size(); ++k)
    f.in[k + 1].bar.tangent = gradient_[neurons.coefficients[k]];
  rules_.reverse(neurons.lagrangian, f, less);
  if (neurons.layer.bias != ham::Bias::threshold) return;
  T* const bias = gradient_[neurons.bias];
  rules_.add(Reduce<T>{{1, passes_.rows, graph_[neurons.node].size}, bias, {{out, nullptr, T(-1)}}, 1, bias});
}

// ---- forward -----------------------------------------------------------------------------------------------------

template <class T>
void Interpreter<T>::write_forward() {
  for (const Instruction& each : program_.batch)
    if (each.act == Act::activate)
      activate(each.target, 0, value_[layer(each.target).node]);
    else
      rules_.forward(graph_[each.target].operation, frame(each.target, 0, false));
  for (const Instruction& each : program_.lane)
    rules_.forward(graph_[each.target].operation, frame(each.target, 0, false));
  int time = 0;
  for (const ham::Step& step : unrolled_.steps) step_forward(step, time++);
  activate(unrolled_.readout, time, output_);
}

template <class T>
void Interpreter<T>::step_forward(const ham::Step& step, int time) {
  for (const Instruction& each : step.forward) {
    const int i = each.target;
    switch (each.act) {
      case Act::activate:
        activate(i, time, value(layer(i).node, time));
        break;
      case Act::forward: {
        ham::Frame<T> f = frame(i, time, false);
        rules_.forward(graph_[i].operation, f);
        break;
      }
      case Act::pull: {
        ham::Frame<T> f = frame(i, time, false);
        for (int k = 0; k < ham::Frame<T>::kMaxInputs; ++k) f.in[k].fresh = (each.fresh >> k & 1) != 0;
        rules_.reverse(graph_[i].operation, f);
        break;
      }
      case Act::descend: {
        const int node = layer(i).node;
        const bool still = std::ranges::count(step.still, i) > 0, rests = layer(i).layer.bias == ham::Bias::input;
        rules_.add(Descend<T>{size_of(node), graph_[node].size, static_cast<T>(rates_[i]),
                              still ? nullptr : stacked(bar_[node], node, time),
                              rests ? value_[layer(i).bias] : nullptr, free_[i], path(i, time), path(i, time + 1)});
        break;
      }
      default:
        break;
    }
  }
}

// ---- backward ----------------------------------------------------------------------------------------------------

// Weights whose gradient is one product over samples and steps: it waits until the end.
template <class T>
bool Interpreter<T>::by_product(int node) const {
  const ham::Operation& operation = graph_[node].operation;
  const bool kind = std::holds_alternative<ham::Linear>(operation) ||
                    std::holds_alternative<ham::Convolution>(operation) ||
                    std::holds_alternative<ham::MaxConvolution>(operation);
  return kind && moves(node) && moves(graph_[node].inputs[0]) && slot(graph_[node].inputs[1]).per == Per::parameters;
}

template <class T>
void Interpreter<T>::write_backward() {
  rules_.zero(constants_.gradient, program_.num_constants);
  for (std::size_t i = 0; i < graph_.size(); ++i)
    if (slot(static_cast<int>(i)).per != Per::parameters && gradient_[i] != nullptr)
      rules_.zero(gradient_[i], size_of(static_cast<int>(i)));
  const int readout = unrolled_.readout, depth = static_cast<int>(unrolled_.steps.size());
  for (std::size_t i = 0; i < program_.clamped.size(); ++i)
    if (!program_.clamped[i] && static_cast<int>(i) != readout)
      rules_.zero(x_bar_[i], size_of(layer(static_cast<int>(i)).node));
  reverse_activation(readout, depth, output_gradient_, x_bar_[readout]);
  for (int time = depth; time-- > 0;) step_backward(unrolled_.steps[time], time);
  for (std::size_t i = 0; i < graph_.size(); ++i)
    if (by_product(static_cast<int>(i)) && unrolled_.runs[i] > 0) weight_gradients(static_cast<int>(i));

  const auto reverse = [&](const Instruction& each) {
    const int node = each.target;
    ham::Frame<T> f = frame(node, 0, false);
    f.out.bar = {gradient_of(node), nullptr};
    for (std::size_t k = 0; k < graph_[node].inputs.size(); ++k) {
      const int input = graph_[node].inputs[k];
      f.in[k].bar = {slot(input).wanted ? gradient_of(input) : nullptr, nullptr};
    }
    rules_.reverse(graph_[node].operation, f);
  };
  for (const Instruction& each : unrolled_.lane_reverse)
    each.act == Act::along_beta ? along_beta(each.target, program_.lane) : reverse(each);
  for (const Instruction& each : unrolled_.batch_reverse) reverse(each);
  for (const Instruction& each : unrolled_.finish)
    reverse_activation(each.target, 0, gradient_of(layer(each.target).node), x_bar_[each.target]);
  for (const Instruction& each : unrolled_.gradients)
    if (each.act == Act::along_beta_whole) along_beta(each.target, program_.batch);
  for (const Instruction& each : unrolled_.parameters_reverse) reverse(each);
}

template <class T>
void Interpreter<T>::step_backward(const ham::Step& step, int time) {
  for (const Instruction& each : step.reverse) {
    const int i = each.target;
    switch (each.act) {
      case Act::retreat: {
        const int node = layer(i).node;
        rules_.combine({1, 1, size_of(node)}, nullptr, {{x_bar_[i], free_[i], static_cast<T>(rates_[i])}},
                       stacked(tangent_[node], node, time));
        break;
      }
      case Act::tangent: {
        ham::Frame<T> f = frame(i, time, true);
        f.out.x.value = nullptr;
        rules_.forward(graph_[i].operation, f);
        break;
      }
      case Act::push: {
        ham::Frame<T> f = frame(i, time, true);
        for (std::size_t k = 0; k < graph_[i].inputs.size(); ++k)
          f.in[k].fresh = moves(graph_[i].inputs[k]) && (each.fresh >> k & 1) != 0;
        if (by_product(i)) f.in[1].bar = {};
        rules_.reverse(graph_[i].operation, f);
        break;
      }
      case Act::return_: {
        const int node = layer(i).node;
        const bool still = std::ranges::count(step.still, i) > 0;
        T* const v = stacked(tangent_[node], node, time);
        const T* const by_force = stacked(bar_tangent_[node], node, time);
        const Pair<T> less{v, nullptr, T(-1)};
        if (still) {
          rules_.combine({1, 1, size_of(node)}, x_bar_[i], {less}, x_bar_[i]);
        } else if (layer(i).layer.bias == ham::Bias::threshold) {  // its gradient wants the product by itself
          reverse_activation(i, time, by_force, work_);
          rules_.combine({1, 1, size_of(node)}, x_bar_[i], {less, {work_}}, x_bar_[i]);
        } else {
          reverse_activation(i, time, by_force, x_bar_[i], v);
        }
        if (layer(i).layer.bias != ham::Bias::input) break;
        T* const bias = gradient_[layer(i).bias];
        rules_.add(Reduce<T>{{1, passes_.rows, graph_[node].size}, bias, {{v}}, 1, bias});
        break;
      }
      default:
        break;
    }
  }
}

// Samples of all steps that a node runs in are one long batch: its arrays of every step stand one after the other.
template <class T>
void Interpreter<T>::weight_gradients(int node) {
  const int runs = unrolled_.runs[node];
  ham::Frame<T> f = frame(node, 0, true);
  f.rows *= runs;
  f.out.count *= runs;
  f.in[0].count *= runs;
  for (const int k : {0, 2, 3}) f.in[k].bar = {};
  rules_.reverse(graph_[node].operation, f);
}

// ∂g/∂β = ∇²L x/β goes forward through what is hoisted, and meets the derivatives where the steps begin.
template <class T>
void Interpreter<T>::along_beta(int i, const Instructions& forward) {
  const int start = layer(i).node;
  const bool in_lane = &forward == &program_.lane;
  ham::Frame<T> leaf = layer_frame(i, 0);
  leaf.out.bar.value = ones_;
  leaf.in[0].x.tangent = path(i, 0);
  leaf.in[0].bar.tangent = tangent_[start];
  rules_.reverse(layer(i).lagrangian, leaf);
  rules_.zero(along_, 1);
  const auto meet = [&](int node) {
    rules_.add(Reduce<T>{{1, size_of(node), 1}, along_, {{tangent_[node], gradient_[node]}}, 1, along_});
  };
  std::vector<bool> moved(graph_.size(), false);
  moved[start] = true;
  if (in_lane && slot(start).boundary) meet(start);  // the steps use the activation itself
  for (const Instruction& each : forward) {
    const int node = each.target;
    if (each.act != Act::forward || !slot(node).swept) continue;
    ham::Frame<T> f = frame(node, 0, false);
    f.out.x = {nullptr, tangent_[node]};
    for (std::size_t k = 0; k < graph_[node].inputs.size(); ++k) {
      const int input = graph_[node].inputs[k];
      if (moved[input]) moved[node] = true, f.in[k].x.tangent = tangent_[input];
    }
    if (!moved[node]) continue;
    rules_.forward(graph_[node].operation, f);
    if (slot(node).boundary) meet(node);
  }
  T* const bar = gradient_[layer(i).coefficients[0]];
  rules_.add(Quotient<T>{along_, value_[layer(i).coefficients[0]], static_cast<T>(ham::Lagrangian::kMinBeta), bar});
}

template class Interpreter<float>;
template class Interpreter<double>;

}  // namespace gpu

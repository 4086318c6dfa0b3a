#include "ham/engine/reference.h"

#include <algorithm>

namespace ham {
namespace {

using Array = std::vector<double>;

class Interpreter {
 public:
  Interpreter(const Program& program, const Unrolled& unrolled, std::span<const double> parameters,
              const States<double>& initial, std::span<const double> rates, const States<double>* free)
      : program_(program), unrolled_(unrolled), rates_(rates), free_(free), rows_(initial[0].shape[0]) {
    const std::size_t count = graph_.size();
    for (auto* list : {&value_, &tangent_, &bar_, &bar_tangent_, &gradient_}) {
      list->resize(count);
      for (std::size_t i = 0; i < count; ++i) (*list)[i].assign(size_of(static_cast<int>(i)), 0.0);
    }
    kept_.resize(count);
    for (std::size_t i = 0; i < count; ++i) kept_[i].resize(rows_ * kept_numbers(graph_[i].operation));
    for (const Parameter& parameter : program.network->parameters())
      std::copy_n(parameters.begin() + parameter.offset, parameter.size(), value_[parameter.node].begin());
    for (const Tensor<double>& state : initial) x_.push_back(state.values);
    for (const Array& x : x_) x_bar_.emplace_back(x.size(), 0.0);
  }

  Gradients run(const std::function<double(long, long, const double*, double*)>& loss) {
    const auto all = [&](const Instructions& list) {
      for (const Instruction& instruction : list) interpret(instruction);
    };
    const auto all_reverse = [&](const Instructions& list, const Instructions& forward) {
      for (const Instruction& instruction : list)
        instruction.act == Act::along_beta || instruction.act == Act::along_beta_whole
            ? along_beta(instruction.target, forward)
            : interpret(instruction);
    };
    Gradients result;
    all(program_.parameters);
    all(program_.batch);
    all(program_.lane);
    std::vector<std::vector<Array>> path;
    for (const Step& step : unrolled_.steps) {
      path.push_back(x_);
      forget();
      all(step.forward);
    }
    const int readout = unrolled_.readout, read = layer(readout).node;
    interpret({Act::activate, readout});
    result.output = value_[read];
    Array by_output(result.output.size());
    result.loss = loss(0, rows_, result.output.data(), by_output.data());
    x_bar_[readout] = reverse_activation(readout, by_output);
    for (std::size_t time = unrolled_.steps.size(); time-- > 0;) {
      x_ = path[time];
      forget();
      all(unrolled_.steps[time].reverse);
    }
    all_reverse(unrolled_.lane_reverse, program_.lane);
    all(unrolled_.batch_reverse);
    all(unrolled_.finish);
    all_reverse(unrolled_.gradients, program_.batch);
    all(unrolled_.parameters_reverse);
    for (const Parameter& parameter : program_.network->parameters())
      result.parameters.insert(result.parameters.end(), gradient_[parameter.node].begin(),
                               gradient_[parameter.node].end());
    for (std::size_t i = 0; i < x_bar_.size(); ++i)
      result.states.push_back(Tensor<double>(layer(static_cast<int>(i)).layer.shape, x_bar_[i]));
    return result;
  }

 private:
  const Network::Neurons& layer(int i) const { return program_.network->layers()[i]; }
  const Slot& slot(int node) const { return program_.slots[node]; }
  long size_of(int node) const { return graph_[node].batched ? rows_ * graph_[node].size : graph_[node].size; }

  // Derivatives begin anew in every step; forces on layers that nothing pulls at are zero.
  void forget() {
    for (auto* list : {&bar_, &bar_tangent_})
      for (Array& array : *list) std::ranges::fill(array, 0.0);
  }

  // Of arrays that do not move, derivatives are collected; with tangents those of the forces.
  Frame<double> frame(int node, bool tangents, bool hoisted = false) {
    const auto operand = [&](int i) {
      const bool moves = slot(i).per == Per::step;
      Operand<double> result;
      result.count = size_of(i);
      result.x = {value_[i].data(), tangents && moves ? tangent_[i].data() : nullptr};
      if (hoisted)
        result.bar = {slot(i).wanted ? gradient_[i].data() : nullptr, nullptr};
      else if (moves)
        result.bar = {bar_[i].data(), tangents ? bar_tangent_[i].data() : nullptr};
      else
        result.bar = {nullptr, tangents ? gradient_[i].data() : nullptr};
      return result;
    };
    Frame<double> frame;
    frame.rows = rows_;
    frame.kept = kept_[node].data();
    frame.out = operand(node);
    if (slot(node).alignment) ones_.assign(rows_, 1.0), frame.out.bar = {ones_.data(), nullptr};
    for (std::size_t k = 0; k < graph_[node].inputs.size(); ++k) frame.in[k] = operand(graph_[node].inputs[k]);
    return frame;
  }

  void interpret(const Instruction& instruction) {
    const int i = instruction.target;
    switch (instruction.act) {
      case Act::activate:
        return activate(i);
      case Act::forward: {
        Frame<double> f = frame(i, false);
        if (slot(i).per == Per::parameters) f.rows = 1;
        return ham::forward(graph_[i].operation, f);
      }
      case Act::pull: {
        Frame<double> f = frame(i, false);
        return ham::reverse(graph_[i].operation, f);
      }
      case Act::descend:
        for (long k = 0; k < size_of(layer(i).node); ++k)
          x_[i][k] += rates_[i] * freedom(i, k) * (bar_[layer(i).node][k] + rest(i, k) - x_[i][k]);
        return;
      case Act::lose:
      case Act::along_beta:
      case Act::along_beta_whole:
        return;
      case Act::retreat:
        for (long k = 0; k < size_of(layer(i).node); ++k)
          tangent_[layer(i).node][k] = rates_[i] * freedom(i, k) * x_bar_[i][k];
        return activate(i);
      case Act::tangent: {
        Frame<double> f = frame(i, true);
        return ham::forward(graph_[i].operation, f);
      }
      case Act::push: {
        Frame<double> f = frame(i, true);
        if (slot(i).deferred) f.in[1].bar = {}, terms_.push_back(term(i));
        return ham::reverse(graph_[i].operation, f);
      }
      case Act::return_:
        return return_(i);
      case Act::reverse: {
        Frame<double> f = frame(i, false, true);
        if (slot(i).per == Per::parameters) f.rows = 1;
        if (slot(i).per == Per::batch) f.in[1].bar = {};
        return ham::reverse(graph_[i].operation, f);
      }
      case Act::outer:
        return outer(i);
      case Act::finish: {
        const Array& g_bar = gradient_[layer(i).node];
        x_bar_[i] = reverse_activation(i, g_bar);
        return;
      }
    }
  }

  // ---- layers ----

  double freedom(int i, long k) const { return free_ == nullptr ? 1.0 : (*free_)[i].values[k]; }
  double bias(int i, long k) const { return value_[layer(i).bias][k % graph_[layer(i).node].size]; }
  double rest(int i, long k) const { return layer(i).layer.bias == Bias::input ? bias(i, k) : 0.0; }

  Frame<double> layer_frame(int i) {
    shifted_ = x_[i];
    for (std::size_t k = 0; layer(i).layer.bias == Bias::threshold && k < shifted_.size(); ++k)
      shifted_[k] -= bias(i, static_cast<long>(k));
    ones_.assign(rows_, 1.0);
    Frame<double> frame;
    frame.rows = rows_;
    frame.in[0] = {{shifted_.data(), nullptr}, {}, nullptr, nullptr, size_of(layer(i).node), true};
    frame.out.bar.value = ones_.data();
    frame.out.count = rows_;
    for (std::size_t k = 0; k < layer(i).coefficients.size(); ++k) {
      const int node = layer(i).coefficients[k];
      frame.in[k + 1].x.value = value_[node].data();
      frame.in[k + 1].count = size_of(node);
    }
    return frame;
  }

  void activate(int i) {
    Frame<double> frame = layer_frame(i);
    frame.in[0].bar.value = value_[layer(i).node].data();
    layer(i).lagrangian.reverse(frame);
  }

  Array reverse_activation(int i, Array g_bar) {
    Array out(g_bar.size(), 0.0);
    Frame<double> frame = layer_frame(i);
    frame.in[0].x.tangent = g_bar.data();
    frame.in[0].bar.tangent = out.data();
    for (std::size_t k = 0; k < layer(i).coefficients.size(); ++k)
      frame.in[k + 1].bar.tangent = gradient_[layer(i).coefficients[k]].data();
    layer(i).lagrangian.reverse(frame);
    for (std::size_t k = 0; layer(i).layer.bias == Bias::threshold && k < out.size(); ++k)
      gradient_[layer(i).bias][k % graph_[layer(i).node].size] -= out[k];
    return out;
  }

  void return_(int i) {
    const int node = layer(i).node;
    const Array through = reverse_activation(i, bar_tangent_[node]);
    for (std::size_t k = 0; k < through.size(); ++k) {
      x_bar_[i][k] += through[k] - tangent_[node][k];
      if (layer(i).layer.bias == Bias::input) gradient_[layer(i).bias][k % graph_[node].size] += tangent_[node][k];
    }
  }

  // ---- gradients that come once ----

  // A step's share in a deferred gradient.
  struct Term {
    int node;
    Array x, x_tangent, y_bar, y_bar_tangent;
  };
  Term term(int node) const {
    const int x = graph_[node].inputs[0];
    return {node, value_[x], tangent_[x], bar_[node], bar_tangent_[node]};
  }

  void add_outer(const Linear& map, const Array& x, const Array& y, Array& w) const {
    for (long row = 0; row < rows_; ++row)
      for (long a = 0; a < map.in; ++a)
        for (long b = 0; b < map.out; ++b) w[a * map.out + b] += x[row * map.in + a] * y[row * map.out + b];
  }

  void outer(int node) {
    const Linear& map = std::get<Linear>(graph_[node].operation);
    Array& w = gradient_[graph_[node].inputs[1]];
    if (!slot(node).deferred) return add_outer(map, value_[graph_[node].inputs[0]], gradient_[node], w);
    for (const Term& each : terms_) {
      if (each.node != node) continue;
      add_outer(map, each.x, each.y_bar_tangent, w);
      add_outer(map, each.x_tangent, each.y_bar, w);
    }
  }

  // ∂g/∂β = ∇²L x/β goes forward through what is hoisted, and meets the derivatives where the steps begin.
  void along_beta(int i, const Instructions& forward) {
    const int start = layer(i).node;
    const double beta = value_[layer(i).coefficients[0]][0];
    if (beta < Lagrangian::kMinBeta) return;
    for (Array& tangent : tangent_) std::ranges::fill(tangent, 0.0);
    Frame<double> leaf = layer_frame(i);
    leaf.in[0].x.tangent = x_[i].data();
    leaf.in[0].bar.tangent = tangent_[start].data();
    layer(i).lagrangian.reverse(leaf);
    double along = 0;
    const auto meet = [&](int node) {
      for (std::size_t k = 0; k < tangent_[node].size(); ++k) along += tangent_[node][k] * gradient_[node][k];
    };
    if (&forward == &program_.lane && slot(start).boundary) meet(start);  // the steps use the activation itself
    for (const Instruction& instruction : forward) {
      const int node = instruction.target;
      if (instruction.act != Act::forward || !slot(node).swept) continue;
      Frame<double> f = frame(node, false);
      f.out.x = {nullptr, tangent_[node].data()};
      for (std::size_t k = 0; k < graph_[node].inputs.size(); ++k) {
        const int input = graph_[node].inputs[k];
        if (slot(input).swept) f.in[k].x.tangent = tangent_[input].data();
      }
      ham::forward(graph_[node].operation, f);
      if (slot(node).boundary) meet(node);
    }
    gradient_[layer(i).coefficients[0]][0] += along / beta;
  }

  const Program& program_;
  const Unrolled& unrolled_;
  const std::vector<Node>& graph_ = program_.network->graph().nodes();
  std::span<const double> rates_;
  const States<double>* free_;
  long rows_;
  std::vector<Array> value_, tangent_, bar_, bar_tangent_, gradient_;  // by node
  std::vector<std::vector<std::int32_t>> kept_;
  std::vector<Array> x_, x_bar_;  // by layer
  std::vector<Term> terms_;
  Array ones_, shifted_;
};

}  // namespace

Gradients interpret(const Program& program, const Unrolled& unrolled, std::span<const double> parameters,
                    const States<double>& initial, std::span<const double> rates, const States<double>* free,
                    const std::function<double(long, long, const double*, double*)>& loss) {
  return Interpreter(program, unrolled, parameters, initial, rates, free).run(loss);
}

}  // namespace ham

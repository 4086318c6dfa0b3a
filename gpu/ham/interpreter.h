// A Program's interpreter on a machine: arrays for everything, and lists of tasks for every pass.
#pragma once

#include <span>
#include <vector>

#include "gpu/ham/rules.h"
#include "ham/engine/program.h"

namespace gpu {

/// How a descent runs, and what is kept of it.
struct Passes {
  long rows = 1;          ///< samples at once
  bool training = false;  ///< with the way back
  bool masks = false;     ///< neurons may be held (free())
  Precision precision = Precision::full;
};

/// Interprets a Program for a fixed number of samples. Whole batches are one lane; values of every step of time stay,
/// so that the way back computes tangents only; and gradients of weights that are products over samples are one product
/// over all steps at the end. The program must outlive it.
///
/// Tasks stand in lists: run() does them one after the other on the launcher, record them there for more.
template <class T>
class Interpreter {
 public:
  /// Parameters, their gradients and all that depends on parameters alone: interpreters of one program share them.
  struct Constants {
    Constants(const ham::Program& program, Memory& memory);
    T* numbers = nullptr;   ///< Program::num_constants; the parameters first
    T* gradient = nullptr;  ///< by each of them
  };

  /// `rates` has dt/τ of every layer. Throws NotOnCard.
  Interpreter(const ham::Program& program, const ham::Unrolled& unrolled, std::span<const double> rates,
              Constants constants, const Passes& passes, Memory& memory);

  /// Parameter numbers to all that depends on them alone.
  const std::vector<Task<T>>& parameters() const { return parameters_; }
  /// From the states at the start to the readout's activation after the last step.
  const std::vector<Task<T>>& forward() const { return forward_; }
  /// From the derivative by that activation to the gradients of parameters and states.
  const std::vector<Task<T>>& backward() const { return backward_; }

  /// A layer's state at the start, (rows, numbers of the layer); its mask; its derivative after backward().
  T* state(int layer) const { return path(layer, 0); }
  T* free(int layer) const { return free_[layer]; }
  T* state_gradient(int layer) const { return x_bar_[layer]; }
  /// The readout's activation, and the derivative by it.
  T* output() const { return output_; }
  T* output_gradient() const { return output_gradient_; }
  /// Program::num_constants numbers that start with the parameters, and the gradient by them.
  T* numbers() const { return constants_.numbers; }
  T* gradient() const { return constants_.gradient; }
  long rows() const { return passes_.rows; }

 private:
  using Instructions = ham::Instructions;
  const ham::Network::Neurons& layer(int i) const { return program_.network->layers()[i]; }
  const ham::Slot& slot(int node) const { return program_.slots[node]; }
  long size_of(int node) const { return graph_[node].batched ? passes_.rows * graph_[node].size : graph_[node].size; }
  bool moves(int node) const { return slot(node).per == ham::Per::step; }
  bool by_product(int node) const;

  void take_arrays();
  void write_forward();
  void write_backward();
  void step_forward(const ham::Step& step, int time);
  void step_backward(const ham::Step& step, int time);
  void activate(int i, int time, T* g);
  void reverse_activation(int i, int time, const T* g_bar, T* out, const T* less = nullptr);
  void weight_gradients(int node);
  void along_beta(int i, const Instructions& forward);
  ham::Frame<T> layer_frame(int i, int time);
  ham::Frame<T> frame(int node, int time, bool back) const;
  ham::Operand<T> operand(int node, int time, bool back) const;
  T* gradient_of(int node) const;

  // Of an array that moves, that of a step; otherwise the only one.
  T* stacked(T* first, int node, int time) const {
    return first == nullptr || !moves(node) || !passes_.training ? first : first + time * size_of(node);
  }
  T* value(int node, int time) const { return stacked(value_[node], node, time); }
  T* path(int i, int time) const {
    return passes_.training && !program_.clamped[i] ? path_[i] + time * size_of(layer(i).node) : path_[i];
  }

  const ham::Program& program_;
  const ham::Unrolled& unrolled_;
  const std::vector<ham::Node>& graph_;
  std::vector<double> rates_;
  Constants constants_;
  Passes passes_;
  Memory& memory_;
  Rules<T> rules_;
  std::vector<T*> value_, tangent_, bar_, bar_tangent_, gradient_;  // by node
  std::vector<std::int32_t*> kept_;
  std::vector<T*> path_, free_, x_bar_;  // by layer
  T *output_ = nullptr, *output_gradient_ = nullptr, *shifted_ = nullptr, *work_ = nullptr, *along_ = nullptr,
    *ones_ = nullptr;
  std::vector<Task<T>> parameters_, forward_, backward_;
};

/// Does the tasks of a list.
template <class T>
void run(Launcher& launcher, const std::vector<Task<T>>& tasks) {
  for (const Task<T>& task : tasks) launcher.enqueue(task);
}

}  // namespace gpu

// Gradients of a loss on the final activations: backpropagation through the descent, and the optimizer.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ham/engine/dynamics.h"

namespace ham {

/// A loss on one layer's activations: reads samples first … first + rows − 1 at g, writes ∂loss/∂g, returns their share
/// of the loss. Called from several threads for different samples.
template <class T>
using Loss = std::function<double(long first, long rows, const T* g, T* g_bar)>;

inline constexpr double kLabelSmoothing = 0.1, kLeastProbability = 1e-6;

/// Cross-entropy of probabilities against smoothed labels, averaged over the batch:
/// −Σ t log((p + 1e−6)/(1 + 1e−6 C)) with t = (onehot + 0.1/C)/1.1, C classes. The labels must outlive the loss.
/// Source: the first public code of Hoover et al. 2022.
template <class T>
Loss<T> smoothed_cross_entropy(std::span<const int> labels, int classes);

/// Which descent is differentiated, and where its result is read.
struct Readout {
  Descent descent;    ///< its tolerance must be 0: the number of steps does not depend on the states
  std::string layer;  ///< the loss looks at this layer's activations after the last step
};

/// Backpropagation through a descent. Memory grows with depth × states; what happens inside a step is recomputed, and
/// after the first call nothing of a tensor's size is allocated. One thread and many give the same bits.
template <class T>
class Backpropagation {
 public:
  /// The engine must have been made for training and outlive this object; throws std::invalid_argument otherwise, or
  /// when the layer is unknown or the tolerance is not 0.
  Backpropagation(Engine<T>& engine, Readout readout);

  /// Runs from `initial` (one sample per row) and returns the loss. `free` as in descend(). `state_gradients`, when
  /// given, has the states' shapes and gets ∂loss/∂initial (of clamped layers when the engine keeps their gradients).
  double run(const States<T>& initial, const Loss<T>& loss, const States<T>* free = nullptr,
             States<T>* state_gradients = nullptr);

  /// ∂loss/∂parameters of the last run, in Network::parameters() order.
  std::span<const T> gradient() const { return std::span<const T>(total_).first(engine_.network().num_parameters()); }
  /// The readout activations of the last run, (batch, layer shape…).
  const Tensor<T>& output() const { return output_; }

 private:
  struct Path;  // one thread's states at every step
  double run_lane(const typename Engine<T>::Share& share, const States<T>& initial, const Loss<T>& loss,
                  const States<T>* free, States<T>* state_gradients);

  Engine<T>& engine_;
  Readout readout_;
  int layer_;
  Unrolled unrolled_;
  std::vector<std::vector<T>> paths_;  // per thread: moving states at times 0 … depth, and their derivatives
  std::vector<std::vector<const T*>> read_, free_rows_;  // per thread: pointers of the current step
  std::vector<std::vector<T*>> bar_, state_bar_;
  std::vector<T> total_;
  std::vector<double> losses_;  // per lane
  std::vector<T> rates_;
  Tensor<T> output_;
};

/// AdamW (Loshchilov & Hutter 2019): decoupled weight decay, bias-corrected moments.
struct AdamWOptions {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-4;
};

template <class T>
class AdamW {
 public:
  AdamW(long num_parameters, AdamWOptions options)
      : options_(options), first_(num_parameters, T(0)), second_(num_parameters, T(0)) {}
  /// One step down the gradient; the same bits for any number of threads. With an average, average ← average +
  /// share·(parameters − average) in the same pass.
  void step(std::span<T> parameters, std::span<const T> gradient, int threads = 1, std::span<T> average = {},
            double share = 0);

  AdamWOptions& options() { return options_; }
  /// The optimizer's whole state, for checkpoints.
  long& steps() { return steps_; }
  std::vector<T>& first_moment() { return first_; }
  std::vector<T>& second_moment() { return second_; }

 private:
  AdamWOptions options_;
  long steps_ = 0;
  std::vector<T> first_, second_;
};

}  // namespace ham

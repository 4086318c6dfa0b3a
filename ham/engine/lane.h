// One share of a batch on its way through a network: arrays for every recorded operation, and the passes over them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "ham/network/network.h"

namespace ham {

/// When an operation has to run: once per set of parameters, once per batch, or in every time step.
enum class Phase { constant, clamped, moving };

/// What a network's operations need, given which layers are clamped. Everything fed by parameters only is constant,
/// everything fed by clamped layers besides is clamped: both are hoisted out of the time loop, forward and backward.
struct Plan {
  const Network* network;
  std::vector<bool> clamped;     ///< per layer
  std::vector<Phase> phase;      ///< per node
  std::vector<bool> wanted;      ///< per node: some parameter or wanted state lies below it
  std::vector<bool> alignment;   ///< per node: it is a connection's F and nothing else
  std::vector<bool> by_tangent;  ///< per layer: clamped, and β is all that training can change about its activation
  std::vector<bool> swept;       ///< per node: clamped, and fed by such a layer
  std::vector<bool> boundary;    ///< per node: clamped, and used by a moving operation
  std::vector<bool> remembered;  ///< per node: its values in every step are kept for the reverse pass
  std::vector<long> offset;      ///< per constant node: where its numbers stand; parameters come first
  long num_constants = 0;
  std::vector<int> packed;  ///< moving linear maps with constant weights so large that packing them takes time
  std::vector<std::pair<long, long>> collected;  ///< offset and size of the constants that batches give a gradient to

  /// With `state_gradients`, clamped layers' states count as wanted.
  Plan(const Network& network, const std::vector<std::string>& clamped, bool state_gradients);
  /// For each of so many steps of time: per node, whether it is part of a connection by which that step's states have a
  /// say in the layer's state after the last step.
  std::vector<std::vector<bool>> reach(int layer, int steps) const;
  /// Runs the constant operations, forward, in place.
  template <class T>
  void constants_forward(T* constants, int threads) const;
  /// Runs them in reverse: gradients of all constants in, of parameters out, in place.
  template <class T>
  void constants_reverse(T* constants, T* gradient, int threads) const;
};

/// 64-byte aligned numbers.
template <class T>
using Numbers = std::unique_ptr<T[], void (*)(T*)>;
template <class T>
Numbers<T> zeros(long count);

/// What depends on parameters alone.
template <class T>
struct Constants {
  std::vector<T> numbers;                       ///< of parameters and constant nodes, at Plan::offset
  std::vector<std::array<const T*, 2>> packed;  ///< per node: packed for products with it, with its transpose; or null
};

/// Energies of samples: one row per layer, one row per connection, `stride` samples apart.
template <class T>
struct Energies {
  T* layers = nullptr;
  T* connections = nullptr;
  long stride = 0;
};

template <class T>
class Lane {
 public:
  /// Room for `max_rows` samples; with `training`, for the tangents of a reverse pass too.
  Lane(const Plan& plan, long max_rows, bool training);

  /// Starts a batch: activations of the clamped layers and all that only they and parameters feed. x has one pointer
  /// per layer. With energies, those parts of the energy that do not move are evaluated too.
  void begin(long rows, std::span<const T* const> x, const Constants<T>& constants, const Energies<T>* energies);

  /// Makes room for what operations keep in each of at least so many steps of time, for reverse_step().
  void remember(int steps);
  /// One evaluation: activations of the moving layers at x and the forces Σ∂F/∂g on them. What operations keep of it is
  /// remembered as that of `step`. With `part`, only those nodes run, and the others' forces are zero.
  void forces(std::span<const T* const> x, const Energies<T>* energies, int step = 0,
              const std::vector<bool>* part = nullptr);
  /// The layer's activation at x alone.
  void activate(int layer, const T* x);
  const T* activation(int layer) const { return nodes_[network().layers()[layer].node].x.value; }
  const T* force(int layer) const { return nodes_[network().layers()[layer].node].bar.value; }

  /// Starts a reverse pass: forgets what the gradients of clamped and constant arrays hold. `gradient` takes the
  /// gradients of the collected constants.
  void begin_reverse(T* gradient);
  /// The reverse of activate() at the same x, g = ∇L(x − b): out = ∇²L g_bar, and the coefficients' gradients.
  void reverse_activation(int layer, const T* x, const T* g_bar, T* out);
  /// The reverse of x ↦ x + rate·free∘(Σ∂F/∂g + I − x) at the states x that forces() had at `step`: turns the
  /// derivatives by the new states into those by the old ones, and adds to the gradients. rate and free have one entry
  /// per layer, free may hold null (all free).
  void reverse_step(int step, const std::vector<bool>& part, std::span<const T* const> x, std::span<const T> rate,
                    std::span<const T* const> free, std::span<T* const> x_bar);
  /// Ends it: the clamped operations in reverse, once. x_bar gets the derivatives by wanted clamped states; may hold
  /// null.
  void end_reverse(std::span<const T* const> x, std::span<T* const> x_bar);

  long rows() const { return rows_; }
  long max_rows() const { return max_rows_; }
  const Network& network() const { return *plan_->network; }
  const T* bias(int layer) const;

 private:
  Frame<T> frame(int node, bool tangents);
  long first_row(int node) const { return plan_->phase[node] == Phase::moving ? step_ * max_rows_ : 0; }
  void run_forward(Phase phase, bool alignments, bool tangents, const std::vector<bool>* part);
  void run_reverse(bool tangents, const std::vector<bool>* part);
  Frame<T> layer_frame(int layer, const T* x) const;
  void layer_energy(int layer, const T* x, T* energies);
  void sweep_beta(int layer, const T* x);
  T* reserve(long count);

  const Plan* plan_;
  long max_rows_, rows_ = 0;
  std::vector<Operand<T>> nodes_;   // all four arrays of every node; what is not needed is null
  std::vector<Dual<T>> gradients_;  // where clamped and constant nodes collect theirs
  // Of a remembered node: its values in every step, and what its operation keeps beside them.
  struct Kept {
    std::vector<std::int32_t> numbers;
    std::vector<T> values;
  };
  std::vector<Kept> kept_;
  int step_ = 0;
  std::vector<bool> touched_;  // per node: this reverse pass has begun its bar
  Numbers<T> memory_;
  long reserved_ = 0;
  const Constants<T>* constants_ = nullptr;
  T* ones_ = nullptr;
  std::vector<T*> shifted_;  // per layer with a threshold: x − b
  std::vector<T*> work_;     // per layer: one state's worth of scratch
};

}  // namespace ham

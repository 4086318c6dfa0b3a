// One share of a batch on its way through a network: arrays for every recorded operation, and the instructions of the
// scopes `lane` and `step`.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "ham/engine/program.h"

namespace ham {

/// 64-byte aligned numbers.
template <class T>
using Numbers = std::unique_ptr<T[], void (*)(T*)>;
template <class T>
Numbers<T> zeros(long count);

/// What depends on parameters alone.
template <class T>
struct Constants {
  std::vector<T> numbers;                       ///< of parameters and constant nodes, at Slot::offset
  std::vector<std::array<const T*, 2>> packed;  ///< per node: packed for products with it, with its transpose; or null
};

/// Arrays of a whole batch that its lanes share, each its own rows; by node, null where there is none.
template <class T>
struct BatchArrays {
  long rows = 0;
  std::vector<T*> value, tangent, gradient;  ///< of scope batch: (rows, size)
  std::vector<int> runs;                     ///< in how many of the first steps a node's arrays are stored
  std::vector<T*> stored, bar_stored;        ///< (runs, 2, rows, size): value and tangent; of a bar tangent and value
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
  Lane(const Program& program, long max_rows, bool training);

  /// Takes up samples first … first + rows − 1 of a batch. `gradient` takes the gradients of the collected constants of
  /// a reverse pass; null where none follows, and then nothing is stored for the batch.
  void take(long first, long rows, const Constants<T>& constants, const BatchArrays<T>& batch, T* gradient);
  /// Runs the instructions of scope lane. x has one pointer per layer. With energies, those parts of the energy that do
  /// not move are evaluated too.
  void begin(std::span<const T* const> x, const Energies<T>* energies);

  /// Makes room for what operations keep in each of at least so many steps of time.
  void remember(int steps);
  /// One evaluation: activations of the moving layers at x and the forces Σ∂F/∂g on them. What operations keep of it is
  /// remembered as that of `time`.
  void forces(const Step& step, std::span<const T* const> x, const Energies<T>* energies, int time = 0);
  /// The layer's activation at x alone.
  void activate(int layer, const T* x);
  const T* activation(int layer) const { return at(nodes_[node_of(layer)].x.value, node_of(layer)); }
  const T* force(int layer) const { return nodes_[node_of(layer)].bar.value; }

  /// Starts a reverse pass: forgets what the gradients of hoisted arrays hold.
  void begin_reverse();
  /// The reverse of activate() at the same x, g = ∇L(x − b): out = ∇²L g_bar, and the coefficients' gradients.
  void reverse_activation(int layer, const T* x, const T* g_bar, T* out);
  /// The reverse of x ↦ x + rate·free∘(Σ∂F/∂g + I − x) at the states x that forces() had at `time`: turns the
  /// derivatives by the new states into those by the old ones, and adds to the gradients. rate and free have one entry
  /// per layer, free may hold null (all free).
  void reverse_step(const Step& step, int time, std::span<const T* const> x, std::span<const T> rate,
                    std::span<const T* const> free, std::span<T* const> x_bar);
  /// Ends it: what was hoisted to scope lane in reverse, once.
  void end_reverse(const Instructions& instructions, std::span<const T* const> x);
  /// From the derivative by a clamped layer's activation to its coefficients, its bias and its state (null: not
  /// wanted).
  void finish(int layer, const T* x, T* x_bar);

  long rows() const { return rows_; }
  long max_rows() const { return max_rows_; }
  const Network& network() const { return *program_->network; }
  const T* bias(int layer) const;

 private:
  int node_of(int layer) const { return network().layers()[layer].node; }
  /// Of an array of scope batch, this lane's rows.
  T* at(T* own, int node) const;
  T* gradient_of(int node) const;
  Operand<T> operand(int node, bool tangents) const;
  Frame<T> frame(const Instruction& instruction, bool tangents) const;
  void run(const Instructions& instructions);
  void run_forward(int node);
  long first_kept(int node) const {
    return program_->slots[node].per == Per::step ? static_cast<long>(time_) * max_rows_ : 0;
  }
  bool stores(int node) const {
    return program_->slots[node].stored && gradient_ != nullptr && time_ < batch_->runs[node];
  }
  bool stores_bar(int node) const {
    return program_->slots[node].bar_stored && gradient_ != nullptr && time_ < batch_->runs[node];
  }
  Frame<T> layer_frame(int layer, const T* x) const;
  const T* shifted(int layer, const T* x) const;
  void layer_energy(int layer, const T* x, T* energies);
  void retreat(int layer, const T* x, T rate, const T* free, const T* x_bar);
  void return_(int layer, const T* x, T rate, const T* free, T* x_bar);
  void along_beta(int layer, const T* x);
  T* reserve(long count);

  const Program* program_;
  long max_rows_, rows_ = 0, first_ = 0;
  std::vector<Operand<T>> nodes_;  // all four arrays of every node; what is not needed is null
  std::vector<T*> gradients_;      // where nodes of scope lane collect theirs
  // Of a remembered node: its values in every step, and what its operation keeps beside them.
  struct Kept {
    std::vector<std::int32_t> numbers;
    std::vector<T> values;
  };
  std::vector<Kept> kept_;
  int time_ = 0;
  Numbers<T> memory_;
  long reserved_ = 0;
  const Constants<T>* constants_ = nullptr;
  const BatchArrays<T>* batch_ = nullptr;
  T* gradient_ = nullptr;
  T* ones_ = nullptr;
  std::vector<T*> shifted_;  // per layer with a threshold: x − b
  std::vector<T*> work_;     // per layer: one state's worth of scratch
};

}  // namespace ham

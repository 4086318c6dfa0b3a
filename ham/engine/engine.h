// A network ready to run: parameters, and lanes that share a batch among threads.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ham/engine/whole_batch.h"

namespace ham {

struct EngineOptions {
  std::vector<std::string> clamped;  ///< layers whose states never change; what only they feed is computed once
  int threads = 1;
  int lane_rows = 0;             ///< samples per lane, 0: what suits the network; results depend on it in rounding only
  bool training = false;         ///< makes room for the reverse pass
  bool state_gradients = false;  ///< the reverse pass also gives derivatives by the clamped layers' states
};

/// One network with one set of parameters: interprets its Program. A batch is cut into lanes of lane_rows samples, each
/// on one thread; what is computed for a whole batch is cut into tiles. The network must outlive the engine.
template <class T>
class Engine {
 public:
  /// Throws std::invalid_argument when a clamped layer is unknown or a number is below 1.
  Engine(const Network& network, EngineOptions options);

  const Network& network() const { return *program_.network; }
  const EngineOptions& options() const { return options_; }
  const Program& program() const { return program_; }

  /// The parameters in Network::parameters() order; call parameters_changed() after writing them.
  std::span<T> parameters() { return std::span<T>(constants_.numbers).first(network().num_parameters()); }
  /// Recomputes what depends on parameters alone.
  void parameters_changed();
  void set_parameters(std::span<const T> numbers);
  /// Parameters and all that depends on them alone.
  const Constants<T>& constants() const { return constants_; }

  /// Makes room for what the steps of a descent keep for the way back.
  void keep(const Unrolled& unrolled);

  /// A lane of a batch: samples first … first + rows − 1.
  struct Share {
    Lane<T>& lane;
    int thread;
    long index, first, rows;
  };
  using LaneBody = std::function<void(const Share&)>;
  /// Computes what clamped layers feed for the whole batch, then runs body on every lane, in any order. Lane i collects
  /// its gradients in lane_gradient(i) if `training`.
  void for_each_lane(const States<T>& states, const LaneBody& body, bool training = false);
  long num_lanes(long batch) const { return (batch + options_.lane_rows - 1) / options_.lane_rows; }

  /// After the lanes of a training step: the rest of the way back from `states`. The gradients by all parameters come
  /// to stand in `gradient`, which has Program::num_constants numbers; state_gradients may be null.
  void finish_reverse(const Unrolled& unrolled, const States<T>& states, States<T>* state_gradients, T* gradient);

  /// The number of samples in these states; throws std::invalid_argument when a shape is not (batch, layer shape…).
  long batch_of(const States<T>& states) const;

 private:
  void pack();
  T* lane_gradient(long index) { return lane_gradients_.get() + index * program_.num_collected; }
  void run_lanes(long batch, bool training, const LaneBody& body);
  void run_parameters(const Instructions& instructions, T* gradient);

  EngineOptions options_;
  Program program_;
  Constants<T> constants_;
  Numbers<T> packed_;                       // where constants_.packed points
  const Kernels<T>* packed_for_ = nullptr;  // the loops that can read them
  std::vector<Lane<T>> lanes_;              // one per thread
  WholeBatch<T> whole_;
  Numbers<T> lane_gradients_;
  long lanes_room_ = 0;
};

/// Pointers to the first of a share's samples in every layer.
template <class T>
void point_at(const States<T>& states, long first, std::vector<const T*>& pointers);
template <class T>
void point_at(States<T>& states, long first, std::vector<T*>& pointers);

}  // namespace ham

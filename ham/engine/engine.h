// A network ready to run: parameters, and lanes that share a batch among threads.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ham/engine/lane.h"

namespace ham {

struct EngineOptions {
  std::vector<std::string> clamped;  ///< layers whose states never change; what only they feed is computed once
  int threads = 1;
  int lane_rows = 200;    ///< samples per lane; results depend on it in rounding only, and on `threads` not at all
  bool training = false;  ///< makes room for the reverse pass
  bool state_gradients = false;  ///< the reverse pass also gives derivatives by the clamped layers' states
};

/// One network with one set of parameters. A batch is cut into lanes of lane_rows samples; each lane runs on one
/// thread. The network must outlive the engine.
template <class T>
class Engine {
 public:
  /// Throws std::invalid_argument when a clamped layer is unknown or a number is below 1.
  Engine(const Network& network, EngineOptions options);

  const Network& network() const { return *plan_.network; }
  const EngineOptions& options() const { return options_; }
  const Plan& plan() const { return plan_; }

  /// The parameters in Network::parameters() order; call parameters_changed() after writing them.
  std::span<T> parameters() { return std::span<T>(constants_.numbers).first(network().num_parameters()); }
  /// Recomputes what depends on parameters alone.
  void parameters_changed();
  void set_parameters(std::span<const T> numbers);
  /// Parameters and all that depends on them alone.
  const Constants<T>& constants() const { return constants_; }

  /// Makes room for what operations keep of so many steps of time (Lane::remember).
  void remember(int steps) {
    for (Lane<T>& lane : lanes_) lane.remember(steps);
  }

  /// A lane of a batch: samples first … first + rows − 1.
  struct Share {
    Lane<T>& lane;
    int thread;
    long index, first, rows;
  };
  /// Runs body on every lane of a batch, in waves of `threads`; after_wave(first lane, lanes) runs on the calling
  /// thread between them, in order, whatever the number of threads.
  void for_each_lane(long batch, const std::function<void(const Share&)>& body,
                     const std::function<void(long, long)>& after_wave = {});
  long num_lanes(long batch) const { return (batch + options_.lane_rows - 1) / options_.lane_rows; }

  /// The number of samples in these states; throws std::invalid_argument when a shape is not (batch, layer shape…).
  long batch_of(const States<T>& states) const;

 private:
  void pack();

  EngineOptions options_;
  Plan plan_;
  Constants<T> constants_;
  Numbers<T> packed_;                       // where constants_.packed points
  const Kernels<T>* packed_for_ = nullptr;  // the loops that can read them
  std::vector<Lane<T>> lanes_;              // one per thread
};

/// Pointers to the first of a share's samples in every layer.
template <class T>
void point_at(const States<T>& states, long first, std::vector<const T*>& pointers);
template <class T>
void point_at(States<T>& states, long first, std::vector<T*>& pointers);

}  // namespace ham

// When a verb is to end before its work is done: a signal, or its time limit.
#pragma once

#include <atomic>
#include <chrono>

#include "core/stop.h"

namespace experiments {

/// Asked by every loop of a verb that may run long, its preparations included; any thread may ask and tell.
///
/// A signal counts at once. The time limit counts while the work is prepared (that may take a second, however short the
/// limit) and once a part of it is done, but not in between: the first part is always finished, so that the shortest
/// limit gets on.
class Stopping {
 public:
  using Clock = std::chrono::steady_clock;

  /// No time limit where time_limit (seconds since `begun`) is 0.
  Stopping(double time_limit, Clock::time_point begun) : time_limit_(time_limit), begun_(begun) {}
  Stopping(const Stopping&) = delete;
  Stopping& operator=(const Stopping&) = delete;

  bool requested() const;
  /// The question as core and dam ask it; this object must outlive it.
  core::StopToken token() const {
    return core::StopToken([this] { return requested(); });
  }

  /// Preparations ended: some thread can begin with a part.
  void tell_prepared() { prepared_ = true; }
  /// A part is done.
  void tell_done() { done_ = true; }
  bool is_prepared() const { return prepared_; }

 private:
  double time_limit_;
  Clock::time_point begun_;
  std::atomic<bool> prepared_ = false, done_ = false;
};

}  // namespace experiments

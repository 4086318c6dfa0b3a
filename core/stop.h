// How long work learns that it is to end early: it asks a token that its caller made.
#pragma once

#include <functional>
#include <stdexcept>
#include <utility>

namespace core {

/// Work ended early because its token asked for it; what it was making does not exist.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

/// The question whether to stop, for loops that may run long; the empty token never asks to.
///
/// What it looks at (a signal, a clock) is its maker's affair. It may be asked by several threads at once, and is meant
/// to be asked some hundred times a second or more: it must be cheap.
class StopToken {
 public:
  StopToken() = default;
  explicit StopToken(std::function<bool()> asked) : asked_(std::move(asked)) {}

  bool requested() const { return asked_ && asked_(); }
  /// Throws Stopped where requested().
  void check() const {
    if (requested()) throw Stopped();
  }

 private:
  std::function<bool()> asked_;
};

}  // namespace core

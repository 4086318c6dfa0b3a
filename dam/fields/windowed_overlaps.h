// The overlaps of all patterns with one state, as bytes in a window of agreements and a list of what lies outside.
#pragma once

#include <boost/align/aligned_allocator.hpp>
#include <cstdint>
#include <vector>

#include "dam/fields/plane_ops.h"
#include "dam/fields/plane_tables.h"
#include "dam/states/patterns.h"

namespace dam {

template <typename T>
using AlignedVector = std::vector<T, boost::alignment::aligned_allocator<T, 64>>;

/// Overlaps that follow each flip.
///
/// Most patterns' agreements with the state lie in a window around the usual ones and stand there as positions a −
/// lowest; the few others, the recalled pattern among them, are listed. The window moves after the overlaps when a
/// state takes many out of it, as states among correlated patterns do.
class WindowedOverlaps {
 public:
  WindowedOverlaps(const PlaneOps& ops, int num_neurons)
      : ops_(ops), window_(window_around(num_neurons / 2, num_neurons)) {}

  /// Counts them anew; `patterns` must stay while they are followed.
  void load(const Patterns& patterns, const State& state);
  /// Flips one spin of the state.
  void flip(std::uint32_t spin);
  /// Puts the window where it holds most patterns, if so many are listed that it pays; true when it did.
  bool move_window_if_crowded();

  const Patterns& patterns() const { return *patterns_; }
  const State& state() const { return state_; }
  std::size_t words() const { return patterns_->words_per_column(); }
  const Window& window() const { return window_; }
  /// 64·words() bytes: a − lowest, or kNowhere for what is listed and for padding.
  const std::uint8_t* positions() const { return positions_.data(); }
  const std::vector<Outlier>& outliers() const { return outliers_; }
  std::int64_t in_window() const { return patterns_->num_patterns() - static_cast<std::int64_t>(outliers_.size()); }
  bool agrees(std::uint32_t spin, std::int64_t pattern) const {
    return patterns_->bit(static_cast<int>(spin), pattern) == (state_[spin] > 0);
  }
  /// visit(pattern, agreements), every pattern once.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (std::int64_t pattern = 0; pattern < patterns_->num_patterns(); ++pattern)
      if (positions_[pattern] != kNowhere) visit(pattern, window_.lowest + positions_[pattern]);
    for (const Outlier& outlier : outliers_) visit(outlier.pattern, outlier.agreements);
  }

 private:
  void count();
  bool is_crowded() const;

  const PlaneOps& ops_;
  Window window_;
  const Patterns* patterns_ = nullptr;
  std::int64_t num_patterns_ = 0;  // of the last load
  State state_;
  AlignedVector<std::uint8_t> positions_;
  std::vector<Outlier> outliers_;
  std::int64_t crowd_ = 0;  // outliers right after the window was moved
  std::vector<std::int64_t> left_, counts_;
};

}  // namespace dam

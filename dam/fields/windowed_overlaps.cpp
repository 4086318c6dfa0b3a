#include "dam/fields/windowed_overlaps.h"

#include <algorithm>

namespace dam {

void WindowedOverlaps::load(const Patterns& patterns, const State& state) {
  patterns_ = &patterns;
  state_ = state;
  positions_.resize(64 * words());
  if (num_patterns_ != patterns.num_patterns()) crowd_ = 0;
  num_patterns_ = patterns.num_patterns();
  count();
  move_window_if_crowded();
}

void WindowedOverlaps::count() {
  outliers_.clear();
  ops_.count(patterns_->column(0).data(), words(), state_, patterns_->num_patterns(), window_.lowest, window_.width,
             positions_.data(), outliers_);
  std::fill(positions_.begin() + patterns_->num_patterns(), positions_.end(), kNowhere);
}

/// Where many patterns stand outside wherever the window is, it is not worth moving before they are twice as many.
bool WindowedOverlaps::is_crowded() const {
  return static_cast<std::int64_t>(outliers_.size()) >
         std::max<std::int64_t>(16 + patterns_->num_patterns() / 64, 2 * crowd_);
}

bool WindowedOverlaps::move_window_if_crowded() {
  if (!is_crowded()) return false;
  counts_.assign(state_.size() + 1, 0);
  for_each([&](std::int64_t, int agreements) { ++counts_[static_cast<std::size_t>(agreements)]; });
  window_ = fullest_window(counts_);
  count();
  crowd_ = static_cast<std::int64_t>(outliers_.size());
  return true;
}

void WindowedOverlaps::flip(std::uint32_t spin) {
  const bool plus = state_[spin] > 0;
  // The vector loop moves every byte by one: prepare the listed patterns and the padding to end where they belong.
  std::fill(positions_.begin() + patterns_->num_patterns(), positions_.end(),
            static_cast<std::uint8_t>(plus ? kNowhere - 1 : kNowhere + 1));
  std::erase_if(outliers_, [&](Outlier& outlier) {
    const int change = agrees(spin, outlier.pattern) ? -1 : 1;
    outlier.agreements += change;
    const int position = outlier.agreements - window_.lowest;
    const bool inside = position >= 0 && position < window_.width;
    positions_[outlier.pattern] = static_cast<std::uint8_t>((inside ? position : kNowhere) - change);
    return inside;
  });
  left_.clear();
  ops_.step(patterns_->column(static_cast<int>(spin)).data(), words(), plus, window_.width, positions_.data(), left_);
  for (const std::int64_t pattern : left_) {
    const int position = positions_[pattern] == 255 ? -1 : window_.width;
    outliers_.push_back({pattern, window_.lowest + position});
    positions_[pattern] = kNowhere;
  }
  state_[spin] = static_cast<std::int8_t>(-state_[spin]);
}

}  // namespace dam

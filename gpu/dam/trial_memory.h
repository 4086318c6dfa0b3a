// What a block's shared memory holds, and where.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/dam/work.h"

namespace gpu {

/// What all threads of a block know of the trial at hand.
struct TrialControl {
  // The trial, as it stands.
  std::int64_t passes, flips, ties, energy_rises;
  std::uint64_t hash;
  int plus_count;  // spins that are +1
  bool converged, cycle, undecided, done;
  // The pass.
  int position;  // in the visiting order
  int last_flip;
  bool flipped;  // in this pass
  float stride;  // recent number of updates from flip to flip
  // What is known of the current state's signs.
  std::uint32_t epoch;
  int num_known, num_zero, num_minus;
  // What the next look at the patterns has to do.
  int num_pending;  // flips that the positions do not have yet
  int num_sites;
  int num_open;
  int num_seen;
  bool has_sums;      // those below are of the state before the pending flips
  bool must_compare;  // Σ F is to be compared with the one after them
  bool separation_clamped;
  Units separation_sum;
  // Sums over the window's patterns.
  std::int64_t high_sum, low_sum, total_sum, separation_digits;
  int num_outliers;
  int wrong_bits;
  std::int64_t item;  // of the batch
};

/// A pattern outside the window.
struct Outlier {
  std::int64_t pattern;
  int agreements;
};

/// What a pattern weighs, by its agreements; three words, so that neighbours stand in different banks.
struct WeightEntry {
  std::uint32_t digits;
  std::int32_t total;
  std::int32_t separation;
};

/// Byte offsets of everything in a block's shared memory.
struct SharedLayout {
  std::size_t control, outliers, fields, exchange, weights, plus, sign, stamp, order, targets, pending, sites,
      open_sites, positions, bytes;
};

/// `groups` of positions stand in shared memory; 0: they are elsewhere.
GPU_BODY SharedLayout shared_layout(int num_neurons, int max_outliers, std::int64_t groups, int warps) {
  SharedLayout layout{};
  std::size_t at = 0;
  const auto take = [&](std::size_t bytes) {
    const std::size_t begin = at;
    at += (bytes + 15) / 16 * 16;
    return begin;
  };
  const std::size_t n = static_cast<std::size_t>(num_neurons);
  layout.control = take(sizeof(TrialControl));
  layout.fields = take(kMaxSites * 2 * sizeof(std::int64_t));
  layout.exchange = take(static_cast<std::size_t>(warps) * kExchangeWords * 4);
  layout.outliers = take(static_cast<std::size_t>(max_outliers) * sizeof(Outlier));
  layout.weights = take(sizeof(WeightEntry) * (n + 1));
  layout.stamp = take(4 * n);
  layout.plus = take(n);
  layout.sign = take(n);
  layout.order = take(2 * n);
  layout.targets = take(2 * n);
  layout.pending = take(2 * n);
  layout.sites = take(2 * kMaxSites);
  layout.open_sites = take(2 * kMaxSites);
  layout.positions = take(static_cast<std::size_t>(groups) * kGroupPatterns * 2);
  layout.bytes = at;
  return layout;
}

/// The shared memory of one block as what it holds.
class TrialMemory {
 public:
  GPU_BODY TrialMemory(const SharedLayout& layout, std::byte* shared) : layout_(layout), shared_(shared) {}

  GPU_BODY TrialControl& control() const { return *at<TrialControl>(layout_.control); }
  /// By spin: the state, 1 for +1; the sign last found, and in which epoch.
  GPU_BODY std::uint8_t* plus() const { return at<std::uint8_t>(layout_.plus); }
  GPU_BODY std::int8_t* signs() const { return at<std::int8_t>(layout_.sign); }
  GPU_BODY std::uint32_t* stamps() const { return at<std::uint32_t>(layout_.stamp); }
  /// The visiting order, and what shuffles it.
  GPU_BODY std::uint16_t* order() const { return at<std::uint16_t>(layout_.order); }
  GPU_BODY std::uint16_t* targets() const { return at<std::uint16_t>(layout_.targets); }
  /// Spins whose flip the positions do not have yet; spins that a look decides, those left open, fields.
  GPU_BODY std::uint16_t* pending() const { return at<std::uint16_t>(layout_.pending); }
  GPU_BODY std::uint16_t* sites() const { return at<std::uint16_t>(layout_.sites); }
  GPU_BODY std::uint16_t* open_sites() const { return at<std::uint16_t>(layout_.open_sites); }
  GPU_BODY std::int64_t* fields() const { return at<std::int64_t>(layout_.fields); }
  GPU_BODY std::int64_t* low_fields() const { return fields() + kMaxSites; }
  /// By agreements.
  GPU_BODY WeightEntry* weights() const { return at<WeightEntry>(layout_.weights); }
  GPU_BODY Outlier* outliers() const { return at<Outlier>(layout_.outliers); }
  GPU_BODY std::uint32_t* positions() const { return at<std::uint32_t>(layout_.positions); }
  /// A warp's planes on their way between its lanes; afterwards its share of the fields and sums.
  GPU_BODY std::uint32_t* exchange(int warp) const {
    return at<std::uint32_t>(layout_.exchange) + warp * kExchangeWords;
  }
  GPU_BODY std::int64_t* shares(int warp) const { return reinterpret_cast<std::int64_t*>(exchange(warp)); }

 private:
  template <class T>
  GPU_BODY T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(shared_ + offset);
  }

  SharedLayout layout_;
  std::byte* shared_;
};

}  // namespace gpu

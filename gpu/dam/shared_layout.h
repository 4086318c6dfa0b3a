// How a block's shared memory is divided.
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
  double stride;
  // What is known of the current state's signs.
  std::uint32_t epoch;
  int num_known, num_zero, num_minus;
  // What the next look at the patterns has to do.
  int num_pending;  // flips that the positions do not have yet
  int num_sites;
  int num_open;
  int num_seen;
  bool has_separation;  // separation_sum is that of the state before the pending flips
  bool must_compare;    // it is to be compared with the one after them
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

/// Byte offsets of everything in a block's shared memory.
struct SharedLayout {
  std::size_t control, outliers, fields, exchange, digits, totals, separations, plus, sign, stamp, order, targets,
      pending, sites, site_signs, positions, bytes;
};

/// Words of a warp's exchange area: eight planes of a group.
inline constexpr int kExchangeWords = 8 * kGroupWords;

/// `groups` of positions stand in shared memory; 0: they are elsewhere.
GPU_BODY SharedLayout shared_layout(int num_neurons, std::int64_t groups, int warps) {
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
  layout.outliers = take(kMaxOutliers * sizeof(Outlier));
  layout.digits = take(4 * (n + 1));
  layout.totals = take(4 * (n + 1));
  layout.separations = take(4 * (n + 1));
  layout.stamp = take(4 * n);
  layout.plus = take(n);
  layout.sign = take(n);
  layout.order = take(2 * n);
  layout.targets = take(2 * n);
  layout.pending = take(2 * n);
  layout.sites = take(2 * kMaxSites);
  layout.site_signs = take(kMaxSites);
  layout.positions = take(static_cast<std::size_t>(groups) * kGroupPatterns * 2);
  layout.bytes = at;
  return layout;
}

}  // namespace gpu

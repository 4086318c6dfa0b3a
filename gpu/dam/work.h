// What the card is given and what it gives back: plain data, the same on both sides.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dam/configuration.h"
#include "gpu/dam/bit_planes.h"
#include "gpu/device/body.h"

namespace gpu {

/// As in dam/fields/plane_tables.h: a count of units, and where it is cut off.
using Units = __int128;

/// Patterns that a warp takes at a time, one word of 32 to a lane.
inline constexpr int kGroupPatterns = 1024;
/// Sites that one look at all patterns decides: tiles of 16.
inline constexpr int kTileSites = 16;
inline constexpr int kMaxTiles = 4;
inline constexpr int kMaxSites = kTileSites * kMaxTiles;
/// The most words of a bit-sliced number of agreements.
inline constexpr int kMaxSlices = 13;
inline constexpr int kMaxNeurons = (1 << kMaxSlices) / 2;

/// Weights by agreements 0 … N (see weights.h for how they are made); every array has N + 1 entries.
///
/// In the window, difference = unit·(2^low_bits·high + low), total = total_offset + total_unit·totals, and likewise F;
/// outside it these entries are 0 and the exact numbers count.
struct WeightView {
  const std::uint32_t* digits;  // low in the upper half; high in 15 bits of the lower, its top bit: outside the window
  const std::int32_t* totals;
  const std::int32_t* separations;
  const Units* agree;
  const Units* disagree;
  const Units* separation;
  int low_bits;  // 0: there are no low digits
  bool counts_rises;
  bool narrow;  // 32 totals, and 32 separations, add up to less than 2³¹
  Units unit, total_offset, total_unit, separation_offset, separation_unit;
  Units largest_low;       // |unit·low| is at most this
  Units error;             // a pattern's, in twice a support
  Units separation_error;  // a pattern's, in the difference of two sums of F
  Units clamp;             // an exact number of this size is at least this large
};

/// The key of a random stream but for its trial and purpose.
struct StreamKey {
  std::uint64_t seed = 0, configuration = 0, num_patterns = 0;
};

/// N, K and how recall runs.
struct RecallTask {
  WeightView weights;
  int num_neurons = 0;
  std::int64_t num_patterns = 0;
  std::int64_t column_words = 0;  // 32-bit words from one column to the next: whole groups
  dam::UpdateOrder order = dam::UpdateOrder::random;
  dam::TieRule tie = dam::TieRule::keep;
  int max_passes = 100;
  int max_outliers = 0;  // patterns outside the window that are kept apart; with more a trial is left undecided
  StreamKey key;
  // A slot per block: positions where they do not fit the shared memory (else null), hashes of states seen.
  std::uint32_t* positions = nullptr;
  std::uint64_t* seen = nullptr;

  GPU_BODY std::int64_t groups() const { return column_words / kGroupWords; }
};

/// What became of one trial.
struct TrialOutcome {
  std::int64_t passes, flips, ties, energy_rises;
  std::int32_t wrong_bits;
  bool converged, cycle;
  bool undecided;  // a sum came closer to 0 than its error: the processor must count it out
};

/// A batch of pattern sets with all their trials.
struct ClusterBatch {
  RecallTask task;
  bool fair = true;               // P(+1) = ½; else `digits_plus`
  std::uint64_t digits_plus = 0;  // 2⁶⁴·P(+1)
  std::uint64_t digits_kept = 0;  // 2⁶⁴·alpha
  bool keeps_all = false;         // alpha = 1
  int cues = 1;
  std::int64_t count = 0;             // pattern sets
  std::int64_t* clusters = nullptr;   // their numbers
  TrialOutcome* outcomes = nullptr;   // count·cues
  std::int64_t* next = nullptr;       // the pattern set that no block has taken yet
  std::uint32_t* patterns = nullptr;  // a slot per block
};

/// A batch of states to be recalled with the same patterns.
struct StateBatch {
  RecallTask task;
  std::int64_t count = 0;
  const std::uint32_t* patterns = nullptr;
  std::int8_t* states = nullptr;  // count·N, in place
  TrialOutcome* outcomes = nullptr;
  std::int64_t* next = nullptr;
};

}  // namespace gpu

// One trial: draw a pattern set, corrupt one of its patterns, recall, judge; the unit everything measured is made of.
#pragma once

#include <cstdint>

#include "dam/configuration.h"
#include "dam/patterns.h"

namespace dam {

struct Kernel;

/// Sums over trials; every member is an integer, so sums do not depend on the order they were added in.
struct TrialCounts {
  std::int64_t trials = 0;
  std::int64_t successes = 0;
  std::int64_t clusters = 0;           // pattern sets
  std::int64_t successes_squared = 0;  // Σ over clusters of (successes in the cluster)²
  std::int64_t passes = 0;             // passes made, the last one without a flip included
  std::int64_t flips = 0;
  std::int64_t ties = 0;           // spin updates that found a field of exactly 0
  std::int64_t not_converged = 0;  // trials that met the pass cap, cycles included
  std::int64_t cycles = 0;         // trials stopped because a state repeated
  std::int64_t energy_rises = 0;   // flips that raised Σ F
  std::int64_t wrong_bits = 0;     // Σ over trials of components that differ from the pattern at the end

  TrialCounts& operator+=(const TrialCounts& other);
  bool operator==(const TrialCounts&) const = default;
};

/// Everything `cues` trials on one pattern set need, allocated once per thread and reused.
class TrialWorkspace;

/// Runs the configuration's `cues` trials on pattern set number `cluster` with K patterns.
///
/// Patterns come from stream(seed, configuration_id, cluster, patterns) and nest in K; cue j corrupts pattern j mod K
/// with stream(seed, configuration_id, cluster·cues + j, cue).
TrialCounts run_cluster(const Configuration& configuration, std::int64_t num_patterns, std::int64_t cluster,
                        const Kernel& kernel, TrialWorkspace& workspace);

/// Bytes one TrialWorkspace holds while it runs (N, K): ≤ 2.5·N·K/8 + 24·K and a little.
std::int64_t trial_memory(const Configuration& configuration, std::int64_t num_patterns);

}  // namespace dam

// One trial: draw a pattern set, corrupt one of its patterns, recall, judge; the unit everything measured is made of.
#pragma once

#include <cstdint>
#include <memory>

#include "core/stop.h"
#include "dam/configuration.h"
#include "dam/states/patterns.h"

namespace dam {

struct Kernel;
class Recall;
struct RecallResult;

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
  std::int64_t energy_rises = 0;   // flips (synchronous order: passes) that raised the energy: Σ F fell
  std::int64_t wrong_bits = 0;     // Σ over trials of components that differ from the pattern at the end

  TrialCounts& operator+=(const TrialCounts& other);
  bool operator==(const TrialCounts&) const = default;
};

/// Everything the trials of one thread need: kept from trial to trial, it stops allocating once it has seen its
/// largest K, and prepares a kernel anew only when the configuration or the kernel changes.
class TrialWorkspace {
 public:
  TrialWorkspace();
  ~TrialWorkspace();
  TrialWorkspace(TrialWorkspace&&) noexcept;
  TrialWorkspace& operator=(TrialWorkspace&&) noexcept;

  /// Prepares the kernel for trials of this configuration, unless it is; run_cluster() does so itself. Throws
  /// core::Stopped when asked to, which the kernel's later work may do too: the token's maker must outlive it.
  void prepare(const Configuration& configuration, const Kernel& kernel, const core::StopToken& stop = {});

 private:
  friend TrialCounts run_cluster(const Configuration&, std::int64_t, std::int64_t, const Kernel&, TrialWorkspace&,
                                 const Patterns*, const core::StopToken&);

  Configuration configuration_;
  std::uint64_t id_ = 0;
  const Kernel* kernel_ = nullptr;
  std::unique_ptr<Recall> recall_;
  Patterns patterns_;
  State state_;
};

/// Runs the configuration's `cues` trials on pattern set number `cluster` with K ≥ 1 patterns.
///
/// Patterns come from stream(seed, configuration_id, K, cluster, patterns), so that pattern sets of different K are
/// independent; cue j corrupts pattern j mod K with stream(seed, configuration_id, K, cluster·cues + j, cue). `bank`
/// holds the patterns of a file source. Throws std::invalid_argument when K or cues is below 1, or the bank does not
/// fit; core::Stopped when asked to.
TrialCounts run_cluster(const Configuration& configuration, std::int64_t num_patterns, std::int64_t cluster,
                        const Kernel& kernel, TrialWorkspace& workspace, const Patterns* bank = nullptr,
                        const core::StopToken& stop = {});

/// Counts one trial: how its recall went and in how many components the final state differs from the pattern.
void add_trial(const Configuration& configuration, const RecallResult& result, int wrong_bits, TrialCounts& counts);

/// Bytes one TrialWorkspace holds while it runs (N, K ≤ 2^40): the patterns, recall_memory(), of low-rank patterns also
/// their prototypes, 8·N·rank.
std::int64_t trial_memory(const Configuration& configuration, std::int64_t num_patterns);

/// Whether a final state counts as the pattern: its normalized overlap reaches rule.min_overlap.
bool succeeded(const SuccessRule& rule, int overlap, int num_neurons);

}  // namespace dam

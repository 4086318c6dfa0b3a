// Batches of pattern sets on a card: the same counts as dam::run_cluster, many sets at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dam/recall/recall.h"
#include "dam/recall/trial.h"
#include "gpu/device/launcher.h"

namespace gpu {

struct RecallTask;
struct TrialOutcome;

/// Runs trials on one machine; one object per host thread.
///
/// Every decision is the sign of the exact sum, as on every kernel of the table in dam/fields/kernels.h; where a sum
/// comes closer to 0 than the card's rounded weights can tell, dam::run_cluster does that pattern set once more.
class Clusters {
 public:
  explicit Clusters(std::unique_ptr<Launcher> launcher);
  ~Clusters();
  Clusters(const Clusters&) = delete;
  Clusters& operator=(const Clusters&) = delete;

  std::string name() const { return launcher_->name(); }
  /// Whether the card can: it draws such patterns (fair or biased ones), and its memory suffices.
  bool fits(const dam::Configuration& configuration, std::int64_t num_patterns) const;
  /// Whether it can and should.
  bool takes(const dam::Configuration& configuration, std::int64_t num_patterns) const;

  /// The counts of each of these pattern sets, as dam::run_cluster(configuration, num_patterns, cluster, …). Throws
  /// std::invalid_argument unless it fits(), std::runtime_error when the card fails.
  std::vector<dam::TrialCounts> run(const dam::Configuration& configuration, std::int64_t num_patterns,
                                    std::span<const std::int64_t> clusters);

  /// Runs states[i] to its end with the streams of trial i; the results in order. Where a result cannot be trusted to
  /// the card, dam::recall redoes it.
  std::vector<dam::RecallResult> recall(const core::EnergyModel& model, const dam::Dynamics& dynamics,
                                        const dam::Patterns& patterns, std::uint64_t seed,
                                        std::span<dam::State> states);

  /// Trials so far, and those of them that the processor had to redo.
  std::int64_t trials() const { return trials_; }
  std::int64_t redone() const { return redone_; }

 private:
  class Buffer;
  struct Tables;
  struct Plan;
  Plan plan_for(int num_neurons, std::int64_t num_patterns, int max_passes, std::size_t items, bool draws) const;
  RecallTask task(const core::EnergyModel& model, const dam::Dynamics& dynamics, int num_neurons,
                  std::int64_t num_patterns, int centre, const Plan& plan);
  std::uint32_t* upload(const dam::Patterns& patterns, std::int64_t words);
  template <class Batch>
  std::vector<TrialOutcome> run_batch(Batch& batch, std::size_t items, std::size_t trials, const Plan& plan);

  std::unique_ptr<Launcher> launcher_;
  Limits limits_;
  std::unique_ptr<Tables> tables_;
  std::unique_ptr<Buffer> patterns_, positions_, seen_, clusters_, states_, outcomes_, next_;
  std::int64_t trials_ = 0, redone_ = 0;
};

/// Whether trials of this size are done sooner on a card: smaller ones are over before one has warmed up.
bool worth_a_card(const dam::Configuration& configuration, std::int64_t num_patterns);

/// Where a configuration's overlaps lie: the agreements of a typical pattern with a state like the patterns.
int usual_agreements(const dam::Configuration& configuration);

}  // namespace gpu

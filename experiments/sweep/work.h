// The unit of work that threads and ranks take: one pattern set of one point.
#pragma once

#include <cstdint>

#include <span>
#include <vector>

#include "core/stop.h"
#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "experiments/sweep/spec.h"
#include "gpu/dam/clusters.h"

namespace experiments {

/// Pattern set number `cluster` at K patterns of a configuration of the spec; `ticket` is whoever asked's own mark.
struct Task {
  std::int64_t ticket = 0;
  std::int64_t configuration = 0;
  std::int64_t num_patterns = 0;
  std::int64_t cluster = 0;
  std::int64_t on_card = 0;  // 1: for a card
};

inline bool same_point(const Task& a, const Task& b) {
  return a.configuration == b.configuration && a.num_patterns == b.num_patterns;
}

/// What a task counted and the seconds of one thread it took.
struct TaskResult {
  std::int64_t ticket = 0;
  dam::TrialCounts counts;
  double seconds = 0;
};

/// Does the task; the counts depend on spec and task alone.
///
/// Throws core::Stopped when asked to.
TaskResult perform(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace,
                   const core::StopToken& stop);

/// Prepares the workspace for the task, which perform() would do itself; throws core::Stopped when asked to.
void prepare(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace,
             const core::StopToken& stop);

/// Does tasks of one point together, on a card; in their order, with the card's seconds shared out among them.
std::vector<TaskResult> perform(std::span<const Task> tasks, const SweepSpec& spec, gpu::Clusters& card);

/// How many tasks of a point a card should get at once: enough to fill it, few enough to stop within a moment.
std::int64_t tasks_at_once(const dam::Configuration& configuration, std::int64_t num_patterns);

}  // namespace experiments

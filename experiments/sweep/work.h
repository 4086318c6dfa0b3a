// The unit of work that threads and ranks take: one pattern set of one point.
#pragma once

#include <cstdint>

#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "experiments/sweep/spec.h"

namespace experiments {

/// Pattern set number `cluster` at K patterns of a configuration of the spec; `ticket` is whoever asked's own mark.
struct Task {
  std::int64_t ticket = 0;
  std::int64_t configuration = 0;
  std::int64_t num_patterns = 0;
  std::int64_t cluster = 0;
};

/// What a task counted and the seconds of one thread it took.
struct TaskResult {
  std::int64_t ticket = 0;
  dam::TrialCounts counts;
  double seconds = 0;
};

/// Does the task; the counts depend on spec and task alone.
TaskResult perform(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace);

}  // namespace experiments

#include "experiments/sweep/work.h"

#include <chrono>

namespace experiments {

TaskResult perform(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace) {
  const auto start = std::chrono::steady_clock::now();
  TaskResult result{.ticket = task.ticket};
  result.counts = dam::run_cluster(spec.configurations[static_cast<std::size_t>(task.configuration)], task.num_patterns,
                                   task.cluster, kernel, workspace, spec.bank ? &*spec.bank : nullptr);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace experiments

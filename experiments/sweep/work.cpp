#include "experiments/sweep/work.h"

#include <algorithm>
#include <chrono>

namespace experiments {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

}  // namespace

TaskResult perform(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace,
                   const core::StopToken& stop) {
  const auto start = Clock::now();
  TaskResult result{.ticket = task.ticket};
  result.counts = dam::run_cluster(spec.configurations[static_cast<std::size_t>(task.configuration)], task.num_patterns,
                                   task.cluster, kernel, workspace, spec.bank ? &*spec.bank : nullptr, stop);
  result.seconds = seconds_since(start);
  return result;
}

void prepare(const Task& task, const SweepSpec& spec, const dam::Kernel& kernel, dam::TrialWorkspace& workspace,
             const core::StopToken& stop) {
  workspace.prepare(spec.configurations[static_cast<std::size_t>(task.configuration)], kernel, stop);
}

std::vector<TaskResult> perform(std::span<const Task> tasks, const SweepSpec& spec, gpu::Clusters& card) {
  const auto start = Clock::now();
  std::vector<std::int64_t> clusters;
  for (const Task& task : tasks) clusters.push_back(task.cluster);
  const Task& first = tasks.front();
  const auto counts =
      card.run(spec.configurations[static_cast<std::size_t>(first.configuration)], first.num_patterns, clusters);
  const double seconds = seconds_since(start) / static_cast<double>(tasks.size());
  std::vector<TaskResult> results;
  for (std::size_t i = 0; i < tasks.size(); ++i) results.push_back({tasks[i].ticket, counts[i], seconds});
  return results;
}

std::int64_t tasks_at_once(const dam::Configuration& configuration, std::int64_t num_patterns) {
  constexpr double kInteractions = 2e11;
  const double each = 3.0 * configuration.num_neurons * static_cast<double>(num_patterns) * configuration.cues;
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(kInteractions / each), 256, 4096);
}

}  // namespace experiments

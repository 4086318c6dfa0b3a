#include "dam/recall/trial.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "dam/recall/recall.h"

namespace dam {

TrialCounts& TrialCounts::operator+=(const TrialCounts& other) {
  trials += other.trials;
  successes += other.successes;
  clusters += other.clusters;
  successes_squared += other.successes_squared;
  passes += other.passes;
  flips += other.flips;
  ties += other.ties;
  not_converged += other.not_converged;
  cycles += other.cycles;
  energy_rises += other.energy_rises;
  wrong_bits += other.wrong_bits;
  return *this;
}

TrialWorkspace::TrialWorkspace() = default;
TrialWorkspace::~TrialWorkspace() = default;
TrialWorkspace::TrialWorkspace(TrialWorkspace&&) noexcept = default;
TrialWorkspace& TrialWorkspace::operator=(TrialWorkspace&&) noexcept = default;

void TrialWorkspace::prepare(const Configuration& configuration, const Kernel& kernel, const core::StopToken& stop) {
  if (recall_ && kernel_ == &kernel && configuration_ == configuration) return;
  recall_ =
      std::make_unique<Recall>(configuration.model, configuration.dynamics, configuration.num_neurons, kernel, stop);
  configuration_ = configuration;
  id_ = configuration_id(configuration);
  kernel_ = &kernel;
}

bool succeeded(const SuccessRule& rule, int overlap, int num_neurons) {
  const int judged = rule.up_to_sign ? std::abs(overlap) : overlap;
  // The quotient rounds like the decimal that was typed, so that 11 of 20 reach 0.55.
  return static_cast<double>(judged) / num_neurons >= rule.min_overlap;
}

TrialCounts run_cluster(const Configuration& configuration, std::int64_t num_patterns, std::int64_t cluster,
                        const Kernel& kernel, TrialWorkspace& workspace, const Patterns* bank,
                        const core::StopToken& stop) {
  using core::Purpose;
  if (num_patterns < 1 || configuration.cues < 1)
    throw std::invalid_argument("a trial needs K >= 1 and cues >= 1, not K = " + std::to_string(num_patterns) +
                                ", cues = " + std::to_string(configuration.cues));
  workspace.prepare(configuration, kernel, stop);
  const auto stream = [&](std::int64_t trial, Purpose purpose) {
    return core::Stream(configuration.seed, workspace.id_, trial, purpose, num_patterns);
  };
  Patterns& patterns = workspace.patterns_;
  State& state = workspace.state_;
  draw_patterns(configuration, workspace.id_, num_patterns, cluster, bank, patterns, stop);

  TrialCounts counts;
  counts.clusters = 1;
  for (int cue = 0; cue < configuration.cues; ++cue) {
    const std::int64_t trial = cluster * configuration.cues + cue;
    const std::int64_t target = cue % num_patterns;
    draw_cue(patterns, target, configuration.alpha, stream(trial, Purpose::cue), state);
    const RecallStreams streams{stream(trial, Purpose::order), stream(trial, Purpose::tie)};
    const RecallResult result = (*workspace.recall_)(patterns, streams, state, {}, stop);

    int wrong = 0;
    for (int spin = 0; spin < configuration.num_neurons; ++spin)
      wrong += patterns.bit(spin, target) != (state[spin] > 0);
    add_trial(configuration, result, wrong, counts);
  }
  counts.successes_squared = counts.successes * counts.successes;
  return counts;
}

void add_trial(const Configuration& configuration, const RecallResult& result, int wrong_bits, TrialCounts& counts) {
  const int neurons = configuration.num_neurons;
  ++counts.trials;
  counts.successes += succeeded(configuration.success, neurons - 2 * wrong_bits, neurons);
  counts.passes += result.passes;
  counts.flips += result.flips;
  counts.ties += result.ties;
  counts.not_converged += !result.converged;
  counts.cycles += result.cycle;
  counts.energy_rises += result.energy_rises;
  counts.wrong_bits += wrong_bits;
}

std::int64_t trial_memory(const Configuration& configuration, std::int64_t num_patterns) {
  const std::int64_t neurons = configuration.num_neurons;
  const std::int64_t plane = static_cast<std::int64_t>(column_words(num_patterns)) * 8;  // bytes of one bit per pattern
  const std::int64_t prototypes =
      configuration.patterns.kind == PatternKind::low_rank ? configuration.patterns.rank : 0;
  return plane * neurons + recall_memory(configuration.model, neurons, num_patterns) + 8 * prototypes * neurons;
}

}  // namespace dam

#include "experiments/recall/recall_cues.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/parallel.h"
#include "dam/fields/couplings.h"
#include "dam/fields/energy.h"
#include "experiments/command_line/run_options.h"

namespace experiments {
namespace {

/// The states that recall starts from, by the row of the cue.
class Starts {
 public:
  Starts(const RecallTask& task, const dam::Patterns& patterns, const dam::Spins& cues)
      : task_(task),
        patterns_(patterns),
        cues_(cues),
        erased_(task.model, task.dynamics.rule, cues.num_neurons, task.erased) {}

  dam::State state(std::int64_t cue) const {
    if (!cues_.erased) return cues_.row(cue);
    const core::Stream coins(task_.seed, 0, static_cast<std::uint64_t>(cue), core::Purpose::cue);
    return erased_.state(patterns_, cues_.row(cue), coins);
  }
  /// The neurons that keep their values.
  std::vector<std::uint32_t> held(std::int64_t cue) const {
    return task_.clamp ? dam::known_neurons(cues_.row(cue)) : std::vector<std::uint32_t>{};
  }
  std::int64_t erased(std::int64_t cue) const { return std::ranges::count(cues_.row(cue), 0); }

 private:
  const RecallTask& task_;
  const dam::Patterns& patterns_;
  const dam::Spins& cues_;
  dam::ErasedStarts erased_;
};

/// What a processor's thread makes of a cue.
Recalled recall_one(const RecallTask& task, const dam::Patterns& patterns, const dam::State& cue, std::uint64_t row,
                    dam::Recall& recall, const core::StopToken& stop) {
  Recalled out{.state = cue};
  const auto observe = [&](std::uint32_t spin, const dam::State& state) {
    stop.check();
    out.trace.push_back({spin, dam::energy_of(task.model, patterns, state)});
  };
  const dam::RecallStreams streams{{task.seed, 0, row, core::Purpose::order}, {task.seed, 0, row, core::Purpose::tie}};
  out.result =
      recall(patterns, streams, out.state, task.trace ? dam::FlipObserver(observe) : dam::FlipObserver(), stop);
  return out;
}

/// Energies, and the pattern that a final state came to: the one of the largest |overlap|, itself before its mirror
/// image.
void judge(const RecallTask& task, const dam::Patterns& patterns, const dam::State& cue, Recalled& out) {
  out.energy_before = dam::energy_of(task.model, patterns, cue);
  const std::vector<int> overlaps = dam::overlaps(patterns, out.state);
  out.energy_after = dam::energy_of(task.model, patterns.num_neurons(), overlaps);
  const auto nearest =
      std::ranges::max_element(overlaps, {}, [](int overlap) { return std::pair(std::abs(overlap), overlap > 0); });
  out.nearest_pattern = nearest - overlaps.begin();
  out.nearest_overlap = *nearest;
}

/// These cues at once, on a card, in their order.
std::vector<Recalled> recall_on(gpu::Clusters& card, const RecallTask& task, const dam::Patterns& patterns,
                                const dam::Spins& cues, const Starts& starts) {
  std::vector<dam::State> states;
  for (std::int64_t cue = 0; cue < cues.rows(); ++cue) states.push_back(starts.state(cue));
  const auto results = card.recall(task.model, task.dynamics, patterns, task.seed, states);
  std::vector<Recalled> all;
  for (std::size_t cue = 0; cue < states.size(); ++cue)
    all.push_back({.state = std::move(states[cue]), .result = results[cue]});
  return all;
}

void require_memory(const RecallMeans& means, const RecallTask& task, const dam::Patterns& patterns) {
  const std::int64_t neurons = patterns.num_neurons(), count = patterns.num_patterns();
  if (dam::recall_memory(task.model, neurons, count) <= means.max_memory / means.threads) return;
  throw UsageError(fmt::format(
      "N = {}, K = {} needs {} of memory on each of {} threads, {} is available (--max-memory, --threads)", neurons,
      count, bytes_text(dam::recall_memory(task.model, neurons, count)), means.threads, bytes_text(means.max_memory)));
}

}  // namespace

bool recall_cues(const RecallTask& task, const dam::Patterns& patterns, const dam::Spins& cues,
                 const std::vector<std::int64_t>& which, const RecallMeans& means, Stopping& stopping,
                 const std::function<void(std::int64_t cue, Recalled recalled)>& keep) {
  if (patterns.num_neurons() != cues.num_neurons)
    throw std::invalid_argument("patterns have " + std::to_string(patterns.num_neurons()) +
                                " neurons a row, cues have " + std::to_string(cues.num_neurons));
  const core::StopToken token = stopping.token();
  const Starts starts(task, patterns, cues);
  const auto count = static_cast<std::int64_t>(which.size());
  std::vector<Recalled> from_card;
  if (means.card == nullptr) require_memory(means, task, patterns);
  if (means.card != nullptr && count > 0) from_card = recall_on(*means.card, task, patterns, cues, starts);
  PreparedRecalls own;
  auto& [recalls, couplings] = means.prepared != nullptr ? *means.prepared : own;
  recalls.resize(std::max(recalls.size(), static_cast<std::size_t>(means.threads)));
  try {
    if (means.card == nullptr && !couplings && dam::Couplings::pay(task.model, *means.kernel, patterns, count) &&
        dam::Couplings::memory(patterns.num_neurons()) < means.max_memory / 4) {
      couplings = std::make_shared<const dam::Couplings>(patterns, *means.kernel, means.threads, token);
      for (auto& recall : recalls) recall.reset();
    }
  } catch (const core::Stopped&) {
    return false;
  }
  const auto make_recall = [&] {
    if (couplings)
      return std::make_unique<dam::Recall>(task.dynamics, patterns.num_neurons(),
                                           dam::make_coupling_fields(couplings, task.model, task.dynamics));
    return std::make_unique<dam::Recall>(task.model, task.dynamics, patterns.num_neurons(), *means.kernel, token);
  };
  std::mutex keeper;
  std::int64_t kept = 0;
  core::parallel_for(which.size(), means.threads, [&](std::size_t index, int thread) {
    if (token.requested()) return;
    try {
      const std::int64_t cue = which[index];
      const dam::State state = starts.state(cue);
      Recalled recalled;
      if (means.card == nullptr) {
        auto& recall = recalls[static_cast<std::size_t>(thread)];
        if (!recall) recall = make_recall();
        recall->hold(starts.held(cue));
        stopping.tell_prepared();
        recalled = recall_one(task, patterns, state, static_cast<std::uint64_t>(cue), *recall, token);
      } else {
        recalled = std::move(from_card[static_cast<std::size_t>(cue)]);
      }
      recalled.erased = starts.erased(cue);
      judge(task, patterns, state, recalled);
      const std::lock_guard hold(keeper);
      stopping.tell_done();
      keep(cue, std::move(recalled));
      ++kept;
    } catch (const core::Stopped&) {  // its row stays missing
    }
  });
  return kept == count;
}

}  // namespace experiments

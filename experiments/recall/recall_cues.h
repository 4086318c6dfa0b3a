// Many cues run to their fixed points over one set of patterns: what `dam recall` and a program's memories do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/energy/energy_model.h"
#include "dam/fields/couplings.h"
#include "dam/fields/kernels.h"
#include "dam/recall/erased.h"
#include "dam/recall/recall.h"
#include "dam/states/patterns.h"
#include "dam/states/spins.h"
#include "experiments/command_line/stopping.h"
#include "experiments/recall/recall_file.h"
#include "gpu/dam/clusters.h"

namespace experiments {

/// All that the answers depend on beside patterns and cues.
struct RecallTask {
  core::EnergyModel model;
  dam::Dynamics dynamics;
  dam::ErasedStart erased = dam::ErasedStart::random;
  bool clamp = false;  // the known neurons of cues with erased ones
  std::uint64_t seed = 0;
  bool trace = false;  // keep the energy after every flip
};

/// What recalls of one task, kernel and set of patterns begin with, and a later call need not make again.
struct PreparedRecalls {
  std::vector<std::unique_ptr<dam::Recall>> by_thread;  // tables of the model, buffers
  std::shared_ptr<const dam::Couplings> couplings;      // once enough cues were asked for at once
};

/// Who computes them, never what.
struct RecallMeans {
  const dam::Kernel* kernel = nullptr;
  gpu::Clusters* card = nullptr;  // or none
  int threads = 1;
  std::int64_t max_memory = 0;          // bytes
  PreparedRecalls* prepared = nullptr;  // by an earlier call, or to keep for a later one; or none
};

/// Recalls from the cues whose rows `which` names; `keep` gets every answer, one at a time. False when `stopping` came
/// true before all were done. The answer of a row depends on task, patterns, its cue and its number alone.
///
/// Throws std::invalid_argument when cues and patterns differ in their neurons, UsageError when they need more memory
/// than `means` allows; a card has its own.
bool recall_cues(const RecallTask& task, const dam::Patterns& patterns, const dam::Spins& cues,
                 const std::vector<std::int64_t>& which, const RecallMeans& means, Stopping& stopping,
                 const std::function<void(std::int64_t cue, Recalled recalled)>& keep);

}  // namespace experiments

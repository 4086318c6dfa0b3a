// The adaptive capacity search over all configurations and β of a sweep, as rounds of plan → measure → plan.
#pragma once

#include <functional>
#include <vector>

#include "experiments/dam_tables.h"
#include "experiments/runner.h"

namespace experiments {

/// Where the numbers come from: measures the requests (false: it had to stop), or only looks whether they are there.
struct CapacitySource {
  const BatchStore& store;
  std::function<bool(const std::vector<PointRequest>& requests, const std::string& headline, double later)> measure;
  std::function<std::int64_t(const dam::Configuration&)> memory_bound;
};

/// What a search concluded; `complete` is false when the source stopped, and rows then carry status `budget`.
struct CapacityOutcome {
  std::vector<CapacityRow> rows;
  bool complete = false;
};

/// Plans every (configuration, β) from the requests completed so far, measures all requests of a round together, and
/// repeats until every plan has a verdict.
///
/// A plan sees completed requests only, never what else a file holds, so a resumed or sharded search asks for the same
/// batches as an uninterrupted one.
CapacityOutcome search_capacities(const SweepSpec& spec, const CapacitySource& source);

/// The same search over what a store already holds, measuring nothing.
CapacityOutcome conclude_capacities(const SweepSpec& spec, const BatchStore& store);

}  // namespace experiments

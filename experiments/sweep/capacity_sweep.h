// The adaptive capacity search over all configurations and β of a sweep, as rounds of plan → measure → plan.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "experiments/sweep/runner.h"
#include "experiments/sweep/tables.h"

namespace experiments {

/// Where the numbers come from: measures the requests (false: it had to stop), or only looks whether they are there;
/// and the largest K it can measure.
struct CapacitySource {
  const BatchStore& store;
  std::function<bool(const std::vector<PointRequest>& requests, const std::string& headline, double later)> measure;
  std::function<std::int64_t(const dam::Configuration&)> max_patterns;
};

/// What a search concluded; `complete` is false when the source stopped, and rows then carry status `budget`.
struct CapacityOutcome {
  std::vector<CapacityRow> rows;
  bool complete = false;
};

/// Plans every (configuration, β) of the configurations at these positions of the spec from the requests completed so
/// far, measures all requests of a round together, and repeats until every plan has a verdict.
///
/// A plan sees completed requests only, never what else a file holds, so a resumed or sharded search asks for the same
/// batches as an uninterrupted one.
CapacityOutcome search_capacities(const SweepSpec& spec, const std::vector<std::size_t>& configurations,
                                  const CapacitySource& source);

/// The configurations whose searches are the shard's: a search is never split, because its next request depends on all
/// that was measured for it, and shards do not speak to each other.
std::vector<std::size_t> searches_of(const SweepSpec& spec, const Shard& shard);

/// The largest K that searches of a configuration could try, where that is known; files of several machines may know
/// several.
using SearchLimits = std::map<std::uint64_t, std::set<std::int64_t>>;

/// Every configuration's search over what a store already holds, measuring nothing: each as under the largest of its
/// limits with which it was finished, else under max_patterns.
CapacityOutcome conclude_capacities(const SweepSpec& spec, const BatchStore& store, const SearchLimits& limits);

}  // namespace experiments

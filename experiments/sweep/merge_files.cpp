#include "experiments/sweep/merge_files.h"

#include <filesystem>
#include <set>

#include "experiments/command_line/machine.h"
#include "experiments/files/outputs.h"
#include "experiments/files/read_results.h"
#include "experiments/sweep/capacity_sweep.h"
#include "results/merge.h"

namespace experiments {
namespace {

/// How far the searches behind these files could go.
SearchLimits limits_of(const std::vector<results::NamedFile>& files) {
  SearchLimits limits;
  for (const results::NamedFile& named : files) {
    if (!named.file.has("capacity") || !named.file.table("capacity").has("max_patterns")) continue;
    const results::Table& capacity = named.file.table("capacity");
    const auto& configurations = capacity.values<std::uint64_t>("configuration");
    for (std::size_t row = 0; row < configurations.size(); ++row)
      if (const std::int64_t limit = capacity.values<std::int64_t>("max_patterns")[row]; limit > 0)
        limits[configurations[row]].insert(limit);
  }
  return limits;
}

}  // namespace

MergedFiles merge_files(const std::vector<std::string>& paths, const std::string& out) {
  // What it reads may be what it writes: the union loses nothing.
  const core::OutputFile place = open_result(out, {});
  // What is at `out` already stays: another merge, or what was measured since.
  std::set<std::string> all(paths.begin(), paths.end());
  if (std::filesystem::exists(place.path())) all.insert(place.path());
  std::vector<results::NamedFile> files;
  for (const std::string& path : all) files.push_back({path, read_result(path)});

  results::ResultFile merged = results::merge(files);
  const SweepSpec spec = read_spec_text(merged.spec);
  const BatchStore store = BatchStore::from_table(merged.table("batches"));
  merged.tables.push_back(points_table(spec, store));
  bool complete = false;
  if (spec.verb == "capacity") {
    CapacityOutcome outcome = conclude_capacities(spec, store, limits_of(files));
    add_exact_one_step(outcome.rows, available_threads(), [] { return false; });
    merged.tables.push_back(capacity_table(store, outcome.rows));
    complete = outcome.complete;
  } else {
    complete = holds_all(store, spec, batches_of(curve_requests(spec)));
  }
  if (!complete) merged.provenance.finished.clear();
  results::write(place.path(), merged);
  return {place.path(), store.size(), files.size(), complete};
}

}  // namespace experiments

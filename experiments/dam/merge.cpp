// dam merge: what several runs of one spec measured, as one file.
#include <fmt/core.h>

#include <filesystem>
#include <set>

#include "core/files/file_lock.h"
#include "experiments/command_line/machine.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/outputs.h"
#include "experiments/files/read_results.h"
#include "experiments/sweep/capacity_sweep.h"
#include "results/merge.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

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

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file") || !given.contains("out"))
    throw UsageError("merge: give the files to merge and --out FILE.h5");
  // What it reads may be what it writes: the union loses nothing.
  const core::OutputFile place = open_result(given["out"].as<std::string>(), {});
  const std::string& out = place.path();
  // What is at `out` already stays: another merge, or what was measured since.
  std::set<std::string> paths;
  for (const std::string& path : given["file"].as<std::vector<std::string>>()) paths.insert(path);
  if (std::filesystem::exists(out)) paths.insert(out);
  std::vector<results::NamedFile> files;
  for (const std::string& path : paths) files.push_back({path, read_result(path)});

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
  results::write(out, merged);
  fmt::print("{}: {} batches of {} files{}\n", out, store.size(), files.size(),
             complete ? "" : "; not complete: run the sweep on this file to go on");
  return kComplete;
}

Options options() {
  Options options;
  options.add_options()                                                 //
      ("file", words("FILE.h5"), "result files (also without --file)")  //
      ("out,o", word("FILE.h5"), "the merged file");
  return options;
}

}  // namespace

const Verb kMerge = {
    "merge",
    "join result files of one spec; idempotent, in any order",
    "FILE.h5… -o ALL.h5",
    "Every batch counts once, however many files hold it; what ALL.h5 holds already is kept. Files of different specs\n"
    "are refused (exit code 4).\n"
    "\n"
    "  dam merge part-*.h5 -o all.h5\n",
    options,
    "file",
    run};

}  // namespace experiments

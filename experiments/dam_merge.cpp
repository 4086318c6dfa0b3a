// dam merge: what several runs of one spec measured, as one file.
#include <fmt/core.h>

#include <boost/program_options/value_semantic.hpp>

#include "core/file_lock.h"
#include "experiments/capacity_sweep.h"
#include "experiments/dam_verbs.h"
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
      limits[configurations[row]].insert(capacity.values<std::int64_t>("max_patterns")[row]);
  }
  return limits;
}

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file") || !given.contains("out"))
    throw UsageError("merge: give the files to merge and --out FILE.h5");
  std::vector<results::NamedFile> files;
  for (const std::string& path : given["file"].as<std::vector<std::string>>())
    files.push_back({path, results::read(path)});
  const std::string out = given["out"].as<std::string>();
  const core::FileLock lock(out);

  results::ResultFile merged = results::merge(files);
  const SweepSpec spec = read_spec_text(merged.spec);
  const BatchStore store = BatchStore::from_table(merged.table("batches"));
  merged.tables.push_back(points_table(spec, store));
  bool complete = false;
  if (spec.verb == "capacity") {
    const CapacityOutcome outcome = conclude_capacities(spec, store, limits_of(files));
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

po::options_description options() {
  po::options_description options("options", 110, 70);
  options.add_options()                                                                                             //
      ("file", po::value<std::vector<std::string>>()->value_name("FILE.h5"), "result files (also without --file)")  //
      ("out,o", po::value<std::string>()->value_name("FILE.h5"), "the merged file");
  return options;
}

}  // namespace

const Verb kMerge = {
    "merge",
    "join result files of one spec; idempotent, in any order",
    "FILE.h5… -o ALL.h5",
    "Every batch counts once, however many files hold it. Files of different specs are refused (exit code 4).\n"
    "\n"
    "  dam merge part-*.h5 -o all.h5\n",
    options,
    "file",
    run};

}  // namespace experiments

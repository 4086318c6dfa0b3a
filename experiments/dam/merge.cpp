// dam merge: what several runs of one spec measured, as one file.
#include <fmt/core.h>

#include "experiments/dam/verbs.h"
#include "experiments/sweep/merge_files.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file") || !given.contains("out"))
    throw UsageError("merge: give the files to merge and --out FILE.h5");
  const MergedFiles merged = merge_files(given["file"].as<std::vector<std::string>>(), given["out"].as<std::string>());
  fmt::print("{}: {} batches of {} files{}\n", merged.path, merged.batches, merged.files,
             merged.complete ? "" : "; not complete: run the sweep on this file to go on");
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

// dam status: what result files hold, how far they are, where they came from.
#include <fmt/core.h>

#include <boost/program_options/value_semantic.hpp>
#include <map>
#include <numeric>

#include "experiments/dam_verbs.h"
#include "experiments/progress.h"
#include "results/result_file.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

template <class T>
T total(const results::Table& table, const char* column) {
  const auto& values = table.values<T>(column);
  return std::accumulate(values.begin(), values.end(), T{});
}

void describe(const std::string& path) {
  const results::ResultFile file = results::read(path);
  const core::Provenance& made = file.provenance;
  fmt::print("{}\n", path);
  fmt::print("  state        {}\n",
             made.finished.empty() ? "stopped early; the same command goes on" : "complete, " + made.finished);
  if (file.has("points")) {
    const results::Table& points = file.table("points");
    fmt::print("  measured     {} points, {} trials, {} of one thread\n", points.rows(),
               total<std::int64_t>(points, "trials"), duration_text(total<double>(points, "seconds")));
    fmt::print("  counted      {} ties, {} rising flips, {} trials not converged, {} cycles\n",
               total<std::int64_t>(points, "ties"), total<std::int64_t>(points, "energy_rises"),
               total<std::int64_t>(points, "not_converged"), total<std::int64_t>(points, "cycles"));
  }
  if (file.has("capacity")) {
    std::map<std::string, int> statuses;
    for (const std::string& status : file.table("capacity").values<std::string>("status")) ++statuses[status];
    std::string text;
    for (const auto& [status, count] : statuses)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, status);
    fmt::print("  capacities   {}\n", text.empty() ? "none" : text);
  }
  fmt::print("  made by      version {}, commit {}, {} ({})\n", made.program_version, made.commit, made.compiler,
             made.flags);
  fmt::print("  on           {}, {} threads, kernel {}, seed {}\n", made.cpu, made.threads, made.kernel, made.seed);
  fmt::print("  started      {}\n  command      {}\n", made.started, made.command_line);
}

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file")) throw UsageError("status: a result file is missing, such as results/scaling.h5");
  for (const std::string& path : given["file"].as<std::vector<std::string>>()) describe(path);
  return kComplete;
}

po::options_description options() {
  po::options_description options("options", 110, 70);
  options.add_options()("file", po::value<std::vector<std::string>>()->value_name("FILE.h5"),
                        "result files (also without --file)");
  return options;
}

}  // namespace

const Verb kStatus = {"status",   "say what result files hold and how far they are",
                      "FILE.h5…", "  dam status results/*.h5\n",
                      options,    "file",
                      run};

}  // namespace experiments

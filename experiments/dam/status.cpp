// dam status: what result files hold, how far they are, where they came from.
#include <fmt/core.h>

#include <limits>
#include <map>
#include <numeric>

#include "experiments/command_line/progress.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/read_results.h"
#include "experiments/training/run.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

template <class T>
T total(const results::Table& table, const char* column) {
  const auto& values = table.values<T>(column);
  return std::accumulate(values.begin(), values.end(), T{});
}

/// The lines of a united text, each below the first under it.
std::string indented(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 16)
    text.replace(at, 1, "\n" + std::string(15, ' '));
  return text;
}

void describe(const std::string& path, const results::ResultFile& file) {
  const core::Provenance& made = file.provenance;
  fmt::print("{}\n", path);
  fmt::print("  state        {}\n",
             made.finished.empty() ? "stopped early; the same command goes on" : "complete, " + made.finished);
  if (file.has("model") && file.has("epochs")) {
    const TrainingSummary run = summary_of(file, std::numeric_limits<long>::max());
    fmt::print("  trained      {} on {}, recipe {}: {} epochs in {}\n", run.model, run.data, run.recipe, run.epochs,
               duration_text(run.seconds));
    if (run.epochs > 0)
      fmt::print("  top-1        best {:.2f} % (epoch {}), last {:.2f} %; zoomed best {:.2f} %\n", 100 * run.best,
                 run.best_epoch, 100 * run.last, 100 * run.best_zoomed);
  }
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
  fmt::print("  made by      version {}, {} ({})\n  commit       {}\n", made.program_version, indented(made.compiler),
             indented(made.flags), indented(made.commit));
  fmt::print("  processor    {}\n  device       {}\n  kernel       {}\n  threads      {}\n  seed         {}\n",
             indented(made.cpu), indented(made.device), indented(made.kernel), made.threads, made.seed);
  fmt::print("  started      {}\n  command      {}\n", made.started, indented(made.command_line));
}

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file")) throw UsageError("status: a result file is missing, such as results/scaling.h5");
  for (const auto& [path, file] : read_results(given["file"].as<std::vector<std::string>>())) describe(path, file);
  return kComplete;
}

Options options() {
  Options options;
  options.add_options()("file", words("FILE.h5"), "result files (also without --file)");
  return options;
}

}  // namespace

const Verb kStatus = {"status",   "say what result files hold and how far they are",
                      "FILE.h5…", "  dam status results/*.h5\n",
                      options,    "file",
                      run};

}  // namespace experiments

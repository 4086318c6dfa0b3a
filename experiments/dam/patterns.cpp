// dam patterns: how alike the patterns of a source are, which decides how many of them fit.
#include <fmt/core.h>

#include "analysis/tables/tables.h"
#include "core/numbers.h"
#include "dam/states/pattern_statistics.h"
#include "experiments/command_line/grid.h"
#include "experiments/command_line/run_options.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/data_path.h"
#include "experiments/files/load_array.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

constexpr int kDegrees[] = {2, 3, 4, 5};

/// K patterns of one source; a file decides N by itself.
dam::Patterns drawn(const std::string& source, const po::variables_map& given, std::int64_t num_patterns) {
  dam::Configuration configuration;
  configuration.patterns = dam::parse_patterns(source);
  configuration.seed = static_cast<std::uint64_t>(core::parse_integer(given["seed"].as<std::string>(), "--seed:"));
  dam::Patterns bank, patterns;
  if (configuration.patterns.kind == dam::PatternKind::file) {
    const std::int64_t size =
        given.contains("size") ? core::parse_integer(given["size"].as<std::string>(), "--size:") : 0;
    LoadedPatterns loaded =
        load_patterns(configuration.patterns.path, "patterns", available_memory(), {given_threshold(given), size});
    configuration.num_neurons = loaded.patterns.num_neurons();
    configuration.patterns.content = loaded.content;
    if (size != 0 && size != configuration.num_neurons)
      throw UsageError(fmt::format("--size: {} has {} neurons a row, not {}", source, configuration.num_neurons, size));
    bank = std::move(loaded.patterns);
    if (given["num-patterns"].defaulted()) num_patterns = std::min(num_patterns, bank.num_patterns());
  } else if (given.contains("size")) {
    const auto size = core::parse_integer(given["size"].as<std::string>(), "--size:");
    if (size < 2 || size > 1 << 20) throw UsageError(fmt::format("--size: {} is not from 2 to {}", size, 1 << 20));
    configuration.num_neurons = static_cast<int>(size);
  } else {
    throw UsageError("--size is missing: the number of neurons N (only files of patterns bring their own)");
  }
  dam::draw_patterns(configuration, dam::configuration_id(configuration), num_patterns, 0, &bank, patterns);
  return patterns;
}

int run(const po::variables_map& given, const std::string&) {
  analysis::TextTable table{
      .name = "patterns",
      .caption =
          "Statistics of the Gram matrix x = ξ·ξ′/N over all pairs of patterns: the effective dimension 1/⟨x²⟩ is "
          "N for fair independent patterns, the noise power of degree n is relative to theirs.",
      .columns = {{"patterns", ""},
                  {"N", "neurons"},
                  {"K", "patterns"},
                  {"mean ξ", ""},
                  {"⟨x⟩", ""},
                  {"sd x", ""},
                  {"largest |x|", ""},
                  {"effective dimension", "neurons"}},
      .rows = {}};
  for (const int degree : kDegrees) table.columns.push_back({fmt::format("noise n={}", degree), ""});
  std::int64_t num_patterns = 0;
  try {
    num_patterns = core::parse_integer(given["num-patterns"].as<std::string>(), "--num-patterns:");
    for (const std::string& source : parse_list(given["patterns"].as<std::string>(), "patterns")) {
      const dam::Patterns patterns = drawn(source, given, num_patterns);
      const dam::PatternStatistics statistics = dam::pattern_statistics(patterns);
      std::vector<analysis::Cell> row{source,
                                      std::int64_t{patterns.num_neurons()},
                                      patterns.num_patterns(),
                                      statistics.activity,
                                      statistics.mean_overlap,
                                      statistics.overlap_deviation,
                                      statistics.largest_overlap,
                                      statistics.effective_dimension};
      for (const int degree : kDegrees) row.emplace_back(dam::noise_ratio(patterns, degree));
      table.rows.push_back(std::move(row));
    }
    fmt::print("{}", analysis::write_table(table, given["format"].as<std::string>()));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("patterns", word("LIST", "iid"), "iid, biased:P, low-rank:R:NOISE, copies:R:FLIP, file:PATH");
  add("size", word(), "number of neurons N; files of patterns bring their own");
  add("num-patterns", word("X", "1000"), "number of patterns K, at least 2; of a smaller file all");
  add_threshold(options);
  add("seed", word("X", "1"), "random seed");
  add("format", word("X", "terminal"), "terminal, markdown, csv, latex or html");
  return options;
}

}  // namespace

const Verb kPatterns = {
    "patterns",
    "say how alike the patterns of a source are: the Gram matrix behind their capacity",
    "--patterns LIST [--size N] [--num-patterns K] [options]",
    "Over all pairs: mean and standard deviation of the normalized overlap x (0 and 1/sqrt(N) for fair patterns), the\n"
    "largest |x| of a pattern on average, the effective dimension 1/<x^2>, and the noise power <x^(2n-2)> of degree n\n"
    "relative to fair patterns, by which capacity falls where noise alone limits it.\n"
    "\n"
    "  dam patterns --patterns iid,biased:0.6 --size 784\n"
    "  dam patterns --patterns file:fashion-mnist/train-images-idx3-ubyte.gz\n",
    options,
    "",
    run};

}  // namespace experiments

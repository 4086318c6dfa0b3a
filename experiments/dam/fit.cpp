// dam fit: does the measured capacity grow with N as theory says?
#include <fmt/core.h>

#include "experiments/dam/verbs.h"
#include "experiments/files/read_results.h"
#include "experiments/summaries/fit_tables.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file")) throw UsageError("fit: a result file is missing, such as results/scaling.h5");
  const std::string path = given["file"].as<std::string>();
  const results::ResultFile file = read_result(path);
  std::vector<ConventionFit> fits;
  try {
    fits = fit_conventions(file);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", path, error.what()));
  }
  const std::string format = given["format"].as<std::string>();
  try {
    for (const analysis::TextTable& table : fit_tables(fits)) fmt::print("{}", analysis::write_table(table, format));
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--format: {}", error.what()));
  }
  bool fitted = false;
  for (const ConventionFit& fit : fits) {
    fitted |= fit.objection.empty();
    if (!fit.objection.empty())
      fmt::print(stderr, "not fitted: {}, alpha {}, beta {}: {}\n", fit.configuration.model.text(),
                 fit.configuration.alpha, fit.beta, fit.objection);
  }
  return fitted ? kComplete : kFailed;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("file", word("FILE.h5"), "result file (also without --file)");
  add("format", word("X", "terminal"), "terminal, markdown, csv, latex or html");
  return options;
}

}  // namespace

const Verb kFit = {"fit",
                   "fit how K_max grows with N: exponents and rates beside theory",
                   "FILE.h5 [--format X]",
                   "Powers: the naive exponent of K_max ~ N^x; the log-corrected one, in which theory's ln N is "
                   "divided out and n-1 is\n"
                   "expected; the slope of K_max over the exact one-step prediction, expected 0. Exponential "
                   "separation: ln K_max / N.\n"
                   "Every convention (model, alpha, beta, rule, ...) is fitted alone; bounds never enter a fit.\n"
                   "\n"
                   "  dam fit results/scaling.h5\n"
                   "  dam fit results/scaling.h5 --format latex > exponents.tex\n",
                   options,
                   "file",
                   run};

}  // namespace experiments

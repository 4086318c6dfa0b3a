// `calibrate [--seeds N] [--threads T] [--seconds S] [--out FILE.csv]`: searches, truths, and the table they make.
// Finished searches stand in FILE.csv, one a line, and are not done again.
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "core/parallel.h"
#include "core/statistics/binomial.h"
#include "tests/calibration/calibration.h"

namespace {

using calibration::Outcome;
using calibration::Setting;
using calibration::Truth;

constexpr std::uint64_t kTruthSeed = 1'000'000'007;  // far from the seeds of searches, 1, 2, …

struct Measured {
  std::map<std::uint64_t, Outcome> searches;
  Truth truth;
};

struct Arguments {
  int seeds = 400;
  int threads = core::hardware_threads();
  double seconds = 1e9;
  std::string out = "results/reference/calibration.csv";
};

Arguments parse(int argc, char** argv) {
  Arguments given;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    if (word == "--seeds")
      given.seeds = std::atoi(argv[i + 1]);
    else if (word == "--threads")
      given.threads = std::atoi(argv[i + 1]);
    else if (word == "--seconds")
      given.seconds = std::atof(argv[i + 1]);
    else if (word == "--out")
      given.out = argv[i + 1];
    else
      fmt::print(stderr, "calibrate: '{}' is not --seeds, --threads, --seconds or --out\n", word), std::exit(2);
  }
  return given;
}

/// Lines `setting|seed|ok|k_max|ci_low|ci_high|trials` and `setting|truth|k_max|error`.
std::map<std::string, Measured> read(const std::string& path) {
  std::map<std::string, Measured> all;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> words;
    std::istringstream text(line);
    for (std::string word; std::getline(text, word, '|');) words.push_back(word);
    if (words.size() == 4 && words[1] == "truth")
      all[words[0]].truth = {std::stod(words[2]), std::stod(words[3])};
    else if (words.size() == 7)
      all[words[0]].searches[std::stoull(words[1])] = {words[2] == "1", std::stod(words[3]), std::stod(words[4]),
                                                       std::stod(words[5]), std::stoll(words[6])};
  }
  return all;
}

std::string table(const std::map<std::string, Measured>& all) {
  std::string text =
      "| setting | K_max | covered | 95 % of 95 % | below / above | bias / half width | half width given | 1.96 sd | "
      "trials "
      "|\n|---|--:|--:|---|--:|--:|--:|--:|--:|\n";
  for (const Setting& setting : calibration::settings()) {
    const auto found = all.find(setting.name());
    if (found == all.end() || found->second.truth.k_max == 0) continue;
    std::vector<Outcome> outcomes;
    for (const auto& [seed, outcome] : found->second.searches) outcomes.push_back(outcome);
    if (outcomes.size() < 20) continue;
    const auto coverage = calibration::coverage_of(outcomes, found->second.truth.k_max);
    const core::Interval interval = core::clopper_pearson(coverage.covered(), coverage.ok);
    text += fmt::format(
        "| {} | {:.5g} ± {:.2g} | {:.1f} % of {} | {:.1f} … {:.1f} | {} / {} | {:+.2f} | {:.4f} | {:.4f} | {:.0f} |\n",
        setting.name(), found->second.truth.k_max, found->second.truth.error, 100. * coverage.covered() / coverage.ok,
        coverage.ok, 100 * interval.low, 100 * interval.high, coverage.below, coverage.above, coverage.bias,
        coverage.half_width, coverage.spread, coverage.trials);
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments given = parse(argc, argv);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::map<std::string, Measured> all = read(given.out);
  std::ofstream log(given.out, std::ios::app);
  for (const Setting& setting : calibration::settings()) {
    Measured& measured = all[setting.name()];
    const double begun = elapsed();
    if (measured.truth.k_max == 0) {
      if (elapsed() > given.seconds) break;
      measured.truth = calibration::truth_of(setting, kTruthSeed, given.threads);
      log << fmt::format("{}|truth|{:.17g}|{:.17g}\n", setting.name(), measured.truth.k_max, measured.truth.error)
          << std::flush;
    }
    std::vector<std::uint64_t> missing;
    for (int seed = 1; seed <= given.seeds; ++seed)
      if (!measured.searches.contains(static_cast<std::uint64_t>(seed)))
        missing.push_back(static_cast<std::uint64_t>(seed));
    std::vector<Outcome> found(missing.size());
    std::vector<char> done(missing.size(), 0);
    const double truth_took = elapsed() - begun;
    core::parallel_for(missing.size(), given.threads, [&](std::size_t i, int) {
      if (elapsed() > given.seconds) return;
      found[i] = calibration::search(setting, missing[i]);
      done[i] = 1;
    });
    for (std::size_t i = 0; i < missing.size(); ++i)
      if (done[i]) {
        measured.searches[missing[i]] = found[i];
        log << fmt::format("{}|{}|{}|{:.17g}|{:.17g}|{:.17g}|{}\n", setting.name(), missing[i], int{found[i].ok},
                           found[i].k_max, found[i].ci_low, found[i].ci_high, found[i].trials);
      }
    log << std::flush;
    fmt::print(stderr, "{}: truth {:.1f} s, {} searches {:.1f} s\n", setting.name(), truth_took, missing.size(),
               elapsed() - begun - truth_took);
  }
  std::fputs(table(all).c_str(), stdout);
}

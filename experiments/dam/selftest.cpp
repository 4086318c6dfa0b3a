// dam selftest: does every kernel this machine can run make the reference's decisions?
#include <fmt/core.h>

#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "experiments/dam/verbs.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

struct Case {
  const char* model;
  int num_neurons;
  std::int64_t num_patterns;
  double alpha;
};

// Every kind of weight (integers of 64 and 128 bits, big ones, reals), whole and ragged blocks of N and K.
constexpr Case kCases[] = {
    {"hopfield", 64, 9, 0.9},        {"hopfield", 131, 1, 0.8},           {"dense:3", 63, 200, 0.9},
    {"dense:4", 65, 1025, 0.95},     {"dense:5", 48, 3000, 0.95},         {"dense:10", 130, 513, 0.9},
    {"dense:30", 100, 64, 0.8},      {"rectified:3", 64, 511, 0.9},       {"exponential:0.5", 40, 2000, 0.9},
    {"exponential:1", 700, 33, 0.9}, {"cosine/exp:20/log", 50, 300, 0.9}, {"euclidean/power:3/linear", 33, 40, 0.9},
};
constexpr std::int64_t kClusters = 4;

std::vector<dam::Configuration> configurations(const Case& test) {
  std::vector<dam::Configuration> all;
  for (const auto rule : {dam::UpdateRule::derivative, dam::UpdateRule::energy})
    for (const auto order : {dam::UpdateOrder::random, dam::UpdateOrder::synchronous})
      for (const auto tie : {dam::TieRule::keep, dam::TieRule::random})
        all.push_back({.num_neurons = test.num_neurons,
                       .model = core::EnergyModel::parse(test.model),
                       .dynamics = {.rule = rule, .order = order, .tie = tie},
                       .alpha = test.alpha});
  return all;
}

dam::TrialCounts measure(const dam::Configuration& configuration, std::int64_t num_patterns,
                         const dam::Kernel& kernel) {
  dam::TrialCounts counts;
  dam::TrialWorkspace workspace;
  for (std::int64_t cluster = 0; cluster < kClusters; ++cluster)
    counts += dam::run_cluster(configuration, num_patterns, cluster, kernel, workspace);
  return counts;
}

int run(const po::variables_map&, const std::string&) {
  int failures = 0;
  fmt::print("{:<18} {:<10} {:>8} {:>10}\n", "kernel", "available", "checks", "agree");
  for (const dam::Kernel& kernel : dam::kernels()) {
    if (!kernel.available()) {
      fmt::print("{:<18} {:<10} {:>8} {:>10}\n", kernel.name, "no", "-", "-");
      continue;
    }
    int checks = 0, agree = 0;
    for (const Case& test : kCases)
      for (const dam::Configuration& configuration : configurations(test)) {
        ++checks;
        agree += measure(configuration, test.num_patterns, kernel) ==
                 measure(configuration, test.num_patterns, dam::find_kernel("reference"));
      }
    failures += checks - agree;
    fmt::print("{:<18} {:<10} {:>8} {:>10}\n", kernel.name, "yes", checks, agree);
  }
  fmt::print("{}\n", failures == 0 ? "every kernel makes the reference's decisions"
                                   : "kernels disagree: please report this machine and compiler");
  return failures == 0 ? kComplete : kFailed;
}

}  // namespace

const Verb kSelftest = {
    "selftest", "check every kernel this machine can run against the reference", "", "", [] { return Options(); }, "",
    run};

}  // namespace experiments

// dam selftest: does every kernel this machine can run make the reference's decisions?
#include <fmt/core.h>

#include <numeric>

#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "experiments/command_line/device.h"
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

/// Every case on a card as the reference has it; on small cards in batches, as a sweep would.
int check_card(gpu::Clusters& card) {
  int checks = 0, agree = 0;
  std::vector<std::int64_t> clusters(kClusters);
  std::iota(clusters.begin(), clusters.end(), 0);
  for (const Case& test : kCases)
    for (const dam::Configuration& configuration : configurations(test)) {
      dam::TrialCounts counts;
      for (const dam::TrialCounts& cluster : card.run(configuration, test.num_patterns, clusters)) counts += cluster;
      ++checks;
      agree += counts == measure(configuration, test.num_patterns, dam::find_kernel("reference"));
    }
  fmt::print("{:<18} {:<10} {:>8} {:>10}   {}: {} of {} trials redone by the processor\n", "cuda", "yes", checks, agree,
             card.name(), card.redone(), card.trials());
  return checks - agree;
}

int run(const po::variables_map& given, const std::string&) {
  const auto card = open_device(given["device"].as<std::string>());
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
  if (card) failures += check_card(*card);
  fmt::print("{}\n", failures == 0 ? "every kernel makes the reference's decisions"
                                   : "kernels disagree: please report this machine and compiler");
  return failures == 0 ? kComplete : kFailed;
}

}  // namespace

const Verb kSelftest = {"selftest",
                        "check every kernel this machine can run, and its card, against the reference",
                        "[options]",
                        "",
                        [] {
                          Options options;
                          add_device(options);
                          return options;
                        },
                        "",
                        run};

}  // namespace experiments

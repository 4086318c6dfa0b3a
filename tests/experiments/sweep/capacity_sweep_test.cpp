#include "experiments/sweep/capacity_sweep.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>

namespace {

using experiments::BatchStore;
using experiments::CapacityOutcome;
using experiments::kClustersPerBatch;
using experiments::PointRequest;

/// Searches a memory whose success falls so slowly, p = exp(−(K/30 000)^0.6), that every threshold takes many trials.
CapacityOutcome search_shallow(const std::vector<double>& betas, std::int64_t trials) {
  experiments::SweepSpec spec;
  spec.verb = "capacity";
  spec.betas = betas;
  spec.precision = 0.05;
  spec.trials = trials;
  spec.max_patterns = 1 << 20;
  spec.configurations.resize(1);
  spec.configurations[0].num_neurons = 64;
  const std::uint64_t id = dam::configuration_id(spec.configurations[0]);
  BatchStore store;
  const auto measure = [&](const std::vector<PointRequest>& requests, const std::string&, double) {
    for (const PointRequest& request : requests)
      for (std::int64_t batch = 0; batch < request.batches; ++batch) {
        const experiments::BatchKey key{id, request.num_patterns, batch};
        if (store.contains(key)) continue;
        const double p = std::exp(-std::pow(static_cast<double>(request.num_patterns) / 30'000, 0.6));
        std::seed_seq seed{request.num_patterns, batch};
        std::mt19937 random(seed);
        dam::TrialCounts counts;
        counts.trials = counts.clusters = kClustersPerBatch;
        counts.successes = std::binomial_distribution<int>(kClustersPerBatch, p)(random);
        counts.successes_squared = counts.successes;  // one cue a set
        store.add(key, {counts, 0});
      }
    return true;
  };
  return experiments::search_capacities(
      spec, {0}, {store, measure, [](const dam::Configuration&) { return std::int64_t{1} << 20; }});
}

}  // namespace

TEST_CASE("thresholds asked for together do not use up each other's trials") {
  constexpr std::int64_t kTrials = 32'000;
  for (const double beta : {0.3, 0.5, 0.7}) {
    const CapacityOutcome alone = search_shallow({beta}, kTrials);
    REQUIRE(alone.rows.size() == 1);
    CHECK(dam::text(alone.rows[0].plan.status) == "ok");
  }
  std::int64_t spent = 0;
  const CapacityOutcome together = search_shallow({0.3, 0.5, 0.7}, kTrials);
  for (const auto& row : together.rows) {
    INFO("beta " << row.beta);
    CHECK(dam::text(row.plan.status) == "ok");
    const double truth = 30'000 * std::pow(-std::log(row.beta), 1 / 0.6);
    CHECK(std::abs(row.plan.k_max / truth - 1) < 5 * 0.05 / 1.96);
    spent = 0;
    for (const dam::CurvePoint& point : row.points) spent += point.trials;
  }
  CHECK(spent > kTrials);  // else it would have passed with one budget for all of them
}

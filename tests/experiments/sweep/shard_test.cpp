#include "experiments/sweep/shard.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

using experiments::items_of;

TEST_CASE("every item is in one shard, and no shard is much dearer than it must be") {
  std::mt19937 random(Catch::rngSeed());
  std::lognormal_distribution<double> cost(0, 2);  // as costs of a grid: a few items hold most of the work
  for (int trial = 0; trial < 200; ++trial) {
    const int shards = 1 + static_cast<int>(random() % 9);
    std::vector<double> costs(random() % 60);
    for (double& c : costs) c = cost(random);
    std::vector<int> owners(costs.size());
    double dearest_shard = 0;
    for (int i = 1; i <= shards; ++i) {
      double load = 0;
      for (const std::size_t item : items_of({i, shards}, costs)) ++owners[item], load += costs[item];
      dearest_shard = std::max(dearest_shard, load);
    }
    CHECK(owners == std::vector<int>(costs.size(), 1));
    const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
    const double largest = costs.empty() ? 0 : *std::max_element(costs.begin(), costs.end());
    CHECK(dearest_shard <= (total - largest) / shards + largest + 1e-9);
  }
}

TEST_CASE("equal items are dealt evenly") {
  const std::vector<double> costs(100, 0.25);
  for (int i = 1; i <= 7; ++i) CHECK(items_of({i, 7}, costs).size() == (i <= 2 ? 15u : 14u));
}

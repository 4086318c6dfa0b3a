// What `make calibration` does at length, in a short form: real searches, held against truths measured apart from them;
// and counts that are treated as independent, held against each other.
#include "tests/calibration/calibration.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/parallel.h"
#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"

using namespace calibration;

TEST_CASE("intervals of real searches cover the truth") {
  // Truths of results/reference/calibration.md, whose errors are a tenth of the intervals.
  struct Case {
    Setting setting;
    double truth;
  };
  const Case cases[] = {{{"dense:3", 48, 1, 0.5, 0.05}, 167.3},
                        {{"hopfield", 96, 0.95, 0.5, 0.05}, 16.845},
                        {{"dense:4", 40, 0.9, 0.9, 0.1}, 253.4}};
  constexpr int kSeeds = 100;
  for (const Case& each : cases) {
    std::vector<Outcome> outcomes(kSeeds);
    core::parallel_for(kSeeds, core::hardware_threads(),
                       [&](std::size_t i, int) { outcomes[i] = search(each.setting, Catch::rngSeed() + i); });
    const Coverage found = coverage_of(outcomes, each.truth);
    INFO(each.setting.name() << ", seeds from " << Catch::rngSeed() << ": " << found.covered() << " of " << found.ok
                             << " cover, bias " << found.bias << " of the half width");
    CHECK(found.ok == kSeeds);
    // Coverage of 0.93 … 0.97, at five standard deviations of so few seeds: intervals that are half too short fail.
    CHECK(found.covered() >= 0.93 * kSeeds - 5 * std::sqrt(0.93 * 0.07 * kSeeds));
    CHECK(std::abs(found.bias) < 0.25 + 5 * found.spread / 1.96 / std::sqrt(kSeeds) / found.half_width);
  }
}

TEST_CASE("counts that are treated as independent are: two K, two qualities, sizes, models, parts of a sweep") {
  struct Point {
    Setting setting;
    std::int64_t num_patterns;
    std::int64_t first_cluster = 0;
  };
  const Setting base{"dense:3", 48, 1, 0.5, 0.05};
  const Point points[] = {{base, 160},
                          {base, 175},
                          {{"dense:3", 48, 0.9, 0.5, 0.05}, 150},
                          {{"dense:3", 47, 1, 0.5, 0.05}, 160},
                          {{"dense:4", 48, 1, 0.5, 0.05}, 1100},
                          {base, 160, 32}};  // another shard's batch
  constexpr int kSeeds = 500, kClusters = 32;
  constexpr std::size_t kPoints = std::size(points);
  std::vector<std::array<double, kPoints>> fractions(kSeeds);
  core::parallel_for(kSeeds, core::hardware_threads(), [&](std::size_t seed, int) {
    for (std::size_t p = 0; p < kPoints; ++p) {
      dam::TrialWorkspace workspace;
      dam::TrialCounts counts;
      const dam::Configuration configuration = points[p].setting.configuration(Catch::rngSeed() + seed);
      for (int cluster = 0; cluster < kClusters; ++cluster)
        counts += dam::run_cluster(configuration, points[p].num_patterns, points[p].first_cluster + cluster,
                                   dam::find_kernel("auto"), workspace);
      fractions[seed][p] = static_cast<double>(counts.successes) / kClusters;
    }
  });
  for (std::size_t a = 0; a < kPoints; ++a)
    for (std::size_t b = a + 1; b < kPoints; ++b) {
      double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
      for (const auto& f : fractions)
        sa += f[a], sb += f[b], saa += f[a] * f[a], sbb += f[b] * f[b], sab += f[a] * f[b];
      const double n = kSeeds;
      const double va = saa / n - sa * sa / n / n, vb = sbb / n - sb * sb / n / n;
      REQUIRE(va > 0.1 / kClusters);  // neither always right nor always wrong: it could tell
      REQUIRE(vb > 0.1 / kClusters);
      const double correlation = (sab / n - sa * sb / n / n) / std::sqrt(va * vb);
      INFO("points " << a << " and " << b << ", seed " << Catch::rngSeed());
      CHECK(std::abs(correlation) < 5 / std::sqrt(n));  // nested pattern sets correlated by 0.6 to 0.7
    }
}

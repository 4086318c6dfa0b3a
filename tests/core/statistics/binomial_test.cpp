#include "core/statistics/binomial.h"

#include <boost/math/distributions/binomial.hpp>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/random.h"

using namespace core;

TEST_CASE("Clopper-Pearson holds exactly the probabilities that its definition names") {
  const auto [successes, trials] = GENERATE(std::pair{1, 10}, std::pair{7, 10}, std::pair{30, 4000});
  const Interval interval = clopper_pearson(successes, trials);
  const auto law = [trials = trials](double p) { return boost::math::binomial(trials, p); };
  CHECK(cdf(complement(law(interval.low), successes - 1)) == Approx(0.025).epsilon(1e-9));
  CHECK(cdf(law(interval.high), successes) == Approx(0.025).epsilon(1e-9));
}

TEST_CASE("intervals at the edges: no trials, no successes, only successes") {
  for (const auto& make : {clopper_pearson, wilson}) {
    CHECK(make(0, 0, 0.95).low == 0);
    CHECK(make(0, 0, 0.95).high == 1);
    CHECK(make(0, 20, 0.95).low == 0);
    CHECK(make(0, 20, 0.95).high < 0.2);
    CHECK(make(20, 20, 0.95).low > 0.8);
    CHECK(make(20, 20, 0.95).high == 1);
    CHECK_THROWS_WITH(make(3, 2, 0.95), Catch::Contains("between 0 and the number of trials"));
    CHECK_THROWS_WITH(make(-1, 2, 0.95), Catch::Contains("between 0 and the number of trials"));
    CHECK_THROWS_WITH(make(1, 2, 1), Catch::Contains("confidence 1"));
  }
  CHECK(clopper_pearson(0, 20).high == Approx(1 - std::pow(0.025, 1 / 20.0)));
}

TEST_CASE("Wilson's end points solve the score equation") {
  const Interval interval = wilson(7, 50);
  const double z = 1.959963984540054;
  for (const double p : {interval.low, interval.high})
    CHECK(std::abs(7.0 / 50 - p) == Approx(z * std::sqrt(p * (1 - p) / 50)).epsilon(1e-12));
}

TEST_CASE("the Student interval has the table's quantiles") {
  CHECK(t_interval(2, 0.5, 4).high == Approx(2 + 0.5 * 2.7764451).epsilon(1e-7));
  CHECK(t_interval(2, 0.5, 1e9).low == Approx(2 - 0.5 * 1.959964).epsilon(1e-6));
  CHECK(std::isinf(t_interval(2, 0.5, 0).high));
}

TEST_CASE("clusters that agree completely count as one trial each") {
  // 10 clusters of 4: six all right, four all wrong.
  const ClusterCounts counts{40, 24, 10, 6 * 16};
  const ClusterEstimate estimate = cluster_estimate(counts);
  CHECK(estimate.mean == 0.6);
  CHECK(estimate.standard_error == Approx(std::sqrt(0.6 * 0.4 / 9)));
  CHECK(estimate.design_effect == 4);
  const Interval interval = cluster_interval(counts);
  CHECK(interval.low == Approx(clopper_pearson(6, 10).low));
  CHECK(interval.high == Approx(clopper_pearson(6, 10).high));
}

TEST_CASE("clusters of one trial are plain binomial counts") {
  const ClusterCounts counts{50, 20, 50, 20};
  CHECK(cluster_estimate(counts).design_effect == 1);
  CHECK(cluster_interval(counts).low == clopper_pearson(20, 50).low);
}

TEST_CASE("no spread between clusters means no evidence that they are independent") {
  CHECK(cluster_estimate({40, 40, 10, 160}).design_effect == 4);
  CHECK(cluster_interval({40, 40, 10, 160}).low == Approx(clopper_pearson(10, 10).low));
  CHECK(cluster_estimate({8, 3, 1, 9}).design_effect == 8);
  CHECK(std::isnan(cluster_estimate({8, 3, 1, 9}).standard_error));
  CHECK(std::isnan(cluster_estimate({}).mean));
}

TEST_CASE("counts that no clusters of one size have are refused") {
  CHECK_THROWS_WITH(cluster_estimate({10, 3, 3, 3}), Catch::Contains("one size"));
  CHECK_THROWS_WITH(cluster_estimate({10, 11, 10, 11}), Catch::Contains("one size"));
  CHECK_THROWS_WITH(cluster_estimate({10, 5, 5, 40}), Catch::Contains("squared"));
  CHECK_THROWS_WITH(cluster_estimate({10, 10, 5, 5}), Catch::Contains("squared"));
}

TEST_CASE("the design effect of correlated trials is what theory says") {
  // With probability rho a cluster repeats one draw, else its trials are independent: effect 1 + (size − 1)·rho.
  constexpr int kSize = 5;
  constexpr int kClusters = 20000;
  constexpr double kRho = 0.4;
  Stream stream(Catch::rngSeed(), 1, 0, Purpose::data);
  ClusterCounts counts{kSize * kClusters, 0, kClusters, 0};
  for (int cluster = 0; cluster < kClusters; ++cluster) {
    int successes = 0;
    if (bernoulli(stream, kRho))
      successes = bernoulli(stream, 0.3) ? kSize : 0;
    else
      for (int trial = 0; trial < kSize; ++trial) successes += bernoulli(stream, 0.3);
    counts.successes += successes;
    counts.successes_squared += successes * successes;
  }
  const double effect = cluster_estimate(counts).design_effect;
  // Relative error of a variance from 20000 clusters ≈ √(κ/clusters) with kurtosis κ < 4 here: 1.4 %, five sigma 7 %.
  CHECK(effect == Approx(1 + (kSize - 1) * kRho).epsilon(0.07));
}

TEST_CASE("the binomial law agrees with Boost and sums to one") {
  for (const double p : {0.5, 0.1, 0.999}) {
    const auto law = binomial_law(60, p);
    double sum = 0;
    for (int j = 0; j <= 60; ++j) {
      sum += law[static_cast<std::size_t>(j)];
      CHECK(law[static_cast<std::size_t>(j)] == Approx(pdf(boost::math::binomial(60, p), j)).epsilon(1e-11));
    }
    CHECK(sum == Approx(1).epsilon(1e-14));
  }
  CHECK(binomial_law(3, 0) == std::vector<double>{1, 0, 0, 0});
  CHECK(binomial_law(3, 1) == std::vector<double>{0, 0, 0, 1});
  CHECK(binomial_law(0, 0.3) == std::vector<double>{1});
  CHECK_THROWS_WITH(binomial_law(3, 1.5), Catch::Contains("within [0, 1]"));
}

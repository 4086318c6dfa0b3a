#include "dam/states/pattern_statistics.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace dam;

namespace {

Patterns drawn(const char* source, int num_neurons, std::int64_t num_patterns) {
  Configuration configuration;
  configuration.num_neurons = num_neurons;
  configuration.patterns = parse_patterns(source);
  configuration.seed = Catch::rngSeed();
  Patterns patterns;
  draw_patterns(configuration, configuration_id(configuration), num_patterns, 0, nullptr, patterns);
  return patterns;
}

}  // namespace

TEST_CASE("three patterns by hand") {
  const std::vector<std::int8_t> rows{1, 1, 1, 1, 1, 1, 1, -1, -1, -1, 1, 1};
  const Patterns patterns = Patterns::from_rows(rows, 4);
  // Overlaps 2 (0,1), 0 (0,2), −2 (1,2), each pair counted twice.
  const PatternStatistics statistics = pattern_statistics(patterns);
  CHECK(statistics.activity == Approx((4 + 2 + 0) / 12.0));
  CHECK(statistics.mean_overlap == Approx(0).margin(1e-15));
  CHECK(statistics.overlap_deviation == Approx(std::sqrt(2 * 0.25 / 3)));
  CHECK(statistics.largest_overlap == Approx(0.5));
  CHECK(statistics.effective_dimension == Approx(6));
  CHECK(noise_ratio(patterns, 2) == Approx(4.0 / 6));
}

TEST_CASE("fair patterns have as many dimensions as neurons, and the noise that theory gives them") {
  constexpr int kNeurons = 101;
  constexpr std::int64_t kPatterns = 1500;
  const Patterns patterns = drawn("iid", kNeurons, kPatterns);
  const PatternStatistics statistics = pattern_statistics(patterns);
  // x² of K(K−1)/2 independent pairs has relative deviation √2.
  const double sigma = std::sqrt(2 / (0.5 * kPatterns * (kPatterns - 1)));
  CHECK(statistics.effective_dimension / kNeurons == Approx(1).margin(5 * sigma));
  CHECK(std::abs(statistics.activity) < 5 / std::sqrt(1.0 * kNeurons * kPatterns));
  CHECK(noise_ratio(patterns, 2) == Approx(1).margin(5 * sigma));
  // ⟨m⁴⟩ = 3N² − 2N; m⁴ has relative deviation √(105/9 − 1).
  CHECK(noise_ratio(patterns, 3) == Approx(1 - 2.0 / (3 * kNeurons)).margin(5 * sigma * std::sqrt(96.0 / 9 / 2)));
}

TEST_CASE("biased and correlated patterns have fewer dimensions and more noise") {
  const PatternStatistics biased = pattern_statistics(drawn("biased:0.75", 400, 300));
  CHECK(biased.activity == Approx(0.5).margin(0.02));
  CHECK(biased.mean_overlap == Approx(0.25).margin(0.02));
  CHECK(biased.effective_dimension < 20);
  const Patterns copies = drawn("copies:8:0.2", 400, 300);
  CHECK(pattern_statistics(copies).largest_overlap > 0.3);
  CHECK(noise_ratio(copies, 3) > 10);
}

TEST_CASE("one pattern has no pairs, and a linear memory no noise power") {
  CHECK_THROWS_WITH(pattern_statistics(drawn("iid", 10, 1)), Catch::Contains("two patterns or more"));
  CHECK_THROWS_WITH(noise_ratio(drawn("iid", 10, 5), 1), Catch::Contains("below 2"));
}

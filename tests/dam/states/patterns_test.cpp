#include "dam/states/patterns.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "dam/fields/energy.h"
#include "dam/states/random_blocks.h"

using namespace dam;

namespace {

Patterns drawn(const Configuration& configuration, std::int64_t num_patterns, std::int64_t cluster = 0,
               const Patterns* bank = nullptr) {
  Patterns patterns;
  draw_patterns(configuration, configuration_id(configuration), num_patterns, cluster, bank, patterns);
  return patterns;
}

Configuration with_source(const char* source, int num_neurons = 33) {
  Configuration configuration;
  configuration.num_neurons = num_neurons;
  configuration.patterns = parse_patterns(source);
  configuration.seed = Catch::rngSeed();
  return configuration;
}

/// |count − n·p| in standard deviations; refuses samples too small to tell.
double deviation(std::int64_t count, double n, double p) {
  REQUIRE(n * p * (1 - p) > 100);
  return std::abs(static_cast<double>(count) - n * p) / std::sqrt(n * p * (1 - p));
}

}  // namespace

TEST_CASE("random blocks are the stream's own, in any shape") {
  const core::Stream stream(7, 8, 9, core::Purpose::patterns, 1000);
  for (const std::size_t words : {1, 3, 4, 5, 17, 64}) {
    const std::size_t stride = words + 2, rows = 5;
    std::vector<std::uint64_t> out(rows * stride, 1234);
    fill_random(stream, 1000, rows, words, stride, out.data());
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t word = 0; word < stride; ++word)
        REQUIRE(out[row * stride + word] == (word < words ? stream.block(word / 4, 1000 + row)[word % 4] : 1234));
  }
}

TEST_CASE("iid patterns are blocks (w, i) of the cluster's stream") {
  const Configuration configuration = with_source("iid");
  const Patterns patterns = drawn(configuration, 700, 3);
  const core::Stream stream(configuration.seed, configuration_id(configuration), 3, core::Purpose::patterns, 700);
  for (int spin = 0; spin < 33; ++spin)
    for (int pattern = 0; pattern < 700; ++pattern)
      REQUIRE(patterns.bit(spin, pattern) ==
              ((stream.block(pattern / 256, spin)[pattern % 256 / 64] >> (pattern % 64) & 1) != 0));
}

TEST_CASE("pattern sets of different K are independent, whatever the source") {
  const auto* source = GENERATE("iid", "biased:0.3", "low-rank:4:0.5", "copies:3:0.1", "file:bank");
  const Configuration configuration = with_source(source);
  const Patterns bank = drawn(with_source("iid"), 1100, 99);
  INFO(source << ", seed " << Catch::rngSeed());
  // Overlaps of the first patterns at K = 10 and K = 11 over many sets: nested sets would have overlap N, independent
  // ones have N (2p − 1)² on average.
  constexpr int kSets = 2000;
  const double bias = configuration.patterns.kind == PatternKind::biased ? 1 - 2 * configuration.patterns.parameter : 0;
  const double expected = configuration.num_neurons * bias * bias;
  double sum = 0, squares = 0;
  for (int set = 0; set < kSets; ++set) {
    const State a = drawn(configuration, 10, set, &bank).row(0), b = drawn(configuration, 11, set, &bank).row(0);
    double overlap = 0;
    for (int spin = 0; spin < configuration.num_neurons; ++spin) overlap += a[spin] * b[spin];
    sum += overlap;
    squares += overlap * overlap;
  }
  const double mean = sum / kSets, error = std::sqrt((squares / kSets - mean * mean) / kSets);
  REQUIRE(error < 0.02 * configuration.num_neurons);  // otherwise it could not tell
  // Rows of a file are drawn from the same 1100: one pair in 1100 is the same row.
  const double same_row = configuration.patterns.kind == PatternKind::file ? configuration.num_neurons / 1100. : 0;
  CHECK(std::abs(mean - expected - same_row) < 5 * error);
}

TEST_CASE("sources have the statistics they promise") {
  const std::int64_t num_patterns = 4000;
  const int num_neurons = 40;
  const auto plus_count = [&](const Patterns& patterns) {
    std::int64_t plus = 0;
    for (int spin = 0; spin < num_neurons; ++spin)
      for (std::int64_t pattern = 0; pattern < num_patterns; ++pattern) plus += patterns.bit(spin, pattern);
    return plus;
  };
  const double components = static_cast<double>(num_patterns) * num_neurons;
  CHECK(deviation(plus_count(drawn(with_source("iid", num_neurons), num_patterns)), components, 0.5) < 5);
  CHECK(deviation(plus_count(drawn(with_source("biased:0.3", num_neurons), num_patterns)), components, 0.3) < 5);
  CHECK(plus_count(drawn(with_source("biased:1", num_neurons), num_patterns)) == num_patterns * num_neurons);
  CHECK(plus_count(drawn(with_source("biased:0", num_neurons), num_patterns)) == 0);

  // Without flips only the prototypes occur; with few, patterns are near one of them.
  std::set<State> prototypes;
  const Patterns exact = drawn(with_source("copies:5:0", num_neurons), 300);
  for (int pattern = 0; pattern < 300; ++pattern) prototypes.insert(exact.row(pattern));
  CHECK(prototypes.size() == 5);
  const Patterns copies = drawn(with_source("copies:1:0.1", num_neurons), num_patterns);
  std::int64_t pair_agreements = 0;
  for (std::int64_t pattern = 0; pattern + 1 < num_patterns; pattern += 2)
    for (int spin = 0; spin < num_neurons; ++spin)
      pair_agreements += copies.bit(spin, pattern) == copies.bit(spin, pattern + 1);
  CHECK(deviation(pair_agreements, components / 2, 0.9 * 0.9 + 0.1 * 0.1) < 5);

  // Rank 1 without noise: ±1 times one prototype; with much noise: nearly independent.
  const Patterns rank_one = drawn(with_source("low-rank:1:0", num_neurons), 200);
  for (const int overlap : overlaps(rank_one, rank_one.row(0))) CHECK(std::abs(overlap) == num_neurons);
  std::int64_t noisy = plus_count(drawn(with_source("low-rank:3:50", num_neurons), num_patterns));
  CHECK(deviation(noisy, components, 0.5) < 10);
}

TEST_CASE("cues keep each component with probability alpha") {
  const Patterns patterns = drawn(with_source("iid", 500), 10);
  const auto stream = [](std::uint64_t trial) { return core::Stream(1, 2, trial, core::Purpose::cue); };
  State cue;
  draw_cue(patterns, 7, 1, stream(0), cue);
  CHECK(cue == patterns.row(7));
  std::int64_t kept = 0;
  for (int trial = 0; trial < 200; ++trial) {
    draw_cue(patterns, 3, 0.85, stream(trial), cue);
    for (int spin = 0; spin < 500; ++spin) kept += (cue[spin] > 0) == patterns.bit(spin, 3);
  }
  CHECK(deviation(kept, 200 * 500, 0.85) < 5);
}

TEST_CASE("rows are read as they are written, and bad ones named") {
  const std::vector<std::int8_t> signs{1, -1, -1, 1, 1, 1};
  const std::vector<std::uint8_t> bits{1, 0, 0, 1, 1, 1};
  const Patterns patterns = Patterns::from_rows(std::span(signs), 3);
  CHECK(patterns.num_patterns() == 2);
  CHECK(patterns.row(0) == State{1, -1, -1});
  CHECK(patterns.row(1) == State{1, 1, 1});
  CHECK(patterns == Patterns::from_rows(std::span(bits), 3));
  CHECK_THROWS_WITH(Patterns::from_rows(std::span(signs), 4), Catch::Contains("6 values") && Catch::Contains("4"));
  const std::vector<std::int8_t> bad{1, -1, 1, 0, 1, 1};
  CHECK_THROWS_WITH(Patterns::from_rows(std::span(bad), 3), Catch::Contains("value 0 at row 1, neuron 0"));
  const std::vector<std::uint8_t> worse{1, 0, 2};
  CHECK_THROWS_WITH(Patterns::from_rows(std::span(worse), 3), Catch::Contains("value 2 at row 0, neuron 2"));
}

TEST_CASE("a pattern file must be there and large enough") {
  const Configuration configuration = with_source("file:bank");
  const Patterns small(33, 10), other(32, 100);
  CHECK_THROWS_WITH(drawn(configuration, 11, 0, &small), Catch::Contains("10 patterns, not 11"));
  CHECK_THROWS_WITH(drawn(configuration, 11, 0, &other), Catch::Contains("32 neurons, not 33"));
  CHECK_THROWS_WITH(drawn(configuration, 11), Catch::Contains("file"));
}

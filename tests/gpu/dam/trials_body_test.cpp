#include "gpu/dam/trials_body.h"

#include <catch2/catch.hpp>

#include "dam/states/patterns.h"
#include "gpu/device/host_block.h"

namespace gpu {

TEST_CASE("blocks draw the patterns and cues that the processor draws") {
  const int neurons = GENERATE(1, 5, 70, 257);
  const std::int64_t patterns = GENERATE(1, 63, 256, 1024, 1500);
  const char* source = GENERATE("iid", "biased:0.3");
  dam::Configuration c{.num_neurons = neurons, .alpha = 0.7, .seed = Catch::rngSeed()};
  c.patterns = dam::parse_patterns(source);
  INFO(source << " N = " << neurons << " K = " << patterns);
  constexpr std::uint64_t kId = 77;
  dam::Patterns expected;
  dam::draw_patterns(c, kId, patterns, 3, nullptr, expected);

  ClusterBatch batch;
  batch.task.num_neurons = neurons;
  batch.task.num_patterns = patterns;
  batch.task.column_words = (patterns + kGroupPatterns - 1) / kGroupPatterns * kGroupWords;
  batch.task.key = {c.seed, kId, static_cast<std::uint64_t>(patterns)};
  batch.fair = c.patterns.kind == dam::PatternKind::iid;
  batch.digits_plus = static_cast<std::uint64_t>(std::ldexp(0.3, 64));
  batch.digits_kept = static_cast<std::uint64_t>(std::ldexp(0.7, 64));
  HostBlock block(128, 0, 1);
  std::vector<std::uint32_t> columns(static_cast<std::size_t>(neurons * batch.task.column_words), 0xa5a5a5a5);
  draw_patterns(block, batch, 3, columns.data());
  std::int64_t ones = 0, expected_ones = 0;
  for (int spin = 0; spin < neurons; ++spin) {
    for (std::int64_t word = 0; word < batch.task.column_words; ++word)
      ones += std::popcount(columns[static_cast<std::size_t>(spin * batch.task.column_words + word)]);
    for (std::int64_t pattern = 0; pattern < patterns; ++pattern) {
      const std::uint32_t word = columns[static_cast<std::size_t>(spin * batch.task.column_words + pattern / 32)];
      REQUIRE((word >> (pattern % 32) & 1) == expected.bit(spin, pattern));
      expected_ones += expected.bit(spin, pattern);
    }
  }
  CHECK(ones == expected_ones);  // nothing beyond K

  dam::State cue;
  dam::draw_cue(expected, 0, 0.7, {c.seed, kId, 9, core::Purpose::cue, static_cast<std::uint64_t>(patterns)}, cue);
  std::vector<std::uint8_t> plus(static_cast<std::size_t>(neurons));
  draw_cue(block, batch, 9, 0, columns.data(), plus.data());
  for (int spin = 0; spin < neurons; ++spin) REQUIRE((plus[spin] != 0) == (cue[spin] > 0));
}

}  // namespace gpu

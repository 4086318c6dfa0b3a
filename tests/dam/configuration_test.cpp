#include "dam/configuration.h"

#include <catch2/catch.hpp>
#include <set>

using namespace dam;

TEST_CASE("every word of a configuration reads back") {
  for (const char* word : {"derivative", "energy"}) CHECK(text(parse_rule(word)) == word);
  for (const char* word : {"random", "sequential", "replacement", "synchronous"})
    CHECK(text(parse_order(word)) == word);
  for (const char* word : {"keep", "plus", "minus", "random"}) CHECK(text(parse_tie(word)) == word);
  for (const char* word : {"removed", "kept"}) CHECK(text(parse_self_coupling(word)) == word);
  for (const char* word : {"exact", "exact-or-negated", "overlap:0.97", "overlap-or-negated:0.5"})
    CHECK(text(parse_success(word)) == word);
  for (const char* word : {"iid", "biased:0.3", "low-rank:10:0.5", "copies:10:0.1", "file:a/b:c.npy"})
    CHECK(text(parse_patterns(word)) == word);
}

TEST_CASE("bad words name what is accepted") {
  CHECK_THROWS_WITH(parse_rule("gradient"), Catch::Contains("derivative, energy"));
  CHECK_THROWS_WITH(parse_order(""), Catch::Contains("synchronous"));
  CHECK_THROWS_WITH(parse_tie("coin"), Catch::Contains("keep, plus, minus, random"));
  CHECK_THROWS_WITH(parse_success("overlap:1.5"), Catch::Contains("from 0 to 1"));
  CHECK_THROWS_WITH(parse_success("close"), Catch::Contains("exact-or-negated"));
  CHECK_THROWS_WITH(parse_patterns("biased"), Catch::Contains("biased:P"));
  CHECK_THROWS_WITH(parse_patterns("biased:2"), Catch::Contains("from 0 to 1"));
  CHECK_THROWS_WITH(parse_patterns("copies:0:0.1"), Catch::Contains("rank"));
}

TEST_CASE("the identity covers all that changes the answer and nothing else") {
  const Configuration base;
  std::set<std::uint64_t> ids{configuration_id(base)};
  const auto is_new = [&](auto change) {
    Configuration changed = base;
    change(changed);
    return ids.insert(configuration_id(changed)).second;
  };
  CHECK(is_new([](auto& c) { c.num_neurons = 65; }));
  CHECK(is_new([](auto& c) { c.model = core::EnergyModel::parse("dense:3"); }));
  CHECK(is_new([](auto& c) { c.dynamics.rule = UpdateRule::energy; }));
  CHECK(is_new([](auto& c) { c.dynamics.order = UpdateOrder::sequential; }));
  CHECK(is_new([](auto& c) { c.dynamics.tie = TieRule::plus; }));
  CHECK(is_new([](auto& c) { c.dynamics.self_coupling = SelfCoupling::kept; }));
  CHECK(is_new([](auto& c) { c.dynamics.max_passes = 7; }));
  CHECK(is_new([](auto& c) { c.alpha = 0.9; }));
  CHECK(is_new([](auto& c) { c.success.min_overlap = 0.9; }));
  CHECK(is_new([](auto& c) { c.success.up_to_sign = true; }));
  CHECK(is_new([](auto& c) { c.patterns = parse_patterns("biased:0.3"); }));
  CHECK(is_new([](auto& c) { c.cues = 2; }));
  CHECK(is_new([](auto& c) { c.seed = 2; }));
  // The energy rule has no self-coupling, an iid source no rank, and a file is its content wherever it lies.
  CHECK_FALSE(is_new([](auto& c) {
    c.dynamics.rule = UpdateRule::energy;
    c.dynamics.self_coupling = SelfCoupling::kept;
  }));
  CHECK_FALSE(is_new([](auto& c) { c.patterns.rank = 5; }));
  CHECK(is_new([](auto& c) { c.patterns = {PatternKind::file, 0.5, 0, "here.npy", 77}; }));
  CHECK_FALSE(is_new([](auto& c) { c.patterns = {PatternKind::file, 0.5, 0, "there.npy", 77}; }));
}

TEST_CASE("configurations read back from their canonical text") {
  Configuration configuration;
  configuration.num_neurons = 48;
  configuration.model = core::EnergyModel::parse("cosine/exp:2.5/log");
  configuration.dynamics = {UpdateRule::energy, UpdateOrder::synchronous, TieRule::minus, SelfCoupling::removed, 7};
  configuration.alpha = 0.1 + 0.2;
  configuration.success = {0.9, true};
  configuration.cues = 3;
  configuration.seed = 12345678901;
  for (const char* patterns : {"iid", "biased:0.3", "low-rank:5:0.25", "copies:3:0.1"}) {
    configuration.patterns = parse_patterns(patterns);
    CHECK(parse_configuration(canonical_text(configuration)) == configuration);
  }
  configuration.patterns = {PatternKind::file, 0.5, 0, "", 0x9e3779b97f4a7c15};
  CHECK(parse_configuration(canonical_text(configuration)) == configuration);
  CHECK_THROWS_AS(parse_configuration("num_neurons=48"), std::invalid_argument);
  CHECK_THROWS_AS(parse_configuration(canonical_text(configuration) + " colour=red"), std::invalid_argument);
}

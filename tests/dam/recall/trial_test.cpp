#include "dam/recall/trial.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#include "core/parallel.h"
#include "dam/fields/kernels.h"

using namespace dam;

namespace {

std::atomic<std::int64_t> allocations{0};

}  // namespace

// Counts what the program allocates, for the test that trials stop allocating. Not inlined, lest GCC take malloc and
// delete for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

/// The value of "key" in one flat JSON object, as text without quotes.
std::string field(const std::string& row, const std::string& key) {
  const auto at = row.find("\"" + key + "\": ");
  REQUIRE(at != std::string::npos);
  const auto begin = at + key.size() + 4;
  std::string value = row.substr(begin, row.find_first_of(",}\n", begin) - begin);
  std::erase(value, '"');
  return value;
}
double number(const std::string& row, const std::string& key) { return std::stod(field(row, key)); }

/// "a/b" as a number.
double fraction(const std::string& text) {
  const auto slash = text.find('/');
  return slash == std::string::npos ? std::stod(text) : std::stod(text) / std::stod(text.substr(slash + 1));
}

TrialCounts run(const Configuration& configuration, std::int64_t num_patterns, std::int64_t clusters,
                const Kernel& kernel = find_kernel("auto"), int threads = core::hardware_threads()) {
  std::vector<TrialWorkspace> workspaces(threads);
  std::vector<TrialCounts> counts(clusters);
  core::parallel_for(clusters, threads, [&](std::size_t cluster, int thread) {
    counts[cluster] =
        run_cluster(configuration, num_patterns, static_cast<std::int64_t>(cluster), kernel, workspaces[thread]);
  });
  TrialCounts sum;
  for (const TrialCounts& count : counts) sum += count;
  return sum;
}

}  // namespace

TEST_CASE("success probabilities agree with an independent simulator") {
  std::ifstream file(DAMBENCH_FIXTURES "/recall_probability.jsonl");
  int rows = 0;
  for (std::string row; std::getline(file, row); ++rows) {
    Configuration configuration;
    configuration.num_neurons = static_cast<int>(number(row, "num_neurons"));
    configuration.model.separation = core::Separation::parse(field(row, "separation"));
    configuration.dynamics.rule = parse_rule(field(row, "rule"));
    configuration.dynamics.order = parse_order(field(row, "order"));
    configuration.alpha = number(row, "alpha");
    configuration.success.min_overlap = number(row, "overlap_at_least");
    configuration.seed = Catch::rngSeed();
    const bool powers = configuration.model.separation.integer_valued();
    const TrialCounts counts =
        run(configuration, static_cast<std::int64_t>(number(row, "num_patterns")), powers ? 10'000 : 4'000);

    const auto trials = static_cast<double>(counts.trials);
    const double p = number(row, "success_probability");
    const double pooled =
        (p * number(row, "trials") + static_cast<double>(counts.successes)) / (number(row, "trials") + trials);
    const double error = std::sqrt(pooled * (1 - pooled) * (1 / trials + 1 / number(row, "trials")));
    INFO(row);
    CHECK(std::abs(static_cast<double>(counts.successes) / trials - p) <= 5 * error);
    CHECK(counts.not_converged <= counts.trials / 1000);
    // The share of wrong bits of a trial lies in [0, 1], so that its variance is at most its mean; the reference's
    // trials vary as much.
    const double wrong = static_cast<double>(counts.wrong_bits) / trials / configuration.num_neurons;
    const double reference = number(row, "mean_final_bit_error");
    const double mean = (wrong * trials + reference * number(row, "trials")) / (trials + number(row, "trials"));
    CHECK(std::abs(wrong - reference) <= 5 * std::sqrt(mean * (1 / trials + 1 / number(row, "trials"))));
  }
  CHECK(rows == 36);
}

TEST_CASE("whole patterns are stable as often as enumeration says") {
  std::ifstream file(DAMBENCH_FIXTURES "/exact_one_step.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  int rows = 0;
  for (auto at = text.find("{", text.find("\"whole_pattern\"")); at != std::string::npos; at = text.find("{", at + 1)) {
    const std::string row = text.substr(at, text.find("}", at) - at + 1);
    Configuration configuration;
    configuration.num_neurons = static_cast<int>(number(row, "num_neurons"));
    configuration.model.separation.parameter = number(row, "degree");
    configuration.dynamics.rule = parse_rule(field(row, "rule"));
    configuration.dynamics.max_passes = 1;
    configuration.seed = Catch::rngSeed();
    const std::int64_t trials = 40'000;
    const auto stable = [&] {
      // Stable from the first pass on: trials that made no flip at all converge within one pass.
      const TrialCounts counts = run(configuration, static_cast<std::int64_t>(number(row, "num_patterns")), trials);
      return static_cast<double>(counts.trials - counts.not_converged) / trials;
    };
    const double nonnegative = fraction(field(row, "p_all_nonnegative"));
    const double error = std::sqrt(nonnegative * (1 - nonnegative) / trials);
    INFO(row);
    CHECK(std::abs(stable() - nonnegative) <= 5 * error);
    ++rows;
  }
  CHECK(rows >= 8);
}

TEST_CASE("counts do not depend on threads, kernels or what a workspace did before") {
  Configuration configuration;
  configuration.num_neurons = 50;
  configuration.model = core::EnergyModel::parse("dense:3");
  configuration.alpha = 0.85;
  configuration.cues = 3;
  configuration.dynamics.tie = TieRule::random;
  const TrialCounts expected = run(configuration, 130, 40, find_kernel("reference"), 1);
  CHECK(expected.trials == 120);
  CHECK(expected.clusters == 40);
  CHECK(expected.flips > 0);
  for (const Kernel& kernel : kernels()) {
    if (!kernel.available()) continue;
    INFO(kernel.name);
    CHECK(run(configuration, 130, 40, kernel, 1) == expected);
    CHECK(run(configuration, 130, 40, kernel, 2) == expected);
  }

  TrialWorkspace used;
  TrialCounts sum;
  Configuration other = configuration;
  other.num_neurons = 64;
  for (std::int64_t cluster = 0; cluster < 40; ++cluster) {
    sum += run_cluster(configuration, 130, cluster, find_kernel("auto"), used);
    run_cluster(configuration, 1000 - cluster, cluster, find_kernel("auto"), used);
    if (cluster % 10 == 0) run_cluster(other, 7, cluster, find_kernel("auto"), used);
  }
  CHECK(sum == expected);
}

TEST_CASE("recall gets harder with more patterns, cleaner cues and higher degree do better") {
  Configuration configuration;
  configuration.num_neurons = 60;
  configuration.model = core::EnergyModel::parse("dense:3");
  configuration.alpha = 0.9;
  const auto successes = [&](std::int64_t num_patterns) { return run(configuration, num_patterns, 400).successes; };
  const auto few = successes(80), some = successes(180), many = successes(400);
  CHECK(few > some);
  CHECK(some > many);
  configuration.alpha = 0.8;
  CHECK(successes(180) < some);
  configuration.alpha = 0.9;
  configuration.model = core::EnergyModel::parse("dense:4");
  CHECK(successes(400) > many);
  configuration.success.min_overlap = 0.9;
  configuration.model = core::EnergyModel::parse("dense:3");
  CHECK(successes(180) > some);
}

TEST_CASE("success rules judge the overlap") {
  CHECK(succeeded({1, false}, 10, 10));
  CHECK_FALSE(succeeded({1, false}, 8, 10));
  CHECK_FALSE(succeeded({1, false}, -10, 10));
  CHECK(succeeded({1, true}, -10, 10));
  CHECK(succeeded({0.8, false}, 8, 10));
  CHECK_FALSE(succeeded({0.81, false}, 8, 10));
  CHECK(succeeded({0.55, false}, 11, 20));
}

TEST_CASE("a trial without patterns is refused") {
  TrialWorkspace workspace;
  CHECK_THROWS_WITH(run_cluster({}, 0, 0, find_kernel("auto"), workspace), Catch::Contains("K >= 1"));
}

TEST_CASE("a single pattern is always recalled from a cue on its side") {
  Configuration configuration;
  configuration.num_neurons = 64;
  configuration.alpha = 0.8;
  for (const char* model : {"hopfield", "dense:3", "rectified:4", "exponential:1"}) {
    configuration.model = core::EnergyModel::parse(model);
    INFO(model);
    CHECK(run(configuration, 1, 200).successes == 200);
  }
}

TEST_CASE("a workspace stops allocating once it has seen its work") {
  Configuration configuration;
  configuration.num_neurons = 100;
  configuration.alpha = 0.7;
  const auto [model, num_patterns] = GENERATE(table<const char*, std::int64_t>(
      {{"hopfield", 30}, {"dense:3", 700}, {"dense:4", 5000}, {"exponential:0.2", 3000}}));
  configuration.model = core::EnergyModel::parse(model);
  const Kernel& kernel = find_kernel("auto");
  TrialWorkspace workspace;
  TrialCounts counts;
  for (std::int64_t cluster = 0; cluster < 30; ++cluster)
    counts += run_cluster(configuration, num_patterns, cluster, kernel, workspace);
  const std::int64_t before = allocations;
  for (std::int64_t cluster = 0; cluster < 30; ++cluster)
    counts += run_cluster(configuration, num_patterns, cluster, kernel, workspace);
  const std::int64_t made = allocations - before;
  INFO(model);
  CHECK(made == 0);
  CHECK(counts.flips > 0);
}

TEST_CASE("memory stays within the promise") {
  Configuration configuration;
  for (const int num_neurons : {32, 128, 1024})
    for (const std::int64_t num_patterns : {1'000, 100'000, 10'000'000}) {
      configuration.num_neurons = num_neurons;
      const double promised =
          2.5 * num_neurons * static_cast<double>(num_patterns) / 8 + 24 * static_cast<double>(num_patterns) + 1e5;
      CHECK(static_cast<double>(trial_memory(configuration, num_patterns)) <= promised);
      CHECK(trial_memory(configuration, num_patterns) >= num_neurons * num_patterns / 8);
    }
}

// Whole trials of the reference cases, per kernel: effective interactions per second, where the time goes, and how far
// from this machine's limit. An interaction is one pattern seen by one spin update, N·K to a pass.
//
//   local_fields_perf --benchmark_format=json | /usr/bin/python3 tests/perf/peers/compare.py
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dam/energy.h"
#include "dam/kernels.h"
#include "dam/recall.h"
#include "dam/trial.h"

namespace {

using namespace dam;
using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  int num_neurons;
  std::int64_t num_patterns;
  const char* model;
  double alpha;
};

constexpr Case kCases[] = {{"a", 256, 100'000, "dense:4", 0.9},
                           {"b", 1024, 25'000, "dense:3", 0.9},
                           {"c", 512, 64, "hopfield", 0.9},
                           {"d", 128, 270'000, "dense:5", 0.95},
                           {"e", 48, 20'000, "exponential:0.5", 0.95}};

Configuration configuration(const Case& c) {
  Configuration result;
  result.num_neurons = c.num_neurons;
  result.model = core::EnergyModel::parse(c.model);
  result.alpha = c.alpha;
  return result;
}

double interactions(const Case& c, std::int64_t passes) {
  return static_cast<double>(c.num_neurons) * static_cast<double>(c.num_patterns) * static_cast<double>(passes);
}

benchmark::Counter rate(double count) { return benchmark::Counter(count, benchmark::Counter::kIsRate); }

/// Whole trials, the drawing of the patterns included.
void trial(benchmark::State& state, const Case& c, const Kernel& kernel) {
  const Configuration config = configuration(c);
  TrialWorkspace workspace;
  TrialCounts counts;
  std::int64_t cluster = 0;
  run_cluster(config, c.num_patterns, cluster, kernel, workspace);
  for (auto _ : state) counts += run_cluster(config, c.num_patterns, cluster++, kernel, workspace);
  state.counters["interactions"] = rate(interactions(c, counts.passes));
  state.counters["passes"] = static_cast<double>(counts.passes) / static_cast<double>(counts.trials);
  state.counters["flips"] = static_cast<double>(counts.flips) / static_cast<double>(counts.trials);
}

/// A kernel that times its phases and leaves the work to the one behind it.
struct Phases {
  double overlaps = 0, fields = 0, flips = 0;
};
class TimedFields final : public LocalFields {
 public:
  TimedFields(std::unique_ptr<LocalFields> fields, Phases& phases) : fields_(std::move(fields)), phases_(phases) {}
  void load(const Patterns& patterns, const State& state) override {
    timed(phases_.overlaps, [&] { fields_->load(patterns, state); });
  }
  void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
    timed(phases_.fields, [&] { fields_->decide(spins, signs); });
  }
  bool flip(std::span<const std::uint32_t> spins) override {
    bool rose = false;
    timed(phases_.flips, [&] { rose = fields_->flip(spins); });
    return rose;
  }

 private:
  template <typename Work>
  static void timed(double& seconds, const Work& work) {
    const auto start = Clock::now();
    work();
    seconds += std::chrono::duration<double>(Clock::now() - start).count();
  }
  std::unique_ptr<LocalFields> fields_;
  Phases& phases_;
};

Phases phases;  // of the one benchmark that runs: a kernel's make takes no context

/// The share of a trial's time per phase. Timing every call costs time itself, so the rate is not reported here.
void shares(benchmark::State& state, const Case& c) {
  const Kernel timed{"timed", [] { return true; },
                     [](const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons) {
                       auto fields = find_kernel("auto").make(model, dynamics, num_neurons);
                       return std::unique_ptr<LocalFields>(new TimedFields(std::move(fields), phases));
                     }};
  const Configuration config = configuration(c);
  TrialWorkspace workspace;
  run_cluster(config, c.num_patterns, 0, timed, workspace);
  phases = {};
  double draw = 0, whole = 0;
  std::int64_t cluster = 0;
  Patterns patterns;
  for (auto _ : state) {
    const auto start = Clock::now();
    run_cluster(config, c.num_patterns, cluster, timed, workspace);
    const auto middle = Clock::now();
    draw_patterns(config, configuration_id(config), c.num_patterns, cluster++, nullptr, patterns);
    whole += std::chrono::duration<double>(middle - start).count();
    draw += std::chrono::duration<double>(Clock::now() - middle).count();
  }
  state.counters["draw"] = draw / whole;
  state.counters["overlaps"] = phases.overlaps / whole;
  state.counters["fields"] = phases.fields / whole;
  state.counters["flips"] = phases.flips / whole;
}

/// The machine's limit: one streaming popcount of the same bits per pass.
void popcount_limit(benchmark::State& state, const Case& c) {
  const Configuration config = configuration(c);
  Patterns patterns;
  draw_patterns(config, configuration_id(config), c.num_patterns, 0, nullptr, patterns);
  const auto& limit = streaming_popcount();
  for (auto _ : state) {
    std::uint64_t ones = 0;
    for (int spin = 0; spin < c.num_neurons; ++spin) ones += limit(patterns.column(spin));
    benchmark::DoNotOptimize(ones);
  }
  state.counters["interactions"] = rate(interactions(c, state.iterations()));
}

}  // namespace

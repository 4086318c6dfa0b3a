// Whole trials of the reference cases, per kernel: effective interactions per second, where the time goes, and how far
// from this machine's limit. An interaction is one pattern seen by one spin update, N·K to a pass.
//
// tests/perf/peers/compare.py runs it beside NumPy and prints ratios.
#include <benchmark/benchmark.h>

#include <chrono>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "core/parallel.h"
#include "dam/fields/kernels.h"
#include "dam/recall/recall.h"
#include "dam/recall/trial.h"

#define HWY_WANT_AVX3_DL 1
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/perf/local_fields_perf.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, so that it is read once per target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace HWY_NAMESPACE {

std::uint64_t count_ones(const std::uint64_t* words, std::size_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<std::uint64_t> d;
  auto first = hn::Zero(d), second = hn::Zero(d);
  for (std::size_t at = 0; at + 2 * hn::Lanes(d) <= count; at += 2 * hn::Lanes(d)) {
    first = hn::Add(first, hn::PopulationCount(hn::LoadU(d, words + at)));
    second = hn::Add(second, hn::PopulationCount(hn::LoadU(d, words + at + hn::Lanes(d))));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(first, second)));
}

}  // namespace HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
HWY_EXPORT(count_ones);

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
  std::size_t spins_per_decision() const override { return fields_->spins_per_decision(); }
  TimedFields(std::unique_ptr<LocalFields> fields, Phases& phases) : fields_(std::move(fields)), phases_(phases) {}
  void load(const Patterns& patterns, const State& state) override {
    timed(phases_.overlaps, [&] { fields_->load(patterns, state); });
  }
  void decide(std::span<const std::uint32_t> spins, std::span<std::int8_t> signs) override {
    timed(phases_.fields, [&] { fields_->decide(spins, signs); });
  }
  std::span<const std::int64_t> supports() const override { return fields_->supports(); }
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
  const Kernel timed{
      "timed", [] { return true; },
      [](const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const core::StopToken&) {
        auto fields = find_kernel("auto").make(model, dynamics, num_neurons);
        return std::unique_ptr<LocalFields>(new TimedFields(std::move(fields), phases));
      }};
  const Configuration config = configuration(c);
  TrialWorkspace workspace;
  run_cluster(config, c.num_patterns, 0, timed, workspace);
  const std::uint64_t id = configuration_id(config);
  phases = {};
  double draw = 0, whole = 0;
  std::int64_t cluster = 0;
  Patterns patterns;
  for (auto _ : state) {
    const auto start = Clock::now();
    run_cluster(config, c.num_patterns, cluster, timed, workspace);
    const auto middle = Clock::now();
    draw_patterns(config, id, c.num_patterns, cluster++, nullptr, patterns);
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
  const std::size_t words = patterns.words_per_column() * c.num_neurons;
  for (auto _ : state) benchmark::DoNotOptimize(HWY_DYNAMIC_DISPATCH(count_ones)(patterns.column(0).data(), words));
  state.counters["interactions"] = rate(interactions(c, static_cast<std::int64_t>(state.iterations())));
}

/// Trials over many pattern sets on the threads, in batches of a few milliseconds as a sweep runs them.
void threads(benchmark::State& state, const Case& c, int num_threads) {
  const Configuration config = configuration(c);
  constexpr std::size_t kBatches = 32;
  const auto batch_size = static_cast<std::int64_t>(std::max(1.0, 1e8 / interactions(c, 2)));
  std::vector<TrialWorkspace> workspaces(num_threads);
  std::vector<std::int64_t> passes(kBatches);
  const Kernel& kernel = find_kernel("auto");
  for (auto _ : state)
    core::parallel_for(kBatches, num_threads, [&](std::size_t batch, int thread) {
      passes[batch] = 0;
      for (std::int64_t i = 0; i < batch_size; ++i) {
        const std::int64_t cluster = static_cast<std::int64_t>(batch) * batch_size + i;
        passes[batch] += run_cluster(config, c.num_patterns, cluster, kernel, workspaces[thread]).passes;
      }
    });
  const std::int64_t sum = std::accumulate(passes.begin(), passes.end(), std::int64_t{0});
  state.counters["interactions"] = rate(interactions(c, sum) * static_cast<double>(state.iterations()));
}

}  // namespace

int main(int argc, char** argv) {
  for (const Case& c : kCases) {
    const std::string name = c.name;
    for (const Kernel& kernel : kernels()) {
      const bool reference = std::string_view(kernel.name) == "reference";
      if (!kernel.available() || (reference && c.num_patterns > 100)) continue;  // minutes per trial
      benchmark::RegisterBenchmark((name + "/trial/" + kernel.name).c_str(), trial, c, kernel)->MinTime(0.3);
    }
    benchmark::RegisterBenchmark((name + "/shares").c_str(), shares, c)->MinTime(0.3);
    benchmark::RegisterBenchmark((name + "/popcount_limit").c_str(), popcount_limit, c)->MinTime(0.1);
    for (const int num_threads : {1, 2})
      benchmark::RegisterBenchmark((name + "/threads/" + std::to_string(num_threads)).c_str(), threads, c, num_threads)
          ->UseRealTime()
          ->MinTime(0.3);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
#endif

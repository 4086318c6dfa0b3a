#include "dam/search/capacity_search.h"

#include <fmt/core.h>
#include <algorithm>
#include <boost/random/beta_distribution.hpp>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>

#include "core/random.h"
#include "core/statistics/binomial.h"
#include "dam/theory/one_step.h"

using namespace dam;

namespace {

using Curve = std::function<double(std::int64_t)>;

/// Trials of a memory whose success curve is known; clusters of `cues` trials share a beta-distributed probability.
class Laboratory {
 public:
  Laboratory(Curve curve, std::uint64_t run, int cues = 1, double correlation = 0)
      : curve_(std::move(curve)),
        cues_(cues),
        correlation_(correlation),
        stream_(Catch::rngSeed(), 11, run, core::Purpose::data) {}

  void measure(const SearchRequest& request) {
    CurvePoint& point = points_[request.num_patterns];
    point.num_patterns = request.num_patterns;
    const double success = curve_(request.num_patterns);
    for (; point.trials < request.trials_total; point.trials += cues_) {
      const std::int64_t successes = draw(success);
      point.successes += successes;
      point.successes_squared += successes * successes;
      ++point.clusters;
    }
  }

  std::vector<CurvePoint> points() const {
    std::vector<CurvePoint> all;
    for (const auto& [k, point] : points_) all.push_back(point);
    return all;
  }

 private:
  std::int64_t draw(double success) {
    double shared = success;
    if (correlation_ > 0 && success > 0 && success < 1) {
      const double strength = 1 / correlation_ - 1;
      shared = boost::random::beta_distribution<>(success * strength, (1 - success) * strength)(stream_);
      if (!(shared >= 0 && shared <= 1)) shared = success;  // both gamma deviates underflowed
    }
    std::int64_t successes = 0;
    for (int cue = 0; cue < cues_; ++cue) successes += core::bernoulli(stream_, shared);
    return successes;
  }

  Curve curve_;
  int cues_;
  double correlation_;
  core::Stream stream_;
  std::map<std::int64_t, CurvePoint> points_;
};

struct Outcome {
  SearchPlan plan;
  std::int64_t trials = 0;
  int rounds = 0;
};

Outcome search(Laboratory& laboratory, const SearchTask& task) {
  Outcome outcome;
  for (;; ++outcome.rounds) {
    REQUIRE(outcome.rounds < 100);
    outcome.plan = plan_search(laboratory.points(), task);
    if (outcome.plan.status != SearchStatus::measuring) break;
    REQUIRE_FALSE(outcome.plan.requests.empty());
    for (const SearchRequest& request : outcome.plan.requests) laboratory.measure(request);
  }
  for (const CurvePoint& point : laboratory.points()) outcome.trials += point.trials;
  return outcome;
}

double field(int num_neurons, double scale, double num_patterns) {
  return std::exp(num_neurons * std::log1p(-core::upper_tail(std::sqrt(scale / num_patterns))));
}

double crossing(const std::function<double(double)>& curve, double beta) {
  double low = 0.1;
  double high = 1e9;
  for (int step = 0; step < 200; ++step) {
    const double middle = std::sqrt(low * high);
    (curve(middle) >= beta ? low : high) = middle;
  }
  return low;
}

/// A memory whose success curve is known, and the search to be tried on it.
struct Setting {
  const char* name;
  int num_neurons;
  std::function<double(double)> curve;
  double beta;
  double precision;
  int cues = 1;
  double correlation = 0;
};

std::function<double(double)> fields(int num_neurons, double scale) {
  return [=](double k) { return field(num_neurons, scale, k); };
}

std::function<double(double)> logistic(double middle, double power) {
  return [=](double k) { return 1 / (1 + std::pow(k / middle, power)); };
}

/// What many searches on fresh random numbers came to, from guesses of 0.6, 1 and 1.7 times the truth.
struct Calibration {
  int runs, ok;
  double truth, coverage, bias, trials;  // bias in half-widths of the interval, trials per search
};

Calibration calibrate(const Setting& setting, int runs) {
  Calibration result{runs, 0, crossing(setting.curve, setting.beta), 0, 0, 0};
  double error = 0, half_width = 0;
  for (int run = 0; run < runs; ++run) {
    Laboratory laboratory([&](std::int64_t k) { return setting.curve(static_cast<double>(k)); },
                          static_cast<std::uint64_t>(run), setting.cues, setting.correlation);
    SearchTask task;
    task.num_neurons = setting.num_neurons;
    task.beta = setting.beta;
    task.precision = setting.precision;
    task.batch_trials = 32 * setting.cues;
    constexpr double kGuesses[] = {0.6, 1, 1.7};
    task.guess = result.truth * kGuesses[run % 3];
    const Outcome outcome = search(laboratory, task);
    const SearchPlan& plan = outcome.plan;
    if (plan.status != SearchStatus::ok) continue;
    ++result.ok;
    result.coverage += plan.ci_low <= result.truth && result.truth <= plan.ci_high;
    result.trials += static_cast<double>(outcome.trials);
    error += plan.k_max - result.truth;
    half_width += (plan.ci_high - plan.ci_low) / 2;
  }
  result.coverage /= result.ok;
  result.trials /= result.ok;
  result.bias = error / half_width;
  return result;
}

}  // namespace

TEST_CASE("calibration: 95 % intervals cover in 92 to 98 % and the bias is small") {
  const Setting settings[] = {
      {"fields, N = 128, median", 128, fields(128, 6000), 0.5, 0.04},
      {"fields, N = 512, beta 0.95", 512, fields(512, 8e4), 0.95, 0.04},
      {"fields, N = 128, beta 0.99", 128, fields(128, 6000), 0.99, 0.05},
      {"small capacity, 7.6", 32, fields(32, 31), 0.5, 0.06},
      {"small capacity, 4.2", 32, fields(32, 31), 0.9, 0.06},
      {"logistic curve", 100, logistic(300, 8), 0.5, 0.04},
      {"steep logistic curve, beta 0.9", 100, logistic(300, 15), 0.9, 0.03},
      {"cues share pattern sets", 128, fields(128, 6000), 0.5, 0.05, 4, 0.3},
  };
  constexpr int kRuns = 400;
  for (const Setting& setting : settings) {
    INFO(setting.name);
    const Calibration found = calibrate(setting, kRuns);
    // True coverage has to lie in [0.92, 0.98]; 400 runs place it to ± 0.014, allowed for at 2.5 sigma on both sides.
    CHECK(found.ok >= kRuns - 2);
    CHECK(found.coverage > 0.92 - 2.5 * std::sqrt(0.92 * 0.08 / kRuns));
    CHECK(found.coverage < 0.98 + 2.5 * std::sqrt(0.98 * 0.02 / kRuns));
    CHECK(std::abs(found.bias) < 0.25);
  }
}

TEST_CASE("the calibration table of dam/theory/theory.md", "[.calibration]") {
  const Setting settings[] = {
      {"fields, N = 512; 3 %", 512, fields(512, 8e4), 0, 0.03},
      {"fields, N = 64; 5 %", 64, fields(64, 63), 0, 0.05},
      {"fields, N = 32; 5 %", 32, fields(32, 31), 0, 0.05},
      {"fields, N = 30; 5 %", 30, fields(30, 278), 0, 0.05},
      {"logistic in ln K, power 5; 5 %", 100, logistic(300, 5), 0, 0.05},
      {"logistic in ln K, power 15; 2 %", 100, logistic(300, 15), 0, 0.02},
      {"fields, N = 128, 4 cues per set, correlation 0.3; 3 %", 128, fields(128, 6000), 0, 0.03, 4, 0.3},
  };
  constexpr int kRuns = 2000;
  for (Setting setting : settings) {
    std::string known, coverage, bias, trials;
    for (const double beta : {0.5, 0.9, 0.99}) {
      setting.beta = beta;
      const Calibration found = calibrate(setting, kRuns);
      CHECK(found.ok >= kRuns - 2);
      CHECK(found.coverage > 0.92);
      CHECK(found.coverage < 0.98);
      CHECK(std::abs(found.bias) < 0.25);
      const char* between = beta == 0.5 ? "" : ", ";
      known += fmt::format("{}{:.4g}", between, found.truth);
      coverage += fmt::format(" {:.1f} % |", 100 * found.coverage);
      bias += fmt::format("{}{:+.2f}", between, found.bias);
      trials += fmt::format("{}{:.0f}", between, found.trials);
    }
    fmt::print("| {} | {} |{} {} | {} |\n", setting.name, known, coverage, bias, trials);
  }
}

TEST_CASE("the search ends where the precision is met, from a guess far off") {
  for (const double guess : {1.0, 40.0, 1000.0, 1e5}) {
    Laboratory laboratory([](std::int64_t k) { return field(128, 6000, static_cast<double>(k)); }, 1);
    SearchTask task;
    task.num_neurons = 128;
    task.precision = 0.03;
    task.guess = guess;
    const Outcome outcome = search(laboratory, task);
    CHECK(outcome.plan.status == SearchStatus::ok);
    CHECK(outcome.plan.fit.relative_half_width() <= 0.03);
    CHECK(outcome.plan.k_max == Approx(crossing([](double k) { return field(128, 6000, k); }, 0.5)).epsilon(0.08));
    CHECK(outcome.trials < 8000);
    CHECK(outcome.rounds < 25);
  }
}

TEST_CASE("real one-step laws, ties and all, are searched as well") {
  const OneStep step(core::EnergyModel::parse("hopfield"), 64);
  std::map<std::int64_t, double> cache;
  Laboratory laboratory(
      [&](std::int64_t k) {
        if (!cache.contains(k)) cache[k] = step.whole_pattern(k);
        return cache[k];
      },
      2);
  SearchTask task;
  task.num_neurons = 64;
  task.precision = 0.02;
  task.guess = 10;
  const SearchPlan plan = search(laboratory, task).plan;
  CHECK(plan.status == SearchStatus::ok);
  CHECK(plan.k_max == Approx(step.predicted_k_max(0.5).num_patterns).epsilon(0.05));
}

TEST_CASE("requests are whole batches, ascending, within the limits, and a plan is a function of the points") {
  Laboratory laboratory([](std::int64_t k) { return field(128, 6000, static_cast<double>(k)); }, 3);
  SearchTask task;
  task.num_neurons = 128;
  task.batch_trials = 32;
  task.guess = 300;
  task.max_patterns = 2000;
  for (;;) {
    auto points = laboratory.points();
    const SearchPlan plan = plan_search(points, task);
    std::reverse(points.begin(), points.end());
    CHECK(plan_search(points, task).requests == plan.requests);
    if (plan.status != SearchStatus::measuring) break;
    for (std::size_t i = 0; i < plan.requests.size(); ++i) {
      CHECK(plan.requests[i].trials_total % 32 == 0);
      CHECK(plan.requests[i].num_patterns >= 1);
      CHECK(plan.requests[i].num_patterns <= 2000);
      if (i > 0) CHECK(plan.requests[i].num_patterns > plan.requests[i - 1].num_patterns);
      laboratory.measure(plan.requests[i]);
    }
  }
}

TEST_CASE("a second beta reuses the points of the first") {
  const Curve curve = [](std::int64_t k) { return field(128, 6000, static_cast<double>(k)); };
  SearchTask median;
  median.num_neurons = 128;
  median.guess = 900;
  SearchTask strict = median;
  strict.beta = 0.6;  // K_max 4 % lower: the curves near the two crossings overlap
  std::int64_t shared_trials = 0;
  std::int64_t separate_trials = 0;
  for (std::uint64_t run = 0; run < 20; ++run) {
    Laboratory shared(curve, 2 * run);
    separate_trials += search(shared, median).trials;
    const Outcome both = search(shared, strict);
    CHECK(both.plan.status == SearchStatus::ok);
    shared_trials += both.trials;
    Laboratory alone(curve, 2 * run + 1);
    separate_trials += search(alone, strict).trials;
  }
  CHECK(10 * shared_trials < 9 * separate_trials);
}

TEST_CASE("limits end a search with a bound, never with a value") {
  const auto run = [](const Curve& curve, SearchTask task) {
    Laboratory laboratory(curve, 6);
    return search(laboratory, task).plan;
  };
  SearchTask task;
  task.num_neurons = 100;
  task.guess = 50;

  task.max_patterns = 60;
  const SearchPlan lower = run([](std::int64_t) { return 0.97; }, task);
  CHECK(lower.status == SearchStatus::lower_bound);
  CHECK(lower.ci_low == 60);
  CHECK(std::isinf(lower.ci_high));

  task.max_patterns = 1000;
  const SearchPlan upper = run([](std::int64_t) { return 0.1; }, task);
  CHECK(upper.status == SearchStatus::upper_bound);
  CHECK(upper.ci_low == 0);
  CHECK(upper.ci_high == 1);

  task.max_trials = 256;
  task.precision = 0.001;
  const SearchPlan poor = run([](std::int64_t k) { return field(100, 400, static_cast<double>(k)); }, task);
  CHECK(poor.status == SearchStatus::budget);
  CHECK(poor.ci_low < poor.ci_high);
}

TEST_CASE("a curve that jumps between K and K + 1 has a known integer capacity") {
  Laboratory laboratory([](std::int64_t k) { return k <= 3 ? 1.0 : 0.0; }, 7);
  SearchTask task;
  task.num_neurons = 100;
  task.guess = 20;
  task.precision = 0.01;
  const SearchPlan plan = search(laboratory, task).plan;
  CHECK(plan.status == SearchStatus::ok);
  CHECK(std::floor(plan.k_max) == 3);
  CHECK(plan.ci_low == 3);
  CHECK(plan.ci_high == 4);
}

TEST_CASE("impossible tasks are refused") {
  const auto refuse = [](auto change, const char* words) {
    SearchTask task;
    task.num_neurons = 10;
    change(task);
    CHECK_THROWS_WITH(plan_search({}, task), Catch::Contains(words));
  };
  refuse([](SearchTask& task) { task.beta = 1; }, "between 0 and 1");
  refuse([](SearchTask& task) { task.precision = 0; }, "precision");
  refuse([](SearchTask& task) { task.guess = -1; }, "guess");
  refuse([](SearchTask& task) { task.max_patterns = 0; }, "pattern");
  refuse([](SearchTask& task) { task.batch_trials = 0; }, "batch");
  refuse([](SearchTask& task) { task.max_trials = 5; }, "budget");
  CHECK(text(SearchStatus::lower_bound) == "lower_bound");
}

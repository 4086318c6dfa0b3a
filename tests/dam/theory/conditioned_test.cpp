#include "dam/theory/conditioned.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "dam/fields/kernels.h"
#include "dam/recall/trial.h"
#include "dam/theory/theory.h"

using namespace dam;

namespace {

struct Setting {
  const char* model;
  int num_neurons;
  double alpha;
  std::int64_t num_patterns;
};

/// Successes of trials in which every spin is updated once in parallel, or of whole recalls.
double measured(const Setting& setting, bool parallel, int trials) {
  Configuration configuration;
  configuration.num_neurons = setting.num_neurons;
  configuration.model = core::EnergyModel::parse(setting.model);
  configuration.alpha = setting.alpha;
  configuration.seed = Catch::rngSeed();
  if (parallel) {
    configuration.dynamics.order = UpdateOrder::synchronous;
    configuration.dynamics.max_passes = 1;
  }
  TrialWorkspace workspace;
  TrialCounts counts;
  for (int cluster = 0; cluster < trials; ++cluster)
    counts += run_cluster(configuration, setting.num_patterns, cluster, find_kernel("auto"), workspace);
  return static_cast<double>(counts.successes) / trials;
}

double probability(const Loss& loss) { return std::exp(-loss.value); }

}  // namespace

TEST_CASE(
    "given the number of wrong components, one parallel step is what is measured; with a cue at random it is not") {
  const int trials = 1500;
  for (const Setting& setting : {Setting{"dense:3", 64, 0.9, 111}, Setting{"dense:3", 32, 0.8, 14},
                                 Setting{"dense:4", 64, 0.85, 377}, Setting{"dense:6", 40, 0.9, 2636}}) {
    const auto model = core::EnergyModel::parse(setting.model);
    const Conditioned conditioned(model, setting.num_neurons, setting.alpha);
    const double drawn = measured(setting, true, trials);
    const double plain = OneStep(model, setting.num_neurons, setting.alpha).whole_pattern(setting.num_patterns);
    const double step = probability(conditioned.step(setting.num_patterns));
    const double shared = probability(conditioned.shared_step(setting.num_patterns));
    const double sigma = std::sqrt(drawn * (1 - drawn) / trials);
    INFO(setting.model << " N = " << setting.num_neurons << " seed " << Catch::rngSeed() << ": drawn " << drawn
                       << ", at random " << plain << ", given f " << step << ", shared noise " << shared);
    CHECK(std::abs(step - drawn) < (drawn - plain) / 2);
    CHECK(std::abs(shared - drawn) < 5 * sigma + 0.03);
    CHECK(drawn - plain > 5 * sigma);
  }
}

TEST_CASE("noise that spins share is what separates a pattern from its spins at alpha = 1") {
  // One setting in which independent spins are refused at 5 sigma, and the second order is not.
  const Setting setting{"dense:3", 64, 1, 268};
  const int trials = 6000;
  const Conditioned conditioned(core::EnergyModel::parse(setting.model), setting.num_neurons);
  const double drawn = measured(setting, true, trials), sigma = std::sqrt(0.25 / trials);
  const double independent = probability(conditioned.step(setting.num_patterns));
  const double shared = probability(conditioned.shared_step(setting.num_patterns));
  INFO("drawn " << drawn << " independent " << independent << " shared " << shared << " seed " << Catch::rngSeed());
  CHECK(drawn - independent > 5 * sigma);
  CHECK(std::abs(drawn - shared) < 5 * sigma);
}

TEST_CASE("recall to the end from a corrupted cue is predicted to a few per cent in K") {
  const int trials = 1500;
  for (const char* model : {"dense:3", "dense:4"})
    for (const double alpha : {0.9, 0.8}) {
      const Conditioned conditioned(core::EnergyModel::parse(model), 64, alpha);
      const double k_max = conditioned.predicted_k_max(&Conditioned::recall, 0.5).num_patterns;
      const double low = measured({model, 64, alpha, std::llround(0.85 * k_max)}, false, trials);
      const double high = measured({model, 64, alpha, std::llround(1.1 * k_max)}, false, trials);
      INFO(model << " alpha " << alpha << " K " << k_max << ": " << low << " and " << high);
      CHECK(low > 0.5);
      CHECK(high < 0.5);
    }
}

TEST_CASE("from a perfect cue all laws of one step agree on one spin, and losses carry their error") {
  for (const char* model : {"hopfield", "dense:4", "rectified:3", "exponential:0.3"}) {
    const Conditioned conditioned(core::EnergyModel::parse(model), 40);
    const OneStep step(core::EnergyModel::parse(model), 40);
    for (const std::int64_t num_patterns : {1, 20, 500}) {
      const Loss loss = conditioned.step(num_patterns);
      INFO(model << " K = " << num_patterns);
      CHECK(std::abs(probability(loss) - step.whole_pattern(num_patterns)) <= 2 * loss.error + 40 * 1e-7);
      CHECK(probability(conditioned.shared_step(num_patterns)) >= probability(loss) - 1e-6);
    }
  }
}

TEST_CASE("steep separations: one spin's law is what drawing finds, at every K") {
  // e^x at N = 32, alpha = 0.9: p_wrong drawn 200000 times apart from this program (NumPy): 0.003995 at K = 100,
  // 0.020325 at K = 1000.
  const OneStep step(core::EnergyModel::parse("exponential:1"), 32, 0.9);
  CHECK(step.whole_pattern(6) == Approx(0.9915).margin(5e-4));
  CHECK(std::abs(step.spin(100).p_wrong - 0.003995) < 5 * std::sqrt(0.004 / 200000));
  CHECK(std::abs(step.spin(1000).p_wrong - 0.020325) < 5 * std::sqrt(0.0204 / 200000));
  for (const std::int64_t num_patterns : {6, 100, 1000}) CHECK(step.spin(num_patterns).error < 1e-4);
}

TEST_CASE("every value says how far its arithmetic can be off, and is left out when that is far") {
  struct Case {
    const char* model;
    int num_neurons;
  };
  for (const auto& [model, num_neurons] :
       {Case{"dense:3", 16}, Case{"dense:30", 24}, Case{"exponential:1", 12}, Case{"exponential:0.1", 512}}) {
    const TheoryInput in{.num_neurons = num_neurons, .model = core::EnergyModel::parse(model), .alpha = 0.9};
    const TheoryValue value = theory_row("one-step").evaluate(in);
    INFO(model << " N = " << num_neurons << " " << value.value << " " << value.reason);
    CHECK((std::isnan(value.value) ? value.left_out : value.error > 0 && value.error <= 0.02 * value.value));
  }
}

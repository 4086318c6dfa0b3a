#include "dam/theory/one_step.h"

#include <boost/property_tree/json_parser.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "core/statistics/binomial.h"
#include "dam/theory/theory.h"

using namespace dam;

namespace {

boost::property_tree::ptree reference() {
  boost::property_tree::ptree tree;
  boost::property_tree::read_json(std::string(DAMBENCH_FIXTURES) + "/exact_one_step.json", tree);
  return tree;
}

core::EnergyModel model(const boost::property_tree::ptree& row) {
  const bool rectified = row.get("rectified", false);
  return core::EnergyModel::parse((rectified ? "rectified:" : "dense:") + row.get<std::string>("degree"));
}

UpdateRule rule(const boost::property_tree::ptree& row) {
  return row.get<std::string>("rule") == "energy" ? UpdateRule::energy : UpdateRule::derivative;
}

/// One spin's exact law for tiny systems by listing every choice of the other patterns and of the cue's flips.
SpinLaw enumerate(const core::EnergyModel& energy_model, int num_neurons, int num_patterns, double alpha,
                  UpdateRule update_rule, SelfCoupling self_coupling) {
  const auto similarity = core::on_overlap(energy_model.similarity, num_neurons);
  const auto& separation = energy_model.separation;
  const int bits = num_neurons * (num_patterns - 1);
  const auto spin = [](unsigned word, int i) { return (word >> i) & 1u ? 1 : -1; };
  SpinLaw law{0, 0, 0, 0};
  for (unsigned cue = 0; cue < 1u << num_neurons; ++cue) {
    // The stored pattern is all +1; bit i of `cue` is the cue's spin i.
    const int kept = __builtin_popcount(cue);
    const double share = std::pow(alpha, kept) * std::pow(1 - alpha, num_neurons - kept) / std::ldexp(1, bits);
    for (unsigned others = 0; others < 1u << bits; ++others) {
      double field = 0;
      for (int pattern = 0; pattern < num_patterns; ++pattern) {
        const unsigned word = pattern == 0 ? ~0u : others >> (num_neurons * (pattern - 1));
        int overlap = 0;
        for (int i = 0; i < num_neurons; ++i) overlap += spin(word, i) * spin(cue, i);
        const int own = spin(word, 0);
        const int rest = overlap - own * spin(cue, 0);
        if (update_rule == UpdateRule::energy)
          field += separation.value(similarity(rest + own)) - separation.value(similarity(rest - own));
        else
          field += own * separation.derivative(similarity(self_coupling == SelfCoupling::kept ? overlap : rest));
      }
      const bool zero = std::abs(field) < 1e-9;
      law.p_zero += zero ? share : 0;
      law.p_negative += !zero && field < 0 ? share : 0;
      law.p_wrong += (zero ? spin(cue, 0) < 0 : field < 0) ? share : 0;
    }
  }
  return law;
}

}  // namespace

TEST_CASE("every single-bit row of the reference is reproduced to 1e-9") {
  const auto tree = reference();
  for (const auto& [key, row] : tree.get_child("single_bit")) {
    const OneStep step(model(row), row.get<int>("num_neurons"), 1, rule(row));
    const SpinLaw law = step.spin(row.get<int>("num_patterns"));
    INFO("n=" << row.get<int>("degree") << " N=" << row.get<int>("num_neurons"));
    CHECK(law.p_negative == Approx(row.get<double>("p_negative")).epsilon(0).margin(1e-9));
    CHECK(law.p_zero == Approx(row.get<double>("p_zero")).epsilon(0).margin(1e-9));
    CHECK(law.p_wrong == law.p_negative);
    CHECK(law.error < 1e-12);
  }
}

TEST_CASE("the exact law is what enumeration of all patterns and cues finds") {
  const auto* text =
      GENERATE("hopfield", "dense:3", "dense:4", "rectified:3", "exponential:0.5", "cosine/power:3/linear",
               "euclidean/power:3/linear", "cosine/log-cosh:2/linear", "euclidean/exp:0.2/linear");
  const auto update_rule = GENERATE(UpdateRule::derivative, UpdateRule::energy);
  const auto self_coupling = GENERATE(SelfCoupling::removed, SelfCoupling::kept);
  const double alpha = GENERATE(1.0, 0.8);
  const auto energy_model = core::EnergyModel::parse(text);
  for (const auto& [num_neurons, num_patterns] : {std::pair{4, 3}, std::pair{5, 3}, std::pair{3, 4}}) {
    INFO(text << " N=" << num_neurons << " K=" << num_patterns << " energy rule " << (update_rule == UpdateRule::energy)
              << " kept " << (self_coupling == SelfCoupling::kept) << " alpha " << alpha);
    const SpinLaw exact = enumerate(energy_model, num_neurons, num_patterns, alpha, update_rule, self_coupling);
    const SpinLaw law = OneStep(energy_model, num_neurons, alpha, update_rule, self_coupling).spin(num_patterns);
    CHECK(law.p_negative == Approx(exact.p_negative).margin(1e-12));
    CHECK(law.p_zero == Approx(exact.p_zero).margin(1e-12));
    CHECK(law.p_wrong == Approx(exact.p_wrong).margin(1e-12));
  }
}

TEST_CASE("large systems approach the Gaussian law from the moments") {
  const OneStep step(core::EnergyModel::parse("hopfield"), 1001, 1);
  const double z = std::sqrt(1000.0 / 400);
  const SpinLaw law = step.spin(401);
  CHECK(law.p_negative + law.p_zero / 2 == Approx(core::upper_tail(z)).epsilon(2e-3));
}

TEST_CASE("the independence approximation: exact for one bit, measured for whole patterns") {
  // Enumerated whole-pattern probabilities: the product of one-bit probabilities misses them by this much.
  double worst = 0;
  const auto tree = reference();
  for (const auto& [key, row] : tree.get_child("whole_pattern")) {
    const OneStep step(model(row), row.get<int>("num_neurons"), 1, rule(row));
    const auto fraction = row.get<std::string>("p_all_nonnegative");
    const auto slash = fraction.find('/');
    const double exact = std::stod(fraction.substr(0, slash)) / std::stod(fraction.substr(slash + 1));
    const double product = step.whole_pattern(row.get<int>("num_patterns"));
    worst = std::max(worst, std::abs(product - exact));
  }
  CHECK(worst > 0.01);
  CHECK(worst < 0.06);
}

TEST_CASE("predicted capacities lie where the curve crosses beta") {
  for (const char* text : {"hopfield", "dense:3", "rectified:3"}) {
    const OneStep step(core::EnergyModel::parse(text), 101);
    for (const double beta : {0.5, 0.95}) {
      const double k_max = step.predicted_k_max(beta).num_patterns;
      CHECK(step.whole_pattern(static_cast<std::int64_t>(std::floor(k_max))) >= beta);
      CHECK(step.whole_pattern(static_cast<std::int64_t>(std::floor(k_max)) + 1) < beta);
    }
  }
  CHECK(OneStep(core::EnergyModel::parse("hopfield"), 100, 0.05).predicted_k_max(0.99).num_patterns == 0);
}

TEST_CASE("the prediction converges to the pattern formula and doubles for rectified powers") {
  const OneStep full(core::EnergyModel::parse("dense:3"), 256);
  const OneStep rectified(core::EnergyModel::parse("rectified:3"), 256);
  TheoryInput in;
  in.model = core::EnergyModel::parse("dense:3");
  in.num_neurons = 256;
  CHECK(full.predicted_k_max(0.5).num_patterns == Approx(theory_row("pattern").evaluate(in).value).epsilon(0.03));
  CHECK(rectified.predicted_k_max(0.5).num_patterns ==
        Approx(2 * full.predicted_k_max(0.5).num_patterns).epsilon(0.03));
}

TEST_CASE("sizes whose energies leave 64-bit integers still have a law") {
  const OneStep step(core::EnergyModel::parse("dense:20"), 100);
  const SpinLaw law = step.spin(1000);
  CHECK(law.p_negative >= 0);
  CHECK(law.p_negative < 0.5);
  const OneStep exponential(core::EnergyModel::parse("exponential:2"), 800);
  CHECK(exponential.spin(1000).p_negative < 1e-6);
}

TEST_CASE("impossible one-step questions are refused") {
  const auto hopfield = core::EnergyModel::parse("hopfield");
  CHECK_THROWS_WITH(OneStep(hopfield, 1), Catch::Contains("N >= 2"));
  CHECK_THROWS_WITH(OneStep(hopfield, 10, 0), Catch::Contains("(0, 1]"));
  CHECK_THROWS_WITH(OneStep(core::EnergyModel::parse("euclidean/power:2/linear"), 10), Catch::Contains("farthest"));
  CHECK_THROWS_WITH(OneStep(hopfield, 10).spin(0), Catch::Contains("K starts at 1"));
  CHECK_THROWS_WITH(OneStep(hopfield, 10).predicted_k_max(1), Catch::Contains("(0, 1)"));
}

TEST_CASE("capacities beyond 10^15 patterns are those of 40-digit arithmetic") {
  // The same characteristic function inverted with mpmath, 40 digits, and the crossing bisected: β = 1/2, α = 1.
  CHECK(OneStep(core::EnergyModel::parse("exponential:1"), 40).predicted_k_max(0.5).num_patterns ==
        Approx(3.8638947e10).epsilon(1e-6));
  CHECK(OneStep(core::EnergyModel::parse("exponential:1"), 60).predicted_k_max(0.5).num_patterns ==
        Approx(2.5937429e16).epsilon(1e-6));
  // Nearly Gaussian noise of many patterns: close to the estimate beside it.
  const TheoryInput in{.num_neurons = 100, .model = core::EnergyModel::parse("dense:20")};
  CHECK(OneStep(in.model, 100).predicted_k_max(0.5).num_patterns ==
        Approx(theory_row("pattern").evaluate(in).value).epsilon(0.01));
  CHECK(std::isinf(OneStep(core::EnergyModel::parse("exponential:1"), 200).predicted_k_max(0.5).num_patterns));
}

TEST_CASE("powers of any degree keep their ratios") {
  // At n = 1000 only a pattern that differs in few neurons matters; the exact sum over all 2^(N-1) overlaps says the
  // same.
  const OneStep step(core::EnergyModel::parse("dense:1000"), 16);
  const double k_max = step.predicted_k_max(0.5).num_patterns;
  CHECK(std::isfinite(k_max));
  CHECK(step.whole_pattern(std::llround(0.7 * k_max)) > 0.5);
  CHECK(step.whole_pattern(std::llround(1.4 * k_max)) < 0.5);
}

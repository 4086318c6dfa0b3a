#include "dam/theory/theory.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/statistics/binomial.h"

using namespace dam;

namespace {

TheoryInput input(const char* model, int num_neurons, double alpha = 1, double beta = 0.5) {
  TheoryInput in;
  in.model = core::EnergyModel::parse(model);
  in.num_neurons = num_neurons;
  in.alpha = alpha;
  in.beta = beta;
  return in;
}

double value(const char* id, const TheoryInput& in) { return theory_row(id).evaluate(in).value; }

std::string dense(int degree) { return "dense:" + std::to_string(degree); }

}  // namespace

TEST_CASE("moments of the overlap are the polynomials of the theory sheet") {
  for (const int neighbours : {1, 2, 7, 8, 63, 511}) {
    const double d = neighbours;
    CHECK(overlap_moment(0, neighbours) == Approx(1).epsilon(1e-11));
    CHECK(overlap_moment(2, neighbours) == Approx(d).epsilon(1e-11));
    CHECK(overlap_moment(4, neighbours) == Approx(3 * d * d - 2 * d).epsilon(1e-11));
    CHECK(overlap_moment(6, neighbours) == Approx(15 * std::pow(d, 3) - 30 * d * d + 16 * d).epsilon(1e-11));
    CHECK(overlap_moment(8, neighbours) ==
          Approx(105 * std::pow(d, 4) - 420 * std::pow(d, 3) + 588 * d * d - 272 * d).epsilon(1e-11));
    CHECK(overlap_moment(10, neighbours) ==
          Approx(945 * std::pow(d, 5) - 6300 * std::pow(d, 4) + 16380 * std::pow(d, 3) - 18960 * d * d + 7936 * d)
              .epsilon(1e-10));
  }
  CHECK(overlap_moment(3, 7) == 0);
  CHECK(overlap_moment(58, 1000000) / std::pow(1e6, 29) == Approx(double_factorial(30)).epsilon(1e-3));
  CHECK_THROWS_AS(overlap_moment(-2, 3), std::invalid_argument);
}

TEST_CASE("Krotov and Hopfield's capacities, to the printed digits") {
  struct Row {
    int degree;
    double capacity[3];  // N = 30, 60, 100
  };
  const Row rows[] = {{2, {4.410212, 7.327180, 10.857362}},
                      {10, {8.396947e4, 3.571403e7, 3.150767e9}},
                      {20, {2.083464e5, 9.074098e10, 1.323940e15}},
                      {30, {2.037472e3, 9.086758e11, 2.192610e18}}};
  const int sizes[] = {30, 60, 100};
  for (const Row& row : rows)
    for (int i = 0; i < 3; ++i)
      CHECK(value("kh", input(dense(row.degree).c_str(), sizes[i])) == Approx(row.capacity[i]).epsilon(1e-6));
}

TEST_CASE("n = 2 formulas meet: Krotov-Hopfield is McEliece, and all patterns cost a factor n") {
  const TheoryInput in = input("hopfield", 200);
  CHECK(value("kh", in) == Approx(value("mceliece", in)));
  CHECK(value("all", in) == Approx(value("mceliece-all", in)));
  CHECK(value("all", in) == Approx(200 / (4 * std::log(200.0))));
  CHECK(value("mceliece", input("hopfield", 200, 0.9)) == Approx(0.64 * value("mceliece", in)));
}

TEST_CASE("the pattern criterion at beta = 1/2 has the sheet's values and local slopes") {
  const double capacities[] = {26.7, 80.2, 254, 832, 2.81e3, 9.69e3};
  const double slopes[] = {1.54, 1.63, 1.69, 1.74, 1.77, 1.80};
  for (int i = 0; i < 6; ++i) {
    const int size = 16 << i;
    const double capacity = value("pattern", input("dense:3", size)) - 1;  // the sheet counts the other patterns
    CHECK(capacity == Approx(capacities[i]).epsilon(0.005));
    const auto log_capacity = [](double n) {
      // The formula at a real N: D^{2n-2}/(M4 z²).
      const double d = n - 1;
      const double z = core::upper_tail_inverse(std::log(2.0) / n);
      return std::log(std::pow(d, 4) / ((3 * d * d - 2 * d) * z * z));
    };
    CHECK(log_capacity(size) == Approx(std::log(capacity)).epsilon(1e-9));
    const double step = 1e-4;
    const double slope = (log_capacity(size * (1 + step)) - log_capacity(size * (1 - step))) / (2 * step);
    CHECK(slope == Approx(slopes[i]).margin(0.01));
  }
}

TEST_CASE("rectified powers double every capacity of powers") {
  for (const char* id : {"bit", "kh", "all", "variance-cantelli", "replica-dense"})
    CHECK(value(id, input("rectified:3", 64)) == Approx(2 * value(id, input("dense:3", 64))));
  CHECK(value("pattern", input("rectified:3", 64)) - 1 == Approx(2 * (value("pattern", input("dense:3", 64)) - 1)));
  CHECK(value("noise-variance", input("rectified:3", 64)) == Approx(value("noise-variance", input("dense:3", 64)) / 2));
}

TEST_CASE("the seed's bounds are ordered as their inequalities are strong") {
  const TheoryInput in = input("dense:3", 64);
  const double scale = 63.0 * 63 / 3;
  CHECK(value("variance-count", in) == Approx(scale));
  CHECK(value("variance-chebyshev", in) == Approx(0.01 * scale));
  CHECK(value("variance-symmetric", in) == Approx(0.02 * scale));
  CHECK(value("variance-cantelli", in) == Approx(0.01 / 0.99 * scale));
  CHECK(value("variance-gaussian", in) == Approx(scale / std::pow(2.326347874, 2)));
  CHECK(value("variance-gaussian", in) == value("bit", in));
  CHECK(value("variance-chebyshev", in) < value("variance-cantelli", in));
  CHECK(value("variance-cantelli", in) < value("variance-symmetric", in));
  CHECK(value("variance-symmetric", in) < value("variance-gaussian", in));
}

TEST_CASE("fixed-point thresholds maximise their formulas to the printed digits") {
  CHECK(value("replica-hopfield", input("hopfield", 100)) == Approx(0.137906).margin(5e-7));
  CHECK(value("replica-hopfield-1rsb", input("hopfield", 100)) == 0.138186);
  CHECK(value("replica-dense", input("dense:3", 100)) == Approx(0.08406).margin(5e-6));
  CHECK(value("replica-dense", input("dense:4", 100)) == Approx(0.013191).margin(5e-7));
  CHECK(value("replica-dense", input("dense:5", 100)) == Approx(1.6455e-3).margin(5e-8));
  CHECK(value("replica-dense", input("dense:6", 100)) == Approx(1.6686e-4).margin(5e-9));
  CHECK(value("newman", input("dense:3", 100)) == Approx(0.22 / 6));
  CHECK(as_num_patterns(theory_row("replica-hopfield"), input("hopfield", 100)).value == Approx(13.7906).epsilon(1e-5));
}

TEST_CASE("exponential rates have the sheet's digits") {
  CHECK(value("demircigil", input("exponential:1", 50)) == Approx(std::log(2.0) / 2));
  CHECK(value("demircigil", input("exponential:1", 50, 0.95)) == Approx(0.2473).margin(5e-5));
  CHECK(value("demircigil", input("exponential:1", 50, 0.9)) == Approx(0.1840).margin(5e-5));
  CHECK(value("demircigil", input("exponential:1", 50, 0.8)) == Approx(0.0964).margin(5e-5));
  CHECK(value("demircigil", input("exponential:1", 50, 0.7)) == Approx(0.0411).margin(5e-5));
  CHECK(value("snr-rate", input("exponential:1", 50)) == Approx(0.6750).margin(5e-5));
  CHECK(value("dominance-rate", input("exponential:1", 50)) == Approx(0.5662).margin(5e-5));
  CHECK(value("snr-exponential", input("exponential:1", 21)) ==
        Approx(std::pow(std::exp(2.0) / std::cosh(2.0), 20) / (2 * std::log(21.0))));
  // −‖σ−ξ‖² = 2m − 2N: the exponent counts twice; the cosine divides it by N.
  CHECK(value("snr-rate", input("euclidean/exp:0.5/linear", 50)) ==
        Approx(value("snr-rate", input("exponential:1", 50))));
  CHECK(value("snr-rate", input("cosine/exp:50/linear", 50)) == Approx(value("snr-rate", input("exponential:1", 50))));
}

TEST_CASE("the rate from a corrupted cue joins the signal-to-noise rate smoothly and stays above the proved bound") {
  for (const double lambda : {0.3, 0.5, 1.0}) {
    const std::string model = "exponential:" + std::to_string(lambda);
    CHECK(value("extreme-rate", input(model.c_str(), 50)) == Approx(value("snr-rate", input(model.c_str(), 50))));
    const double join = (1 + std::tanh(2 * lambda)) / 2;
    const double below = value("extreme-rate", input(model.c_str(), 50, join - 1e-9));
    const double above = value("extreme-rate", input(model.c_str(), 50, join + 1e-9));
    CHECK(below == Approx(above).epsilon(1e-6));
  }
  for (const double alpha : {1.0, 0.95, 0.9, 0.8, 0.7})
    CHECK(value("extreme-rate", input("exponential:1", 50, alpha)) >
          value("demircigil", input("exponential:1", 50, alpha)));
}

TEST_CASE("a row that does not apply says why") {
  const auto reason = [](const char* id, const TheoryInput& in) {
    const TheoryValue result = theory_row(id).evaluate(in);
    CHECK(std::isnan(result.value));
    return result.reason;
  };
  CHECK_THAT(reason("kh", input("exponential:1", 50)), Catch::Contains("power separations"));
  CHECK_THAT(reason("kh", input("dense:3", 50, 0.9)), Catch::Contains("alpha = 1"));
  CHECK_THAT(reason("pattern", input("dense:3", 50, 0.5)), Catch::Contains("alpha > 0.5"));
  CHECK_THAT(reason("pattern", input("dense:3", 4, 1, 0.1)), Catch::Contains("chance"));
  CHECK_THAT(reason("mceliece", input("dense:3", 50)), Catch::Contains("n = 2"));
  CHECK_THAT(reason("replica-dense", input("hopfield", 50)), Catch::Contains("n >= 3"));
  CHECK_THAT(reason("demircigil", input("exponential:0.5", 50)), Catch::Contains("lambda = 1"));
  CHECK_THAT(reason("snr-rate", input("dense:3", 50)), Catch::Contains("exponential"));
  TheoryInput kept = input("dense:3", 50);
  kept.self_coupling = SelfCoupling::kept;
  CHECK_THAT(reason("pattern", kept), Catch::Contains("self-coupling"));
  CHECK_THROWS_WITH(theory_row("nobody"), Catch::Contains("mceliece"));
}

TEST_CASE("every row carries its labels and either a value or a reason") {
  for (const TheoryRow& row : theory_rows()) {
    INFO(row.id);
    CHECK(&theory_row(row.id) == &row);
    CHECK_FALSE(row.formula.empty());
    CHECK_FALSE(row.convention.empty());
    CHECK_FALSE(row.source.empty());
    bool applies = false;
    for (const char* model : {"hopfield", "dense:3", "rectified:4", "exponential:1", "modern:0.5"}) {
      const TheoryValue result = row.evaluate(input(model, 40));
      CHECK(std::isnan(result.value) == !result.reason.empty());
      applies = applies || result.reason.empty();
    }
    CHECK(applies);
  }
}

TEST_CASE("what cannot be had is left out with its reason, never overflowed") {
  for (const char* model : {"dense:1000", "rectified:200", "exponential:300", "exponential:1"})
    for (const int size : {16, 200, 20000})
      for (const TheoryRow& row : theory_rows()) {
        INFO(model << " N = " << size << " " << row.id);
        const TheoryValue value = row.evaluate(input(model, size)), patterns = as_num_patterns(row, input(model, size));
        CHECK_FALSE(std::isinf(value.value));
        CHECK_FALSE(std::isinf(patterns.value));
        CHECK(std::isnan(value.value) == !value.reason.empty());
        if (value.left_out) CHECK(std::isnan(value.value));
      }
  const TheoryValue large = theory_row("one-step").evaluate(input("dense:3", 1000000));
  CHECK(large.left_out);
  CHECK(large.reason == "is computed up to N = 4096");
  CHECK(theory_row("noise-variance").evaluate(input("dense:1000", 16)).left_out);
  CHECK(theory_row("replica-dense").evaluate(input("dense:1000", 16)).left_out);
  CHECK(theory_row("one-step").evaluate(input("exponential:1", 200)).reason ==
        "lies above 9e18 patterns, beyond 64 bits");
}

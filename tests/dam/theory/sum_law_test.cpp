#include "dam/theory/sum_law.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "core/statistics/binomial.h"

using namespace dam;

TEST_CASE("a sum of signs is binomial, whatever the number of terms and the summation used") {
  const std::vector<SumLaw::Term> sign = {{-1, 0.5}, {1, 0.5}};
  for (const int count : {1, 2, 9, 100, 5001}) {
    const SumLaw law(sign, true, count, 40);
    double below = 0;
    for (int sum = -count; sum <= 40; sum += 2) {
      const double probability =
          std::exp(std::lgamma(count + 1.0) - std::lgamma((count + sum) / 2 + 1.0) -
                   std::lgamma((count - sum) / 2 + 1.0) - static_cast<double>(count) * std::log(2.0));
      if (sum >= -40) {
        CHECK(law.at(static_cast<double>(sum)).equal == Approx(probability).margin(1e-11));
        CHECK(law.at(static_cast<double>(sum)).below == Approx(below).margin(1e-11));
        CHECK(law.at(static_cast<double>(sum) - 0.5).below == Approx(below).margin(1e-11));
      }
      below += probability;
    }
  }
  CHECK(SumLaw(sign, true, 0, 1).at(0).equal == 1);
  CHECK(SumLaw(sign, true, 0, 1).at(0.5).below == 1);
}

namespace {

/// ±weight(x) with x a sum of `neighbours` fair signs.
template <typename Weight>
std::vector<SumLaw::Term> signed_terms(int neighbours, const Weight& weight) {
  const std::vector<double> fair = core::binomial_law(neighbours, 0.5);
  std::vector<SumLaw::Term> terms;
  for (int j = 0; j <= neighbours; ++j)
    for (const double sign : {-1.0, 1.0})
      terms.push_back({sign * weight(neighbours - 2 * j), fair[static_cast<std::size_t>(j)] / 2});
  return terms;
}

}  // namespace

TEST_CASE("listed, folded and stopped sums of the same law agree") {
  const auto terms = signed_terms(23, [](int x) { return 1.0 * x * x; });
  for (const int count : {3, 6, 400}) {  // as real numbers the first two are listed, the last is stopped
    const SumLaw folded(terms, true, count, 529);
    const SumLaw real(terms, false, count, 529);
    for (const double x : {-529.0, -304.0, -100.0, 13.0}) {
      const auto middle = [](const SumLaw::Point& point) { return point.below + point.equal / 2; };
      // A stopped sum does not see the lattice: between its points it is off by half an atom, on them by O(atom²).
      const double tolerance = count == 400 ? folded.at(x).equal + 2e-4 : 1e-12;
      CHECK(std::abs(middle(real.at(x)) - middle(folded.at(x))) <= tolerance + real.at(x).error);
    }
  }
}

TEST_CASE("a stopped sum of exponentials agrees with the folded sum of their rounded values") {
  const auto real = signed_terms(11, [](int x) { return 100 * std::exp(0.3 * x); });
  const auto rounded = signed_terms(11, [](int x) { return std::round(100 * std::exp(0.3 * x)); });
  for (const int count : {30, 100}) {
    const SumLaw stopped(real, false, count, 3000);
    const SumLaw folded(rounded, true, count, 3000);
    CHECK(stopped.at(10).error < 1e-6);
    // Rounding moves the sum by 0.3·√count or so, its spread is 600·√count: about 1e−4 of probability at most.
    for (const double x : {-2711.0, -1000.0, 10.0, 2000.0})
      CHECK(stopped.at(x).below == Approx(folded.at(x).below).margin(2e-4));
  }
}

namespace {

/// P(R < x) + ½P(R = x) by listing everything that `count` of these terms can add up to.
double listed(const std::vector<SumLaw::Term>& terms, int count, double x) {
  if (count == 0) return std::abs(x) < 1e-9 ? 0.5 : x > 0;
  double below = 0;
  for (const auto& [value, probability] : terms)
    if (probability > 0) below += probability * listed(terms, count - 1, x - value);
  return below;
}

}  // namespace

TEST_CASE("sums of values of many scales lie within their stated error of what listing and drawing say") {
  for (const double lambda : {0.3, 1.0, 1.5}) {
    const auto terms = signed_terms(7, [&](int x) { return std::exp(lambda * x); });
    for (const double x : {std::exp(lambda * 3), std::exp(lambda * 5.5), -std::exp(-lambda)}) {
      const SumLaw::Point point = SumLaw(terms, false, 4, std::exp(lambda * 7)).at(x);
      INFO("lambda " << lambda << " x " << x);
      CHECK(point.error < 1e-6);
      CHECK(std::abs(point.below + point.equal / 2 - listed(terms, 4, x)) <= point.error + 1e-12);
    }
  }
  // 200 terms of a law too steep to invert: drawn 40000 times.
  const int neighbours = 23, count = 200, draws = 40000;
  const double lambda = 1;
  const auto terms = signed_terms(neighbours, [&](int x) { return std::exp(lambda * x); });
  std::mt19937_64 random(Catch::rngSeed());
  std::binomial_distribution<int> flipped(neighbours, 0.5);
  for (const double x : {std::exp(lambda * 9), std::exp(lambda * 13)}) {
    const SumLaw::Point point = SumLaw(terms, false, count, std::exp(lambda * neighbours)).at(x);
    int below = 0;
    for (int draw = 0; draw < draws; ++draw) {
      double sum = 0;
      for (int term = 0; term < count; ++term)
        sum += (random() >> 63 ? 1 : -1) * std::exp(lambda * (neighbours - 2 * flipped(random)));
      below += sum < x;
    }
    const double sigma = std::sqrt(point.below * (1 - point.below) / draws);
    INFO("x " << x << " law " << point.below << " drawn " << below / double{draws} << " seed " << Catch::rngSeed());
    CHECK(point.error < 1e-3);
    CHECK(std::abs(below / double{draws} - point.below) < 5 * sigma + point.error);
  }
}

TEST_CASE("a bound that can say nothing says so") {
  // Two scales that 10^12 copies blend: one decides, or the error says that it does not.
  const std::vector<SumLaw::Term> terms = {{-1e30, 1e-13}, {1e30, 1e-13}, {-1, 0.5 - 1e-13}, {1, 0.5 - 1e-13}};
  const SumLaw::Point point = SumLaw(terms, false, 1000000000000, 1e30).at(1e5);
  // Without a large term left over (probability e^{-0.2} I_0(0.2)) the sum of signs has a standard deviation of 10^6.
  const double alone = std::exp(-0.2) * std::cyl_bessel_i(0, 0.2), balanced = alone * (1 - core::upper_tail(0.1));
  CHECK(std::abs(point.below - (balanced + (1 - alone) / 2)) < 0.006 + point.error);
  CHECK(point.error < 0.01);
}

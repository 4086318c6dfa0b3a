#include "dam/fields/support.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace dam;

namespace {

Support support(const char* model, int num_neurons, Dynamics dynamics = {}) {
  return Support(core::EnergyModel::parse(model), dynamics, num_neurons);
}

}  // namespace

TEST_CASE("the weights of small cubic memories are the formulas' integers") {
  const int N = 4;
  const Support derivative = support("dense:3", N);
  const Support kept = support("dense:3", N, {.self_coupling = SelfCoupling::kept});
  const Support energy = support("dense:3", N, {.rule = UpdateRule::energy});
  for (int a = 0; a <= N; ++a) {
    const int m = 2 * a - N;
    CHECK(derivative.stay.weights()[a].mantissa == (m - 1) * (m - 1));
    CHECK(derivative.stay.weights()[N + 1 + a].mantissa == -(m + 1) * (m + 1));
    CHECK(kept.stay.weights()[a].mantissa == m * m);
    CHECK(kept.stay.weights()[N + 1 + a].mantissa == -m * m);
    CHECK(energy.stay.weights()[a].mantissa == m * m * m - (m - 2) * (m - 2) * (m - 2));
    CHECK(energy.stay.weights()[N + 1 + a].mantissa == m * m * m - (m + 2) * (m + 2) * (m + 2));
    CHECK(energy.separation.weights()[a].mantissa == m * m * m);
  }
}

TEST_CASE("only the derivative rule beyond n = 2 and simultaneous updates can raise the energy") {
  CHECK_FALSE(support("hopfield", 8).energy_may_rise);
  CHECK_FALSE(support("exponential:0.5", 8).energy_may_rise);
  CHECK_FALSE(support("dense:3", 8, {.rule = UpdateRule::energy}).energy_may_rise);
  CHECK(support("dense:3", 8).energy_may_rise);
  CHECK(support("hopfield", 8, {.order = UpdateOrder::synchronous}).energy_may_rise);
}

TEST_CASE("signs stay exact where doubles have long lost the difference") {
  // 1000^29 + 1 − 1000^29: the smallest step a sum of degree 30 at N = 1000 can have.
  const boost::multiprecision::cpp_int huge = pow(boost::multiprecision::cpp_int(1000), 29);
  const ExactSum sum({{huge, 0}, {huge + 1, 0}, {1, 0}});
  CHECK(sum.sign(std::vector<std::int64_t>{-1, 1, 0}) == 1);
  CHECK(sum.sign(std::vector<std::int64_t>{1, -1, 0}) == -1);
  CHECK(sum.sign(std::vector<std::int64_t>{1, -1, 1}) == 0);
  CHECK(sum.sign(std::vector<std::int64_t>{5, 0, -3}) == 1);
}

TEST_CASE("exponentials neither overflow nor underflow at lambda N = 700") {
  const int N = 1000;
  const Support far = support("exponential:0.7", N);
  std::vector<std::int64_t> counts(2 * (N + 1));
  counts[N] = 1;                          // the recalled pattern agrees
  counts[N + 1 + N / 2] = 1'000'000'000;  // a billion unrelated patterns disagree
  CHECK(far.stay.sign(counts) == 1);
  // Equal and opposite: e^{λ(m−1)} against e^{λ(m'+1)} with m' = m − 2 is exactly 0, however small both are.
  std::fill(counts.begin(), counts.end(), 0);
  counts[1] = 3;
  counts[N + 1] = 3;
  CHECK(far.stay.sign(counts) == 0);
  counts[N + 1] = 4;
  CHECK(far.stay.sign(counts) == -1);
}

TEST_CASE("sums of weights that lie a billion bits apart are decided by the largest that do not cancel") {
  const std::int64_t far = 1'000'000'000'000;
  const ExactSum sum({{3, far}, {1, far - 190}, {5, 0}, {1, -far}});
  CHECK(sum.sign(std::vector<std::int64_t>{1, -100, -1, -1}) == 1);
  CHECK(sum.sign(std::vector<std::int64_t>{0, 0, -1, 5}) == -1);
  CHECK(sum.sign(std::vector<std::int64_t>{0, 0, 0, 5}) == 1);
  CHECK(sum.sign(std::vector<std::int64_t>{0, 0, 0, 0}) == 0);
  const ExactSum near({{1, 100}, {1, 99}, {1, 0}, {1, -1}});
  CHECK(near.sign(std::vector<std::int64_t>{1, -2, 1, -2}) == 0);
  CHECK(near.sign(std::vector<std::int64_t>{1, -2, 1, -3}) == -1);
  CHECK(near.sign(std::vector<std::int64_t>{-1, 2, 0, 1}) == 1);
}

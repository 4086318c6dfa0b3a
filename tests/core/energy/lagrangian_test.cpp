#include "core/energy/lagrangian.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

using core::Argument;
using core::EnergyModel;
using core::Lagrangian;

namespace {

struct Named {
  const char* name;
  Lagrangian lagrangian;
};

std::vector<Named> every_lagrangian() {
  return {{"identity", Lagrangian::identity()},
          {"relu", Lagrangian::rectified_power(2)},
          {"rectified power 5", Lagrangian::rectified_power(5)},
          {"exp", Lagrangian::exponential(0.7)},
          {"rectified exp", Lagrangian::rectified_exponential(0.7)},
          {"tanh", Lagrangian::tanh(1.7)},
          {"sigmoid", Lagrangian::sigmoid(1.3)},
          {"softmax", Lagrangian::softmax(1.3)},
          {"layer norm", Lagrangian::layer_norm(6, 1e-5)},
          {"spherical norm", Lagrangian::spherical_norm(1e-5)},
          {"modern memory", Lagrangian::hidden(EnergyModel::parse("modern:0.5"))},
          {"dense memory", Lagrangian::hidden(EnergyModel::parse("dense:3"))},
          {"squared memory", Lagrangian::hidden(EnergyModel::parse("dot/power:4/power:2"))}};
}

std::vector<double> random_vector(std::mt19937& engine) {
  std::normal_distribution<double> normal;
  std::vector<double> numbers(6);
  for (double& x : numbers) x = normal(engine);
  return numbers;
}

std::vector<double> moved(const std::vector<double>& h, const std::vector<double>& v, double step) {
  std::vector<double> result = h;
  for (std::size_t i = 0; i < h.size(); ++i) result[i] += step * v[i];
  return result;
}

}  // namespace

TEST_CASE("the gradient and the Hessian product of every Lagrangian agree with central differences") {
  std::mt19937 engine(Catch::rngSeed());
  constexpr double kStep = 1e-5;
  for (const Named& each : every_lagrangian()) {
    INFO(each.name);
    const auto h = random_vector(engine), v = random_vector(engine);
    std::vector<double> gradient(6), product(6), above(6), below(6);
    each.lagrangian.gradient(h, gradient);
    each.lagrangian.hessian_product(h, v, product);
    each.lagrangian.gradient(moved(h, v, kStep), above);
    each.lagrangian.gradient(moved(h, v, -kStep), below);
    const double rise = each.lagrangian.value(moved(h, v, kStep)) - each.lagrangian.value(moved(h, v, -kStep));
    double slope = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      slope += gradient[i] * v[i];
      CHECK(product[i] == Approx((above[i] - below[i]) / (2 * kStep)).epsilon(1e-6).margin(1e-7));
    }
    CHECK(slope == Approx(rise / (2 * kStep)).epsilon(1e-7).margin(1e-8));
  }
}

TEST_CASE("convex Lagrangians have Hessians without negative directions") {
  std::mt19937 engine(Catch::rngSeed());
  for (const Named& each : every_lagrangian()) {
    if (std::string(each.name) == "dense memory")
      continue;  // an odd power is convex where its argument is positive only
    INFO(each.name);
    const auto h = random_vector(engine), v = random_vector(engine);
    std::vector<double> product(6);
    each.lagrangian.hessian_product(h, v, product);
    double curvature = 0;
    for (std::size_t i = 0; i < 6; ++i) curvature += v[i] * product[i];
    CHECK(curvature >= -1e-12);
  }
}

TEST_CASE("bounded Lagrangians stay finite and exact at |x| = 10000") {
  const std::vector<double> h = {1e4, -1e4, 0, 3, -2, 1e4}, v = {1, -1, 2, 0.5, 1, 1};
  for (const Named& each : every_lagrangian()) {
    const std::string name = each.name;
    if (name == "exp" || name == "rectified exp") continue;  // these grow beyond any float by definition
    INFO(name);
    std::vector<double> gradient(6), product(6);
    each.lagrangian.gradient(h, gradient);
    each.lagrangian.hessian_product(h, v, product);
    CHECK(std::isfinite(each.lagrangian.value(h)));
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(std::isfinite(gradient[i]));
      CHECK(std::isfinite(product[i]));
    }
  }
  CHECK(Lagrangian::softmax(2).value(h) == Approx(1e4 + std::log(2.0) / 2).epsilon(1e-15));
  CHECK(Lagrangian::tanh(2).value(std::vector<double>{1e4}) == Approx(1e4 - std::log(2.0) / 2).epsilon(1e-15));
}

TEST_CASE("the activations are the ones they are named after") {
  const std::vector<double> h = {0.5, -1, 2, 0, 1, -0.3};
  std::vector<double> g(6);
  Lagrangian::tanh(1.5).gradient(h, g);
  CHECK(g[1] == Approx(std::tanh(-1.5)));
  Lagrangian::rectified_power(2).gradient(h, g);
  CHECK(g == std::vector<double>{0.5, 0, 2, 0, 1, 0});
  Lagrangian::softmax(1).gradient(h, g);
  double total = 0;
  for (const double p : g) total += p;
  CHECK(total == Approx(1));
  CHECK(g[2] / g[4] == Approx(std::exp(1.0)));
  Lagrangian::layer_norm(6, 0).gradient(h, g);
  double mean = 0, square = 0;
  for (const double x : g) mean += x / 6, square += x * x / 6;
  CHECK(mean == Approx(0).margin(1e-15));
  CHECK(square == Approx(1));
}

TEST_CASE("minus a memory's hidden Lagrangian is its energy") {
  const std::vector<double> overlaps = {5, -1, 3};
  const EnergyModel model = EnergyModel::parse("modern:0.5");
  double sum = 0;
  for (const double m : overlaps) sum += model.separation.value(m);
  CHECK(Lagrangian::hidden(model).value(overlaps) == Approx(model.shaping.value(sum)));
}

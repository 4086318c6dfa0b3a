// Every compiled set of loops against plain ones, at the edges of their blocks.
#include "ham/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/lagrangian.h"

using namespace ham;

namespace {

// Puts the set in use back when a test ends.
struct KeepKernels {
  std::string name = kernels_in_use();
  ~KeepKernels() { use_kernels(name.c_str()); }
};

template <class Body>
void for_each_set(Body body) {
  const KeepKernels keep;
  for (const KernelSet& set : kernel_sets()) {
    if (!set.available()) continue;
    use_kernels(set.name);
    REQUIRE(std::string(kernels_in_use()) == set.name);
    INFO(set.name);
    body();
  }
}

template <class T>
std::vector<T> random_numbers(std::mt19937& engine, long count, double filled = 1) {
  std::normal_distribution<double> normal;
  std::bernoulli_distribution keep(filled);
  std::vector<T> numbers(count);
  for (T& x : numbers) x = keep(engine) ? static_cast<T>(normal(engine)) : T(0);
  return numbers;
}

template <class T>
void check_product(std::mt19937& engine, long m, long n, long k, bool transpose_a, bool transpose_b, double filled_a,
                   double filled_b) {
  const auto a = random_numbers<T>(engine, m * k, filled_a), b = random_numbers<T>(engine, k * n, filled_b);
  for (const bool accumulate : {false, true}) {
    INFO(m << "x" << k << " times " << k << "x" << n << (transpose_a ? ", A transposed" : "")
           << (transpose_b ? ", B transposed" : "") << (accumulate ? ", added" : "") << ", filled " << filled_a << " "
           << filled_b);
    auto c = random_numbers<T>(engine, m * n);
    const auto before = c;
    kernels<T>().multiply({m, n, k, a.data(), transpose_a ? m : k, transpose_a, b.data(), transpose_b ? k : n,
                           transpose_b, c.data(), n, accumulate ? c.data() : nullptr});
    double worst = 0;
    for (long i = 0; i < m; ++i)
      for (long j = 0; j < n; ++j) {
        double sum = accumulate ? before[i * n + j] : 0;
        for (long l = 0; l < k; ++l)
          sum += static_cast<double>(transpose_a ? a[l * m + i] : a[i * k + l]) *
                 static_cast<double>(transpose_b ? b[j * k + l] : b[l * n + j]);
        worst = std::max(worst, std::abs(sum - static_cast<double>(c[i * n + j])));
      }
    const double precision = std::is_same_v<T, float> ? 1e-6 : 1e-14;
    CHECK(worst <= 8 * precision * std::sqrt(static_cast<double>(k) + 1));
  }
}

}  // namespace

TEMPLATE_TEST_CASE("products agree with plain loops, dense or mostly zeros", "", float, double) {
  for_each_set([] {
    std::mt19937 engine(Catch::rngSeed());
    struct Sizes {
      long m, n, k;
    };
    for (const auto& [m, n, k] : {Sizes{1, 1, 1}, Sizes{3, 10, 7}, Sizes{100, 10, 33}, Sizes{10, 100, 100},
                                  Sizes{67, 131, 99}, Sizes{50, 150, 130}, Sizes{1, 300, 900}, Sizes{120, 64, 48}})
      for (const bool transpose_a : {false, true})
        for (const bool transpose_b : {false, true}) {
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 1, 1);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 0.15, 1);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 1, 0.15);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 0, 1);
        }
  });
}

TEST_CASE("an unknown set of kernels is refused") {
  CHECK_THROWS_WITH(use_kernels("avx9"), Catch::Contains("baseline, x86-64-v3, x86-64-v4"));
}

TEST_CASE("of equal maxima only the first is picked, and only it gets a gradient") {
  for_each_set([] {
    const Window window{2, 2, 1, 2, 2, 2, 2, 0, 0, 1, 1};
    const std::vector<double> x = {1, 3, 3, 2}, v = {10, 20, 30, 40};
    double y = 0, picked = 0;
    std::int32_t pick = -1;
    const double given = 7;
    std::vector<double> gradient(4, 0);
    kernels<double>().max_pool(window, 1, x.data(), &y, &pick);
    kernels<double>().take(window, 1, &pick, v.data(), &picked);
    kernels<double>().give(window, 1, &pick, &given, gradient.data());
    CHECK(y == 3);
    CHECK(picked == 20);
    CHECK(gradient == std::vector<double>{0, 7, 0, 0});
  });
}

TEMPLATE_TEST_CASE("every Lagrangian's loop agrees with core, up to |x| = 10000", "", float, double) {
  for_each_set([] {
    std::mt19937 engine(Catch::rngSeed());
    constexpr long kGroups = 3, kSize = 21;
    struct Named {
      Form form;
      core::Lagrangian unit;
      bool bounded;
    };
    const Named forms[] = {{Form::identity, core::Lagrangian::identity(), true},
                           {Form::rectified_power, core::Lagrangian::rectified_power(3), true},
                           {Form::exponential, core::Lagrangian::exponential(1), false},
                           {Form::rectified_exponential, core::Lagrangian::rectified_exponential(1), false},
                           {Form::tanh, core::Lagrangian::tanh(1), true},
                           {Form::sigmoid, core::Lagrangian::sigmoid(1), true},
                           {Form::softmax, core::Lagrangian::softmax(1), true}};
    for (const auto& [form, unit, bounded] : forms) {
      auto x = random_numbers<TestType>(engine, kGroups * kSize), v = random_numbers<TestType>(engine, kGroups * kSize);
      if (bounded) x[4] = 1e4, x[kSize + 2] = -1e4;
      std::vector<TestType> g(x.size()), hv(x.size()), value(kGroups);
      const TestType beta = TestType(1.5);
      kernels<TestType>().form({form, 3, beta, kGroups, kSize, x.data(), v.data(), g.data(), hv.data(), value.data()});
      const double precision = std::is_same_v<TestType, float> ? 2e-6 : 1e-14;
      for (long k = 0; k < kGroups; ++k) {
        INFO("form " << static_cast<int>(form) << ", group " << k);
        std::vector<double> u(kSize), w(kSize), slope(kSize), curve(kSize);
        for (long i = 0; i < kSize; ++i) {
          u[i] = static_cast<double>(beta * x[k * kSize + i]);
          w[i] = static_cast<double>(beta * v[k * kSize + i]);
        }
        unit.gradient(u, slope);
        unit.hessian_product(u, w, curve);
        CHECK(value[k] == Approx(unit.value(u) / 1.5).epsilon(10 * precision));
        for (long i = 0; i < kSize; ++i) {
          CHECK(g[k * kSize + i] == Approx(slope[i]).epsilon(10 * precision).margin(precision));
          CHECK(hv[k * kSize + i] == Approx(curve[i]).epsilon(10 * precision).margin(10 * precision));
        }
      }
    }
  });
}

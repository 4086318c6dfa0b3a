// Every compiled set of loops against plain ones, at the edges of their blocks.
#include "ham/kernels/kernels.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/energy/lagrangian.h"
#include "ham/engine/dynamics.h"
#include "ham/network/synapses.h"
#include "tests/support/random_states.h"

using namespace ham;

namespace {

// Puts the set in use back when a test ends.
struct KeepKernels {
  std::string name = kernels_in_use();
  ~KeepKernels() { use_kernels(name); }
};

template <class Body>
void for_each_set(Body body) {
  const KeepKernels keep;
  for (const KernelSet& set : kernel_sets()) {
    if (set.by_choice || !set.available()) continue;
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

// C = start + AB for matrices inside larger ones, from zeros, from C and from another start, and with B packed before.
template <class T>
void check_product(std::mt19937& engine, long m, long n, long k, bool transpose_a, bool transpose_b, double filled_a,
                   double filled_b) {
  const long lda = (transpose_a ? m : k) + 3, ldb = (transpose_b ? k : n) + 1, ldc = n + 2;
  const auto a = random_numbers<T>(engine, (transpose_a ? k : m) * lda, filled_a);
  const auto b = random_numbers<T>(engine, (transpose_b ? n : k) * ldb, filled_b);
  const auto before = random_numbers<T>(engine, m * ldc), other = random_numbers<T>(engine, m * ldc);
  std::vector<double> sums(m * n);
  for (long i = 0; i < m; ++i)
    for (long l = 0; l < k; ++l)
      for (long j = 0; j < n; ++j)
        sums[i * n + j] += static_cast<double>(transpose_a ? a[l * lda + i] : a[i * lda + l]) *
                           static_cast<double>(transpose_b ? b[j * ldb + l] : b[l * ldb + j]);
  Numbers<T> packed = zeros<T>(kernels<T>().packed_count(k, n));
  enum Start { nothing, itself, another };
  for (const Start start : {nothing, itself, another})
    for (const bool pack : {false, true}) {
      if (pack && n * sizeof(T) < 64) continue;
      INFO(m << "x" << k << " times " << k << "x" << n << (transpose_a ? ", A transposed" : "")
             << (transpose_b ? ", B transposed" : "") << ", start " << start << (pack ? ", packed" : "") << ", filled "
             << filled_a << " " << filled_b);
      auto c = before;
      Product<T> product = {m,        n,   k,
                            a.data(), lda, transpose_a,
                            b.data(), ldb, transpose_b,
                            c.data(), ldc, start == nothing ? nullptr : start == itself ? c.data() : other.data()};
      if (pack) kernels<T>().pack(product, packed.get()), product.packed_b = packed.get();
      kernels<T>().multiply(product);
      const std::vector<T>& from = start == itself ? before : other;
      double worst = 0;
      long outside = 0;
      for (long i = 0; i < m; ++i)
        for (long j = 0; j < ldc; ++j) {
          if (j < n)
            worst = std::max(
                worst, std::abs(sums[i * n + j] + (start == nothing ? 0.0 : static_cast<double>(from[i * ldc + j])) -
                                static_cast<double>(c[i * ldc + j])));
          else
            outside += c[i * ldc + j] != before[i * ldc + j];
        }
      const double precision = std::is_same_v<T, float> ? 1e-6 : 1e-14;
      CHECK(worst <= 8 * precision * std::sqrt(static_cast<double>(k) + 1));
      CHECK(outside == 0);
    }
}

// Calls visit(pick of this cell and channel, its number in the kernel, its number in the image) for all products of a
// picked convolution of one image; those beside the image are not visited.
template <class Visit>
void for_each_picked(const Picked& p, const std::vector<std::int32_t>& picks, Visit visit) {
  const Window& w = p.window;
  const long row = (w.width + 2L * w.padding_width) * w.channels;
  for (long i = 0; i < static_cast<long>(picks.size()); ++i)
    for (int ky = 0; ky < w.kernel_height; ++ky)
      for (int kx = 0; kx < w.kernel_width; ++kx)
        for (int c = 0; c < w.channels; ++c) {
          const long y = picks[i] / row + ky - w.padding_height;
          const long x = picks[i] % row / w.channels + kx - w.padding_width;
          if (y < 0 || y >= w.height || x < 0 || x >= w.width) continue;
          const long tap = (static_cast<long>(ky) * w.kernel_width + kx) * w.channels + c;
          visit(i, tap * p.pool.channels + i % p.pool.channels, (y * w.width + x) * w.channels + c);
        }
}

template <class T>
double distance(const std::vector<T>& given, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < given.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(given[i]) - expected[i]));
  return worst;
}

template <class T>
void check_picked(std::mt19937& engine, const Picked& p, long images) {
  const long cells = p.pool.positions() * p.pool.channels;
  const auto x = random_numbers<T>(engine, images * p.window.input_size());
  const auto kernel = random_numbers<T>(engine, p.window.patch() * p.pool.channels);
  const auto y = random_numbers<T>(engine, images * cells, 0.7);
  std::vector<std::int32_t> picks;
  for (long b = 0; b < images; ++b)
    for (int oy = 0; oy < p.pool.out_height; ++oy)
      for (int ox = 0; ox < p.pool.out_width; ++ox)
        for (int c = 0; c < p.pool.channels; ++c)
          picks.push_back(p.window.patch_begin(
              oy * p.pool.stride_height + static_cast<int>(engine() % static_cast<unsigned>(p.pool.kernel_height)),
              ox * p.pool.stride_width + static_cast<int>(engine() % static_cast<unsigned>(p.pool.kernel_width))));
  std::vector<T> y_out = y, x_out = x, kernel_out = kernel, y_taken = y;
  kernels<T>().correlate_picked(p, images, picks.data(), x.data(), kernel.data(), y_out.data());
  kernels<T>().correlate_picked_to_image(p, images, picks.data(), y.data(), kernel.data(), x_out.data());
  kernels<T>().correlate_picked_to_kernel(p, images, picks.data(), x.data(), y.data(), kernel_out.data());

  // All of the output, of which take_picked() takes what correlate_picked() computes.
  std::vector<T> patches(images * p.window.positions() * p.window.patch()), whole(images * p.pool.input_size());
  kernels<T>().gather(p.window, images, x.data(), patches.data());
  kernels<T>().multiply({images * p.window.positions(), p.pool.channels, p.window.patch(), patches.data(),
                         p.window.patch(), false, kernel.data(), p.pool.channels, false, whole.data(), p.pool.channels,
                         nullptr});
  kernels<T>().take_picked(p, images, picks.data(), whole.data(), y_taken.data());

  std::vector<double> y_sum(y.begin(), y.end()), x_sum(x.begin(), x.end()), kernel_sum(kernel.begin(), kernel.end());
  for (long b = 0; b < images; ++b) {
    const std::vector<std::int32_t> own(picks.begin() + b * cells, picks.begin() + (b + 1) * cells);
    for_each_picked(p, own, [&](long i, long tap, long pixel) {
      const long cell = b * cells + i, at = b * p.window.input_size() + pixel;
      y_sum[cell] += static_cast<double>(x[at]) * static_cast<double>(kernel[tap]);
      x_sum[at] += static_cast<double>(y[cell]) * static_cast<double>(kernel[tap]);
      kernel_sum[tap] += static_cast<double>(y[cell]) * static_cast<double>(x[at]);
    });
  }
  const double precision = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  const auto terms = static_cast<double>(p.window.patch() + images * cells);
  CHECK(distance(y_out, y_sum) <= precision * std::sqrt(terms));
  CHECK(distance(y_taken, y_sum) <= precision * std::sqrt(terms));
  CHECK(distance(x_out, x_sum) <= precision * std::sqrt(terms));
  CHECK(distance(kernel_out, kernel_sum) <= precision * std::sqrt(terms));
}

}  // namespace

TEMPLATE_TEST_CASE("a picked convolution and its transposes agree with plain loops", "", float, double) {
  for_each_set([] {
    std::mt19937 engine(Catch::rngSeed());
    // Thin lines with borders and strides, lines of several vectors, overlapping pools.
    const Picked all[] = {
        {{28, 28, 1, 4, 4, 2, 2, 2, 2, 14, 14}, {14, 14, 64, 2, 2, 2, 2, 0, 0, 7, 7}},
        {{7, 7, 64, 3, 3, 1, 1, 0, 0, 4, 4}, {4, 4, 33, 2, 2, 2, 2, 0, 0, 2, 2}},
        {{5, 6, 7, 2, 3, 1, 2, 1, 0, 5, 2}, {5, 2, 3, 3, 2, 1, 1, 0, 0, 3, 1}},
    };
    for (const Picked& p : all)
      for (const long images : {1L, 7L}) {
        INFO(p.window.height << " rows, " << images << " images");
        check_picked<TestType>(engine, p, images);
      }
  });
}

TEMPLATE_TEST_CASE("products agree with plain loops, dense or mostly zeros", "", float, double) {
  for_each_set([] {
    std::mt19937 engine(Catch::rngSeed());
    struct Sizes {
      long m, n, k;
    };
    for (const auto& [m, n, k] :
         {Sizes{1, 1, 1}, Sizes{3, 10, 7}, Sizes{100, 10, 33}, Sizes{10, 100, 100}, Sizes{67, 131, 99},
          Sizes{50, 150, 130}, Sizes{1, 300, 900}, Sizes{120, 64, 48}, Sizes{28, 71, 1000}, Sizes{5, 7, 60}})
      for (const bool transpose_a : {false, true})
        for (const bool transpose_b : {false, true}) {
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 1, 1);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 0.15, 1);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 1, 0.15);
          check_product<TestType>(engine, m, n, k, transpose_a, transpose_b, 0, 1);
        }
  });
}

// Its weights were packed for another set, in another order.
TEST_CASE("an engine goes on when another set of kernels is chosen") {
  Network network;
  network.add_layer("left", {70}, Lagrangian::tanh());
  network.add_layer("right", {100}, Lagrangian::tanh());
  network.connect({"left", "right"}, dense_hidden({.hidden = 90, .standard_deviation = 0.3}));
  std::mt19937 random(Catch::rngSeed());
  const std::vector<float> parameters = network.initial_parameters<float>(random());
  const States<float> states = test::normal_states<float>(random, network, 30);
  Engine<float> engine(network, {});
  engine.set_parameters(parameters);
  REQUIRE(engine.program().packed.size() == 2);
  for_each_set([&] {
    Engine<float> fresh(network, {});
    fresh.set_parameters(parameters);
    const Evaluation<float> here = evaluate(engine, states), there = evaluate(fresh, states);
    for (std::size_t layer = 0; layer < states.size(); ++layer)
      CHECK(here.gradients[layer].values == there.gradients[layer].values);
  });
}

TEST_CASE("products on AMX tiles are right to two bfloat16 numbers a factor") {
  const KeepKernels keep;
  try {
    use_kernels("amx");
  } catch (const std::invalid_argument& error) {
    WARN("not tested: " << error.what());
    return;
  }
  CHECK(std::string(kernels_in_use()) == "amx");
  std::mt19937 engine(Catch::rngSeed());
  struct Sizes {
    long m, n, k;
  };
  for (const auto& [m, n, k] : {Sizes{100, 10, 33}, Sizes{67, 131, 99}, Sizes{50, 150, 130}, Sizes{28, 71, 1000},
                                Sizes{25, 512, 1000}, Sizes{33, 64, 513}, Sizes{64, 96, 512}})
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        for (const bool packed : {false, true})
          for (const bool starts : {false, true}) {
            const auto a = random_numbers<float>(engine, m * k), b = random_numbers<float>(engine, k * n);
            const auto start = random_numbers<float>(engine, m * n);
            std::vector<float> c(m * n, 1e9f), room(kernels<float>().packed_count(k, n));
            Product<float> p{m,
                             n,
                             k,
                             a.data(),
                             transpose_a ? m : k,
                             transpose_a,
                             b.data(),
                             transpose_b ? k : n,
                             transpose_b,
                             c.data(),
                             n,
                             starts ? start.data() : nullptr};
            if (packed) kernels<float>().pack(p, room.data()), p.packed_b = room.data();
            kernels<float>().multiply(p);
            double worst = 0;
            for (long i = 0; i < m; ++i)
              for (long j = 0; j < n; ++j) {
                double sum = starts ? start[i * n + j] : 0, size = 1;
                for (long l = 0; l < k; ++l) {
                  const double term = static_cast<double>(a[transpose_a ? l * m + i : i * k + l]) *
                                      static_cast<double>(b[transpose_b ? j * k + l : l * n + j]);
                  sum += term;
                  size += std::abs(term);
                }
                worst = std::max(worst, std::abs(c[i * n + j] - sum) / size);
              }
            INFO(m << "x" << k << "x" << n << (packed ? " packed" : ""));
            CHECK(worst <= std::ldexp(1.0, -16));
          }
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
    kernels<double>().max_pool(window, 1, x.data(), &y, &pick, nullptr);
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
      double power;
      core::Lagrangian unit;
      bool bounded;
    };
    const Named forms[] = {{Form::identity, 3, core::Lagrangian::identity(), true},
                           {Form::rectified_power, 3, core::Lagrangian::rectified_power(3), true},
                           {Form::rectified_power, 1, core::Lagrangian::rectified_power(1), true},
                           {Form::exponential, 3, core::Lagrangian::exponential(1), false},
                           {Form::rectified_exponential, 3, core::Lagrangian::rectified_exponential(1), false},
                           {Form::tanh, 3, core::Lagrangian::tanh(1), true},
                           {Form::sigmoid, 3, core::Lagrangian::sigmoid(1), true},
                           {Form::softmax, 3, core::Lagrangian::softmax(1), true}};
    for (const auto& [form, power, unit, bounded] : forms) {
      auto x = random_numbers<TestType>(engine, kGroups * kSize), v = random_numbers<TestType>(engine, kGroups * kSize);
      if (bounded) x[4] = 1e4, x[kSize + 2] = -1e4;
      std::vector<TestType> g(x.size()), hv(x.size()), value(kGroups);
      const TestType beta = TestType(1.5);
      kernels<TestType>().form(
          {form, power, beta, kGroups, kSize, x.data(), v.data(), g.data(), hv.data(), value.data()});
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

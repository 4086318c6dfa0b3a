// Products on fragments against three plain loops.
#include "gpu/ham/product_body.h"

#include <catch2/catch.hpp>
#include <random>

#include "gpu/ham/rules.h"
#include "tests/support/random_states.h"

namespace gpu {
namespace {

struct Layout {
  long m, n, k;
  bool turned, b_turned;
  int terms;
  bool large, start;
  int parts;
};

template <class T>
double worst(const Layout& layout, Precision precision, std::mt19937& random) {
  const auto [m, n, k, turned, b_turned, terms, large, start, parts] = layout;
  const auto numbers = [&](long count) { return test::normal_numbers<T>(random, count); };
  std::vector<std::vector<T>> a, b;
  Product<T> p{.m = m, .n = n, .k = k};
  for (int t = 0; t < terms; ++t) {
    a.push_back(numbers(m * k));
    b.push_back(numbers(k * n));
  }
  for (int t = 0; t < terms; ++t)
    p.terms[t] = {{a[t].data(), turned ? m : k}, turned, b[t].data(), b_turned ? 1 : n, b_turned ? k : 1};
  const std::vector<T> from = numbers(m * n);
  std::vector<T> c(static_cast<std::size_t>(m * n * parts));
  p.num_terms = terms, p.c = c.data(), p.start = start ? from.data() : nullptr, p.c_row = n;
  p.large = large, p.precision = precision, p.parts = parts;
  const auto launcher = make_host_launcher({1, 228 << 10, 228 << 10, 1 << 30});
  launcher->enqueue(Task<T>(p));
  double most = 0;
  for (long i = 0; i < m; ++i)
    for (long j = 0; j < n; ++j) {
      double sum = start && parts == 1 ? static_cast<double>(from[i * n + j]) : 0, found = 0, size = 1;
      for (int t = 0; t < terms; ++t)
        for (long l = 0; l < k; ++l) {
          const double term = static_cast<double>(a[t][turned ? l * m + i : i * k + l]) *
                              static_cast<double>(b[t][b_turned ? j * k + l : l * n + j]);
          sum += term;
          size += std::abs(term);
        }
      for (int part = 0; part < parts; ++part) found += static_cast<double>(c[part * m * n + i * n + j]);
      most = std::max(most, std::abs(found - sum) / size);
    }
  return most;
}

}  // namespace

TEST_CASE("products of every shape, layout and precision") {
  std::mt19937 random(Catch::rngSeed());
  for (const bool large : {false, true})
    for (const bool turned : {false, true})
      for (const bool b_turned : {false, true})
        for (const auto& [m, n, k] : {std::tuple{1L, 1L, 1L}, {64L, 64L, 16L}, {130L, 70L, 37L}, {17L, 129L, 100L}})
          for (const int terms : {1, 2}) {
            const Layout layout{m, n, k, turned, b_turned, terms, large, terms == 2, k == 100 ? 3 : 1};
            INFO(m << "x" << n << "x" << k << " turned " << turned << b_turned << " terms " << terms << " large "
                   << large);
            if (!large) CHECK(worst<double>(layout, Precision::full, random) < 1e-15);
            CHECK(worst<float>(layout, Precision::full, random) < 1e-6);
            const double rounded = worst<float>(layout, Precision::tf32, random);
            CHECK(rounded < 1e-3);
            if (m * n > 1) CHECK(rounded > 1e-6);  // that it was rounded at all
          }
}

TEST_CASE("a product of patches is a convolution") {
  std::mt19937 random(Catch::rngSeed());
  const ham::Window w{6, 5, 3, 3, 2, 2, 1, 1, 1, 3, 6};
  const long images = 2, out = 4;
  const auto x = test::normal_numbers<float>(random, images * w.input_size());
  const auto kernel = test::normal_numbers<float>(random, w.patch() * out);
  std::vector<float> patches(static_cast<std::size_t>(images * w.positions() * w.patch()));
  ham::kernels<float>().gather(w, images, x.data(), patches.data());
  std::vector<float> found(static_cast<std::size_t>(images * w.positions() * out)), plain = found;
  Product<float> p{.m = images * w.positions(), .n = out, .k = w.patch()};
  p.num_terms = 1, p.c_row = out;
  p.terms[0] = {{x.data(), 0, true, w}, false, kernel.data(), out, 1};
  p.c = found.data();
  const auto launcher = make_host_launcher({1, 228 << 10, 228 << 10, 1 << 30});
  launcher->enqueue(Task<float>(p));
  p.terms[0] = {{patches.data(), w.patch()}, false, kernel.data(), out, 1};
  p.c = plain.data();
  launcher->enqueue(Task<float>(p));
  CHECK(found == plain);
}

}  // namespace gpu

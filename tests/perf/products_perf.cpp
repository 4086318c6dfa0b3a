// Billions of operations per second of the dense products in a training step of the convolutional network, one thread,
// beside Eigen's product for this processor and the most its multiply-add units can do. Factors come from a ring larger
// than the second-level cache, as in training. The goal: our time as a share of Eigen's.
#include <Eigen/Core>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <vector>

#include "ham/engine/lane.h"

using namespace ham;

namespace {

double seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The median time of body(0), body(1), …
template <class Body>
double median(Body body) {
  constexpr int kRepeats = 61;
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    const double start = seconds();
    body(i);
    times.push_back(seconds() - start);
  }
  std::nth_element(times.begin(), times.begin() + kRepeats / 2, times.end());
  return times[kRepeats / 2];
}

#if defined(__AVX512F__)
typedef float Wide __attribute__((vector_size(64)));
#elif defined(__AVX__)
typedef float Wide __attribute__((vector_size(32)));
#else
typedef float Wide __attribute__((vector_size(16)));
#endif
constexpr int kSums = 12;

// Multiply-adds that wait for nothing but their unit.
[[gnu::noinline]] float multiply_add(int steps, Wide factor) {
  Wide sums[kSums];
#pragma GCC unroll 12
  for (int k = 0; k < kSums; ++k) sums[k] = Wide{} + static_cast<float>(k + 2);
  for (int i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kSums; ++k) sums[k] = sums[k] * factor + factor;
  }
  Wide sum = {};
#pragma GCC unroll 12
  for (int k = 0; k < kSums; ++k) sum += sums[k];
  return sum[0];
}

double peak() {
  constexpr int kSteps = 100000;
  float kept = 0;
  const double time = median([&](int) { kept += multiply_add(kSteps, Wide{} + 0.5f); });
  return kept > 0 ? 2e-9 * kSums * kSteps * sizeof(Wide) / sizeof(float) / time : 0;
}

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Case {
  const char* name;
  long m, n, k;
  bool transpose_a, transpose_b, shared, add;
  double wanted;  // times as fast as Eigen, at least
};

void show(const Case& c, double most) {
  constexpr int kRing = 6;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto filled = [&](long rows, long columns) {
    Matrix x(rows, columns);
    for (float& number : x.reshaped()) number = normal(random);
    return x;
  };
  std::vector<Matrix> a, b, ours, eigen;
  std::vector<Numbers<float>> packed;
  const auto product = [&](int i) {
    return Product<float>{c.m,
                          c.n,
                          c.k,
                          a[i].data(),
                          a[i].cols(),
                          c.transpose_a,
                          b[i].data(),
                          b[i].cols(),
                          c.transpose_b,
                          ours[i].data(),
                          c.n,
                          c.add ? ours[i].data() : nullptr,
                          c.shared ? packed[i].get() : nullptr};
  };
  for (int i = 0; i < kRing; ++i) {
    a.push_back(c.transpose_a ? filled(c.k, c.m) : filled(c.m, c.k));
    b.push_back(c.transpose_b ? filled(c.n, c.k) : filled(c.k, c.n));
    ours.push_back(Matrix::Zero(c.m, c.n));
    eigen.push_back(Matrix::Zero(c.m, c.n));
    packed.push_back(zeros<float>(kernels<float>().packed_count(c.k, c.n)));
    kernels<float>().pack(product(i), packed[i].get());
  }
  const double our_time = median([&](int i) { kernels<float>().multiply(product(i % kRing)); });
  const double their_time = median([&](int i) {
    const Matrix &x = a[i % kRing], &y = b[i % kRing];
    Matrix& z = eigen[i % kRing];
    if (!c.add) z.setZero();
    if (c.transpose_a)
      z.noalias() += x.transpose() * y;
    else if (c.transpose_b)
      z.noalias() += x * y.transpose();
    else
      z.noalias() += x * y;
  });
  const double operations = 2e-9 * static_cast<double>(c.m * c.n * c.k);
  std::printf("| %-28s | %5.1f | %3.0f %% | %5.1f | **%.2f×** | %.2f× |\n", c.name, operations / our_time,
              100 * operations / our_time / most, operations / their_time, their_time / our_time, c.wanted);
}

}  // namespace

int main() {
  Eigen::setNbThreads(1);
  const double most = peak();
  std::printf("kernels %s, at most %.0f GFLOP/s\n\n", kernels_in_use(), most);
  std::printf(
      "| product                      | GFLOP/s | of the most | Eigen | faster | goal |\n|---|---|---|---|---|---|\n");
  for (const Case& c : {Case{"memories, 25 images", 25, 1000, 512, false, false, true, false, 1.3},
                        Case{"their transpose", 25, 512, 1000, false, true, true, false, 1.3},
                        Case{"memories, 50 images", 50, 1000, 512, false, false, true, false, 1.2},
                        Case{"their transpose", 50, 512, 1000, false, true, true, false, 1.2},
                        Case{"their gradient, 25 images", 512, 1000, 25, true, false, false, true, 1},
                        Case{"their gradient, 50 images", 512, 1000, 50, true, false, false, true, 1},
                        Case{"convolution, 28 images", 448, 128, 576, false, false, false, false, 1},
                        Case{"image by memories, 400", 400, 1000, 784, false, false, false, false, 1}})
    show(c, most);
}

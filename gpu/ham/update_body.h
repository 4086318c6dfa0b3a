// States that move, the loss, and the optimizer.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gpu/device/body.h"
#include "gpu/ham/rows_body.h"

namespace gpu {

/// after = x + rate·free∘(force + rest − x); no force and no rest are zeros, no free is ones.
template <class T>
struct Descend {
  long count = 0, size = 1;  ///< numbers, and those of a sample
  T rate = 0;
  const T* force = nullptr;
  const T* rest = nullptr;  ///< size numbers
  const T* free = nullptr;
  const T* x = nullptr;
  T* after = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= count) return;
      const T pull = (force == nullptr ? T(0) : force[at]) + (rest == nullptr ? T(0) : rest[at % size]) - x[at];
      const T step = rate * pull;
      after[at] = x[at] + (free == nullptr ? step : free[at] * step);
    });
  }
};

/// The smoothed cross-entropy of ham/training/training.h, one number a sample: its share of the loss, its derivative by
/// the activations, and whether the largest activation is the label's (the first of equal ones).
template <class T>
struct CrossEntropy {
  long rows = 0, batch = 1;  ///< samples here, and those the loss is a mean of
  int classes = 1;
  const std::int32_t* labels = nullptr;
  const T* g = nullptr;
  T* g_bar = nullptr;
  double* losses = nullptr;
  std::int32_t* correct = nullptr;
  double smoothing = 0, floor = 0;     ///< of the labels, and of probabilities
  const std::int32_t* turn = nullptr;  ///< with it, labels and results are those of the turn-th `rows` samples

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    const double scale = 1 / static_cast<double>(batch), whole = 1 + floor * classes;
    block.each([&](int thread) {
      const long row = block.index() * kRowThreads + thread;
      if (row >= rows) return;
      const T* const p = g + row * classes;
      const long sample = row + (turn == nullptr ? 0 : *turn * rows);
      double total = 0;
      int best = 0;
      for (int c = 0; c < classes; ++c) {
        const double probability = static_cast<double>(p[c]) + floor;
        const double target = ((labels[sample] == c ? 1 : 0) + smoothing / classes) / (1 + smoothing);
        total -= scale * target * std::log(probability / whole);
        if (g_bar != nullptr) g_bar[row * classes + c] = static_cast<T>(-scale * target / probability);
        if (p[c] > p[best]) best = c;
      }
      losses[sample] = total;
      correct[sample] = best == labels[sample];
    });
  }
};

/// What a training step came to.
struct StepResult {
  double loss = 0, gradient_norm = 0;
  std::int64_t correct = 0;
  std::int64_t finite = 1;  ///< 0: nothing was changed
};

/// Σ gradient² by blocks of so many numbers, in double precision.
template <class T>
struct Squares {
  static constexpr long kNumbers = 8192;
  long count = 0;
  const T* numbers = nullptr;
  double* sums = nullptr;  ///< one a block

  template <class Block>
  GPU_BODY void run(Block& block, std::byte* shared) const {
    double* const partial = reinterpret_cast<double*>(shared);
    block.each([&](int thread) {
      const long first = block.index() * kNumbers;
      double sum = 0;
      for (long at = first + thread; at < first + kNumbers && at < count; at += kRowThreads)
        sum += static_cast<double>(numbers[at]) * static_cast<double>(numbers[at]);
      partial[thread] = sum;
    });
    for (int half = kRowThreads / 2; half > 0; half /= 2) {
      block.sync();
      block.each([&](int thread) {
        if (thread < half) partial[thread] += partial[thread + half];
      });
    }
    block.sync();
    block.first([&] { sums[block.index()] = partial[0]; });
  }
};

/// Numbers of one step's update.
struct StepRates {
  double rate = 0, correction1 = 1, correction2 = 1, share = 0;
};

/// Adds up what the blocks before found out: one block.
struct Verdict {
  long rows = 0, num_squares = 0;
  const double* losses = nullptr;
  const std::int32_t* correct = nullptr;
  const double* squares = nullptr;
  const std::int32_t* step = nullptr;  ///< which entry of results
  StepResult* results = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte* shared) const {
    double* const sums = reinterpret_cast<double*>(shared);
    const auto total = [&](long count, const auto& number) {
      block.sync();
      block.each([&](int thread) {
        double sum = 0;
        for (long at = thread; at < count; at += kRowThreads) sum += number(at);
        sums[thread] = sum;
      });
      for (int half = kRowThreads / 2; half > 0; half /= 2) {
        block.sync();
        block.each([&](int thread) {
          if (thread < half) sums[thread] += sums[thread + half];
        });
      }
      block.sync();
      return sums[0];
    };
    const double loss = total(rows, [&](long at) { return losses[at]; });
    const double right = total(rows, [&](long at) { return static_cast<double>(correct[at]); });
    const double square = total(num_squares, [&](long at) { return squares[at]; });
    block.first([&] {
      StepResult& result = results[*step];
      result.loss = loss;
      result.correct = static_cast<std::int64_t>(right);
      result.gradient_norm = std::sqrt(square);
      // Once a step was not finite, nothing moves any more.
      result.finite = std::isfinite(loss) && std::isfinite(square) && (*step == 0 || results[*step - 1].finite != 0);
    });
  }
};

/// AdamW with a running average of the weights, as ham/kernels/loops.h has it.
template <class T>
struct AdamWStep {
  long count = 0;
  double beta1 = 0, beta2 = 0, epsilon = 0, decay = 0;
  const std::int32_t* step = nullptr;
  const StepRates* rates = nullptr;
  const StepResult* results = nullptr;
  const T* gradient = nullptr;
  T* first = nullptr;
  T* second = nullptr;
  T* weights = nullptr;
  T* average = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    if (results[*step].finite == 0) return;
    const StepRates now = rates[*step];
    const T rate = static_cast<T>(now.rate), b1 = static_cast<T>(beta1), b2 = static_cast<T>(beta2);
    const T correction1 = static_cast<T>(now.correction1), correction2 = static_cast<T>(now.correction2);
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= count) return;
      const T g = gradient[at];
      const T m = b1 * first[at] + (1 - b1) * g, s = b2 * second[at] + (1 - b2) * (g * g);
      first[at] = m;
      second[at] = s;
      const T w = (1 - rate * static_cast<T>(decay)) * weights[at] -
                  (rate / correction1) * m / (std::sqrt(s / correction2) + static_cast<T>(epsilon));
      weights[at] = w;
      if (average != nullptr) average[at] += static_cast<T>(now.share) * (w - average[at]);
    });
  }
};

/// y = the numbers of the turn-th piece of `from`.
template <class T>
struct Fetch {
  long count = 0;
  const T* from = nullptr;
  const std::int32_t* turn = nullptr;
  T* y = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at < count) y[at] = from[*turn * count + at];
    });
  }
};

/// y += a/b, unless b is below `least`: one number.
template <class T>
struct Quotient {
  const T* a = nullptr;
  const T* b = nullptr;
  T least = 0;
  T* y = nullptr;
  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.first([&] {
      if (*b >= least) *y += *a / *b;
    });
  }
};

/// The next step: adds to a counter.
struct Advance {
  std::int32_t* counter = nullptr;
  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.first([&] { ++*counter; });
  }
};

}  // namespace gpu

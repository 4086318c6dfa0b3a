// What is done number by number, and sums along an axis.
#pragma once

#include <cmath>
#include <cstddef>

#include "gpu/device/body.h"
#include "ham/kernels/kernels.h"

namespace gpu {

inline constexpr int kRowThreads = 256;

/// A product of two arrays, or one; null pointers stand for ones.
template <class T>
struct Pair {
  const T* a = nullptr;
  const T* b = nullptr;
  T factor = 1;
};

/// y[o, n, i] = start[o, n, i] + Σ_terms factor·a[o, n, i] b[o, i]; no start is zero, and it may be y itself.
template <class T>
struct Combine {
  ham::Repeat repeat{1, 1, 0};
  const T* start = nullptr;
  Pair<T> terms[2];
  int num_terms = 0;
  T* y = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    const long count = repeat.outer * repeat.n * repeat.inner, run = repeat.n * repeat.inner;
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= count) return;
      const long small = repeat.n == 1 ? at : at / run * repeat.inner + at % repeat.inner;
      T sum = 0;
      for (int t = 0; t < num_terms; ++t) {
        const T a = terms[t].a == nullptr ? T(1) : terms[t].a[at], b = terms[t].b == nullptr ? T(1) : terms[t].b[small];
        sum += terms[t].factor * a * b;
      }
      y[at] = (start == nullptr ? T(0) : start[at]) + sum;
    });
  }
};

/// y[o, i] = start[o, i] + Σ_terms factor·Σ_n a[o, n, i] b[o, n, i]. With parts > 1 the middle axis is cut into as many
/// ranges, and part p's sums go to y + p·outer·inner without the start.
template <class T>
struct Reduce {
  static constexpr int kLanes = 32, kLines = kRowThreads / kLanes;
  ham::Repeat repeat{1, 1, 0};
  const T* start = nullptr;
  Pair<T> terms[2];
  int num_terms = 0;
  T* y = nullptr;
  int parts = 1;

  // Few terms for many sums: a thread adds up one of them.
  static constexpr long kFew = 32;
  GPU_BODY bool few() const { return repeat.n <= kFew && repeat.outer * repeat.inner >= 4096 && parts == 1; }
  // Sums of inner numbers that are neighbours stand in neighbouring threads; of an inner axis of one, all threads of a
  // block add up a row.
  GPU_BODY bool narrow() const { return repeat.inner < kLanes; }

  template <class Block>
  GPU_BODY void run(Block& block, std::byte* shared) const {
    T* const sums = reinterpret_cast<T*>(shared);
    const long outputs = repeat.outer * repeat.inner;
    if (few()) return add_up(block, outputs);
    const bool rows = narrow();
    const long blocks = rows ? outputs : repeat.outer * ((repeat.inner + kLanes - 1) / kLanes);
    const int part = static_cast<int>(block.index() / blocks);
    const long index = block.index() % blocks;
    const long first = repeat.n * part / parts, last = repeat.n * (part + 1) / parts;
    const long pieces = (repeat.inner + kLanes - 1) / kLanes;
    block.each([&](int thread) {
      const long o = rows ? index / repeat.inner : index / pieces;
      const long i = rows ? index % repeat.inner : index % pieces * kLanes + thread % kLanes;
      const long begin = rows ? first + thread : first + thread / kLanes, stride = rows ? kRowThreads : kLines;
      T sum = 0;
      if (i < repeat.inner)
        for (int t = 0; t < num_terms; ++t)
          for (long k = begin; k < last; k += stride) {
            const long at = (o * repeat.n + k) * repeat.inner + i;
            const T a = terms[t].a == nullptr ? T(1) : terms[t].a[at],
                    b = terms[t].b == nullptr ? T(1) : terms[t].b[at];
            sum += terms[t].factor * a * b;
          }
      sums[thread] = sum;
    });
    // Halves upon halves: one order for everyone.
    for (int half = kRowThreads / 2; half >= (rows ? 1 : kLanes); half /= 2) {
      block.sync();
      block.each([&](int thread) {
        if (thread < half) sums[thread] += sums[thread + half];
      });
    }
    block.sync();
    block.each([&](int thread) {
      const long i = rows ? index % repeat.inner : index % pieces * kLanes + thread;
      if (thread >= (rows ? 1 : kLanes) || i >= repeat.inner) return;
      const long at = (rows ? index / repeat.inner : index / pieces) * repeat.inner + i;
      const bool whole = parts == 1;
      y[whole ? at : at + part * outputs] = (whole && start != nullptr ? start[at] : T(0)) + sums[thread];
    });
  }

 private:
  template <class Block>
  GPU_BODY void add_up(Block& block, long outputs) const {
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= outputs) return;
      const long first = repeat.outer == 1 ? at : at / repeat.inner * repeat.n * repeat.inner + at % repeat.inner;
      T sum = start == nullptr ? T(0) : start[at];
      for (int t = 0; t < num_terms; ++t)
        for (long k = 0; k < repeat.n; ++k) {
          const long from = first + k * repeat.inner;
          const T a = terms[t].a == nullptr ? T(1) : terms[t].a[from],
                  b = terms[t].b == nullptr ? T(1) : terms[t].b[from];
          sum += terms[t].factor * a * b;
        }
      y[at] = sum;
    });
  }
};

/// The functions of ham/network/expression.h.
enum class Function : int { power, exponential, logarithm, tanh, relu, scale, shift };

/// f(x), or of its derivatives what the reverse rule asks for.
template <class T>
struct MapNumbers {
  Function function = Function::scale;
  T parameter = 0;
  long count = 0;
  const T* x = nullptr;
  const T* v = nullptr;    ///< x's tangent
  const T* bar = nullptr;  ///< by f(x)
  const T* bar_tangent = nullptr;
  bool reverse = false;
  const T* start = nullptr;  ///< of value; null: zeros
  const T* start_tangent = nullptr;
  T* value = nullptr;    ///< forward: f(x); reverse: start + f′ bar
  T* tangent = nullptr;  ///< forward: f′ v; reverse: start + f′ bar_tangent + f″ bar v

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= count) return;
      T f = 0, first = 0, second = 0;
      evaluate(x[at], f, first, second);
      if (!reverse) {
        if (value != nullptr) value[at] = f;
        if (tangent != nullptr) tangent[at] = v == nullptr ? T(0) : first * v[at];
        return;
      }
      if (value != nullptr)
        value[at] = (start == nullptr ? T(0) : start[at]) + first * (bar == nullptr ? T(0) : bar[at]);
      if (tangent == nullptr) return;
      T sum = start_tangent == nullptr ? T(0) : start_tangent[at];
      if (bar_tangent != nullptr) sum += first * bar_tangent[at];
      if (v != nullptr && bar != nullptr) sum += second * bar[at] * v[at];
      tangent[at] = sum;
    });
  }

 private:
  GPU_BODY void evaluate(T number, T& f, T& first, T& second) const {
    const T p = parameter;
    switch (function) {
      case Function::power:
        f = std::pow(number, p);
        first = p * std::pow(number, p - 1);
        second = p * (p - 1) * std::pow(number, p - 2);
        return;
      case Function::exponential:
        f = first = second = std::exp(number);
        return;
      case Function::logarithm:
        f = std::log(number);
        first = 1 / number;
        second = -first * first;
        return;
      case Function::tanh:
        f = std::tanh(number);
        first = 1 - f * f;
        second = -2 * f * first;
        return;
      case Function::relu:
        f = number > 0 ? number : T(0);
        first = number > 0 ? T(1) : T(0);
        second = 0;
        return;
      case Function::scale:
        f = p * number;
        first = p;
        second = 0;
        return;
      case Function::shift:
        f = number + p;
        first = 1;
        second = 0;
        return;
    }
  }
};

/// y = start + x off the diagonals of n×n matrices, start + value on them.
template <class T>
struct Diagonals {
  long n = 1, count = 0;
  const T* start = nullptr;
  const T* x = nullptr;
  T value = 0;
  T* y = nullptr;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= count) return;
      y[at] = (start == nullptr ? T(0) : start[at]) + (at / n % n == at % n ? value : x[at]);
    });
  }
};

}  // namespace gpu

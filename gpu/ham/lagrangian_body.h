// Lagrangians: activations, their derivatives, energies, and the gradients of learned coefficients.
#pragma once

#include <cmath>
#include <cstddef>

#include "gpu/device/body.h"
#include "gpu/ham/rows_body.h"

namespace gpu {

/// φ of L(x) = γ φ(βx)/β + δ·x; the norms are √(variance + ε)·n and √(Σx² + ε).
enum class Phi : int {
  identity,
  rectified_power,
  exponential,
  rectified_exponential,
  tanh,
  sigmoid,
  softmax,
  layer_norm,
  spherical_norm
};

/// A coefficient: what is learned stands on the machine.
template <class T>
struct Number {
  const T* learned = nullptr;
  T fixed = 0;
  GPU_BODY T get(long at = 0) const { return learned == nullptr ? fixed : learned[at]; }
};

/// Σ L(x) of every sample over runs of n numbers `inner` apart, with all that the rules of ham::LagrangianSum give.
///
/// With s = the derivative by a sample's sum (`seed`, ones if null) and ṡ its tangent:
///   value   = start + s ∇L,   tangent = start + s ∇²L v + ṡ ∇L − less,
///   sum = L, sum_tangent = ∇L·v (one number a sample);
///   by_beta, by_gamma and their tangents: a sample's share of these coefficients' gradients.
template <class T>
struct LagrangianRows {
  Phi phi = Phi::identity;
  int power = 2;
  T epsilon = 0, least_beta = 0;
  Number<T> beta{nullptr, 1}, gamma{nullptr, 1}, delta{nullptr, 0};
  long delta_stride = 0;                      ///< 1: one δ for each element of a run
  long rows = 0, runs = 0, n = 1, inner = 1;  ///< samples, runs of each
  const T* x = nullptr;
  const T* v = nullptr;
  const T* seed = nullptr;
  const T* seed_tangent = nullptr;
  const T* start = nullptr;
  const T* start_tangent = nullptr;
  const T* less = nullptr;
  T* value = nullptr;
  T* tangent = nullptr;
  T* sum = nullptr;
  T* sum_tangent = nullptr;
  T* by_beta = nullptr;
  T* by_beta_tangent = nullptr;
  T* by_gamma = nullptr;
  T* by_gamma_tangent = nullptr;

  GPU_BODY bool wants_sums() const {
    return sum != nullptr || sum_tangent != nullptr || by_beta != nullptr || by_beta_tangent != nullptr ||
           by_gamma != nullptr || by_gamma_tangent != nullptr;
  }
  // A function of single numbers of which no sums are wanted: any thread takes any number.
  bool by_number() const {
    return phi < Phi::softmax && sum == nullptr && sum_tangent == nullptr && by_beta == nullptr &&
           by_beta_tangent == nullptr && by_gamma == nullptr && by_gamma_tangent == nullptr;
  }

  template <class Block>
  GPU_BODY void run(Block& block, std::byte* shared) const {
    if (phi < Phi::softmax && !wants_sums())
      run_numbers(block);
    else
      run_rows(block, shared);
  }

 private:
  /// g = φ′(u), h = φ″(u), f = φ(u) of one number u = βx; f of a run's number is its share.
  GPU_BODY void evaluate(T u, T& f, T& g, T& h) const {
    switch (phi) {
      case Phi::identity:
        f = u * u / 2;
        g = u;
        h = 1;
        return;
      case Phi::rectified_power: {
        const T y = u > 0 ? u : T(0);
        if (power == 1) {
          f = y;
          g = u > 0 ? T(1) : T(0);
          h = 0;
          return;
        }
        T low = 1;
        for (int i = 2; i < power; ++i) low *= y;
        h = u > 0 ? static_cast<T>(power - 1) * low : T(0);
        g = low * y;
        f = g * y / static_cast<T>(power);
        return;
      }
      case Phi::exponential:
        f = g = h = std::exp(u);
        return;
      case Phi::rectified_exponential: {
        const T y = u > 0 ? u : T(0), e = std::exp(y);
        f = e - y;
        g = e - 1;
        h = u > 0 ? e : T(0);
        return;
      }
      case Phi::tanh: {
        const T y = u < 0 ? -u : u;
        g = std::tanh(u);
        h = (1 - g) * (1 + g);
        f = y + std::log(1 + std::exp(-2 * y)) - T(0.69314718055994530942);
        return;
      }
      case Phi::sigmoid: {
        const T y = u < 0 ? -u : u;
        g = 1 / (std::exp(-u) + 1);
        h = g / (std::exp(u) + 1);
        f = (u > 0 ? u : T(0)) + std::log(1 + std::exp(-y));
        return;
      }
      default:
        f = g = h = 0;
    }
  }

  GPU_BODY T clipped_beta() const {
    const T b = beta.get();
    return b < least_beta ? least_beta : b;
  }
  GPU_BODY T shift(long k) const { return delta.get(k * delta_stride); }

  GPU_BODY void write(long at, long row, T slope, T curved) const {
    const T s = seed == nullptr ? T(1) : seed[row];
    if (value != nullptr) value[at] = (start == nullptr ? T(0) : start[at]) + s * slope;
    if (tangent == nullptr) return;
    T total = start_tangent == nullptr ? T(0) : start_tangent[at];
    if (v != nullptr) total += s * curved;
    if (seed_tangent != nullptr) total += seed_tangent[row] * slope;
    if (less != nullptr) total -= less[at];
    tangent[at] = total;
  }

  template <class Block>
  GPU_BODY void run_numbers(Block& block) const {
    const long size = runs * n;
    const T b = clipped_beta(), c = gamma.get();
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= rows * size) return;
      T f, g, h;
      evaluate(b * x[at], f, g, h);
      write(at, at / size, c * g + shift(at / inner % n), v == nullptr ? T(0) : c * h * b * v[at]);
    });
  }

  // What a thread adds up of a sample.
  struct Totals {
    T f = 0, x_g = 0, x_hv = 0, v_g = 0, shifts = 0, shifts_tangent = 0;
  };

  // A block is a sample; its warps take its runs in turns.
  template <class Block>
  GPU_BODY void run_rows(Block& block, std::byte* shared) const {
    const long row = block.index(), size = runs * n;
    const int warps = block.warps();
    const T b = clipped_beta(), c = gamma.get(), length = static_cast<T>(n);
    const bool single = phi < Phi::softmax;
    const auto place = [&](long run, long k) {  // of a sample's run
      return row * size + (inner == 1 ? run * n + k : (run / inner * n + k) * inner + run % inner);
    };
    typename Block::template PerThread<Totals> totals(block);
    typename Block::template PerThread<T> top(block), first(block), second(block), third(block);
    // Of single numbers, all threads take those of the whole sample in turns.
    const long turns = single ? 1 : (runs + warps - 1) / warps;
    for (long turn = 0; turn < turns; ++turn) {
      const auto run_of = [&](int thread) { return turn * warps + thread / kWarp; };
      const auto each = [&](int thread, const auto& body) {
        if (single) {
          for (long k = thread; k < size; k += warps * kWarp) body(row * size + k, k / inner % n);
          return;
        }
        const long run = run_of(thread);
        if (run >= runs) return;
        for (long k = thread % kWarp; k < n; k += kWarp) body(place(run, k), k);
      };
      const auto add = [](T p, T q) { return p + q; };
      // What of the run every number needs: softmax its maximum, Σe and Σev; the norms the mean, Σa² and Σav.
      if (phi == Phi::softmax) {
        block.each([&](int thread) {
          T most = -INFINITY;
          each(thread, [&](long at, long) { most = x[at] > most ? x[at] : most; });
          top[thread] = most;
        });
        block.combine_warps(top, [](T p, T q) { return p > q ? p : q; });
        block.each([&](int thread) {
          T sums = 0, mixed = 0;
          each(thread, [&](long at, long) {
            const T e = std::exp(b * (x[at] - top[thread]));
            sums += e;
            if (v != nullptr) mixed += e * v[at];
          });
          first[thread] = sums;
          second[thread] = mixed;
        });
        block.combine_warps(first, add);
        block.combine_warps(second, add);
      } else if (!single) {
        block.each([&](int thread) {
          T sums = 0, mixed = 0;
          if (phi == Phi::layer_norm)
            each(thread, [&](long at, long) {
              sums += b * x[at];
              if (v != nullptr) mixed += b * v[at];
            });
          top[thread] = sums;
          third[thread] = mixed;
        });
        block.combine_warps(top, add);
        block.combine_warps(third, add);
        block.each([&](int thread) {
          T squares = 0, mixed = 0;
          each(thread, [&](long at, long) {
            const T a = b * x[at] - top[thread] / length;
            squares += a * a;
            if (v != nullptr) mixed += a * b * v[at];
          });
          first[thread] = squares;
          second[thread] = mixed;
        });
        block.combine_warps(first, add);
        block.combine_warps(second, add);
      }
      block.each([&](int thread) {
        Totals& total = totals[thread];
        const bool centred = phi == Phi::layer_norm;
        const T radius = single || phi == Phi::softmax
                             ? T(1)
                             : std::sqrt((centred ? first[thread] / length : first[thread]) + epsilon);
        if (!single && run_of(thread) < runs && thread % kWarp == 0) {
          if (phi == Phi::softmax) total.f += top[thread] + std::log(first[thread]) / b;
          if (phi > Phi::softmax) total.f += (centred ? length : T(1)) * radius / b;
        }
        each(thread, [&](long at, long k) {
          T f = 0, g = 0, h = 0, hv = 0;
          const T step = v == nullptr ? T(0) : v[at];
          if (single) {
            evaluate(b * x[at], f, g, h);
            hv = h * b * step;
            total.f += f / b;
          } else if (phi == Phi::softmax) {
            g = std::exp(b * (x[at] - top[thread])) * (T(1) / first[thread]);
            hv = b * g * (step - second[thread] / first[thread]);
          } else {
            const T a = b * x[at] - top[thread] / length, share = centred ? T(1) / length : T(1);
            g = a / radius;
            hv = (b * step - third[thread] / length) / radius -
                 a * (share * second[thread]) / (radius * radius * radius);
          }
          const T d = shift(k);
          write(at, row, c * g + d, c * hv);
          total.x_g += x[at] * g;
          total.x_hv += x[at] * hv;
          total.v_g += step * g;
          total.shifts += d * x[at];
          total.shifts_tangent += d * step;
        });
      });
    }
    if (!wants_sums()) return;

    // A sample's sums: over each warp, then over the warps in order.
    T* const all = reinterpret_cast<T*>(shared);
    constexpr int kNumbers = 6;
    const auto gather = [&](int which, auto member) {
      block.each([&](int thread) { first[thread] = totals[thread].*member; });
      block.combine_warps(first, [](T p, T q) { return p + q; });
      block.each([&](int thread) {
        if (thread % kWarp == 0) all[thread / kWarp * kNumbers + which] = first[thread];
      });
    };
    gather(0, &Totals::f);
    gather(1, &Totals::x_g);
    gather(2, &Totals::x_hv);
    gather(3, &Totals::v_g);
    gather(4, &Totals::shifts);
    gather(5, &Totals::shifts_tangent);
    block.sync();
    block.first([&] {
      T sums[kNumbers] = {};
      for (int w = 0; w < warps; ++w)
        for (int i = 0; i < kNumbers; ++i) sums[i] += all[w * kNumbers + i];
      const T s = seed == nullptr ? T(1) : seed[row], change = seed_tangent == nullptr ? T(0) : seed_tangent[row];
      const T slope = c * (sums[1] - sums[0]) / b;
      const bool learns = beta.get() >= least_beta;
      if (sum != nullptr) sum[row] = c * sums[0] + sums[4];
      if (sum_tangent != nullptr) sum_tangent[row] = c * sums[3] + sums[5];
      if (by_beta != nullptr) by_beta[row] = learns ? s * slope : T(0);
      if (by_beta_tangent != nullptr) by_beta_tangent[row] = learns ? s * c * sums[2] / b + change * slope : T(0);
      if (by_gamma != nullptr) by_gamma[row] = s * sums[0];
      if (by_gamma_tangent != nullptr) by_gamma_tangent[row] = s * sums[3] + change * sums[0];
    });
  }
};

}  // namespace gpu

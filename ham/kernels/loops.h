// The loops of ham/kernels/kernels.h. Included once per instruction set; everything here has internal linkage or lives
// in the set's own copy of Eigen, and nothing of the standard library's templates is instantiated.
#pragma once

#include <cmath>

#include "ham/kernels/windows.h"

namespace ham::HAM_KERNEL_SET {
namespace {

// ---- element by element ------------------------------------------------------------------------------------------

// A middle axis of length 1 makes both arrays one run.
Repeat merged(Repeat r) { return r.n == 1 ? Repeat{1, 1, r.outer * r.inner} : r; }

// y = start + term, run by run.
template <class T, class Term>
void begin_with(const T* start, const Term& term, T* y) {
  Run<T> run(y, term.size());
  if (start == nullptr)
    run = term;
  else
    run = ConstRun<T>(start, term.size()) + term;
}

template <class T>
const T* advanced(const T* start, long by) {
  return start == nullptr ? nullptr : start + by;
}

template <class T>
void repeat_add(Repeat r, const T* start, const T* b, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      begin_with(advanced(start, o * r.n), Eigen::Array<T, Eigen::Dynamic, 1>::Constant(r.n, b[o]), y + o * r.n);
    else
      for (long k = 0; k < r.n; ++k) {
        const long at = (o * r.n + k) * r.inner;
        begin_with(advanced(start, at), ConstRun<T>(b + o * r.inner, r.inner), y + at);
      }
}

template <class T>
void sum_add(Repeat r, const T* a, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      y[o] += ConstRun<T>(a + o * r.n, r.n).sum();
    else
      for (long k = 0; k < r.n; ++k)
        Run<T>(y + o * r.inner, r.inner) += ConstRun<T>(a + (o * r.n + k) * r.inner, r.inner);
}

template <class T>
void multiply_add(Repeat r, const T* start, const T* a, const T* b, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      begin_with(advanced(start, o * r.n), b[o] * ConstRun<T>(a + o * r.n, r.n), y + o * r.n);
    else
      for (long k = 0; k < r.n; ++k) {
        const long at = (o * r.n + k) * r.inner;
        begin_with(advanced(start, at), ConstRun<T>(a + at, r.inner) * ConstRun<T>(b + o * r.inner, r.inner), y + at);
      }
}

template <class T>
void multiply_sum_add(Repeat r, const T* a, const T* b, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      y[o] += (ConstRun<T>(a + o * r.n, r.n) * ConstRun<T>(b + o * r.n, r.n)).sum();
    else
      for (long k = 0; k < r.n; ++k) {
        const long at = (o * r.n + k) * r.inner;
        Run<T>(y + o * r.inner, r.inner) += ConstRun<T>(a + at, r.inner) * ConstRun<T>(b + at, r.inner);
      }
}

// ---- Lagrangians -------------------------------------------------------------------------------------------------

template <class T>
T whole_power(T x, int n) {
  T result = 1;
  for (; n > 0; n >>= 1, x *= x)
    if (n & 1) result *= x;
  return result;
}

// One run of numbers, whatever of g, hv and value is asked for. Each form's formulas stand together.
template <class T>
void form_run(const FormCall<T>& call, const T* x_begin, const T* v_begin, T* g_begin, T* hv_begin, T* value) {
  const long n = call.n;
  const T beta = call.beta;
  const ConstRun<T> x(x_begin, n), v(v_begin, v_begin == nullptr ? 0 : n);
  Run<T> g(g_begin, g_begin == nullptr ? 0 : n), hv(hv_begin, hv_begin == nullptr ? 0 : n);
  const bool want_g = g_begin != nullptr, want_hv = hv_begin != nullptr;
  switch (call.form) {
    case Form::identity:
      if (want_g) g = beta * x;
      if (want_hv) hv = beta * v;
      if (value != nullptr) *value = beta * x.square().sum() / 2;
      return;
    case Form::rectified_power: {
      const int power = static_cast<int>(call.power);
      const auto u = (beta * x).max(T(0));
      if (power == 2) {
        if (want_g) g = u;
        if (want_hv) hv = (x > T(0)).select(beta * v, T(0));
        if (value != nullptr) *value = u.square().sum() / (2 * beta);
        return;
      }
      if (power == 1) {
        if (want_g) g = (x > T(0)).template cast<T>();
        if (want_hv) hv.setZero();
        if (value != nullptr) *value = u.sum() / beta;
        return;
      }
      if (want_g) g = u.unaryExpr([power](T y) { return whole_power(y, power - 1); });
      if (want_hv)
        hv = u.unaryExpr([power](T y) { return static_cast<T>(power - 1) * whole_power(y, power - 2); }) * (beta * v);
      if (value != nullptr)
        *value = u.unaryExpr([power](T y) { return whole_power(y, power); }).sum() / (static_cast<T>(power) * beta);
      return;
    }
    case Form::exponential: {
      const auto e = (beta * x).exp();
      if (want_g) g = e;
      if (want_hv) hv = e * (beta * v);
      if (value != nullptr) *value = e.sum() / beta;
      return;
    }
    case Form::rectified_exponential: {
      const auto u = (beta * x).max(T(0));
      if (want_g) g = u.exp() - T(1);
      if (want_hv) hv = (x > T(0)).select(u.exp() * (beta * v), T(0));
      if (value != nullptr) *value = (u.exp() - u).sum() / beta;
      return;
    }
    case Form::tanh: {
      const auto y = (beta * x).tanh();
      if (want_g && want_hv) {
        g = y;
        hv = (T(1) - g) * (T(1) + g) * (beta * v);
      } else if (want_g) {
        g = y;
      } else if (want_hv) {
        hv = y;
        hv = (T(1) - hv) * (T(1) + hv) * (beta * v);
      }
      if (value != nullptr) {
        const auto u = (beta * x).abs();
        *value = (u + (T(1) + (T(-2) * u).exp()).log()).sum() / beta - static_cast<T>(n) * std::log(T(2)) / beta;
      }
      return;
    }
    case Form::sigmoid: {
      const auto y = ((-beta * x).exp() + T(1)).inverse();
      if (want_g) g = y;
      if (want_hv) hv = y * ((beta * x).exp() + T(1)).inverse() * (beta * v);
      if (value != nullptr) *value = ((beta * x).max(T(0)) + (T(1) + (-(beta * x).abs()).exp()).log()).sum() / beta;
      return;
    }
    case Form::softmax: {
      const T top = x.maxCoeff();
      Run<T> p(want_g ? g_begin : scratch<T>(Scratch::group, n), n);
      p = (beta * (x - top)).exp();
      const T sum = p.sum();
      p *= T(1) / sum;
      if (want_hv) {
        const T mean = (p * v).sum();
        hv = beta * p * (v - mean);
      }
      if (value != nullptr) *value = top + std::log(sum) / beta;
      return;
    }
    case Form::shaped:  // evaluated by core::Lagrangian, outside these loops
      return;
  }
}

template <class T>
void form(const FormCall<T>& given) {
  FormCall<T> call = given;
  if (call.form != Form::softmax && call.value == nullptr) {
    call.n *= call.groups;
    call.groups = 1;
  }
  constexpr long kBlock = 2048;  // numbers that stay in the first-level cache between the passes over them
  if (call.groups == 1 && call.form != Form::softmax && call.value == nullptr && call.n > kBlock) {
    const long total = call.n;
    for (long at = 0; at < total; at += kBlock) {
      call.n = total - at < kBlock ? total - at : kBlock;
      form_run(call, call.x + at, call.v ? call.v + at : nullptr, call.g ? call.g + at : nullptr,
               call.hv ? call.hv + at : nullptr, static_cast<T*>(nullptr));
    }
    return;
  }
  for (long k = 0; k < call.groups; ++k) {
    const long at = k * call.n;
    form_run(call, call.x + at, call.v ? call.v + at : nullptr, call.g ? call.g + at : nullptr,
             call.hv ? call.hv + at : nullptr, call.value ? call.value + k : nullptr);
  }
}

// ---- updates -----------------------------------------------------------------------------------------------------

template <class T>
void descend(long n, T rate, const T* force, const T* rest, const T* free, const T* x, T* after) {
  for (long i = 0; i < n; ++i) {
    const T pull = rest == nullptr ? force[i] : force[i] + rest[i];
    const T step = rate * (pull - x[i]);
    after[i] = x[i] + (free == nullptr ? step : free[i] * step);
  }
}

// Blocks of fixed size, the last one padded: Eigen's vector square root is not its scalar one, and loops of any size
// use the scalar one up to the first aligned number, so that results would depend on where the arrays stand.
template <class T>
void adamw(long n, const T* gradient, T rate, T beta1, T beta2, T correction1, T correction2, T epsilon, T decay,
           T* first, T* second, T* weights, T share, T* average) {
  constexpr long kBlock = 64;
  using Block = Eigen::Array<T, kBlock, 1>;
  const auto step = [&](const T* gradient_at, T* first_at, T* second_at, T* weights_at, T* average_at) {
    const Eigen::Map<const Block> g(gradient_at);
    Eigen::Map<Block> m(first_at), s(second_at), w(weights_at);
    m = beta1 * m + (1 - beta1) * g;
    s = beta2 * s + (1 - beta2) * g.square();
    w = (1 - rate * decay) * w - (rate / correction1) * m / ((s / correction2).sqrt() + epsilon);
    if (average_at == nullptr) return;
    Eigen::Map<Block> mean(average_at);
    mean += share * (w - mean);
  };
  long i = 0;
  for (; i + kBlock <= n; i += kBlock)
    step(gradient + i, first + i, second + i, weights + i, average == nullptr ? nullptr : average + i);
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(T);
  Block g = Block::Zero(), m = g, s = g, w = g, mean = g;
  std::memcpy(g.data(), gradient + i, bytes);
  std::memcpy(m.data(), first + i, bytes);
  std::memcpy(s.data(), second + i, bytes);
  std::memcpy(w.data(), weights + i, bytes);
  if (average != nullptr) std::memcpy(mean.data(), average + i, bytes);
  step(g.data(), m.data(), s.data(), w.data(), average == nullptr ? nullptr : mean.data());
  std::memcpy(first + i, m.data(), bytes);
  std::memcpy(second + i, s.data(), bytes);
  std::memcpy(weights + i, w.data(), bytes);
  if (average != nullptr) std::memcpy(average + i, mean.data(), bytes);
}

template <class T>
constexpr Kernels<T> kTable = {multiply<T>,
                               packed_count<T>,
                               pack<T>,
                               mostly_zeros<T>,
                               list_bytes<T>,
                               list<T>,
                               turn<T, false>,
                               repeat_add<T>,
                               multiply_add<T>,
                               sum_add<T>,
                               multiply_sum_add<T>,
                               form<T>,
                               gather<T>,
                               scatter_add<T>,
                               max_pool<T>,
                               take<T>,
                               give<T>,
                               take_picked<T>,
                               correlate_picked<T>,
                               correlate_picked_to_image<T>,
                               correlate_picked_to_kernel<T>,
                               descend<T>,
                               adamw<T>};

}  // namespace

const Kernels<float>& single() { return kTable<float>; }
const Kernels<double>& real() { return kTable<double>; }

}  // namespace ham::HAM_KERNEL_SET

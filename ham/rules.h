// What the rules of the operations share.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "ham/operations.h"

namespace ham {

template <class T>
void zero(T* x, long count) {
  std::fill(x, x + count, T(0));
}

// Prepares bar for rules that can only add.
template <class T>
void begin(Operand<T>& operand) {
  if (!operand.fresh) return;
  if (operand.bar.value != nullptr) zero(operand.bar.value, operand.count);
  if (operand.bar.tangent != nullptr) zero(operand.bar.tangent, operand.count);
  operand.fresh = false;
}

// Where sums into bar start: at zero, or at what it holds.
template <class T>
Dual<T> start_of(const Operand<T>& operand) {
  return operand.fresh ? Dual<T>{} : operand.bar;
}

// The product rule, for any map f(a, b, start, out): out = start + something linear in a and in b, a null start meaning
// zeros. out.value gets start.value + f(a, b) and out.tangent gets start.tangent + f(ȧ, b) + f(a, ḃ).
template <class T, class F>
void product(Dual<T> a, Dual<T> b, Dual<T> start, Dual<T> out, long count, F f) {
  const auto into = [&](const T* from, T* to, std::initializer_list<std::pair<const T*, const T*>> terms) {
    if (to == nullptr) return;
    for (const auto& [x, y] : terms) {
      if (x == nullptr || y == nullptr) continue;
      f(x, y, from, to);
      from = to;
    }
    if (from == nullptr)
      zero(to, count);
    else if (from != to)
      std::copy(from, from + count, to);
  };
  into(start.value, out.value, {{a.value, b.value}});
  into(start.tangent, out.tangent, {{a.tangent, b.value}, {a.value, b.tangent}});
}

// The same for a map of one array.
template <class T, class F>
void linear_map(Dual<T> a, Dual<T> out, F f) {
  if (a.value != nullptr && out.value != nullptr) f(a.value, out.value);
  if (a.tangent != nullptr && out.tangent != nullptr) f(a.tangent, out.tangent);
}

// The reverse rule of a term: bar of the sum goes to it as it is.
template <class T>
void pass_on(const Operand<T>& sum, Operand<T>& term) {
  const bool fresh = term.fresh;
  linear_map(sum.bar, term.bar, [&](const T* y, T* x) {
    kernels<T>().repeat_add({1, 1, sum.count}, fresh ? nullptr : x, y, x);
  });
}

}  // namespace ham

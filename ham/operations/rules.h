// What the rules of the operations share.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "core/parallel.h"
#include "ham/operations/operations.h"

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

// Rows of one [n, inner] array in pieces that are worth a thread; an outer axis leaves one piece.
struct Pieces {
  long rows, count;
  explicit Pieces(const Repeat& r)
      : rows(r.outer > 1 ? r.n : std::max<long>(1, static_cast<long>(core::kChunk) / r.inner)),
        count((r.n + rows - 1) / rows) {}
};

// Calls body(piece, its repeat, its first number) for all of them.
template <class Body>
void in_pieces(const Repeat& r, const Pieces& pieces, int threads, Body body) {
  const auto run = [&](std::size_t piece, int) {
    const long first = static_cast<long>(piece) * pieces.rows;
    body(static_cast<long>(piece), Repeat{r.outer, std::min(pieces.rows, r.n - first), r.inner}, first * r.inner);
  };
  if (pieces.count == 1) return run(0, 0);
  core::parallel_for(pieces.count, threads, run);
}

// y[o,n,i] = start[o,n,i] + a[o,n,i] b[o,i].
template <class T>
void multiply_add(const Repeat& r, int threads, const T* start, const T* a, const T* b, T* y) {
  in_pieces(r, Pieces(r), threads, [&](long, const Repeat& piece, long at) {
    kernels<T>().multiply_add(piece, start == nullptr ? nullptr : start + at, a + at, b, y + at);
  });
}

// y[o,i] += Σ_n a[o,n,i] b[o,n,i]; pieces are summed apart and then added in order.
template <class T>
void multiply_sum_add(const Repeat& r, int threads, const T* a, const T* b, T* y) {
  const Pieces pieces(r);
  if (pieces.count == 1) return kernels<T>().multiply_sum_add(r, a, b, y);
  T* const sums = scratch<T>(Scratch::third, pieces.count * r.inner);
  zero(sums, pieces.count * r.inner);
  in_pieces(r, pieces, threads, [&](long piece, const Repeat& part, long at) {
    kernels<T>().multiply_sum_add(part, a + at, b + at, sums + piece * r.inner);
  });
  kernels<T>().sum_add({1, pieces.count, r.inner}, sums, y);
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

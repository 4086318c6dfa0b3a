#include "gpu/ham/rules.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace gpu {
namespace {

using ham::Repeat;

constexpr long kBlocks = 132;  // that a card runs at once; no more than a measure, so that every card sums alike

// The repeat pattern of one call: the batch belongs to the outer axis, or is one more repetition.
Repeat with_rows(Repeat repeat, bool repeats_batch, bool batched, long rows) {
  if (!batched) return repeat;
  (repeats_batch ? repeat.n : repeat.outer) *= rows;
  return repeat;
}

template <class T>
Repeat repeat_of(Repeat repeat, bool repeats_batch, const ham::Operand<T>& a, long rows) {
  return with_rows(repeat, repeats_batch, a.count != repeat.outer * repeat.n * repeat.inner, rows);
}

long pieces(long length, long each) { return (length + each - 1) / each; }

Function function_of(const std::string& name) {
  constexpr std::pair<const char*, Function> kFunctions[] = {
      {"power", Function::power}, {"exp", Function::exponential}, {"log", Function::logarithm},
      {"tanh", Function::tanh},   {"relu", Function::relu},       {"scale", Function::scale},
      {"shift", Function::shift}};
  for (const auto& [known, function] : kFunctions)
    if (name == known) return function;
  throw NotOnCard("the card cannot compute the function '" + name + "'");
}

ham::Factor turned(ham::Factor f) { return {f.group, f.stride, !f.transposed}; }

}  // namespace

template <class T>
void Rules<T>::require(const ham::Operation& operation) {
  if (const auto* sum = std::get_if<ham::LagrangianSum>(&operation); sum != nullptr && sum->lagrangian.memory)
    throw NotOnCard("the card cannot compute the Lagrangian 'memory'");
  if (const auto* map = std::get_if<ham::Map>(&operation)) function_of(map->function->name);
}

template <class T>
void Rules<T>::forward(const ham::Operation& operation, const Frame& frame) {
  std::visit([&](const auto& op) { forward(op, frame); }, operation);
}
template <class T>
void Rules<T>::reverse(const ham::Operation& operation, const Frame& frame) {
  std::visit([&](const auto& op) { reverse(op, frame); }, operation);
}

// ---- what the rules are made of ----------------------------------------------------------------------------------

// Small results of long sums: the inner axis is cut into parts, added in their order.
template <class T>
void Rules<T>::add(Product<T> p) {
  constexpr long kFewestSlices = 4;
  // Kernels count a factor's numbers, rows of patches and pixels with 32 bits.
  for (int t = 0; t < p.num_terms; ++t) {
    const Factors<T>& term = p.terms[t];
    const long rows = term.turned ? p.k : p.m, columns = term.turned ? p.m : p.k;
    const long a = term.a.patches ? rows / term.a.window.positions() * term.a.window.input_size() : rows * term.a.row;
    if (std::max({a, rows, columns, p.k * term.b_row + p.n * term.b_column}) > std::numeric_limits<std::int32_t>::max())
      throw NotOnCard("a product of " + std::to_string(p.m) + "x" + std::to_string(p.k) +
                      " numbers is more than the card's kernels count; a smaller batch is not");
  }
  using Small = typename Product<T>::Small;
  using Large = typename Product<T>::Large;
  p.precision = precision_;
  p.large =
      sizeof(T) == sizeof(float) && pieces(p.m, Large::kRows) * pieces(p.n, Large::kColumns) * p.batches >= kBlocks / 2;
  const long tiles = pieces(p.m, Small::kRows) * pieces(p.n, Small::kColumns) * p.batches;
  const long slices = pieces(p.k, Small::kInner) * p.num_terms;
  if (!p.large && p.batches == 1 && tiles < kBlocks)
    p.parts = static_cast<int>(std::clamp(std::min(2 * kBlocks / tiles, slices / kFewestSlices), 1L, kBlocks));
  if (p.parts == 1) return list_->push_back(p);
  T* const y = p.c;
  p.c = memory_.template scratch<T>(kParts, p.parts * p.m * p.n);
  list_->push_back(p);
  list_->push_back(Reduce<T>{{1, p.parts, p.m * p.n}, p.start, {{p.c}}, 1, y});
}

template <class T>
void Rules<T>::add(Reduce<T> r) {
  constexpr long kLongest = 1024, kFewest = 256;
  const long outputs = r.repeat.outer * r.repeat.inner;
  const long blocks = r.narrow() ? outputs : r.repeat.outer * pieces(r.repeat.inner, Reduce<T>::kLanes);
  if (r.repeat.n >= kLongest && blocks < kBlocks)
    r.parts = static_cast<int>(std::clamp(std::min(2 * kBlocks / blocks, r.repeat.n / kFewest), 1L, kBlocks));
  if (r.parts == 1) return list_->push_back(r);
  T* const y = r.y;
  r.y = memory_.template scratch<T>(kParts, r.parts * outputs);
  list_->push_back(r);
  list_->push_back(Reduce<T>{{1, r.parts, outputs}, r.start, {{r.y}}, 1, y});
}

template <class T>
void Rules<T>::combine(const Repeat& repeat, const T* start, std::vector<Pair<T>> terms, T* y) {
  Combine<T> task{repeat, start, {}, static_cast<int>(terms.size()), y};
  std::ranges::copy(terms, task.terms);
  list_->push_back(task);
}

// The product rule as in ham/operations/rules.h, both terms of a tangent at once: f(terms, start, out).
// y[o,n,i] = start + Σ a[o,n,i] b[o,i].
template <class T>
void Rules<T>::multiply(const Repeat& repeat, const Terms& terms, const T* start, T* y) {
  std::vector<Pair<T>> pairs;
  for (const auto& [a, b] : terms) pairs.push_back({a, b});
  combine(repeat, start, pairs, y);
}

// y[o,i] = start + Σ Σ_n a[o,n,i] b[o,n,i].
template <class T>
void Rules<T>::multiply_sum(const Repeat& repeat, const Terms& terms, const T* start, T* y) {
  Reduce<T> task{repeat, start, {}, static_cast<int>(terms.size()), y};
  for (std::size_t t = 0; t < terms.size(); ++t) task.terms[t] = {terms[t].first, terms[t].second};
  add(task);
}

template <class T>
void Rules<T>::sum_rows(long rows, const T* from, const T* start, T* y) {
  add(Reduce<T>{{1, rows, 1}, start, {{from}}, 1, y});
}

template <class T>
void Rules<T>::pass_on(const ham::Operand<T>& sum, const ham::Operand<T>& term) {
  const Dual start = start_of(term);
  linear_map(sum.bar, term.bar, [&](const T* y, T* x, bool tangent) {
    combine({1, 1, sum.count}, tangent ? start.tangent : start.value, {{y}}, x);
  });
}

// ---- element by element ------------------------------------------------------------------------------------------

template <class T>
void Rules<T>::forward(const ham::Add& op, const Frame& f) {
  const Repeat r = repeat_of(op.repeat, op.repeats_batch, f.in[0], f.rows);
  const auto both = [&](const T* a, const T* b, T* y) {
    if (y == nullptr) return;
    if (b == nullptr)
      combine({1, 1, f.out.count}, a, {}, y);
    else
      combine(r, a, {{nullptr, b}}, y);
  };
  both(f.in[0].x.value, f.in[1].x.value, f.out.x.value);
  both(f.in[0].x.tangent, f.in[1].x.tangent, f.out.x.tangent);
}

template <class T>
void Rules<T>::reverse(const ham::Add& op, const Frame& f) {
  const Repeat r = repeat_of(op.repeat, op.repeats_batch, f.in[0], f.rows);
  pass_on(f.out, f.in[0]);
  const Dual start = start_of(f.in[1]);
  linear_map(f.out.bar, f.in[1].bar, [&](const T* y, T* b, bool tangent) {
    multiply_sum(r, {{y, nullptr}}, tangent ? start.tangent : start.value, b);
  });
}

template <class T>
void Rules<T>::forward(const ham::Multiply& op, const Frame& f) {
  const Repeat r = repeat_of(op.repeat, op.repeats_batch, f.in[0], f.rows);
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count,
          [&](const Terms& terms, const T* start, T* y) { multiply(r, terms, start, y); });
}

template <class T>
void Rules<T>::reverse(const ham::Multiply& op, const Frame& f) {
  const Repeat r = repeat_of(op.repeat, op.repeats_batch, f.in[0], f.rows);
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const Terms& terms, const T* start, T* a) { multiply(r, terms, start, a); });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const Terms& terms, const T* start, T* b) { multiply_sum(r, terms, start, b); });
}

template <class T>
void Rules<T>::forward(const ham::Sum& op, const Frame& f) {
  const Repeat r = with_rows(op.repeat, false, op.batched, f.rows);
  linear_map(f.in[0].x, f.out.x, [&](const T* x, T* y, bool) { multiply_sum(r, {{x, nullptr}}, nullptr, y); });
}

template <class T>
void Rules<T>::reverse(const ham::Sum& op, const Frame& f) {
  const Repeat r = with_rows(op.repeat, false, op.batched, f.rows);
  const Dual start = start_of(f.in[0]);
  linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* x, bool tangent) {
    combine(r, tangent ? start.tangent : start.value, {{nullptr, y}}, x);
  });
}

template <class T>
void Rules<T>::forward(const ham::Dot& op, const Frame& f) {
  const Repeat r = with_rows(op.repeat, false, op.batched, f.rows);
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count,
          [&](const Terms& terms, const T* start, T* y) { multiply_sum(r, terms, start, y); });
}

template <class T>
void Rules<T>::reverse(const ham::Dot& op, const Frame& f) {
  const Repeat r = with_rows(op.repeat, false, op.batched, f.rows);
  for (int k = 0; k < 2; ++k)
    product(f.in[1 - k].x, f.out.bar, start_of(f.in[k]), f.in[k].bar, f.in[k].count,
            [&](const Terms& terms, const T* start, T* x) { multiply(r, terms, start, x); });
}

template <class T>
void Rules<T>::forward(const ham::Map& op, const Frame& f) {
  MapNumbers<T> task{
      .function = function_of(op.function->name), .parameter = static_cast<T>(op.parameter), .count = f.out.count};
  task.x = f.in[0].x.value;
  task.v = f.in[0].x.tangent;
  task.value = f.out.x.value;
  task.tangent = f.out.x.tangent;
  list_->push_back(task);
}

template <class T>
void Rules<T>::reverse(const ham::Map& op, const Frame& f) {
  if (!f.in[0].bar.wanted()) return;
  const Dual start = start_of(f.in[0]);
  MapNumbers<T> task{
      .function = function_of(op.function->name), .parameter = static_cast<T>(op.parameter), .count = f.out.count};
  task.x = f.in[0].x.value;
  task.v = f.in[0].x.tangent;
  task.bar = f.out.bar.value;
  task.bar_tangent = f.out.bar.tangent;
  task.reverse = true;
  task.start = start.value;
  task.start_tangent = start.tangent;
  task.value = f.in[0].bar.value;
  task.tangent = f.in[0].bar.tangent;
  list_->push_back(task);
}

// ---- products ----------------------------------------------------------------------------------------------------

template <class T>
void Rules<T>::forward(const ham::Linear& op, const Frame& f) {
  product(f.in[0].x, f.in[1].x, f.in[2].x, f.out.x, f.out.count, [&](const Terms& terms, const T* start, T* y) {
    Product<T> p{.m = f.in[0].count / op.in, .n = op.out, .k = op.in};
    for (const auto& [x, w] : terms) p.terms[p.num_terms++] = {{x, op.in}, false, w, op.out, 1};
    p.c = y, p.start = start, p.c_row = op.out;
    add(p);
  });
}

template <class T>
void Rules<T>::reverse(const ham::Linear& op, const Frame& f) {
  const long m = f.in[0].count / op.in;
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const Terms& terms, const T* start, T* x) {
            Product<T> p{.m = m, .n = op.in, .k = op.out};
            for (const auto& [y, w] : terms) p.terms[p.num_terms++] = {{y, op.out}, false, w, 1, op.out};
            p.c = x, p.start = start, p.c_row = op.in;
            add(p);
          });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const Terms& terms, const T* start, T* w) {
            Product<T> p{.m = op.in, .n = op.out, .k = m};
            for (const auto& [x, y] : terms) p.terms[p.num_terms++] = {{x, op.in}, true, y, op.out, 1};
            p.c = w, p.start = start, p.c_row = op.out;
            add(p);
          });
  pass_on(f.out, f.in[2]);
}

namespace {

// C(m×n) = start + Σ A(m×k) B(k×n) for every sample and group.
template <class T>
Product<T> matrices(long rows, const ham::MatrixProduct& op, long m, long n, long k,
                    const std::vector<std::pair<const T*, const T*>>& terms, long size_a, ham::Factor a, long size_b,
                    ham::Factor b, T* c, long size_c, ham::Factor fc, const T* start) {
  Product<T> p{.m = m, .n = n, .k = k};
  for (const auto& [x, y] : terms)
    p.terms[p.num_terms++] = {{x, a.stride}, a.transposed, y, b.transposed ? 1 : b.stride, b.transposed ? b.stride : 1};
  p.c = c, p.start = start, p.c_row = fc.stride;
  p.batches = rows * op.groups, p.groups = op.groups;
  p.a_step = {size_a, a.group}, p.b_step = {size_b, b.group}, p.c_step = {size_c, fc.group};
  return p;
}

template <class T>
std::vector<std::pair<const T*, const T*>> swapped(const std::vector<std::pair<const T*, const T*>>& terms) {
  std::vector<std::pair<const T*, const T*>> result;
  for (const auto& [a, b] : terms) result.emplace_back(b, a);
  return result;
}

}  // namespace

template <class T>
void Rules<T>::forward(const ham::MatrixProduct& op, const Frame& f) {
  const ham::Factor c{op.m * op.n, op.n, false};
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count, [&](const Terms& terms, const T* start, T* z) {
    add(matrices<T>(f.rows, op, op.m, op.n, op.k, terms, op.size_a, op.a, op.size_b, op.b, z, op.groups * op.m * op.n,
                    c, start));
  });
}

// Ā = C̄ op(B)ᵀ, stored transposed when A is; B̄ = op(A)ᵀ C̄ likewise.
template <class T>
void Rules<T>::reverse(const ham::MatrixProduct& op, const Frame& f) {
  const ham::Factor c{op.m * op.n, op.n, false}, &a = op.a, &b = op.b;
  const long size_c = op.groups * op.m * op.n, m = op.m, n = op.n, k = op.k;
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const Terms& terms, const T* start, T* x) {
            add(a.transposed
                    ? matrices<T>(f.rows, op, k, m, n, swapped<T>(terms), op.size_b, b, size_c, turned(c), x, op.size_a,
                                  a, start)
                    : matrices<T>(f.rows, op, m, k, n, terms, size_c, c, op.size_b, turned(b), x, op.size_a, a, start));
          });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const Terms& terms, const T* start, T* y) {
            add(b.transposed
                    ? matrices<T>(f.rows, op, n, k, m, swapped<T>(terms), size_c, turned(c), op.size_a, a, y, op.size_b,
                                  b, start)
                    : matrices<T>(f.rows, op, k, n, m, terms, op.size_a, turned(a), size_c, c, y, op.size_b, b, start));
          });
}

template <class T>
void Rules<T>::forward(const ham::Diagonal& op, const Frame& f) {
  linear_map(f.in[0].x, f.out.x, [&](const T* x, T* y, bool tangent) {
    list_->push_back(Diagonals<T>{op.n, f.out.count, nullptr, x, tangent ? T(0) : static_cast<T>(op.value), y});
  });
}

template <class T>
void Rules<T>::reverse(const ham::Diagonal& op, const Frame& f) {
  const Dual start = start_of(f.in[0]);
  linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* x, bool tangent) {
    list_->push_back(Diagonals<T>{op.n, f.out.count, tangent ? start.tangent : start.value, y, T(0), x});
  });
}

template class Rules<float>;
template class Rules<double>;

}  // namespace gpu

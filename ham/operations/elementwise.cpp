#include "ham/operations/rules.h"

namespace ham {
namespace {

// The repeat pattern of one call: the batch belongs to the outer axis, or is one more repetition.
Repeat with_rows(Repeat repeat, bool repeats_batch, bool batched, long rows) {
  if (!batched) return repeat;
  if (repeats_batch)
    repeat.n *= rows;
  else
    repeat.outer *= rows;
  return repeat;
}

template <class T>
Repeat repeat_of(Repeat repeat, bool repeats_batch, const Operand<T>& a, long rows) {
  return with_rows(repeat, repeats_batch, a.count != repeat.outer * repeat.n * repeat.inner, rows);
}

}  // namespace

template <class T>
void Add::forward(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  const auto both = [&](const T* a, const T* b, T* y) {
    if (b != nullptr)
      kernels<T>().repeat_add(r, a, b, y);
    else if (a != nullptr)
      std::copy(a, a + f.out.count, y);
    else
      zero(y, f.out.count);
  };
  if (f.out.x.value != nullptr) both(f.in[0].x.value, f.in[1].x.value, f.out.x.value);
  if (f.out.x.tangent != nullptr) both(f.in[0].x.tangent, f.in[1].x.tangent, f.out.x.tangent);
}

template <class T>
void Add::reverse(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  pass_on(f.out, f.in[0]);
  begin(f.in[1]);
  linear_map(f.out.bar, f.in[1].bar, [&](const T* y, T* b) { kernels<T>().sum_add(r, y, b); });
}

template <class T>
void Multiply::forward(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count,
          [&](const T* a, const T* b, const T* start, T* y) { multiply_add(r, f.threads, start, a, b, y); });
}

template <class T>
void Multiply::reverse(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const T* y, const T* b, const T* start, T* a) { multiply_add(r, f.threads, start, y, b, a); });
  begin(f.in[1]);
  product(f.in[0].x, f.out.bar, f.in[1].bar, f.in[1].bar, f.in[1].count,
          [&](const T* a, const T* y, const T*, T* b) { multiply_sum_add(r, f.threads, a, y, b); });
}

template <class T>
void Sum::forward(Frame<T>& f) const {
  const Repeat r = with_rows(repeat, false, batched, f.rows);
  linear_map(f.in[0].x, f.out.x, [&](const T* x, T* y) {
    zero(y, f.out.count);
    kernels<T>().sum_add(r, x, y);
  });
}

template <class T>
void Sum::reverse(Frame<T>& f) const {
  const Repeat r = with_rows(repeat, false, batched, f.rows);
  const bool fresh = f.in[0].fresh;
  linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* x) { kernels<T>().repeat_add(r, fresh ? nullptr : x, y, x); });
}

template <class T>
void Dot::forward(Frame<T>& f) const {
  const Repeat r = with_rows(repeat, false, batched, f.rows);
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count, [&](const T* a, const T* b, const T* start, T* y) {
    if (start == nullptr) zero(y, f.out.count);
    multiply_sum_add(r, f.threads, a, b, y);
  });
}

template <class T>
void Dot::reverse(Frame<T>& f) const {
  const Repeat r = with_rows(repeat, false, batched, f.rows);
  for (int k = 0; k < 2; ++k)
    product(f.in[1 - k].x, f.out.bar, start_of(f.in[k]), f.in[k].bar, f.in[k].count,
            [&](const T* other, const T* y, const T* start, T* x) { multiply_add(r, f.threads, start, other, y, x); });
}

// ---- functions of one number -------------------------------------------------------------------------------------

template <class T>
void Map::forward(Frame<T>& f) const {
  const Dual<T> x = f.in[0].x, y = f.out.x;
  for (long i = 0; i < f.out.count; ++i) {
    if (y.value != nullptr) y.value[i] = static_cast<T>(function->value(x.value[i], parameter));
    if (y.tangent != nullptr)
      y.tangent[i] =
          x.tangent == nullptr ? T(0) : static_cast<T>(function->first(x.value[i], parameter)) * x.tangent[i];
  }
}

template <class T>
void Map::reverse(Frame<T>& f) const {
  begin(f.in[0]);
  const Dual<T> x = f.in[0].x, x_bar = f.in[0].bar, y_bar = f.out.bar;
  for (long i = 0; i < f.out.count; ++i) {
    const T slope = static_cast<T>(function->first(x.value[i], parameter));
    if (x_bar.value != nullptr && y_bar.value != nullptr) x_bar.value[i] += slope * y_bar.value[i];
    if (x_bar.tangent == nullptr) continue;
    if (y_bar.tangent != nullptr) x_bar.tangent[i] += slope * y_bar.tangent[i];
    if (x.tangent != nullptr && y_bar.value != nullptr)
      x_bar.tangent[i] += static_cast<T>(function->second(x.value[i], parameter)) * y_bar.value[i] * x.tangent[i];
  }
}

template void Add::forward(Frame<float>&) const;
template void Add::forward(Frame<double>&) const;
template void Add::reverse(Frame<float>&) const;
template void Add::reverse(Frame<double>&) const;
template void Multiply::forward(Frame<float>&) const;
template void Multiply::forward(Frame<double>&) const;
template void Multiply::reverse(Frame<float>&) const;
template void Multiply::reverse(Frame<double>&) const;
template void Sum::forward(Frame<float>&) const;
template void Sum::forward(Frame<double>&) const;
template void Sum::reverse(Frame<float>&) const;
template void Sum::reverse(Frame<double>&) const;
template void Dot::forward(Frame<float>&) const;
template void Dot::forward(Frame<double>&) const;
template void Dot::reverse(Frame<float>&) const;
template void Dot::reverse(Frame<double>&) const;
template void Map::forward(Frame<float>&) const;
template void Map::forward(Frame<double>&) const;
template void Map::reverse(Frame<float>&) const;
template void Map::reverse(Frame<double>&) const;

}  // namespace ham

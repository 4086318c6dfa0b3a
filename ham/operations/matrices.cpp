#include "ham/operations/rules.h"

namespace ham {
template <class T>
void Linear::forward(Frame<T>& f) const {
  const long m = f.in[0].count / in;
  product(f.in[0].x, f.in[1].x, f.in[2].x, f.out.x, f.out.count, [&](const T* x, const T* w, const T* start, T* y) {
    const T* packed = w == f.in[1].x.value ? f.in[1].packed : nullptr;
    kernels<T>().multiply({m, out, in, x, in, false, w, out, false, y, out, start, packed});
  });
}

template <class T>
void Linear::reverse(Frame<T>& f) const {
  const long m = f.in[0].count / in;
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const T* y, const T* w, const T* start, T* x) {
            const T* packed = w == f.in[1].x.value ? f.in[1].packed_turned : nullptr;
            kernels<T>().multiply({m, in, out, y, out, false, w, out, true, x, in, start, packed});
          });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const T* x, const T* y, const T* start, T* w) {
            kernels<T>().multiply({in, out, m, x, in, true, y, out, false, w, out, start});
          });
  pass_on(f.out, f.in[2]);
}

namespace {

// Runs C(m×n) = start + A(m×k) B(k×n) for every sample and group.
template <class T>
void for_each_matrix(long rows, long groups, long m, long n, long k, const T* a, long size_a, Factor fa, const T* b,
                     long size_b, Factor fb, T* c, long size_c, Factor fc, const T* start) {
  for (long row = 0; row < rows; ++row)
    for (long g = 0; g < groups; ++g)
      kernels<T>().multiply({m, n, k, a + row * size_a + g * fa.group, fa.stride, fa.transposed,
                             b + row * size_b + g * fb.group, fb.stride, fb.transposed, c + row * size_c + g * fc.group,
                             fc.stride, start == nullptr ? nullptr : start + row * size_c + g * fc.group});
}

Factor turned(Factor f) { return {f.group, f.stride, !f.transposed}; }

}  // namespace

template <class T>
void MatrixProduct::forward(Frame<T>& f) const {
  const Factor c{m * n, n, false};
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count, [&](const T* x, const T* y, const T* start, T* z) {
    for_each_matrix(f.rows, groups, m, n, k, x, size_a, a, y, size_b, b, z, groups * m * n, c, start);
  });
}

template <class T>
void MatrixProduct::reverse(Frame<T>& f) const {
  const Factor c{m * n, n, false};
  const long size_c = groups * m * n;
  // Ā = C̄ op(B)ᵀ, stored transposed when A is; B̄ = op(A)ᵀ C̄ likewise.
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const T* z, const T* y, const T* start, T* x) {
            if (a.transposed)
              for_each_matrix(f.rows, groups, k, m, n, y, size_b, b, z, size_c, turned(c), x, size_a, a, start);
            else
              for_each_matrix(f.rows, groups, m, k, n, z, size_c, c, y, size_b, turned(b), x, size_a, a, start);
          });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const T* x, const T* z, const T* start, T* y) {
            if (b.transposed)
              for_each_matrix(f.rows, groups, n, k, m, z, size_c, turned(c), x, size_a, a, y, size_b, b, start);
            else
              for_each_matrix(f.rows, groups, k, n, m, x, size_a, turned(a), z, size_c, c, y, size_b, b, start);
          });
}

template <class T>
void Diagonal::forward(Frame<T>& f) const {
  const auto copy = [&](const T* x, T* y, T diagonal) {
    std::copy(x, x + f.out.count, y);
    for (long matrix = 0; matrix < f.out.count; matrix += n * n)
      for (long i = 0; i < n; ++i) y[matrix + i * n + i] = diagonal;
  };
  if (f.out.x.value != nullptr) copy(f.in[0].x.value, f.out.x.value, static_cast<T>(value));
  if (f.out.x.tangent != nullptr) copy(f.in[0].x.tangent, f.out.x.tangent, T(0));
}

template <class T>
void Diagonal::reverse(Frame<T>& f) const {
  begin(f.in[0]);
  linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* x) {
    for (long at = 0; at < f.out.count; ++at)
      if ((at / n) % n != at % n) x[at] += y[at];
  });
}

template void Linear::forward(Frame<float>&) const;
template void Linear::forward(Frame<double>&) const;
template void Linear::reverse(Frame<float>&) const;
template void Linear::reverse(Frame<double>&) const;
template void MatrixProduct::forward(Frame<float>&) const;
template void MatrixProduct::forward(Frame<double>&) const;
template void MatrixProduct::reverse(Frame<float>&) const;
template void MatrixProduct::reverse(Frame<double>&) const;
template void Diagonal::forward(Frame<float>&) const;
template void Diagonal::forward(Frame<double>&) const;
template void Diagonal::reverse(Frame<float>&) const;
template void Diagonal::reverse(Frame<double>&) const;

}  // namespace ham

// The loops of ham/kernels.h. Included once per instruction set; everything here has internal linkage or lives in the
// set's own copy of Eigen, and nothing of the standard library's templates is instantiated.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "ham/kernels_sets.h"

namespace ham::HAM_KERNEL_SET {
namespace {

template <class T>
using Run = Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>>;
template <class T>
using ConstRun = Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>;

// ---- products ----------------------------------------------------------------------------------------------------

// Eigen's blocked product with packing buffers that outlive the call.
template <class T>
class Blocking : public Eigen::internal::level3_blocking<T, T> {
 public:
  Blocking(long rows, long columns, long depth) {
    this->m_mc = rows;
    this->m_nc = columns;
    this->m_kc = depth;
    Eigen::internal::computeProductBlockingSizes<T, T, 1>(this->m_kc, this->m_mc, this->m_nc, 1L);
    this->m_blockA = scratch<T>(Scratch::packed_a, this->m_mc * this->m_kc);
    this->m_blockB = scratch<T>(Scratch::packed_b, this->m_kc * this->m_nc);
  }
};

template <class T, int kLeft, int kRight>
void blocked(const Product<T>& p) {
  // Row-major C is the column-major transpose of op(B)ᵀ op(A)ᵀ.
  Blocking<T> blocking(p.n, p.m, p.k);
  Eigen::internal::general_matrix_matrix_product<long, T, kLeft, false, T, kRight, false, Eigen::ColMajor, 1>::run(
      p.n, p.m, p.k, p.b, p.ldb, p.a, p.lda, p.c, 1, p.ldc, T(1), blocking, nullptr);
}

template <class T>
void dense(const Product<T>& p) {
  using Eigen::ColMajor;
  using Eigen::RowMajor;
  if (p.transpose_b)
    p.transpose_a ? blocked<T, RowMajor, RowMajor>(p) : blocked<T, RowMajor, ColMajor>(p);
  else
    p.transpose_a ? blocked<T, ColMajor, RowMajor>(p) : blocked<T, ColMajor, ColMajor>(p);
}

// Whether most of a matrix's numbers are zeros, judged by some of its rows.
template <class T>
bool mostly_zeros(const T* x, long rows, long columns, long stride) {
  constexpr long kLooked = 32;
  const long every = rows > kLooked ? rows / kLooked : 1;
  long zeros = 0, seen = 0;
  for (long r = 0; r < rows; r += every, seen += columns) {
    int in_row = 0;
    for (long c = 0; c < columns; ++c) in_row += x[r * stride + c] == 0;
    zeros += in_row;
  }
  return 3 * zeros > 2 * seen;
}

// The nonzeros of op(A), row by row.
template <class T>
struct Nonzeros {
  long* begin;   // where each row starts; one more for the end
  long* cursor;  // for each row, where a pass over it stands
  std::int32_t* column;
  T* value;
};

// to[j, i] = from[i, j].
template <class T>
void turn(long rows, long columns, const T* from, long stride, T* to) {
  constexpr long kBlock = 16;
  for (long i0 = 0; i0 < rows; i0 += kBlock)
    for (long j0 = 0; j0 < columns; j0 += kBlock) {
      const long i1 = i0 + kBlock < rows ? i0 + kBlock : rows, j1 = j0 + kBlock < columns ? j0 + kBlock : columns;
      for (long j = j0; j < j1; ++j)
        for (long i = i0; i < i1; ++i) to[j * rows + i] = from[i * stride + j];
    }
}

template <class T>
Nonzeros<T> nonzeros(const Product<T>& p) {
  const long most = p.m * p.k + 1;
  Nonzeros<T> list{scratch<long>(Scratch::starts, 2 * p.m + 1), nullptr, scratch<std::int32_t>(Scratch::columns, most),
                   scratch<T>(Scratch::values, most)};
  list.cursor = list.begin + p.m + 1;
  const T* a = p.a;
  long lda = p.lda;
  if (p.transpose_a) {
    T* turned = scratch<T>(Scratch::turned, p.m * p.k);
    turn(p.k, p.m, p.a, p.lda, turned);
    a = turned;
    lda = p.k;
  }
  // Every number is written, and overwritten by the next when it was a zero: no branch to mispredict.
  long at = 0;
  for (long i = 0; i < p.m; ++i) {
    list.begin[i] = at;
    for (long j = 0; j < p.k; ++j) {
      const T x = a[i * lda + j];
      list.column[at] = static_cast<std::int32_t>(j);
      list.value[at] = x;
      at += x != 0;
    }
  }
  list.begin[p.m] = at;
  return list;
}

template <class T>
struct Wide {
  typedef T type __attribute__((vector_size(64), may_alias));
  static constexpr long kLanes = 64 / sizeof(T);
};

// kCount vectors of a row of C stay in registers while the row's nonzeros pass by; so many rows of B at a time that
// their aligned copy stays in the first-level cache.
template <class T, int kCount>
void skip_zeros_tile(long rows, long k, const Nonzeros<T>& a, const T* b, long ldb, T* c, long ldc) {
  using V = typename Wide<T>::type;
  constexpr long kLanes = Wide<T>::kLanes;
  constexpr long kBlock = 48 * 8 / kCount;
  T* const packed = scratch<T>(Scratch::packed_b, kBlock * kCount * kLanes);
  std::memcpy(a.cursor, a.begin, static_cast<std::size_t>(rows) * sizeof(long));
  for (long begin = 0; begin < k; begin += kBlock) {
    const long end = begin + kBlock < k ? begin + kBlock : k;
    for (long i = begin; i < end; ++i)
      std::memcpy(packed + (i - begin) * kCount * kLanes, b + i * ldb, kCount * sizeof(V));
    for (long r = 0; r < rows; ++r) {
      long at = a.cursor[r];
      const long last = a.begin[r + 1];
      if (at == last || a.column[at] >= end) continue;
      V sum[kCount];
      for (int w = 0; w < kCount; ++w) __builtin_memcpy(&sum[w], c + r * ldc + w * kLanes, sizeof(V));
      for (; at < last && a.column[at] < end; ++at) {
        const V* row = reinterpret_cast<const V*>(packed + (a.column[at] - begin) * kCount * kLanes);
        const T x = a.value[at];
        for (int w = 0; w < kCount; ++w) sum[w] += x * row[w];
      }
      for (int w = 0; w < kCount; ++w) __builtin_memcpy(c + r * ldc + w * kLanes, &sum[w], sizeof(V));
      a.cursor[r] = at;
    }
  }
}

template <class T>
void skip_zeros(const Product<T>& p) {
  const Nonzeros<T> a = nonzeros(p);
  const T* b = p.b;
  long ldb = p.ldb;
  if (p.transpose_b) {
    T* turned = scratch<T>(Scratch::turned, p.k * p.n);
    turn(p.n, p.k, p.b, p.ldb, turned);
    b = turned;
    ldb = p.n;
  }
  constexpr long kLanes = Wide<T>::kLanes;
  long j = 0;
  for (; j + 8 * kLanes <= p.n; j += 8 * kLanes) skip_zeros_tile<T, 8>(p.m, p.k, a, b + j, ldb, p.c + j, p.ldc);
  for (; j + 4 * kLanes <= p.n; j += 4 * kLanes) skip_zeros_tile<T, 4>(p.m, p.k, a, b + j, ldb, p.c + j, p.ldc);
  for (; j + kLanes <= p.n; j += kLanes) skip_zeros_tile<T, 1>(p.m, p.k, a, b + j, ldb, p.c + j, p.ldc);
  for (long r = 0; j < p.n && r < p.m; ++r)
    for (long at = a.begin[r]; at < a.begin[r + 1]; ++at)
      for (long i = j; i < p.n; ++i) p.c[r * p.ldc + i] += a.value[at] * b[a.column[at] * ldb + i];
}

template <class T>
void multiply(const Product<T>& p);

// C += (op(B)ᵀ op(A)ᵀ)ᵀ by way of a buffer.
template <class T>
void multiply_transposed(const Product<T>& p) {
  T* turned = scratch<T>(Scratch::product, p.m * p.n);
  multiply(Product<T>{p.n, p.m, p.k, p.b, p.ldb, !p.transpose_b, p.a, p.lda, !p.transpose_a, turned, p.m, false});
  constexpr long kBlock = 16;
  for (long i0 = 0; i0 < p.m; i0 += kBlock)
    for (long j0 = 0; j0 < p.n; j0 += kBlock)
      for (long i = i0; i < i0 + kBlock && i < p.m; ++i)
        for (long j = j0; j < j0 + kBlock && j < p.n; ++j) p.c[i * p.ldc + j] += turned[j * p.m + i];
}

template <class T>
void multiply(const Product<T>& p) {
  constexpr long kWorthLooking = 1 << 18;  // multiplications below which zeros are not worth a look
  constexpr long kNarrow = 24;             // columns below which Eigen's product leaves its vectors half empty
  if (!p.accumulate)
    for (long i = 0; i < p.m; ++i) std::memset(p.c + i * p.ldc, 0, static_cast<std::size_t>(p.n) * sizeof(T));
  if (p.m == 0 || p.n == 0 || p.k == 0) return;
  if (p.m * p.n * p.k > kWorthLooking && p.n >= 2 * kNarrow) {
    const bool a_sparse = p.transpose_a ? mostly_zeros(p.a, p.k, p.m, p.lda) : mostly_zeros(p.a, p.m, p.k, p.lda);
    if (a_sparse) return skip_zeros(p);
    const bool b_sparse = p.transpose_b ? mostly_zeros(p.b, p.n, p.k, p.ldb) : mostly_zeros(p.b, p.k, p.n, p.ldb);
    if (b_sparse && p.m >= 2 * kNarrow) return multiply_transposed(p);
  }
  if (p.n < kNarrow && p.m > p.n) return multiply_transposed(p);
  dense(p);
}

// ---- element by element ------------------------------------------------------------------------------------------

// A middle axis of length 1 makes both arrays one run.
Repeat merged(Repeat r) { return r.n == 1 ? Repeat{1, 1, r.outer * r.inner} : r; }

template <class T>
void repeat_add(Repeat r, const T* b, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      Run<T>(y + o * r.n, r.n) += b[o];
    else
      for (long k = 0; k < r.n; ++k)
        Run<T>(y + (o * r.n + k) * r.inner, r.inner) += ConstRun<T>(b + o * r.inner, r.inner);
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
void multiply_add(Repeat r, const T* a, const T* b, T* y) {
  r = merged(r);
  for (long o = 0; o < r.outer; ++o)
    if (r.inner == 1)
      Run<T>(y + o * r.n, r.n) += b[o] * ConstRun<T>(a + o * r.n, r.n);
    else
      for (long k = 0; k < r.n; ++k) {
        const long at = (o * r.n + k) * r.inner;
        Run<T>(y + at, r.inner) += ConstRun<T>(a + at, r.inner) * ConstRun<T>(b + o * r.inner, r.inner);
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

// ---- windows -----------------------------------------------------------------------------------------------------

// Calls visit(patch offset, input offset, numbers) for every part of a kernel row that lies inside the image.
template <class Visit>
void for_each_run(const Window& w, long oy, long ox, Visit visit) {
  const long x0 = ox * w.stride_width - w.padding_width;
  const long first = x0 < 0 ? -x0 : 0;
  const long last = x0 + w.kernel_width > w.width ? w.width - x0 : w.kernel_width;
  if (last <= first) return;
  for (long ky = 0; ky < w.kernel_height; ++ky) {
    const long y = oy * w.stride_height - w.padding_height + ky;
    if (y < 0 || y >= w.height) continue;
    visit((ky * w.kernel_width + first) * w.channels, (y * w.width + x0 + first) * w.channels,
          (last - first) * w.channels);
  }
}

bool padded(const Window& w) {
  return w.padding_height > 0 || w.padding_width > 0 ||
         (w.out_height - 1) * w.stride_height + w.kernel_height > w.height ||
         (w.out_width - 1) * w.stride_width + w.kernel_width > w.width;
}

template <class T>
void gather(const Window& w, long images, const T* x, T* patches) {
  if (padded(w)) std::memset(patches, 0, static_cast<std::size_t>(images * w.positions() * w.patch()) * sizeof(T));
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long oy = 0; oy < w.out_height; ++oy)
      for (long ox = 0; ox < w.out_width; ++ox, patches += w.patch())
        for_each_run(w, oy, ox, [&](long to, long from, long count) {
          std::memcpy(patches + to, x + from, static_cast<std::size_t>(count) * sizeof(T));
        });
}

template <class T>
void scatter_add(const Window& w, long images, const T* patches, T* x) {
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long oy = 0; oy < w.out_height; ++oy)
      for (long ox = 0; ox < w.out_width; ++ox, patches += w.patch())
        for_each_run(w, oy, ox, [&](long from, long to, long count) {
          for (long i = 0; i < count; ++i) x[to + i] += patches[from + i];
        });
}

// Calls visit(output offset, first input offset) for every window; offsets count from the image's own start.
template <class Visit>
void for_each_window(const Window& w, Visit visit) {
  for (long oy = 0; oy < w.out_height; ++oy)
    for (long ox = 0; ox < w.out_width; ++ox)
      visit((oy * w.out_width + ox) * w.channels,
            (oy * w.stride_height * w.width + ox * w.stride_width) * static_cast<long>(w.channels));
}

template <class T>
void max_pool(const Window& w, long images, const T* x, T* y) {
  for (long b = 0; b < images; ++b, x += w.input_size(), y += w.positions() * w.channels)
    for_each_window(w, [&](long out, long in) {
      std::memcpy(y + out, x + in, static_cast<std::size_t>(w.channels) * sizeof(T));
      for (int ky = 0; ky < w.kernel_height; ++ky)
        for (int kx = ky == 0; kx < w.kernel_width; ++kx) {
          const T* from = x + in + (static_cast<long>(ky) * w.width + kx) * w.channels;
          T* to = y + out;
          for (int c = 0; c < w.channels; ++c) to[c] = from[c] > to[c] ? from[c] : to[c];
        }
    });
}

// The first position that equals the maximum is the one picked: walking backwards, it is the last to write.
template <class T>
void max_pick(const Window& w, long images, const T* x, const T* y, const T* v, T* picked) {
  for (long b = 0; b < images; ++b, x += w.input_size(), v += w.input_size(), y += w.positions() * w.channels,
            picked += w.positions() * w.channels)
    for_each_window(w, [&](long out, long in) {
      for (int ky = w.kernel_height - 1; ky >= 0; --ky)
        for (int kx = w.kernel_width - 1; kx >= 0; --kx) {
          const long at = in + (static_cast<long>(ky) * w.width + kx) * w.channels;
          for (int c = 0; c < w.channels; ++c) picked[out + c] = x[at + c] == y[out + c] ? v[at + c] : picked[out + c];
        }
    });
}

// Walking forwards, what is to be given away is gone after the first position that equals the maximum.
template <class T>
void max_scatter(const Window& w, long images, const T* x, const T* y, const T* given, T* v) {
  T* left = scratch<T>(Scratch::group, w.channels);
  for (long b = 0; b < images; ++b, x += w.input_size(), v += w.input_size(), y += w.positions() * w.channels,
            given += w.positions() * w.channels)
    for_each_window(w, [&](long out, long in) {
      std::memcpy(left, given + out, static_cast<std::size_t>(w.channels) * sizeof(T));
      for (int ky = 0; ky < w.kernel_height; ++ky)
        for (int kx = 0; kx < w.kernel_width; ++kx) {
          const long at = in + (static_cast<long>(ky) * w.width + kx) * w.channels;
          for (int c = 0; c < w.channels; ++c) {
            const bool here = x[at + c] == y[out + c];
            v[at + c] += here ? left[c] : T(0);
            left[c] = here ? T(0) : left[c];
          }
        }
    });
}

// ---- updates -----------------------------------------------------------------------------------------------------

template <class T>
void descend(long n, T rate, const T* force, const T* rest, const T* free, T* x) {
  for (long i = 0; i < n; ++i) {
    const T pull = rest == nullptr ? force[i] : force[i] + rest[i];
    const T step = rate * (pull - x[i]);
    x[i] += free == nullptr ? step : free[i] * step;
  }
}

// Blocks of fixed size, the last one padded: Eigen's vector square root is not its scalar one, and loops of any size
// use the scalar one up to the first aligned number, so that results would depend on where the arrays stand.
template <class T>
void adamw(long n, const T* gradient, T rate, T beta1, T beta2, T correction1, T correction2, T epsilon, T decay,
           T* first, T* second, T* weights) {
  constexpr long kBlock = 64;
  using Block = Eigen::Array<T, kBlock, 1>;
  const auto step = [&](const T* gradient_at, T* first_at, T* second_at, T* weights_at) {
    const Eigen::Map<const Block> g(gradient_at);
    Eigen::Map<Block> m(first_at), s(second_at), w(weights_at);
    m = beta1 * m + (1 - beta1) * g;
    s = beta2 * s + (1 - beta2) * g.square();
    w = (1 - rate * decay) * w - (rate / correction1) * m / ((s / correction2).sqrt() + epsilon);
  };
  long i = 0;
  for (; i + kBlock <= n; i += kBlock) step(gradient + i, first + i, second + i, weights + i);
  if (i == n) return;
  const auto bytes = static_cast<std::size_t>(n - i) * sizeof(T);
  Block g = Block::Zero(), m = g, s = g, w = g;
  std::memcpy(g.data(), gradient + i, bytes);
  std::memcpy(m.data(), first + i, bytes);
  std::memcpy(s.data(), second + i, bytes);
  std::memcpy(w.data(), weights + i, bytes);
  step(g.data(), m.data(), s.data(), w.data());
  std::memcpy(first + i, m.data(), bytes);
  std::memcpy(second + i, s.data(), bytes);
  std::memcpy(weights + i, w.data(), bytes);
}

template <class T>
constexpr Kernels<T> kTable = {multiply<T>,    repeat_add<T>, sum_add<T>,     multiply_add<T>, multiply_sum_add<T>,
                               form<T>,        gather<T>,     scatter_add<T>, max_pool<T>,     max_pick<T>,
                               max_scatter<T>, descend<T>,    adamw<T>};

}  // namespace

const Kernels<float>& single() { return kTable<float>; }
const Kernels<double>& real() { return kTable<double>; }

}  // namespace ham::HAM_KERNEL_SET

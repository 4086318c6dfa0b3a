#include "ham/operations.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ham {
namespace {

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

// The product rule, for any map f(a, b, out, accumulate) that is linear in a and in b: out.value gets f(a, b) and
// out.tangent gets f(ȧ, b) + f(a, ḃ). With `fresh`, out is assigned.
template <class T, class F>
void product(Dual<T> a, Dual<T> b, Dual<T> out, bool fresh, long count, F f) {
  const auto into = [&](T* to, std::initializer_list<std::pair<T*, T*>> terms) {
    if (to == nullptr) return;
    bool first = fresh;
    for (const auto& [x, y] : terms) {
      if (x == nullptr || y == nullptr) continue;
      f(x, y, to, !first);
      first = false;
    }
    if (first) zero(to, count);
  };
  into(out.value, {{a.value, b.value}});
  into(out.tangent, {{a.tangent, b.value}, {a.value, b.tangent}});
}

// The same for a map of one array.
template <class T, class F>
void linear_map(Dual<T> a, Dual<T> out, F f) {
  if (a.value != nullptr && out.value != nullptr) f(a.value, out.value);
  if (a.tangent != nullptr && out.tangent != nullptr) f(a.tangent, out.tangent);
}

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

// ---- sums and products -------------------------------------------------------------------------------------------

template <class T>
void Add::forward(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  const auto both = [&](const T* a, const T* b, T* y) {
    if (a != nullptr)
      std::copy(a, a + f.out.count, y);
    else
      zero(y, f.out.count);
    if (b != nullptr) kernels<T>().repeat_add(r, b, y);
  };
  if (f.out.x.value != nullptr) both(f.in[0].x.value, f.in[1].x.value, f.out.x.value);
  if (f.out.x.tangent != nullptr) both(f.in[0].x.tangent, f.in[1].x.tangent, f.out.x.tangent);
}

template <class T>
void Add::reverse(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  if (f.in[0].bar.wanted()) {
    const bool fresh = f.in[0].fresh;
    linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* a) {
      if (fresh)
        std::copy(y, y + f.out.count, a);
      else
        kernels<T>().repeat_add({1, 1, f.out.count}, y, a);
    });
  }
  if (f.in[1].bar.wanted()) {
    begin(f.in[1]);
    linear_map(f.out.bar, f.in[1].bar, [&](const T* y, T* b) { kernels<T>().sum_add(r, y, b); });
  }
}

template <class T>
void Multiply::forward(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  product(f.in[0].x, f.in[1].x, f.out.x, true, f.out.count, [&](T* a, T* b, T* y, bool accumulate) {
    if (!accumulate) zero(y, f.out.count);
    kernels<T>().multiply_add(r, a, b, y);
  });
}

template <class T>
void Multiply::reverse(Frame<T>& f) const {
  const Repeat r = repeat_of(repeat, repeats_batch, f.in[0], f.rows);
  begin(f.in[0]);
  product(f.out.bar, f.in[1].x, f.in[0].bar, false, f.in[0].count,
          [&](T* y, T* b, T* a, bool) { kernels<T>().multiply_add(r, y, b, a); });
  begin(f.in[1]);
  product(f.in[0].x, f.out.bar, f.in[1].bar, false, f.in[1].count,
          [&](T* a, T* y, T* b, bool) { kernels<T>().multiply_sum_add(r, a, y, b); });
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
  begin(f.in[0]);
  linear_map(f.out.bar, f.in[0].bar, [&](const T* y, T* x) { kernels<T>().repeat_add(r, y, x); });
}

template <class T>
void Dot::forward(Frame<T>& f) const {
  product(f.in[0].x, f.in[1].x, f.out.x, true, f.out.count, [&](T* a, T* b, T* y, bool accumulate) {
    if (!accumulate) zero(y, f.out.count);
    kernels<T>().multiply_sum_add({f.rows, size, 1}, a, b, y);
  });
}

template <class T>
void Dot::reverse(Frame<T>& f) const {
  for (int k = 0; k < 2; ++k) {
    begin(f.in[k]);
    product(f.in[1 - k].x, f.out.bar, f.in[k].bar, false, f.in[k].count, [&](T* other, T* y, T* x, bool) {
      kernels<T>().multiply_add({f.rows, size, 1}, other, y, x);
    });
  }
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

// ---- matrices ----------------------------------------------------------------------------------------------------

template <class T>
void Linear::forward(Frame<T>& f) const {
  const long m = f.in[0].count / in;
  product(f.in[0].x, f.in[1].x, f.out.x, true, f.out.count, [&](T* x, T* w, T* y, bool accumulate) {
    kernels<T>().multiply({m, out, in, x, in, false, w, out, false, y, out, accumulate});
  });
}

template <class T>
void Linear::reverse(Frame<T>& f) const {
  const long m = f.in[0].count / in;
  product(f.out.bar, f.in[1].x, f.in[0].bar, f.in[0].fresh, f.in[0].count, [&](T* y, T* w, T* x, bool accumulate) {
    kernels<T>().multiply({m, in, out, y, out, false, w, out, true, x, in, accumulate});
  });
  product(f.in[0].x, f.out.bar, f.in[1].bar, f.in[1].fresh, f.in[1].count, [&](T* x, T* y, T* w, bool accumulate) {
    kernels<T>().multiply({in, out, m, x, in, true, y, out, false, w, out, accumulate});
  });
}

namespace {

// One factor's matrix, or its transpose.
struct View {
  long offset, stride;
  bool transposed;
};

// Runs C(m×n) (+)= A(m×k) B(k×n) for every sample and group.
template <class T>
void for_each_matrix(long rows, long groups, long m, long n, long k, const T* a, long size_a, Factor fa, const T* b,
                     long size_b, Factor fb, T* c, long size_c, Factor fc, bool accumulate) {
  for (long row = 0; row < rows; ++row)
    for (long g = 0; g < groups; ++g)
      kernels<T>().multiply({m, n, k, a + row * size_a + g * fa.group, fa.stride, fa.transposed,
                             b + row * size_b + g * fb.group, fb.stride, fb.transposed, c + row * size_c + g * fc.group,
                             fc.stride, accumulate});
}

Factor turned(Factor f) { return {f.group, f.stride, !f.transposed}; }

}  // namespace

template <class T>
void MatrixProduct::forward(Frame<T>& f) const {
  const Factor c{m * n, n, false};
  product(f.in[0].x, f.in[1].x, f.out.x, true, f.out.count, [&](T* x, T* y, T* z, bool accumulate) {
    for_each_matrix(f.rows, groups, m, n, k, x, size_a, a, y, size_b, b, z, groups * m * n, c, accumulate);
  });
}

template <class T>
void MatrixProduct::reverse(Frame<T>& f) const {
  const Factor c{m * n, n, false};
  const long size_c = groups * m * n;
  // Ā = C̄ op(B)ᵀ, stored transposed when A is; B̄ = op(A)ᵀ C̄ likewise.
  product(f.out.bar, f.in[1].x, f.in[0].bar, f.in[0].fresh, f.in[0].count, [&](T* z, T* y, T* x, bool accumulate) {
    if (a.transposed)
      for_each_matrix(f.rows, groups, k, m, n, y, size_b, b, z, size_c, turned(c), x, size_a, a, accumulate);
    else
      for_each_matrix(f.rows, groups, m, k, n, z, size_c, c, y, size_b, turned(b), x, size_a, a, accumulate);
  });
  product(f.in[0].x, f.out.bar, f.in[1].bar, f.in[1].fresh, f.in[1].count, [&](T* x, T* z, T* y, bool accumulate) {
    if (b.transposed)
      for_each_matrix(f.rows, groups, n, k, m, z, size_c, turned(c), x, size_a, a, y, size_b, b, accumulate);
    else
      for_each_matrix(f.rows, groups, k, n, m, x, size_a, turned(a), z, size_c, c, y, size_b, b, accumulate);
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

// ---- images ------------------------------------------------------------------------------------------------------

namespace {

// Calls body(first image, images) for blocks whose patches fit the cache.
template <class Body>
void for_each_block(const Window& window, long images, Body body) {
  constexpr long kPatchNumbers = 1 << 18;
  const long block = std::max(1L, kPatchNumbers / (window.positions() * window.patch()));
  for (long first = 0; first < images; first += block) body(first, std::min(block, images - first));
}

}  // namespace

template <class T>
void Convolution::forward(Frame<T>& f) const {
  const long positions = window.positions(), patch = window.patch();
  const auto& loops = kernels<T>();
  product(f.in[0].x, f.in[1].x, f.out.x, true, f.out.count, [&](T* x, T* kernel, T* y, bool accumulate) {
    for_each_block(window, f.rows, [&](long first, long images) {
      T* patches = scratch<T>(Scratch::patches, images * positions * patch);
      loops.gather(window, images, x + first * window.input_size(), patches);
      loops.multiply({images * positions, out_channels, patch, patches, patch, false, kernel, out_channels, false,
                      y + first * positions * out_channels, out_channels, accumulate});
    });
  });
}

template <class T>
void Convolution::reverse(Frame<T>& f) const {
  const long positions = window.positions(), patch = window.patch();
  const auto& loops = kernels<T>();
  begin(f.in[0]);
  product(f.out.bar, f.in[1].x, f.in[0].bar, false, f.in[0].count, [&](T* y, T* kernel, T* x, bool) {
    for_each_block(window, f.rows, [&](long first, long images) {
      T* patches = scratch<T>(Scratch::patches, images * positions * patch);
      loops.multiply({images * positions, patch, out_channels, y + first * positions * out_channels, out_channels,
                      false, kernel, out_channels, true, patches, patch, false});
      loops.scatter_add(window, images, patches, x + first * window.input_size());
    });
  });
  begin(f.in[1]);
  product(f.in[0].x, f.out.bar, f.in[1].bar, false, f.in[1].count, [&](T* x, T* y, T* kernel, bool) {
    for_each_block(window, f.rows, [&](long first, long images) {
      T* patches = scratch<T>(Scratch::patches, images * positions * patch);
      loops.gather(window, images, x + first * window.input_size(), patches);
      loops.multiply({patch, out_channels, images * positions, patches, patch, true,
                      y + first * positions * out_channels, out_channels, false, kernel, out_channels, true});
    });
  });
}

namespace {

// Calls visit(output index, input index) for every element of every window, the channels of one output together.
template <class Visit>
void for_each_element(const Window& w, long images, Visit visit) {
  const long in_size = w.input_size(), out_size = w.positions() * w.channels;
  for (long b = 0; b < images; ++b)
    for (long oy = 0; oy < w.out_height; ++oy)
      for (long ox = 0; ox < w.out_width; ++ox)
        for (long ky = 0; ky < w.kernel_height; ++ky)
          for (long kx = 0; kx < w.kernel_width; ++kx)
            for (long c = 0; c < w.channels; ++c)
              visit(b * out_size + (oy * w.out_width + ox) * w.channels + c,
                    b * in_size + ((oy * w.stride_height + ky) * w.width + ox * w.stride_width + kx) * w.channels + c);
}

// The share e^{β(x − y)} that an element has in its window's softmax, y = log(Σ e^{βx})/β.
template <class T>
T share(double beta, const T* x, const T* y, long in, long out) {
  return static_cast<T>(std::exp(beta * (static_cast<double>(x[in]) - static_cast<double>(y[out]))));
}

// w[out] = Σ share·v[in].
template <class T>
void softmax_mix(const Pool& pool, long rows, const T* x, const T* y, const T* v, T* w, long count) {
  zero(w, count);
  for_each_element(pool.window, rows, [&](long out, long in) { w[out] += share(pool.beta, x, y, in, out) * v[in]; });
}

template <class T>
void softmax_pool(const Pool& pool, long rows, const T* x, T* y, long count) {
  kernels<T>().max_pool(pool.window, rows, x, y);
  T* sum = scratch<T>(Scratch::first, count);
  zero(sum, count);
  for_each_element(pool.window, rows, [&](long out, long in) { sum[out] += share(pool.beta, x, y, in, out); });
  for (long i = 0; i < count; ++i) y[i] += static_cast<T>(std::log(sum[i]) / pool.beta);
}

}  // namespace

template <class T>
void Pool::forward(Frame<T>& f) const {
  const Dual<T> x = f.in[0].x, y = f.out.x;
  const long n = f.out.count;
  T* const top = y.value != nullptr ? y.value : scratch<T>(Scratch::third, n);  // the tangent needs it too
  const T mean = T(1) / static_cast<T>(window.kernel_height * window.kernel_width);
  switch (kind) {
    case PoolKind::max:
      kernels<T>().max_pool(window, f.rows, x.value, top);
      if (y.tangent != nullptr && x.tangent != nullptr)
        kernels<T>().max_pick(window, f.rows, x.value, top, x.tangent, y.tangent);
      return;
    case PoolKind::average:
      linear_map(x, y, [&](const T* from, T* to) {
        zero(to, n);
        for_each_element(window, f.rows, [&](long out, long in) { to[out] += mean * from[in]; });
      });
      return;
    case PoolKind::softmax:
      softmax_pool(*this, f.rows, x.value, top, n);
      if (y.tangent != nullptr && x.tangent != nullptr)
        softmax_mix(*this, f.rows, x.value, top, x.tangent, y.tangent, n);
      return;
  }
}

template <class T>
void Pool::reverse(Frame<T>& f) const {
  begin(f.in[0]);
  const Dual<T> x = f.in[0].x, y = f.out.x, x_bar = f.in[0].bar, y_bar = f.out.bar;
  const T mean = T(1) / static_cast<T>(window.kernel_height * window.kernel_width);
  const T heat = static_cast<T>(beta);
  switch (kind) {
    case PoolKind::max:
      linear_map(y_bar, x_bar,
                 [&](const T* from, T* to) { kernels<T>().max_scatter(window, f.rows, x.value, y.value, from, to); });
      return;
    case PoolKind::average:
      linear_map(y_bar, x_bar, [&](const T* from, T* to) {
        for_each_element(window, f.rows, [&](long out, long in) { to[in] += mean * from[out]; });
      });
      return;
    case PoolKind::softmax: {
      linear_map(y_bar, x_bar, [&](const T* from, T* to) {
        for_each_element(window, f.rows,
                         [&](long out, long in) { to[in] += share(beta, x.value, y.value, in, out) * from[out]; });
      });
      if (x_bar.tangent == nullptr || x.tangent == nullptr || y_bar.value == nullptr) return;
      T* mixed = scratch<T>(Scratch::first, f.out.count);
      softmax_mix(*this, f.rows, x.value, y.value, x.tangent, mixed, f.out.count);
      for_each_element(window, f.rows, [&](long out, long in) {
        x_bar.tangent[in] +=
            heat * share(beta, x.value, y.value, in, out) * (x.tangent[in] - mixed[out]) * y_bar.value[out];
      });
      return;
    }
  }
}

// ---- Lagrangians -------------------------------------------------------------------------------------------------

namespace {

// The operand's array with its runs made contiguous: itself, or a copy with the two last axes exchanged.
template <class T>
const T* runs_of(const T* x, long outer, long n, long inner, Scratch purpose) {
  if (x == nullptr || inner == 1) return x;
  T* runs = scratch<T>(purpose, outer * n * inner);
  for (long o = 0; o < outer; ++o)
    for (long i = 0; i < inner; ++i)
      for (long k = 0; k < n; ++k) runs[(o * inner + i) * n + k] = x[(o * n + k) * inner + i];
  return runs;
}

// Forms without a loop of their own: core's formula, run by run, in double precision.
template <class T>
void shaped(const core::Lagrangian& unit, const FormCall<T>& call) {
  double* numbers = scratch<double>(Scratch::third, 3 * call.n);
  const std::span<double> u(numbers, call.n), v(numbers + call.n, call.n), result(numbers + 2 * call.n, call.n);
  for (long k = 0; k < call.groups; ++k) {
    const long at = k * call.n;
    for (long i = 0; i < call.n; ++i) u[i] = static_cast<double>(call.beta * call.x[at + i]);
    if (call.g != nullptr) {
      unit.gradient(u, result);
      for (long i = 0; i < call.n; ++i) call.g[at + i] = static_cast<T>(result[i]);
    }
    if (call.hv != nullptr) {
      for (long i = 0; i < call.n; ++i) v[i] = static_cast<double>(call.beta * call.v[at + i]);
      unit.hessian_product(u, v, result);
      for (long i = 0; i < call.n; ++i) call.hv[at + i] = static_cast<T>(result[i]);
    }
    if (call.value != nullptr) call.value[k] = static_cast<T>(unit.value(u)) / call.beta;
  }
}

// The coefficients in force.
template <class T>
struct Coefficients {
  T beta = 1, gamma = 1;
  const T* delta = nullptr;  // one per element of a run when stride is 1, one for all when it is 0
  long delta_stride = 0;
  T fixed_delta = 0;
  bool beta_clipped = false;

  Coefficients(const LagrangianSum& sum, const Frame<T>& f) {
    const auto number = [&](const std::optional<Coefficient>& coefficient, int input, T missing) {
      if (!coefficient) return missing;
      return input > 0 ? f.in[input].x.value[0] : static_cast<T>(coefficient->initial);
    };
    const Lagrangian& lagrangian = sum.lagrangian;
    beta = number(lagrangian.beta, sum.beta_input, 1);
    beta_clipped = beta < static_cast<T>(Lagrangian::kMinBeta);
    if (beta_clipped) beta = static_cast<T>(Lagrangian::kMinBeta);
    gamma = number(lagrangian.gamma, sum.gamma_input, 1);
    fixed_delta = number(lagrangian.delta, 0, 0);
    delta = sum.delta_input > 0 ? f.in[sum.delta_input].x.value : &fixed_delta;
    delta_stride = sum.delta_input > 0 && !lagrangian.single_delta ? 1 : 0;
  }
  Coefficients(const Coefficients&) = delete;
  bool shifted() const { return delta_stride == 1 || delta[0] != 0; }
};

}  // namespace

// L = γ φ(βx)/β + δ·x and its derivative along the tangent, γ φ′·v + δ·v.
template <class T>
void LagrangianSum::forward(Frame<T>& f) const {
  const Coefficients<T> c(*this, f);
  const long groups = f.in[0].count / n, per_row = groups / f.rows;
  const T* x = runs_of(f.in[0].x.value, groups / inner, n, inner, Scratch::first);
  const T* v = runs_of(f.in[0].x.tangent, groups / inner, n, inner, Scratch::second);
  T* numbers = scratch<T>(Scratch::product, groups + groups * n);
  FormCall<T> call{lagrangian.form, lagrangian.power, c.beta, groups, n, x, v, nullptr, nullptr, nullptr};
  if (f.out.x.value != nullptr) call.value = numbers;
  if (f.out.x.tangent != nullptr && v != nullptr) call.g = numbers + groups;
  lagrangian.form == Form::shaped ? shaped(unit, call) : kernels<T>().form(call);
  for (long row = 0; row < f.rows; ++row) {
    T value = 0, tangent = 0;
    for (long k = row * per_row; k < (row + 1) * per_row; ++k) {
      if (call.value != nullptr) value += c.gamma * call.value[k];
      for (long i = 0; (call.g != nullptr || c.shifted()) && i < n; ++i) {
        const T shift = c.delta[i * c.delta_stride];
        value += shift * x[k * n + i];
        if (call.g != nullptr) tangent += (c.gamma * call.g[k * n + i] + shift) * v[k * n + i];
      }
    }
    if (f.out.x.value != nullptr) f.out.x.value[row] = value;
    if (f.out.x.tangent != nullptr) f.out.x.tangent[row] = tangent;
  }
}

// With s = out.bar (one number per sample): x̄ = s∇L, and from ∂L/∂β = (x·∇L − L)/β (δ left out), ∂L/∂γ = φ(βx)/β,
// ∂L/∂δ = x the rest; tangents are the derivatives of these along ẋ and ṡ.
template <class T>
void LagrangianSum::reverse(Frame<T>& f) const {
  const Coefficients<T> c(*this, f);
  Operand<T>& operand = f.in[0];
  const Dual<T> s = f.out.bar;
  const long groups = operand.count / n, per_row = groups / f.rows, size = groups * n;
  const bool unit_seed = s.tangent == nullptr && std::all_of(s.value, s.value + f.rows, [](T x) { return x == T(1); });
  const bool direct = unit_seed && operand.fresh && inner == 1 && c.gamma == T(1) && !c.shifted();
  const Dual<T> none;
  const Dual<T> beta_bar = beta_input > 0 && !c.beta_clipped ? f.in[beta_input].bar : none;
  const Dual<T> gamma_bar = gamma_input > 0 ? f.in[gamma_input].bar : none;
  const Dual<T> delta_bar = delta_input > 0 ? f.in[delta_input].bar : none;

  const T* x = runs_of(operand.x.value, groups / inner, n, inner, Scratch::first);
  const T* v = runs_of(operand.x.tangent, groups / inner, n, inner, Scratch::second);
  T* numbers = scratch<T>(Scratch::product, groups + 2 * size);
  FormCall<T> call{lagrangian.form, lagrangian.power, c.beta, groups, n, x, v, nullptr, nullptr, nullptr};
  const bool by_coefficients = beta_bar.wanted() || gamma_bar.wanted();
  if (operand.bar.value != nullptr || by_coefficients || s.tangent != nullptr)
    call.g = direct && operand.bar.value != nullptr ? operand.bar.value : numbers + groups;
  if (v != nullptr && (operand.bar.tangent != nullptr || beta_bar.tangent != nullptr))
    call.hv = direct && operand.bar.tangent != nullptr ? operand.bar.tangent : numbers + groups + size;
  if (by_coefficients && (beta_bar.value != nullptr || gamma_bar.value != nullptr || s.tangent != nullptr))
    call.value = numbers;
  lagrangian.form == Form::shaped ? shaped(unit, call) : kernels<T>().form(call);

  if (!direct) {
    begin(operand);
    for (long row = 0; row < f.rows; ++row)
      for (long k = row * per_row; k < (row + 1) * per_row; ++k)
        for (long i = 0; i < n; ++i) {
          const long from = k * n + i, to = inner == 1 ? from : ((k / inner) * n + i) * inner + k % inner;
          const T slope = call.g == nullptr ? T(0) : c.gamma * call.g[from] + c.delta[i * c.delta_stride];
          if (operand.bar.value != nullptr) operand.bar.value[to] += s.value[row] * slope;
          if (operand.bar.tangent == nullptr) continue;
          if (call.hv != nullptr) operand.bar.tangent[to] += s.value[row] * c.gamma * call.hv[from];
          if (s.tangent != nullptr) operand.bar.tangent[to] += s.tangent[row] * slope;
        }
  }
  if (!by_coefficients && !delta_bar.wanted()) return;

  for (long row = 0; row < f.rows; ++row) {
    const T weight = s.value[row], change = s.tangent == nullptr ? T(0) : s.tangent[row];
    T x_g = 0, x_hv = 0, v_g = 0, total = 0;  // sums over this sample's runs
    for (long k = row * per_row; k < (row + 1) * per_row; ++k) {
      const Repeat all{1, n, 1};
      if (call.g != nullptr) kernels<T>().multiply_sum_add(all, x + k * n, call.g + k * n, &x_g);
      if (call.hv != nullptr) kernels<T>().multiply_sum_add(all, x + k * n, call.hv + k * n, &x_hv);
      if (call.g != nullptr && v != nullptr) kernels<T>().multiply_sum_add(all, v + k * n, call.g + k * n, &v_g);
      if (call.value != nullptr) total += call.value[k];
      for (long i = 0; delta_bar.wanted() && i < n; ++i) {
        const long to = i * (lagrangian.single_delta ? 0 : 1), at = k * n + i;
        if (delta_bar.value != nullptr) delta_bar.value[to] += weight * x[at];
        if (delta_bar.tangent == nullptr) continue;
        if (v != nullptr) delta_bar.tangent[to] += weight * v[at];
        delta_bar.tangent[to] += change * x[at];
      }
    }
    const T by_beta = c.gamma * (x_g - total) / c.beta;
    if (beta_bar.value != nullptr) *beta_bar.value += weight * by_beta;
    if (beta_bar.tangent != nullptr) {
      *beta_bar.tangent += weight * c.gamma * x_hv / c.beta;
      if (s.tangent != nullptr) *beta_bar.tangent += change * by_beta;
    }
    if (gamma_bar.value != nullptr) *gamma_bar.value += weight * total;
    if (gamma_bar.tangent != nullptr) *gamma_bar.tangent += weight * v_g + change * total;
  }
}

template <class T>
void forward(const Operation& operation, Frame<T>& frame) {
  std::visit([&](const auto& op) { op.forward(frame); }, operation);
}

template <class T>
void reverse(const Operation& operation, Frame<T>& frame) {
  std::visit([&](const auto& op) { op.reverse(frame); }, operation);
}

template void forward<float>(const Operation&, Frame<float>&);
template void forward<double>(const Operation&, Frame<double>&);
template void reverse<float>(const Operation&, Frame<float>&);
template void reverse<double>(const Operation&, Frame<double>&);

}  // namespace ham

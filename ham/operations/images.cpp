#include <cmath>

#include "ham/operations/rules.h"

namespace ham {
namespace {

// Calls body(first image, images) for blocks whose patches fit the cache.
template <class Body>
void for_each_block(const Window& window, long images, Body body) {
  constexpr long kPatchNumbers = 1 << 18;
  const long block = std::max(1L, kPatchNumbers / (window.positions() * window.patch()));
  for (long first = 0; first < images; first += block) body(first, std::min(block, images - first));
}

// y = start + the correlation of some images with the kernel.
template <class T>
void correlate(const Convolution& c, long images, const T* x, const T* kernel, const T* start, T* y) {
  const long rows = images * c.window.positions(), patch = c.window.patch();
  T* patches = scratch<T>(Scratch::patches, rows * patch);
  kernels<T>().gather(c.window, images, x, patches);
  kernels<T>().multiply(
      {rows, c.out_channels, patch, patches, patch, false, kernel, c.out_channels, false, y, c.out_channels, start});
}

// Its transposes: x += …, kernel += ….
template <class T>
void correlate_to_image(const Convolution& c, long images, const T* y, const T* kernel, T* x) {
  const long rows = images * c.window.positions(), patch = c.window.patch();
  T* patches = scratch<T>(Scratch::patches, rows * patch);
  kernels<T>().multiply(
      {rows, patch, c.out_channels, y, c.out_channels, false, kernel, c.out_channels, true, patches, patch, nullptr});
  kernels<T>().scatter_add(c.window, images, patches, x);
}

template <class T>
void correlate_to_kernel(const Convolution& c, long images, const T* x, const T* y, T* kernel) {
  const long rows = images * c.window.positions(), patch = c.window.patch();
  T* patches = scratch<T>(Scratch::patches, rows * patch);
  kernels<T>().gather(c.window, images, x, patches);
  kernels<T>().multiply(
      {patch, c.out_channels, rows, patches, patch, true, y, c.out_channels, false, kernel, c.out_channels, kernel});
}

}  // namespace

template <class T>
void Convolution::forward(Frame<T>& f) const {
  const long size = window.positions() * out_channels;
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count, [&](const T* x, const T* kernel, const T* start, T* y) {
    for_each_block(window, f.rows, [&](long first, long images) {
      correlate(*this, images, x + first * window.input_size(), kernel,
                start == nullptr ? nullptr : start + first * size, y + first * size);
    });
  });
}

template <class T>
void Convolution::reverse(Frame<T>& f) const {
  const long size = window.positions() * out_channels;
  begin(f.in[0]);
  product(f.out.bar, f.in[1].x, f.in[0].bar, f.in[0].bar, f.in[0].count,
          [&](const T* y, const T* kernel, const T*, T* x) {
            for_each_block(window, f.rows, [&](long first, long images) {
              correlate_to_image(*this, images, y + first * size, kernel, x + first * window.input_size());
            });
          });
  begin(f.in[1]);
  product(f.in[0].x, f.out.bar, f.in[1].bar, f.in[1].bar, f.in[1].count,
          [&](const T* x, const T* y, const T*, T* kernel) {
            for_each_block(window, f.rows, [&](long first, long images) {
              correlate_to_kernel(*this, images, x + first * window.input_size(), y + first * size, kernel);
            });
          });
}

// ---- of which only the maxima are wanted -------------------------------------------------------------------------

// Values need the whole correlation, a block of images at a time; f.kept says where the maxima were, and all the rest
// happens there only.
template <class T>
void MaxConvolution::forward(Frame<T>& f) const {
  const auto& loops = kernels<T>();
  const Window& window = convolution.window;
  if (f.out.x.value != nullptr) {
    std::int32_t* const places = scratch<std::int32_t>(Scratch::picks, window.positions());
    for (int oy = 0; oy < window.out_height; ++oy)
      for (int ox = 0; ox < window.out_width; ++ox) places[oy * window.out_width + ox] = window.patch_begin(oy, ox);
    for_each_block(window, f.rows, [&](long first, long images) {
      T* whole = scratch<T>(Scratch::first, images * pool.input_size());
      correlate<T>(convolution, images, f.in[0].x.value + first * window.input_size(), f.in[1].x.value, nullptr, whole);
      loops.max_pool(pool, images, whole, f.out.x.value + first * kept(), f.kept + first * kept(), places);
    });
  }
  product(f.in[0].x, f.in[1].x, {}, {nullptr, f.out.x.tangent}, f.out.count,
          [&](const T* x, const T* kernel, const T* start, T* y) {
            constexpr long kThinPatch = 64;  // shorter ones take less time in a dense product than one by one
            if (start == nullptr) zero(y, f.out.count);
            if (window.patch() > kThinPatch)
              return loops.correlate_picked({window, pool}, f.rows, f.kept, x, kernel, y);
            for_each_block(window, f.rows, [&](long first, long images) {
              T* whole = scratch<T>(Scratch::first, images * pool.input_size());
              correlate<T>(convolution, images, x + first * window.input_size(), kernel, nullptr, whole);
              loops.take_picked({window, pool}, images, f.kept + first * kept(), whole, y + first * kept());
            });
          });
}

template <class T>
void MaxConvolution::reverse(Frame<T>& f) const {
  const Picked picked = {convolution.window, pool};
  begin(f.in[0]);
  product(f.out.bar, f.in[1].x, f.in[0].bar, f.in[0].bar, f.in[0].count,
          [&](const T* y, const T* kernel, const T*, T* x) {
            kernels<T>().correlate_picked_to_image(picked, f.rows, f.kept, y, kernel, x);
          });
  begin(f.in[1]);
  product(f.in[0].x, f.out.bar, f.in[1].bar, f.in[1].bar, f.in[1].count,
          [&](const T* x, const T* y, const T*, T* kernel) {
            kernels<T>().correlate_picked_to_kernel(picked, f.rows, f.kept, x, y, kernel);
          });
}

// ---- pooling -----------------------------------------------------------------------------------------------------

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
  kernels<T>().max_pool(pool.window, rows, x, y, scratch<std::int32_t>(Scratch::picks, count), nullptr);
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
      if (y.value != nullptr) kernels<T>().max_pool(window, f.rows, x.value, y.value, f.kept, nullptr);
      if (y.tangent != nullptr && x.tangent != nullptr) kernels<T>().take(window, f.rows, f.kept, x.tangent, y.tangent);
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
      linear_map(y_bar, x_bar, [&](const T* from, T* to) { kernels<T>().give(window, f.rows, f.kept, from, to); });
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

template void Convolution::forward(Frame<float>&) const;
template void Convolution::forward(Frame<double>&) const;
template void Convolution::reverse(Frame<float>&) const;
template void Convolution::reverse(Frame<double>&) const;
template void MaxConvolution::forward(Frame<float>&) const;
template void MaxConvolution::forward(Frame<double>&) const;
template void MaxConvolution::reverse(Frame<float>&) const;
template void MaxConvolution::reverse(Frame<double>&) const;
template void Pool::forward(Frame<float>&) const;
template void Pool::forward(Frame<double>&) const;
template void Pool::reverse(Frame<float>&) const;
template void Pool::reverse(Frame<double>&) const;

}  // namespace ham

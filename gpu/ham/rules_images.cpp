// Rules of convolutions and pools.
#include "gpu/ham/rules.h"

#include <stdexcept>

namespace gpu {
namespace {

Pooling pooling_of(ham::PoolKind kind) {
  switch (kind) {
    case ham::PoolKind::max:
      return Pooling::max;
    case ham::PoolKind::average:
      return Pooling::average;
    case ham::PoolKind::softmax:
      return Pooling::softmax;
  }
  throw std::logic_error("pool");
}

}  // namespace

template <class T>
void Rules<T>::correlate(const ham::Convolution& c, long images, const Terms& terms, const T* start, T* y) {
  Product<T> p{.m = images * c.window.positions(), .n = c.out_channels, .k = c.window.patch()};
  for (const auto& [x, kernel] : terms)
    p.terms[p.num_terms++] = {{x, 0, true, c.window}, false, kernel, c.out_channels, 1};
  p.c = y, p.start = start, p.c_row = c.out_channels;
  add(p);
}

template <class T>
void Rules<T>::correlate_to_image(const ham::Convolution& c, long images, const Terms& terms, const T* start, T* x) {
  Product<T> p{.m = images * c.window.positions(), .n = c.window.patch(), .k = c.out_channels};
  for (const auto& [y, kernel] : terms)
    p.terms[p.num_terms++] = {{y, c.out_channels}, false, kernel, 1, c.out_channels};
  T* const patches = memory_.template scratch<T>(kPatches, p.m * p.n);
  p.c = patches, p.c_row = p.n;
  add(p);
  list_->push_back(Fold<T>{c.window, images, patches, start, x});
}

template <class T>
void Rules<T>::correlate_to_kernel(const ham::Convolution& c, long images, const Terms& terms, const T* start,
                                   T* kernel) {
  Product<T> p{.m = c.window.patch(), .n = c.out_channels, .k = images * c.window.positions()};
  for (const auto& [x, y] : terms) p.terms[p.num_terms++] = {{x, 0, true, c.window}, true, y, c.out_channels, 1};
  p.c = kernel, p.start = start, p.c_row = c.out_channels;
  add(p);
}

template <class T>
void Rules<T>::forward(const ham::Convolution& op, const Frame& f) {
  product(f.in[0].x, f.in[1].x, {}, f.out.x, f.out.count,
          [&](const Terms& terms, const T* start, T* y) { correlate(op, f.rows, terms, start, y); });
}

template <class T>
void Rules<T>::reverse(const ham::Convolution& op, const Frame& f) {
  product(f.out.bar, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count,
          [&](const Terms& terms, const T* start, T* x) { correlate_to_image(op, f.rows, terms, start, x); });
  product(f.in[0].x, f.out.bar, start_of(f.in[1]), f.in[1].bar, f.in[1].count,
          [&](const Terms& terms, const T* start, T* w) { correlate_to_kernel(op, f.rows, terms, start, w); });
}

// Every position is computed: products on tensor cores are cheaper than looking only at what won.
template <class T>
void Rules<T>::forward(const ham::MaxConvolution& op, const Frame& f) {
  T* const dense = memory_.template scratch<T>(kDense, f.rows * op.pool.input_size());
  if (f.out.x.value != nullptr) {
    correlate(op.convolution, f.rows, {{f.in[0].x.value, f.in[1].x.value}}, nullptr, dense);
    list_->push_back(
        PoolForward<T>{.window = op.pool, .images = f.rows, .x = dense, .y = f.out.x.value, .picks = f.kept});
  }
  product(
      f.in[0].x, f.in[1].x, {}, {nullptr, f.out.x.tangent}, f.out.count, [&](const Terms& terms, const T* start, T* y) {
        correlate(op.convolution, f.rows, terms, nullptr, dense);
        list_->push_back(PoolForward<T>{
            .window = op.pool, .images = f.rows, .x = dense, .start = start, .y = y, .picks = f.kept, .given = true});
      });
}

template <class T>
const T* Rules<T>::spread(const ham::MaxConvolution& op, const Frame& f, const T* y, Purpose purpose) {
  if (y == nullptr) return nullptr;
  T* const dense = memory_.template scratch<T>(purpose, f.rows * op.pool.input_size());
  list_->push_back(PoolReverse<T>{.window = op.pool, .images = f.rows, .y = y, .picks = f.kept, .x = dense});
  return dense;
}

template <class T>
void Rules<T>::reverse(const ham::MaxConvolution& op, const Frame& f) {
  const ham::Operand<T>&image = f.in[0], &kernel = f.in[1];
  const bool tangents = image.bar.tangent != nullptr || kernel.bar.tangent != nullptr;
  const bool values = image.bar.value != nullptr || kernel.bar.value != nullptr ||
                      (image.bar.tangent != nullptr && kernel.x.tangent != nullptr) ||
                      (kernel.bar.tangent != nullptr && image.x.tangent != nullptr);
  const Dual y = {const_cast<T*>(values ? spread(op, f, f.out.bar.value, kDense) : nullptr),
                  const_cast<T*>(tangents ? spread(op, f, f.out.bar.tangent, kDenseTangent) : nullptr)};
  product(y, f.in[1].x, start_of(f.in[0]), f.in[0].bar, f.in[0].count, [&](const Terms& terms, const T* start, T* x) {
    correlate_to_image(op.convolution, f.rows, terms, start, x);
  });
  product(f.in[0].x, y, start_of(f.in[1]), f.in[1].bar, f.in[1].count, [&](const Terms& terms, const T* start, T* w) {
    correlate_to_kernel(op.convolution, f.rows, terms, start, w);
  });
}

template <class T>
void Rules<T>::forward(const ham::Pool& op, const Frame& f) {
  PoolForward<T> task{.kind = pooling_of(op.kind),
                      .window = op.window,
                      .images = f.rows,
                      .beta = static_cast<T>(op.beta),
                      .picks = f.kept};
  if (f.out.x.value != nullptr) {
    task.x = f.in[0].x.value, task.y = f.out.x.value;
    list_->push_back(task);
  }
  if (f.out.x.tangent == nullptr || f.in[0].x.tangent == nullptr) return;
  task.y = f.out.x.tangent;
  if (op.kind == ham::PoolKind::softmax)
    task.x = f.in[0].x.value, task.v = f.in[0].x.tangent;
  else
    task.x = f.in[0].x.tangent, task.given = true;
  list_->push_back(task);
}

template <class T>
void Rules<T>::reverse(const ham::Pool& op, const Frame& f) {
  const Dual start = start_of(f.in[0]), x = f.in[0].x, bar = f.in[0].bar, y = f.out.bar;
  PoolReverse<T> task{.kind = pooling_of(op.kind),
                      .window = op.window,
                      .images = f.rows,
                      .beta = static_cast<T>(op.beta),
                      .picks = f.kept};
  task.input = x.value, task.top = f.out.x.value;
  linear_map(y, bar, [&](const T* from, T* to, bool tangent) {
    task.y = from, task.x = to, task.start = tangent ? start.tangent : start.value;
    list_->push_back(task);
  });
  if (op.kind != ham::PoolKind::softmax || bar.tangent == nullptr || x.tangent == nullptr || y.value == nullptr) return;
  T* const mixed = memory_.template scratch<T>(kMixed, f.out.count);
  list_->push_back(PoolForward<T>{.kind = Pooling::softmax,
                                  .window = op.window,
                                  .images = f.rows,
                                  .beta = static_cast<T>(op.beta),
                                  .x = x.value,
                                  .v = x.tangent,
                                  .y = mixed});
  task.v = x.tangent, task.mixed = mixed;
  task.y = y.value, task.x = bar.tangent;
  task.start = y.tangent != nullptr ? bar.tangent : start.tangent;
  list_->push_back(task);
}

template void Rules<float>::forward(const ham::Convolution&, const Frame&);
template void Rules<float>::reverse(const ham::Convolution&, const Frame&);
template void Rules<float>::forward(const ham::MaxConvolution&, const Frame&);
template void Rules<float>::reverse(const ham::MaxConvolution&, const Frame&);
template void Rules<float>::forward(const ham::Pool&, const Frame&);
template void Rules<float>::reverse(const ham::Pool&, const Frame&);
template void Rules<double>::forward(const ham::Convolution&, const Frame&);
template void Rules<double>::reverse(const ham::Convolution&, const Frame&);
template void Rules<double>::forward(const ham::MaxConvolution&, const Frame&);
template void Rules<double>::reverse(const ham::MaxConvolution&, const Frame&);
template void Rules<double>::forward(const ham::Pool&, const Frame&);
template void Rules<double>::reverse(const ham::Pool&, const Frame&);

}  // namespace gpu

#include "gpu/ham/tasks.h"

#include <algorithm>

namespace gpu {
namespace {

int blocks_for(long count, long each) { return static_cast<int>((count + each - 1) / each); }
Shape by_number(long count, std::size_t shared = 0) { return {blocks_for(count, kRowThreads), kRowThreads, shared}; }

template <class T, class Tile>
Shape tiles(const Product<T>& p) {
  return {static_cast<int>(blocks_for(p.m, Tile::kRows) * blocks_for(p.n, Tile::kColumns) * p.parts * p.batches),
          Tile::kThreads, Tile::kShared};
}
template <class T>
Shape shape(const Product<T>& p) {
  return p.large ? tiles<T, typename Product<T>::Large>(p) : tiles<T, typename Product<T>::Small>(p);
}
template <class T>
Shape shape(const Reduce<T>& r) {
  if (r.few()) return by_number(r.repeat.outer * r.repeat.inner);
  const long blocks =
      r.narrow() ? r.repeat.outer * r.repeat.inner : r.repeat.outer * blocks_for(r.repeat.inner, Reduce<T>::kLanes);
  return {static_cast<int>(blocks * r.parts), kRowThreads, kRowThreads * sizeof(T)};
}
template <class T>
Shape shape(const LagrangianRows<T>& l) {
  if (l.by_number()) return by_number(l.rows * l.runs * l.n);
  const long pieces = l.phi < Phi::softmax ? (l.runs * l.n + kWarp - 1) / kWarp : l.runs;
  const long warps = std::min<long>(8, pieces);
  return {static_cast<int>(l.rows), static_cast<int>(warps) * kWarp, warps * 6 * sizeof(T)};
}
template <class T>
Shape shape(const Combine<T>& c) {
  return by_number(c.repeat.outer * c.repeat.n * c.repeat.inner);
}
template <class T>
Shape shape(const CrossEntropy<T>& loss) {
  return by_number(loss.rows);
}
template <class T>
Shape shape(const Squares<T>& squares) {
  return {blocks_for(squares.count, Squares<T>::kNumbers), kRowThreads, kRowThreads * sizeof(double)};
}
template <class T>
Shape shape(const Quotient<T>&) {
  return {1, kWarp, 0};
}
Shape shape(const Verdict&) { return {1, kRowThreads, kRowThreads * sizeof(double)}; }
Shape shape(const Advance&) { return {1, kWarp, 0}; }
template <class Body>
requires requires(const Body& body) { body.count(); }
Shape shape(const Body& body) { return by_number(body.count()); }
template <class Body>
Shape shape(const Body& body) {
  return by_number(body.count);
}

}  // namespace

template <class T>
Shape shape_of(const Task<T>& task) {
  return std::visit([](const auto& body) { return shape(body); }, static_cast<const TaskOf<T>&>(task));
}

template Shape shape_of(const Task<float>&);
template Shape shape_of(const Task<double>&);

}  // namespace gpu

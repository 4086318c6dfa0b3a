// Arrays with a shape: what goes into and comes out of a network.
#pragma once

#include <string>
#include <vector>

namespace ham {

/// Lengths of the axes, first axis slowest (row-major); an empty shape is a single number.
using Shape = std::vector<int>;

/// The number of elements, 1 for an empty shape.
long count(const Shape& shape);

/// `28x28x1`, `()` for a single number.
std::string text(const Shape& shape);

/// A dense row-major array. States have the batch as their first axis.
template <class T>
struct Tensor {
  Shape shape;
  std::vector<T> values;

  Tensor() = default;
  /// All elements `fill`.
  explicit Tensor(Shape lengths, T fill = 0) : shape(std::move(lengths)), values(count(shape), fill) {}
  Tensor(Shape lengths, std::vector<T> numbers) : shape(std::move(lengths)), values(std::move(numbers)) {}
  long size() const { return static_cast<long>(values.size()); }
};

/// One state per layer, each of shape (batch, layer shape…).
template <class T>
using States = std::vector<Tensor<T>>;

}  // namespace ham

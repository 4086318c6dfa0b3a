// What is computed once for a whole batch: products of the clamped layers with their weights, and weights' gradients
// that are one product over all samples and steps; each cut into tiles of a fixed size, on all threads.
#pragma once

#include <functional>
#include <vector>

#include "ham/engine/lane.h"

namespace ham {

/// Large products on several threads. Tiles depend on the shapes alone, and so do the numbers.
template <class T>
class TiledProducts {
 public:
  /// Rows and columns of C that are one thread's at a time.
  struct Tile {
    long index, row, rows, column, columns;
  };
  /// C = start + op(A)·op(B); `done`, when given, is called for every tile of C that is complete.
  void multiply(Product<T> product, int threads, const std::function<void(const Tile&)>& done = {});
  /// The most tiles of an m×n product.
  static long most_tiles(long m, long n);

 private:
  Numbers<T> turned_{nullptr, [](T*) {}};
  long turned_room_ = 0;
  std::vector<std::byte> lists_;
};

template <class T>
class WholeBatch {
 public:
  WholeBatch(const Program& program, bool training) : program_(program), training_(training) {}

  /// Makes room for batches of at least so many samples, and for what such steps store.
  void take(long rows);
  void store(const Unrolled& unrolled);
  const BatchArrays<T>& arrays() const { return arrays_; }

  /// The instructions of scope batch that are no layer's.
  void forward(const Constants<T>& constants, int threads);
  void reverse(const Unrolled& unrolled, const Constants<T>& constants, int threads);
  /// Adds to (or begins) the gradients of constants at Slot::offset.
  void gradients(const Unrolled& unrolled, const Constants<T>& constants, T* gradient, int threads);

 private:
  const Linear& map(int node) const { return std::get<Linear>(nodes()[node].operation); }
  const std::vector<Node>& nodes() const { return program_.network->graph().nodes(); }
  void outer(const Instruction& instruction, int runs, T* gradient, int threads);
  void along_beta(int layer, const Constants<T>& constants, T* gradient, int threads);
  T* number(const Constants<T>& constants, int node) const;

  const Program& program_;
  bool training_;
  long room_ = 0;
  BatchArrays<T> arrays_;
  Numbers<T> memory_{nullptr, [](T*) {}};
  T* product_ = nullptr;  // a tangent's product with weights
  TiledProducts<T> products_;
  std::vector<T> sums_;
};

}  // namespace ham

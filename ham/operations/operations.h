// The tensor operations alignments are made of. Each has one forward and one reverse rule, and both carry tangents.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "ham/kernels/kernels.h"
#include "ham/network/lagrangian.h"

namespace ham {

/// A number array with its derivative along some direction; a null pointer is an array of zeros, or one not asked for.
template <class T>
struct Dual {
  T* value = nullptr;
  T* tangent = nullptr;
  bool wanted() const { return value != nullptr || tangent != nullptr; }
};

/// An operand of an operation: its numbers x, and bar, the derivative of the end result by x.
template <class T>
struct Operand {
  Dual<T> x;
  Dual<T> bar;
  const T* packed = nullptr;         ///< x.value packed for products with it, if it is
  const T* packed_turned = nullptr;  ///< … for products with its transpose
  long count = 0;                    ///< elements, the batch included
  bool fresh = false;                ///< bar holds nothing yet: assign instead of add
};

/// What an operation works on: `rows` samples, up to four inputs and one output.
template <class T>
struct Frame {
  static constexpr int kMaxInputs = 4;
  long rows = 0;
  std::array<Operand<T>, kMaxInputs> in;
  Operand<T> out;
  int threads = 1;  ///< that loops over large arrays of one sample may use; the numbers do not depend on it
  std::int32_t* kept = nullptr;  ///< what the last forward pass that computed values left for the others
};

// Every operation is a value with
//   forward(frame): out.x from in[·].x, value and tangent;
//   reverse(frame): in[·].bar += (∂out/∂in)ᵀ out.bar, value and tangent.
// The reverse rule on tangents is what makes a Hessian product: with bar = ∇F, its tangent is ∇²F times the direction.

/// An array that is given: an activation or a parameter.
struct Leaf {
  template <class T>
  void forward(Frame<T>&) const {}
  template <class T>
  void reverse(Frame<T>&) const {}
};

/// a + b, b repeated along an axis. `n` counts per sample when both carry the batch.
struct Add {
  Repeat repeat;
  bool repeats_batch;  ///< b has no batch axis, a has
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// a ∘ b, b repeated along an axis.
struct Multiply {
  Repeat repeat;
  bool repeats_batch;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// Sum over an axis.
struct Sum {
  Repeat repeat;
  bool batched;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// Σ a ∘ b over an axis, or over all of a sample.
struct Dot {
  Repeat repeat;
  bool batched;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// A function of one number and a parameter, with its first two derivatives.
struct ScalarFunction {
  const char* name;
  double (*value)(double x, double parameter);
  double (*first)(double x, double parameter);
  double (*second)(double x, double parameter);
};

/// f(x), element by element.
struct Map {
  const ScalarFunction* function;
  double parameter;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// x W over the last axis of x, `in` numbers become `out`; plus the third input if there is one.
struct Linear {
  long in, out;
  /// The products with the weights, or with their transpose: all but the other factor and the result.
  template <class T>
  Product<T> products_with(const T* w, bool turned) const {
    return {0, turned ? in : out, turned ? out : in, nullptr, 0, false, w, out, turned, nullptr, 0, nullptr};
  }
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// One factor of a MatrixProduct inside its array: element (g, i, j) of the stored matrices is at g·group + i·stride +
/// j.
struct Factor {
  long group, stride;
  bool transposed;
};

/// For every sample and group: C = op(A) op(B), m×k times k×n.
struct MatrixProduct {
  long groups, m, n, k;
  Factor a, b;
  long size_a, size_b;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// Square matrices with their diagonals set to a constant.
struct Diagonal {
  long n;
  double value;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// Correlation of (height, width, channels) images with a (kernel height, kernel width, channels, out) kernel.
struct Convolution {
  Window window;
  int out_channels;
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// The convolution of which max-pooling is all that is wanted: `pool` slides over its output.
struct MaxConvolution {
  Convolution convolution;
  Window pool;
  /// Integers per sample that forward keeps: which position each maximum was at.
  long kept() const { return pool.positions() * pool.channels; }
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// max: the largest number; average: the mean; softmax: log(Σ e^{βx})/β, whose gradient is softmax(βx).
enum class PoolKind { max, average, softmax };

/// One number per window and channel. Of equal maxima the first, row by row, is the one with a gradient.
struct Pool {
  Window window;
  PoolKind kind;
  double beta;
  long kept() const { return kind == PoolKind::max ? window.positions() * window.channels : 0; }
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

/// Σ L(x) over runs along an axis, one number per sample; inputs are x and then the learned coefficients.
struct LagrangianSum {
  Lagrangian lagrangian;
  core::Lagrangian unit;  ///< φ on runs of n numbers
  long outer, n, inner;
  int beta_input = 0, gamma_input = 0, delta_input = 0;  ///< 0: not learned
  template <class T>
  void forward(Frame<T>&) const;
  template <class T>
  void reverse(Frame<T>&) const;
};

using Operation = std::variant<Leaf, Add, Multiply, Sum, Dot, Map, Linear, MatrixProduct, Diagonal, Convolution,
                               MaxConvolution, Pool, LagrangianSum>;

/// Integers per sample that forward keeps for reverse in Frame::kept.
long kept_numbers(const Operation& operation);

/// The rules of whichever operation it is, for float and double.
template <class T>
void forward(const Operation& operation, Frame<T>& frame);
template <class T>
void reverse(const Operation& operation, Frame<T>& frame);

}  // namespace ham

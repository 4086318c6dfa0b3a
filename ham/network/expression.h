// The language alignments are written in: tensor expressions, recorded once and run many times.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ham/operations/operations.h"
#include "ham/tensor.h"

namespace ham {

/// How a parameter starts: a constant, normal numbers, or flax's lecun_normal (a normal cut at two standard deviations,
/// variance 1/fan_in).
struct Initial {
  enum class Kind { constant, normal, lecun_normal } kind = Kind::constant;
  double value = 0;  ///< the constant, the standard deviation, or fan_in
};
Initial constant(double value);
Initial normal(double standard_deviation);
Initial lecun_normal(long fan_in);

/// A learnable array; all of a network's stand one after the other in one run of numbers.
struct Parameter {
  std::string name;
  Shape shape;
  Initial initial;
  int node;
  long offset;
  long size() const { return count(shape); }
};

/// One recorded operation.
struct Node {
  Operation operation;
  std::vector<int> inputs;
  long size;     ///< elements, per sample when batched
  bool batched;  ///< one array per sample, or one for all
};

class Graph;

/// An array in an expression; its shape leaves the batch axis out.
struct Value {
  Graph* graph = nullptr;
  int node = -1;
  Shape shape;
  bool batched = false;
  long size() const { return count(shape); }
};

/// Recorded operations, inputs before what is made of them.
class Graph {
 public:
  /// An activation of this shape, one per sample.
  Value activation(const Shape& shape);
  /// A new parameter; throws std::invalid_argument when the name is taken.
  Value parameter(const std::string& name, const Shape& shape, Initial initial);
  Value record(Operation operation, std::span<const Value> inputs, Shape shape, bool batched);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  long num_parameters() const;

 private:
  std::vector<Node> nodes_;
  std::vector<Parameter> parameters_;
};

/// Where an alignment gets its parameters: names are prefixed by the synapse's, and a shared synapse gets the same
/// parameters again.
class Scope {
 public:
  Scope(Graph& graph, std::string prefix) : graph_(&graph), prefix_(std::move(prefix)) {}
  Value parameter(const std::string& name, const Shape& shape, Initial initial);
  /// Parameters for the learned coefficients of a Lagrangian on runs of n numbers, `beta`, `gamma` and `delta` with
  /// this suffix; in the order LagrangianSum takes them.
  std::vector<Value> coefficients(const Lagrangian& lagrangian, int n, const std::string& suffix = "");
  const std::string& prefix() const { return prefix_; }

 private:
  Graph* graph_;
  std::string prefix_;
};

/// What a synapse is: a function of its layers' activations to one number per sample, the alignment F; its energy is
/// −F.
using Alignment = std::function<Value(Scope& scope, std::span<const Value> activations)>;

// All of these throw std::invalid_argument that names the operation and the shapes when shapes do not fit.

/// a + b and a ∘ b. b may miss axes of a, or have length 1 there, as long as those axes are next to each other.
Value operator+(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator*(double factor, const Value& a);
Value operator+(const Value& a, double number);
/// a − b, −a and a / b; b fits a as in a + b.
Value operator-(const Value& a, const Value& b);
Value operator-(const Value& a);
Value operator/(const Value& a, const Value& b);
/// Sum over one axis (counted from the end when negative), kept with length 1.
Value sum(const Value& a, int axis);
/// Sum of all elements, one number per sample.
Value sum(const Value& a);
/// Σ a ∘ b, one number per sample; a and b have the same number of elements.
Value dot(const Value& a, const Value& b);
/// Σ a ∘ b over one axis (counted from the end when negative), kept with length 1; a and b have the same shape.
Value dot(const Value& a, const Value& b, int axis);
/// Element by element.
Value power(const Value& a, double exponent);
Value exp(const Value& a);
Value log(const Value& a);
Value tanh(const Value& a);
Value relu(const Value& a);
/// The larger of both, b + relu(a − b); of equal ones b has the gradient.
Value max(const Value& a, const Value& b);
/// The same elements in another shape.
Value reshape(const Value& a, const Shape& shape);
Value flatten(const Value& a);
/// x W over the last axis of x, and start + x W; W is (in, out).
Value linear(const Value& x, const Value& w);
Value linear(const Value& x, const Value& w, const Value& start);
/// Σ_i a_ij… v_i: the first axis of a with all elements of v.
Value contract(const Value& a, const Value& v);
/// (T, a) and (T, b) to (a, b): Σ_t a_t b_tᵀ.
Value outer(const Value& a, const Value& b);
/// (queries, heads, z) and (keys, heads, z) to (heads, queries, keys): the scalar products.
Value scores(const Value& queries, const Value& keys);
/// (…, n, n) matrices with their diagonals set to a constant.
Value with_diagonal(const Value& matrices, double value);
/// Correlation of an (H, W, C) image with a (kh, kw, C, out) kernel; padding counts zeros per side. A `crop` keeps only
/// that many output rows and columns.
struct ConvolutionOptions {
  int stride_height = 1, stride_width = 1, padding_height = 0, padding_width = 0;
  int crop_height = 0, crop_width = 0;  ///< 0: all
};
Value convolution(const Value& image, const Value& kernel, const ConvolutionOptions& options);
/// Pooling of an (H, W, C) image; windows that do not fit are left out.
struct PoolOptions {
  PoolKind kind = PoolKind::max;
  int height = 2, width = 2, stride_height = 2, stride_width = 2;
  double beta = 1;  ///< of softmax pooling
};
Value pool(const Value& image, const PoolOptions& options);
/// The max-pooled convolution, pool(convolution(image, kernel, options), pooling), in less time and memory.
Value max_convolution(const Value& image, const Value& kernel, const ConvolutionOptions& options,
                      const PoolOptions& pooling);
/// Σ L(x), one number per sample.
Value lagrangian(const Value& x, const Lagrangian& lagrangian, std::span<const Value> coefficients);
/// The output length of a window that slides along an axis; 0 when it does not fit.
int window_count(int length, int kernel, int stride, int padding);

/// The operation of Σ L(x) on arrays of this shape, and the length of its runs.
LagrangianSum lagrangian_sum(const Shape& shape, const Lagrangian& lagrangian);

}  // namespace ham

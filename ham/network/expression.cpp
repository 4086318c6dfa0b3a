#include "ham/network/expression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace ham {
namespace {

[[noreturn]] void fail(const std::string& operation, const std::string& what) {
  throw std::invalid_argument(operation + ": " + what);
}

std::string shapes(const Value& a, const Value& b) { return text(a.shape) + " and " + text(b.shape); }

// Lengths before, at and after an axis.
Repeat split(const Shape& shape, int axis) {
  Repeat r{1, shape[axis], 1};
  for (int i = 0; i < axis; ++i) r.outer *= shape[i];
  for (int i = axis + 1; i < static_cast<int>(shape.size()); ++i) r.inner *= shape[i];
  return r;
}

int checked_axis(const std::string& operation, const Shape& shape, int axis) {
  const int rank = static_cast<int>(shape.size()), index = axis < 0 ? axis + rank : axis;
  if (index < 0 || index >= rank)
    fail(operation, "axis " + std::to_string(axis) + " of an array of shape " + text(shape));
  return index;
}

// How b is repeated to fit a: the axes where b has length 1 (or none) are one block.
Repeat repetition(const std::string& operation, const Value& a, const Value& b) {
  const auto mismatch = [&] { fail(operation, "shapes " + shapes(a, b) + " do not fit"); };
  if (b.shape.size() > a.shape.size() || (b.batched && !a.batched)) mismatch();
  const std::size_t missing = a.shape.size() - b.shape.size();
  Repeat r{1, 1, 1};
  enum { before, inside, after } part = before;
  for (std::size_t i = 0; i < a.shape.size(); ++i) {
    const int length = a.shape[i], given = i < missing ? 1 : b.shape[i - missing];
    if (length == 1 && given == 1) continue;
    if (given == length) {
      if (part == inside) part = after;
      (part == before ? r.outer : r.inner) *= length;
    } else if (given == 1 && part != after) {
      part = inside;
      r.n *= length;
    } else {
      mismatch();
    }
  }
  if (a.batched && !b.batched) {  // the batch is one more repetition, in front
    if (part == before) std::swap(r.outer, r.inner);
    if (r.outer != 1) mismatch();
  }
  return r;
}

const ScalarFunction kPower = {"power", [](double x, double p) { return std::pow(x, p); },
                               [](double x, double p) { return p * std::pow(x, p - 1); },
                               [](double x, double p) { return p * (p - 1) * std::pow(x, p - 2); }};
const ScalarFunction kExp = {"exp", [](double x, double) { return std::exp(x); },
                             [](double x, double) { return std::exp(x); },
                             [](double x, double) { return std::exp(x); }};
const ScalarFunction kLog = {"log", [](double x, double) { return std::log(x); },
                             [](double x, double) { return 1 / x; }, [](double x, double) { return -1 / (x * x); }};
const ScalarFunction kTanh = {"tanh", [](double x, double) { return std::tanh(x); },
                              [](double x, double) { return 1 - std::tanh(x) * std::tanh(x); },
                              [](double x, double) { return -2 * std::tanh(x) * (1 - std::tanh(x) * std::tanh(x)); }};
const ScalarFunction kRelu = {"relu", [](double x, double) { return std::max(x, 0.0); },
                              [](double x, double) { return x > 0 ? 1.0 : 0.0; }, [](double, double) { return 0.0; }};
const ScalarFunction kScale = {"scale", [](double x, double factor) { return factor * x; },
                               [](double, double factor) { return factor; }, [](double, double) { return 0.0; }};
const ScalarFunction kShift = {"shift", [](double x, double number) { return x + number; },
                               [](double, double) { return 1.0; }, [](double, double) { return 0.0; }};

Value map(const ScalarFunction& function, double parameter, const Value& a) {
  return a.graph->record(Map{&function, parameter}, {{a}}, a.shape, a.batched);
}

Shape linear_shape(const Value& x, const Value& w) {
  if (x.shape.empty() || w.shape.size() != 2 || w.batched || x.shape.back() != w.shape[0])
    fail("linear", "shapes " + shapes(x, w) + " do not fit; the weights are (last axis of x, out)");
  Shape shape = x.shape;
  shape.back() = w.shape[1];
  return shape;
}

Convolution convolution_of(const Value& image, const Value& kernel, const ConvolutionOptions& o) {
  const Shape &x = image.shape, &k = kernel.shape;
  if (x.size() != 3 || k.size() != 4 || x[2] != k[2] || kernel.batched || !image.batched)
    fail("convolution", "shapes " + shapes(image, kernel) + " do not fit; they are (H, W, C) and (kh, kw, C, out)");
  Window window{x[0], x[1], x[2], k[0], k[1], o.stride_height, o.stride_width, o.padding_height, o.padding_width, 0, 0};
  window.out_height = window_count(x[0], k[0], o.stride_height, o.padding_height);
  window.out_width = window_count(x[1], k[1], o.stride_width, o.padding_width);
  if (window.positions() == 0) fail("convolution", "a kernel " + text(k) + " does not fit an image " + text(x));
  if (o.crop_height > 0) window.out_height = std::min(window.out_height, o.crop_height);
  if (o.crop_width > 0) window.out_width = std::min(window.out_width, o.crop_width);
  return {window, k[3]};
}

Window pool_window(const Shape& x, const PoolOptions& o) {
  Window window{x[0], x[1], x[2], o.height, o.width, o.stride_height, o.stride_width, 0, 0, 0, 0};
  window.out_height = window_count(x[0], o.height, o.stride_height, 0);
  window.out_width = window_count(x[1], o.width, o.stride_width, 0);
  if (window.positions() == 0) fail("pool", "a window does not fit an image " + text(x));
  return window;
}

// What a window that slides over an image leaves.
Shape output_shape(const Window& window, int channels) { return {window.out_height, window.out_width, channels}; }

}  // namespace

Initial constant(double value) { return {Initial::Kind::constant, value}; }
Initial normal(double standard_deviation) { return {Initial::Kind::normal, standard_deviation}; }
Initial lecun_normal(long fan_in) { return {Initial::Kind::lecun_normal, static_cast<double>(fan_in)}; }

Value Graph::activation(const Shape& shape) { return record(Leaf{}, {}, shape, true); }

Value Graph::parameter(const std::string& name, const Shape& shape, Initial initial) {
  for (const Parameter& other : parameters_)
    if (other.name == name) fail("parameter '" + name + "'", "the name is taken");
  const Value value = record(Leaf{}, {}, shape, false);
  parameters_.push_back({name, shape, initial, value.node, num_parameters()});
  return value;
}

Value Graph::record(Operation operation, std::span<const Value> inputs, Shape shape, bool batched) {
  constexpr long kMostElements = std::numeric_limits<int>::max();  // so that every product of lengths is one too
  long elements = 1;
  for (const int length : shape)
    if ((elements *= length) > kMostElements)
      fail("expression",
           "an array of shape " + text(shape) + " has more than " + std::to_string(kMostElements) + " elements");
  Node node{std::move(operation), {}, elements, batched};
  for (const Value& input : inputs) {
    if (input.graph != this) throw std::invalid_argument("expression: an operand belongs to another network");
    node.inputs.push_back(input.node);
  }
  nodes_.push_back(std::move(node));
  return {this, static_cast<int>(nodes_.size()) - 1, std::move(shape), batched};
}

long Graph::num_parameters() const {
  return parameters_.empty() ? 0 : parameters_.back().offset + parameters_.back().size();
}

Value Scope::parameter(const std::string& name, const Shape& shape, Initial initial) {
  const std::string full = prefix_ + "." + name;
  for (const Parameter& known : graph_->parameters()) {
    if (known.name != full) continue;
    if (known.shape != shape)
      fail("parameter '" + full + "'",
           "shape " + text(known.shape) + " in one connection and " + text(shape) + " in another");
    return {graph_, known.node, shape, false};
  }
  return graph_->parameter(full, shape, initial);
}

std::vector<Value> Scope::coefficients(const Lagrangian& lagrangian, int n, const std::string& suffix) {
  std::vector<Value> values;
  const auto add = [&](const char* name, const std::optional<Coefficient>& coefficient, const Shape& shape) {
    if (coefficient && coefficient->learned)
      values.push_back(parameter(name + suffix, shape, constant(coefficient->initial)));
  };
  add("beta", lagrangian.beta, {});
  add("gamma", lagrangian.gamma, {});
  add("delta", lagrangian.delta, lagrangian.single_delta ? Shape{} : Shape{n});
  return values;
}

Value operator+(const Value& a, const Value& b) {
  return a.graph->record(Add{repetition("a + b", a, b), a.batched && !b.batched}, {{a, b}}, a.shape, a.batched);
}

Value operator*(const Value& a, const Value& b) {
  return a.graph->record(Multiply{repetition("a * b", a, b), a.batched && !b.batched}, {{a, b}}, a.shape, a.batched);
}

Value operator*(double factor, const Value& a) { return map(kScale, factor, a); }
Value operator+(const Value& a, double number) { return map(kShift, number, a); }
Value operator-(const Value& a, const Value& b) { return a + -b; }
Value operator-(const Value& a) { return -1.0 * a; }
Value operator/(const Value& a, const Value& b) { return a * power(b, -1); }

Value sum(const Value& a, int axis) {
  const int index = checked_axis("sum", a.shape, axis);
  Shape shape = a.shape;
  shape[index] = 1;
  return a.graph->record(Sum{split(a.shape, index), a.batched}, {{a}}, shape, a.batched);
}

Value sum(const Value& a) { return a.graph->record(Sum{{1, a.size(), 1}, a.batched}, {{a}}, {}, a.batched); }

Value dot(const Value& a, const Value& b) {
  if (a.size() != b.size() || !a.batched || !b.batched) fail("dot", "shapes " + shapes(a, b) + " do not fit");
  return a.graph->record(Dot{{1, a.size(), 1}, true}, {{a, b}}, {}, true);
}

Value dot(const Value& a, const Value& b, int axis) {
  if (a.shape != b.shape || a.batched != b.batched) fail("dot", "shapes " + shapes(a, b) + " do not fit");
  const int index = checked_axis("dot", a.shape, axis);
  Shape shape = a.shape;
  shape[index] = 1;
  return a.graph->record(Dot{split(a.shape, index), a.batched}, {{a, b}}, shape, a.batched);
}

Value power(const Value& a, double exponent) { return map(kPower, exponent, a); }
Value exp(const Value& a) { return map(kExp, 0, a); }
Value log(const Value& a) { return map(kLog, 0, a); }
Value tanh(const Value& a) { return map(kTanh, 0, a); }
Value relu(const Value& a) { return map(kRelu, 0, a); }
Value max(const Value& a, const Value& b) { return relu(a - b) + b; }

Value reshape(const Value& a, const Shape& shape) {
  if (count(shape) != a.size()) fail("reshape", text(a.shape) + " to " + text(shape));
  Value result = a;
  result.shape = shape;
  return result;
}

Value flatten(const Value& a) { return reshape(a, {static_cast<int>(a.size())}); }

Value linear(const Value& x, const Value& w) {
  const Shape shape = linear_shape(x, w);
  return x.graph->record(Linear{w.shape[0], w.shape[1]}, {{x, w}}, shape, x.batched);
}

Value linear(const Value& x, const Value& w, const Value& start) {
  const Shape shape = linear_shape(x, w);
  if (start.shape != shape || start.batched != x.batched)
    fail("linear", "a start of shape " + text(start.shape) + " for a product of shape " + text(shape));
  return x.graph->record(Linear{w.shape[0], w.shape[1]}, {{x, w, start}}, shape, x.batched);
}

Value contract(const Value& a, const Value& v) {
  if (a.shape.empty() || a.shape[0] != v.size() || !a.batched || !v.batched)
    fail("contract", "shapes " + shapes(a, v) + " do not fit; the first axis of a is contracted with v");
  const Shape rest(a.shape.begin() + 1, a.shape.end());
  const long m = count(rest), k = v.size();
  return a.graph->record(MatrixProduct{1, 1, m, k, {0, k, false}, {0, m, false}, k, m * k}, {{v, a}}, rest, true);
}

Value outer(const Value& a, const Value& b) {
  if (a.shape.size() != 2 || b.shape.size() != 2 || a.shape[0] != b.shape[0] || !a.batched || !b.batched)
    fail("outer", "shapes " + shapes(a, b) + " do not fit; both are (tokens, features)");
  const long t = a.shape[0], m = a.shape[1], n = b.shape[1];
  return a.graph->record(MatrixProduct{1, m, n, t, {0, m, true}, {0, n, false}, t * m, t * n}, {{a, b}},
                         {a.shape[1], b.shape[1]}, true);
}

Value scores(const Value& queries, const Value& keys) {
  const Shape &q = queries.shape, &k = keys.shape;
  if (q.size() != 3 || k.size() != 3 || q[1] != k[1] || q[2] != k[2] || !queries.batched || !keys.batched)
    fail("scores", "shapes " + shapes(queries, keys) + " do not fit; both are (tokens, heads, z)");
  const long heads = q[1], z = q[2], stride = heads * z;
  return queries.graph->record(
      MatrixProduct{heads, q[0], k[0], z, {z, stride, false}, {z, stride, true}, queries.size(), keys.size()},
      {{queries, keys}}, {q[1], q[0], k[0]}, true);
}

Value with_diagonal(const Value& matrices, double value) {
  const Shape& shape = matrices.shape;
  if (shape.size() < 2 || shape[shape.size() - 2] != shape.back())
    fail("with_diagonal", "shape " + text(shape) + " is not that of square matrices");
  return matrices.graph->record(Diagonal{shape.back(), value}, {{matrices}}, shape, matrices.batched);
}

int window_count(int length, int kernel, int stride, int padding) {
  const int room = length + 2 * padding - kernel;
  return room < 0 ? 0 : room / stride + 1;
}

Value convolution(const Value& image, const Value& kernel, const ConvolutionOptions& options) {
  const Convolution operation = convolution_of(image, kernel, options);
  return image.graph->record(operation, {{image, kernel}}, output_shape(operation.window, operation.out_channels),
                             true);
}

Value max_convolution(const Value& image, const Value& kernel, const ConvolutionOptions& options,
                      const PoolOptions& pooling) {
  const Convolution whole = convolution_of(image, kernel, options);
  const Window window = pool_window(output_shape(whole.window, whole.out_channels), pooling);
  return image.graph->record(MaxConvolution{whole, window}, {{image, kernel}}, output_shape(window, whole.out_channels),
                             true);
}

Value pool(const Value& image, const PoolOptions& options) {
  const Shape& x = image.shape;
  if (x.size() != 3 || !image.batched) fail("pool", "shape " + text(x) + " is not (H, W, C)");
  const Window window = pool_window(x, options);
  return image.graph->record(Pool{window, options.kind, options.beta}, {{image}}, output_shape(window, x[2]), true);
}

LagrangianSum lagrangian_sum(const Shape& shape, const Lagrangian& lagrangian) {
  LagrangianSum result{lagrangian, {}, 1, count(shape), 1};
  if (lagrangian.axis != Lagrangian::kWhole && !shape.empty()) {
    const Repeat runs = split(shape, checked_axis("lagrangian " + lagrangian.name, shape, lagrangian.axis));
    result.outer = runs.outer;
    result.n = runs.n;
    result.inner = runs.inner;
  }
  const bool elementwise = lagrangian.form != Form::softmax && lagrangian.form != Form::shaped;
  if (elementwise) result.outer = result.inner = 1, result.n = count(shape);
  result.unit = lagrangian.unit(static_cast<int>(result.n));
  int next = 1;
  for (const auto& [coefficient, input] :
       {std::pair{&lagrangian.beta, &result.beta_input}, std::pair{&lagrangian.gamma, &result.gamma_input},
        std::pair{&lagrangian.delta, &result.delta_input}})
    if (*coefficient && (*coefficient)->learned) *input = next++;
  return result;
}

Value lagrangian(const Value& x, const Lagrangian& lagrangian, std::span<const Value> coefficients) {
  if (!x.batched) fail("lagrangian", "its argument does not depend on any layer");
  const LagrangianSum operation = lagrangian_sum(x.shape, lagrangian);
  std::vector<Value> inputs = {x};
  inputs.insert(inputs.end(), coefficients.begin(), coefficients.end());
  for (const Value& coefficient : coefficients)
    if (coefficient.batched) fail("lagrangian", "a coefficient depends on a layer");
  const int expected = 1 + (operation.beta_input > 0) + (operation.gamma_input > 0) + (operation.delta_input > 0);
  if (static_cast<int>(inputs.size()) != expected)
    fail("lagrangian " + lagrangian.name,
         std::to_string(inputs.size() - 1) + " coefficients given, " + std::to_string(expected - 1) + " learned");
  return x.graph->record(operation, inputs, {}, true);
}

}  // namespace ham

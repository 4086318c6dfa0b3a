#include "ham/network/alignment_functions.h"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace ham {
namespace {

const Value& array_of(const Thing& thing) {
  if (const Value* value = std::get_if<Value>(&thing)) return *value;
  throw std::invalid_argument("a Lagrangian is no array; lagrangian(x, NAME) makes a number of it");
}

/// Whether b has to be the first of two that are to fit each other.
bool larger(const Value& b, const Value& a) {
  if (a.batched != b.batched) return b.batched;
  return b.size() != a.size() ? b.size() > a.size() : b.shape.size() > a.shape.size();
}

/// Σ a ∘ b over all, or over an axis.
Value product_sum(const Arguments& given) {
  const Value &a = given.array(0), &b = given.array(1);
  const bool both = a.batched && b.batched;
  if (given.size() == 2) return both ? dot(a, b) : sum(array_of(times(a, b)));
  return both && a.shape == b.shape ? dot(a, b, given.integer(2)) : sum(array_of(times(a, b)), given.integer(2));
}

Value max_of(const Arguments& given) {
  const Value& a = given.array(0);
  if (const double* number = std::get_if<double>(&given.thing(1))) return relu(a + -*number) + *number;
  return max(a, given.array(1));
}

Value reshaped(const Arguments& given) {
  Shape shape;
  for (std::size_t i = 1; i < given.size(); ++i) shape.push_back(given.integer(i));
  return reshape(given.array(0), shape);
}

Value convolved(const Arguments& given) {
  ConvolutionOptions options;
  if (given.size() > 2) options.stride_height = options.stride_width = given.integer(2);
  if (given.size() > 3) options.padding_height = options.padding_width = given.integer(3);
  if (options.stride_height < 1 || options.padding_height < 0)
    throw std::invalid_argument("a stride is at least 1, a padding at least 0");
  return convolution(given.array(0), given.array(1), options);
}

Value pooled(const Arguments& given, PoolKind kind) {
  PoolOptions options{kind};
  options.height = options.width = given.integer(1);
  options.stride_height = options.stride_width = given.size() > 2 ? given.integer(2) : options.height;
  if (options.height < 1 || options.stride_height < 1)
    throw std::invalid_argument("a window and its stride are at least 1");
  return pool(given.array(0), options);
}

Value shaped_sum(const Arguments& given) {
  const Value& x = given.array(0);
  const auto& [name, lagrangian] = given.shaping(1);
  const int n = static_cast<int>(lagrangian_sum(x.shape, *lagrangian).n);
  return ham::lagrangian(x, *lagrangian, given.scope().coefficients(*lagrangian, n, "_" + name));
}

const Function kFunctions[] = {
    {"dot",
     2,
     3,
     product_sum,
     {"dot(a, b), dot(a, b, axis)", "Σ a ∘ b over all elements, or over one axis, which keeps length 1"}},
    {"sum",
     1,
     2,
     [](const Arguments& a) { return a.size() == 1 ? sum(a.array(0)) : sum(a.array(0), a.integer(1)); },
     {"sum(x), sum(x, axis)", "the same of one array"}},
    {"exp", 1, 1, [](const Arguments& a) { return exp(a.array(0)); }, {"exp(x)", "element by element"}},
    {"log", 1, 1, [](const Arguments& a) { return log(a.array(0)); }, {"log(x)", "element by element"}},
    {"tanh", 1, 1, [](const Arguments& a) { return tanh(a.array(0)); }, {"tanh(x)", "element by element"}},
    {"relu", 1, 1, [](const Arguments& a) { return relu(a.array(0)); }, {"relu(x)", "max(x, 0)"}},
    {"max", 2, 2, max_of, {"max(a, b)", "the larger, element by element; b may be a number"}},
    {"power",
     2,
     2,
     [](const Arguments& a) { return power(a.array(0), a.number(1)); },
     {"power(x, p)", "xᵖ, also `x ^ p`; p is a number"}},
    {"linear",
     2,
     3,
     [](const Arguments& a) {
       return a.size() == 2 ? linear(a.array(0), a.array(1)) : linear(a.array(0), a.array(1), a.array(2));
     },
     {"linear(x, W), linear(x, W, start)", "x W over the last axis of x, plus start; W is (in, out)"}},
    {"contract",
     2,
     2,
     [](const Arguments& a) { return contract(a.array(0), a.array(1)); },
     {"contract(a, v)", "the first axis of a with all elements of v"}},
    {"outer",
     2,
     2,
     [](const Arguments& a) { return outer(a.array(0), a.array(1)); },
     {"outer(a, b)", "(T, m) and (T, n) to (m, n): Σ_t a_t b_tᵀ"}},
    {"scores",
     2,
     2,
     [](const Arguments& a) { return scores(a.array(0), a.array(1)); },
     {"scores(q, k)", "(queries, heads, z) and (keys, heads, z) to (heads, queries, keys): scalar products"}},
    {"with_diagonal",
     2,
     2,
     [](const Arguments& a) { return with_diagonal(a.array(0), a.number(1)); },
     {"with_diagonal(m, value)", "(…, n, n) matrices with their diagonals set"}},
    {"flatten", 1, 1, [](const Arguments& a) { return flatten(a.array(0)); }, {"flatten(x)", "one axis"}},
    {"reshape", 2, 9, reshaped, {"reshape(x, n, m, …)", "the same elements in another shape"}},
    {"convolution",
     2,
     4,
     convolved,
     {"convolution(x, K), convolution(x, K, stride, padding)", "of an (H, W, C) image with a (kh, kw, C, out) kernel"}},
    {"max_pool",
     2,
     3,
     [](const Arguments& a) { return pooled(a, PoolKind::max); },
     {"max_pool(x, window, stride)", "the largest of each window of an (H, W, C) image"}},
    {"average_pool",
     2,
     3,
     [](const Arguments& a) { return pooled(a, PoolKind::average); },
     {"average_pool(x, window, stride)", "their mean"}},
    {"lagrangian",
     2,
     2,
     shaped_sum,
     {"lagrangian(x, NAME)", "Σ L(x); a Lagrangian of the table `lagrangians`, or a kind's name for fixed defaults"}}};

}  // namespace

Thing plus(const Thing& a, const Thing& b) {
  const double *x = std::get_if<double>(&a), *y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return *x + *y;
  if (x != nullptr) return array_of(b) + *x;
  if (y != nullptr) return array_of(a) + *y;
  const Value &u = array_of(a), &v = array_of(b);
  return larger(v, u) ? v + u : u + v;
}

Thing times(const Thing& a, const Thing& b) {
  const double *x = std::get_if<double>(&a), *y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return *x * *y;
  if (x != nullptr) return *x * array_of(b);
  if (y != nullptr) return *y * array_of(a);
  const Value &u = array_of(a), &v = array_of(b);
  return larger(v, u) ? v * u : u * v;
}

Thing minus(const Thing& a) { return times(-1.0, a); }

Thing to_the(const Thing& a, double exponent) {
  if (const double* x = std::get_if<double>(&a)) return std::pow(*x, exponent);
  return power(array_of(a), exponent);
}

int Arguments::integer(std::size_t i) const {
  const double value = number(i);
  if (value != std::floor(value) || std::abs(value) > 1 << 24)
    throw std::invalid_argument(fmt::format("argument {} is {}, expected an integer", i + 1, core::number_text(value)));
  return static_cast<int>(value);
}

std::span<const Function> functions() { return kFunctions; }

const Function* function_named(const std::string& name) {
  for (const Function& each : kFunctions)
    if (name == each.name) return &each;
  return nullptr;
}

std::vector<AlignmentFunction> alignment_functions() {
  std::vector<AlignmentFunction> all;
  for (const Function& function : kFunctions) all.push_back(function.help);
  return all;
}

}  // namespace ham

#include "ham/network/synapses.h"

#include <fmt/format.h>

#include <stdexcept>

namespace ham {
namespace {

constexpr double kNormEpsilon = 1e-6;  // flax's, under the root of a query's or key's variance
constexpr double kNowhere = -1e30;     // a scalar product whose softmax is 0

void expect_layers(std::span<const Value> g, std::size_t expected) {
  if (g.size() != expected)
    throw std::invalid_argument("connects " + std::to_string(g.size()) + " layers, expected " +
                                std::to_string(expected));
}

// (tokens, features): a vector is one token.
Value tokens(const Value& g) {
  const int features = g.shape.empty() ? 1 : g.shape.back();
  return reshape(g, {static_cast<int>(g.size()) / features, features});
}

// W with columns of unit length over all blocks of a group.
std::vector<Value> unit_columns(const std::vector<Value>& blocks) {
  Value squares = dot(blocks[0], blocks[0], 0);
  for (std::size_t i = 1; i < blocks.size(); ++i) squares = squares + dot(blocks[i], blocks[i], 0);
  const Value scale = power(squares, -0.5);
  std::vector<Value> result;
  for (const Value& block : blocks) result.push_back(block * scale);
  return result;
}

std::vector<Value> normalized(const std::vector<Value>& blocks, UnitNorm norm) {
  if (norm == UnitNorm::none) return blocks;
  if (norm == UnitNorm::joint) return unit_columns(blocks);
  std::vector<Value> result;
  for (const Value& block : blocks) result.push_back(unit_columns({block})[0]);
  return result;
}

Value hidden_energy(Scope& scope, const Value& h, const Lagrangian& lagrangian) {
  return ham::lagrangian(h, lagrangian, scope.coefficients(lagrangian, h.shape.back(), "_hid"));
}

// Layer normalization over the last axis, then γ and δ.
Value normalize(const Value& x, const Value& gamma, const Value& delta) {
  const double n = x.shape.back();
  const Value centred = x + (-1 / n) * sum(x, -1);
  const Value variance = (1 / n) * dot(centred, centred, -1);
  return centred * power(variance + kNormEpsilon, -0.5) * gamma + delta;
}

std::string fit(const char* what, const Shape& given, const Shape& expected) {
  return std::string(what) + " has shape " + text(given) + ", expected " + text(expected);
}

}  // namespace

Alignment dense(double standard_deviation) {
  return [=](Scope& scope, std::span<const Value> g) {
    Shape shape;
    for (const Value& each : g) shape.push_back(static_cast<int>(each.size()));
    const Value w = scope.parameter("W", shape, normal(standard_deviation));
    // One axis after the other; what is left to contract stands in front.
    Value rest = linear(flatten(g[0]), reshape(w, {shape[0], static_cast<int>(w.size()) / shape[0]}));
    for (std::size_t i = 1; i + 1 < g.size(); ++i)
      rest = contract(reshape(rest, {shape[i], static_cast<int>(rest.size()) / shape[i]}), g[i]);
    return g.size() == 1 ? rest : dot(rest, g.back());
  };
}

Alignment dense_hidden(HiddenOptions options) {
  return [=](Scope& scope, std::span<const Value> g) {
    std::vector<Value> blocks;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const int size = options.per_token ? g[i].shape.back() : static_cast<int>(g[i].size());
      blocks.push_back(
          scope.parameter(fmt::format("W{}", i), {size, options.hidden}, normal(options.standard_deviation)));
    }
    blocks = normalized(blocks, options.norm);
    Value h;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const Value x = options.per_token ? g[i] : flatten(g[i]);
      h = i == 0 ? linear(x, blocks[i]) : linear(x, blocks[i], h);
    }
    return hidden_energy(scope, h, options.lagrangian);
  };
}

Alignment tensor_hidden(TensorHiddenOptions options) {
  return [=](Scope& scope, std::span<const Value> g) {
    Shape shape;
    for (const Value& each : g) shape.push_back(static_cast<int>(each.size()));
    shape.push_back(options.heads);
    shape.push_back(options.hidden);
    const Value w = scope.parameter("W", shape, normal(options.standard_deviation));
    Value rest = linear(flatten(g[0]), reshape(w, {shape[0], static_cast<int>(w.size()) / shape[0]}));
    for (std::size_t i = 1; i < g.size(); ++i)
      rest = contract(reshape(rest, {shape[i], static_cast<int>(rest.size()) / shape[i]}), g[i]);
    return hidden_energy(scope, reshape(rest, {options.heads, options.hidden}), options.lagrangian);
  };
}

Alignment convolution_synapse(ConvolutionSynapse options) {
  return [=](Scope& scope, std::span<const Value> g) {
    expect_layers(g, 2);
    const Shape &in = g[0].shape, &out = g[1].shape;
    if (in.size() != 3 || out.size() != 3)
      throw std::invalid_argument("convolution connects (height, width, channels) layers, not " + text(in) + " and " +
                                  text(out));
    const PoolOptions& pooling = options.pooling;
    int height = window_count(in[0], options.kernel_height, options.stride_height, options.padding_height);
    int width = window_count(in[1], options.kernel_width, options.stride_width, options.padding_width);
    ConvolutionOptions window{options.stride_height, options.stride_width, options.padding_height,
                              options.padding_width};
    if (options.pooled) {
      height = window_count(height, pooling.height, pooling.stride_height, 0);
      width = window_count(width, pooling.width, pooling.stride_width, 0);
      // Rows and columns that no window reads need not be computed.
      window.crop_height = (height - 1) * pooling.stride_height + pooling.height;
      window.crop_width = (width - 1) * pooling.stride_width + pooling.width;
    }
    if (height == 0 || width == 0)
      throw std::invalid_argument("a kernel of " + text({options.kernel_height, options.kernel_width}) +
                                  (options.pooled ? " and its pooling do" : " does") + " not fit an image of " +
                                  text(in) + "; take smaller ones or padding");
    if (height != out[0] || width != out[1])
      throw std::invalid_argument(fit("the second layer", out, {height, width, out[2]}));
    const Shape kernel = {options.kernel_height, options.kernel_width, in[2], out[2]};
    const Value weights = scope.parameter("K", kernel, lecun_normal(count(kernel) / out[2]));
    const bool only_maxima = options.pooled && pooling.kind == PoolKind::max;
    Value y = only_maxima ? max_convolution(g[0], weights, window, pooling) : convolution(g[0], weights, window);
    if (options.pooled && !only_maxima) y = pool(y, pooling);
    // A constant per channel passes unchanged through every kind of pooling.
    if (options.bias) y = y + scope.parameter("b", {out[2]}, constant(0));
    return dot(y, g[1]);
  };
}

Alignment attention(AttentionOptions options) {
  return [=](Scope& scope, std::span<const Value> g) {
    expect_layers(g, 2);
    const auto project = [&](const Value& x, const char* name) {
      const Value w =
          scope.parameter(name, {x.shape.back(), options.heads, options.z}, normal(options.standard_deviation));
      return reshape(linear(x, reshape(w, {x.shape.back(), options.heads * options.z})),
                     {x.shape[0], options.heads, options.z});
    };
    Value queries = project(tokens(g[0]), "Wq"), keys = project(tokens(g[1]), "Wk");
    if (options.normalize) {
      const Value gamma = scope.parameter("gamma_qk", {options.z}, constant(1));
      const Value delta = scope.parameter("delta_qk", {options.z}, constant(0));
      queries = normalize(queries, gamma, delta);
      keys = normalize(keys, gamma, delta);
    }
    Value products = scores(queries, keys);
    if (options.skip_self) products = with_diagonal(products, kNowhere);
    return hidden_energy(scope, products, options.lagrangian);
  };
}

Alignment mixer(MixerOptions options) {
  return [=](Scope& scope, std::span<const Value> g) {
    expect_layers(g, 2);
    Value a = tokens(g[0]), b = tokens(g[1]);
    if (a.shape[0] != b.shape[0] && b.shape[0] == 1) a = sum(a, 0);
    if (a.shape[0] != b.shape[0] && a.shape[0] == 1) b = sum(b, 0);
    const Value w = scope.parameter("W", {a.shape[1], b.shape[1], options.heads, options.units},
                                    normal(options.standard_deviation));
    const Value h = linear(flatten(outer(a, b)), reshape(w, {a.shape[1] * b.shape[1], options.heads * options.units}));
    return hidden_energy(scope, reshape(h, {options.heads, options.units}), options.lagrangian);
  };
}

Alignment bias(double standard_deviation) {
  return [=](Scope& scope, std::span<const Value> g) {
    expect_layers(g, 1);
    const Value b = scope.parameter("b", g[0].shape, normal(standard_deviation));
    return linear(flatten(g[0]), reshape(b, {static_cast<int>(g[0].size()), 1}));
  };
}

}  // namespace ham

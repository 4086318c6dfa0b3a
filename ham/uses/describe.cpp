#include "ham/uses/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/numbers.h"
#include "ham/engine/program.h"

namespace ham {
namespace {

std::string text(const Initial& initial) {
  switch (initial.kind) {
    case Initial::Kind::constant:
      return core::number_text(initial.value);
    case Initial::Kind::normal:
      return "normal, sd " + core::number_text(initial.value);
    case Initial::Kind::lecun_normal:
      return fmt::format("normal, fan in {}", core::number_text(initial.value));
  }
  return "";
}

const char* name_of(Bias bias) { return bias == Bias::none ? "none" : bias == Bias::input ? "input" : "threshold"; }

/// Floating-point operations of one image on its way to the readout.
double flops_of_answer(const Program& program, const Unrolled& unrolled) {
  double sum = 0;
  const auto add = [&](const Instructions& instructions) {
    for (const Instruction& each : instructions) sum += cost(program, each, unrolled, 1, sizeof(float)).flops;
  };
  add(program.batch);
  add(program.lane);
  for (const Step& step : unrolled.steps) add(step.forward);
  return sum;
}

/// Characters, not bytes.
std::size_t shown(const std::string& text) {
  return text.size() -
         static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & '\xc0') == '\x80'; }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width > shown(text) ? width - shown(text) : 0, ' ');
}

std::string without_end(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1) + "\n"; }

/// Rows of cells in columns as wide as they need; the first row is the head.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], shown(row[i]));
  std::string result;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += "  " + padded(row[i], widths[i]);
    result += without_end(line);
  }
  return result;
}

std::string steps_text(int steps) {
  return steps < 0 ? "never" : fmt::format("{} step{}", steps, steps == 1 ? "" : "s");
}

std::string bytes_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", 1e-6 * bytes) : fmt::format("{:.2f} GB", 1e-9 * bytes);
}

}  // namespace

std::string text(const Lagrangian& lagrangian) {
  std::string result = lagrangian.name;
  const auto add = [&](const char* name, const std::optional<Coefficient>& coefficient) {
    if (coefficient)
      result +=
          fmt::format(", {} {}{}", name, core::number_text(coefficient->initial), coefficient->learned ? "*" : "");
  };
  if (lagrangian.name == "rectified_power") result += fmt::format(" {}", core::number_text(lagrangian.power));
  add("beta", lagrangian.beta);
  add(lagrangian.name == "sigmoid" ? "scale" : "gamma", lagrangian.gamma);
  add("delta", lagrangian.delta);
  return result;
}

ModelFacts describe(const Model& model, long batch, int threads) {
  const Network& network = model.network;
  const Descent& descent = model.readout.descent;
  const int readout = network.layer_index(model.readout.layer);
  ModelFacts facts{.name = model.name, .depth = descent.depth, .time_step = descent.time_step};
  facts.batch = batch;
  facts.threads = threads;
  const std::vector<int> to_readout = steps_from(network, readout);
  std::vector<int> from_image(network.layers().size(), -1);
  if (!model.clamped.empty()) from_image = steps_from(network, network.layer_index(model.clamped[0]));
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Layer& layer = network.layers()[i].layer;
    facts.layers.push_back({layer.name, layer.shape, text(layer.lagrangian), layer.time_constant, name_of(layer.bias),
                            std::ranges::count(model.clamped, layer.name) > 0, static_cast<int>(i) == readout,
                            from_image[i], to_readout[i]});
  }
  for (const Network::Connection& connection : network.connections()) {
    const bool has_say = std::ranges::any_of(
        connection.layers, [&](int layer) { return to_readout[layer] >= 0 && to_readout[layer] < descent.depth; });
    const auto synapse = static_cast<std::size_t>(connection.synapse);
    facts.connections.push_back({connection.name, synapse < model.kinds.size() ? model.kinds[synapse] : "alignment",
                                 connection.layers, has_say});
  }
  for (const Parameter& parameter : network.parameters())
    facts.parameters.push_back({parameter.name, parameter.name.substr(0, parameter.name.rfind('.')), parameter.shape,
                                text(parameter.initial), parameter.size()});
  facts.num_parameters = network.num_parameters();

  const Program program(network, {model.clamped});
  const Unrolled unrolled = program.unroll(readout, descent.depth);
  const Cost step = training_cost(program, unrolled, batch, sizeof(float));
  facts.answer_flops = flops_of_answer(program, unrolled);
  facts.training_flops = step.flops;
  facts.training_bytes = step.bytes;
  facts.training_memory = training_memory(program, unrolled, batch, threads, sizeof(float));
  facts.weights_memory = sizeof(float) * static_cast<double>(facts.num_parameters);
  facts.findings = diagnose(model);
  return facts;
}

std::string drawing(const ModelFacts& facts) {
  std::size_t label = 0;
  for (const LayerFacts& layer : facts.layers) label = std::max(label, shown(layer.name));
  std::string head = std::string(label + 4, ' '), result;
  std::vector<std::size_t> widths;
  for (const ConnectionFacts& connection : facts.connections) {
    widths.push_back(std::max<std::size_t>(3, shown(connection.synapse)) + 2);
    head += padded(connection.synapse, widths.back());
  }
  result = without_end(head);
  const auto count = static_cast<int>(facts.layers.size());
  for (int row = 0; row < count; ++row) {
    const LayerFacts& layer = facts.layers[row];
    // Below each layer's line a line of strokes, so that columns hang together.
    std::string line = padded(layer.name, label) + (layer.clamped ? " ▣ " : layer.readout ? " ◎ " : " ○ ") + " ";
    std::string below(label + 4, ' ');
    for (std::size_t k = 0; k < facts.connections.size(); ++k) {
      const std::vector<int>& met = facts.connections[k].layers;
      const auto times = std::ranges::count(met, row);
      const auto [first, last] = std::ranges::minmax(met);
      const bool inside = first < row && row < last;
      line += padded(times == 1 ? "●" : times > 1 ? std::to_string(times) : inside ? "│" : "", widths[k]);
      below += padded(first <= row && row < last ? "│" : "", widths[k]);
    }
    result += without_end(line);
    if (row + 1 < count) result += without_end(below);
  }
  return result + "\n▣ clamped, ◎ readout, ● once in the synapse's alignment (a number: so many times)\n";
}

std::string text(const ModelFacts& facts) {
  const auto number = [](double value) { return core::number_text(value); };
  std::string result = fmt::format("{}: {} parameters, a descent of {} steps of {}\n\n", facts.name,
                                   facts.num_parameters, facts.depth, number(facts.time_step));
  std::vector<std::vector<std::string>> rows{
      {"layer", "shape", "lagrangian", "tau", "bias", "image reaches it after", "reaches the readout in"}};
  for (const LayerFacts& layer : facts.layers)
    rows.push_back({layer.name, text(layer.shape), layer.lagrangian, number(layer.tau), layer.bias,
                    layer.from_image == 0 ? "is shown it" : steps_text(layer.from_image),
                    layer.readout ? "is read" : steps_text(layer.to_readout)});
  result += table(rows) + "  * moved by training\n\n";
  rows = {{"synapse", "kind", "connects", "parameters", "has a say"}};
  for (const ConnectionFacts& connection : facts.connections) {
    std::vector<std::string> names;
    for (const int layer : connection.layers) names.push_back(facts.layers[layer].name);
    long own = 0;
    for (const ParameterFacts& parameter : facts.parameters)
      if (parameter.owner == connection.synapse) own += parameter.size;
    rows.push_back({connection.synapse, connection.kind, fmt::format("{}", fmt::join(names, ", ")), std::to_string(own),
                    connection.has_say ? "yes" : "no"});
  }
  result += table(rows) + "\n" + drawing(facts) + "\n";
  rows = {{"parameter", "shape", "numbers", "starts at"}};
  for (const ParameterFacts& parameter : facts.parameters)
    rows.push_back({parameter.name, parameter.shape.empty() ? "one number" : text(parameter.shape),
                    std::to_string(parameter.size), parameter.starts});
  result += table(rows);
  result += fmt::format(
      "\none image classified     {:.4g} MFLOP\na training step          {:.4g} GFLOP, {} read and written, on {} "
      "images (single precision, dense)\nmemory of training       {} on {} thread{}, of the weights {}\n",
      1e-6 * facts.answer_flops, 1e-9 * facts.training_flops, bytes_text(facts.training_bytes), facts.batch,
      bytes_text(facts.training_memory), facts.threads, facts.threads == 1 ? "" : "s",
      bytes_text(facts.weights_memory));
  return result;
}

}  // namespace ham

// ham describe: what a model is made of, what it costs and what is wrong with it, before anything is trained.
#include "ham/uses/describe.h"

#include <fmt/core.h>

#include <chrono>

#include "analysis/drawing/graph.h"
#include "core/random.h"
#include "experiments/command_line/grid.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/weights.h"
#include "results/json.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// The hypergraph: layers are circles, connections squares; the clamped ones are filled, the readout has two outlines.
analysis::Graph hypergraph(const ham::ModelFacts& facts) {
  analysis::Graph graph{.name = facts.name, .nodes = {}, .edges = {}};
  for (const ham::LayerFacts& layer : facts.layers)
    graph.nodes.push_back(
        {layer.name + "\n" + ham::text(layer.shape) + "\n" + layer.lagrangian, false, layer.readout, layer.clamped});
  for (const ham::ConnectionFacts& connection : facts.connections) {
    const int square = static_cast<int>(graph.nodes.size());
    graph.nodes.push_back({connection.synapse + "\n" + connection.kind, true, false, false});
    // Lines lead away from the image, so that the layout reads from left to right.
    int nearest = -1;
    for (const int layer : connection.layers)
      if (const int steps = facts.layers[layer].from_image; steps >= 0 && (nearest < 0 || steps < nearest))
        nearest = steps;
    for (const int layer : connection.layers)
      facts.layers[layer].from_image == nearest ? graph.edges.push_back({layer, square, ""})
                                                : graph.edges.push_back({square, layer, ""});
  }
  return graph;
}

/// Seconds of a training step on images of even noise: the second one, the first makes room.
double seconds_of_step(const ham::Model& model, long batch, int threads) {
  ham::Engine<float> engine(model.network, {.clamped = model.clamped, .threads = threads, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(1));
  ham::Backpropagation<float> backpropagation(engine, model.readout);
  ham::AdamW<float> optimizer(model.network.num_parameters(), {});
  ham::States<float> states = model.network.states<float>(static_cast<int>(batch));
  core::Stream stream(1, 0, 0, core::Purpose::data);
  for (float& number : states[model.network.layer_index(model.clamped[0])].values)
    number = static_cast<float>(core::uniform_below(stream, 256)) / 255;
  const int readout = model.network.layer_index(model.readout.layer);
  const int classes = static_cast<int>(ham::count(model.network.layers()[readout].layer.shape));
  const std::vector<int> labels(static_cast<std::size_t>(batch), 0);
  const auto loss = ham::smoothed_cross_entropy<float>(labels, classes);
  double seconds = 0;
  for (int round = 0; round < 2; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    backpropagation.run(states, loss);
    optimizer.step(engine.parameters(), backpropagation.gradient(), threads);
    engine.parameters_changed();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
  return seconds;
}

std::string json_of(const ham::ModelFacts& facts, double seconds) {
  using results::json_list, results::json_value, results::JsonObject;
  const auto integers = [](const auto& list) { return json_list(list, [](int value) { return json_value(value); }); };
  JsonObject object;
  object.add("name", json_value(facts.name));
  object.add("depth", json_value(facts.depth)).add("time_step", json_value(facts.time_step));
  object.add("layers", json_list(facts.layers, [&](const ham::LayerFacts& layer) {
               JsonObject each;
               each.add("name", json_value(layer.name)).add("shape", integers(layer.shape));
               each.add("lagrangian", json_value(layer.lagrangian)).add("tau", json_value(layer.tau));
               each.add("bias", json_value(layer.bias)).add("clamped", json_value(layer.clamped));
               each.add("readout", json_value(layer.readout)).add("from_image", json_value(layer.from_image));
               return each.add("to_readout", json_value(layer.to_readout)).text();
             }));
  object.add("connections", json_list(facts.connections, [&](const ham::ConnectionFacts& connection) {
               JsonObject each;
               each.add("synapse", json_value(connection.synapse)).add("kind", json_value(connection.kind));
               each.add("layers", integers(connection.layers)).add("has_say", json_value(connection.has_say));
               return each.text();
             }));
  object.add("parameters", json_list(facts.parameters, [&](const ham::ParameterFacts& parameter) {
               JsonObject each;
               each.add("name", json_value(parameter.name)).add("shape", integers(parameter.shape));
               each.add("size", json_value(parameter.size)).add("starts", json_value(parameter.starts));
               return each.text();
             }));
  object.add("num_parameters", json_value(facts.num_parameters)).add("batch", json_value(facts.batch));
  object.add("threads", json_value(facts.threads)).add("answer_flops", json_value(facts.answer_flops));
  object.add("training_flops", json_value(facts.training_flops))
      .add("training_bytes", json_value(facts.training_bytes));
  object.add("training_memory", json_value(facts.training_memory));
  object.add("step_seconds", seconds > 0 ? json_value(seconds) : "null");
  object.add("findings", json_list(facts.findings, [&](const ham::Finding& finding) {
               const bool error = finding.weight == ham::Finding::Weight::error;
               JsonObject each;
               each.add("weight", json_value(std::string(error ? "error" : "warning")));
               return each.add("text", json_value(finding.text)).text();
             }));
  return object.text() + "\n";
}

ham::Model model_in(const std::string& path) {
  return path.ends_with(".toml") ? ham::load_model(path) : read_trained(path).model;
}

int run(const po::variables_map& given, const std::string&) {
  choose_kernels(given);
  if (!given.contains("model"))
    throw UsageError("describe: a model is missing, such as experiments/models/hn_relu_mnist.toml");
  const long batch = positive_integer(given, "batch");
  const int threads = parse_threads(given);
  std::vector<core::OutputFile> figures;
  if (given.contains("figure"))
    for (const std::string& path : parse_list(given["figure"].as<std::string>(), "figure"))
      figures.push_back(open_output(given, path, kFigureFile));
  const ham::Model model = model_in(given["model"].as<std::string>());
  const ham::ModelFacts facts = ham::describe(model, batch, threads);
  for (const core::OutputFile& figure : figures) {
    figure.write(analysis::render(hypergraph(facts), analysis::figure_format(figure.path())));
    fmt::print(stderr, "wrote {}\n", figure.path());
  }
  const bool works = std::ranges::none_of(
      facts.findings, [](const ham::Finding& finding) { return finding.weight == ham::Finding::Weight::error; });
  const bool fits = facts.training_memory < static_cast<double>(available_memory());
  const double seconds = given["time"].as<bool>() && works && fits ? seconds_of_step(model, batch, threads) : 0;
  if (given["json"].as<bool>()) {
    fmt::print("{}", json_of(facts, seconds));
    return works ? kComplete : kFailed;
  }
  fmt::print("{}", ham::text(facts));
  if (seconds > 0)
    fmt::print("time of a training step  {:.4g} ms, {:.0f} images/s (measured here, on images of noise)\n",
               1e3 * seconds, static_cast<double>(batch) / seconds);
  for (const ham::Finding& finding : facts.findings)
    fmt::print("{}: {}\n", finding.weight == ham::Finding::Weight::error ? "error" : "warning", finding.text);
  return works ? kComplete : kFailed;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("model", word("FILE"), "a model file, or a training run (also without --model)");
  add("batch", word("N", "400"), "images of a training step");
  add("threads", word(), "threads [all]");
  add("time", flag(), "also run two training steps and say how long the second took");
  add("figure", word("LIST"), "also draw the hypergraph: .svg, .png or .pdf, by Graphviz");
  add("json", flag(), "print one JSON document instead");
  add_kernels(options);
  add_force(options);
  return options;
}

}  // namespace

const Verb kDescribe = {
    "describe",
    "say what a model is made of, what it costs and what is wrong with it",
    "MODEL.toml [--time] [--figure FILE.svg] [options]",
    "Layers with Lagrangians, synapses, the hypergraph, parameters with their shapes, how many steps the image takes "
    "to\n"
    "each layer and each layer to the readout, operations and memory, and everything that would keep the network from\n"
    "learning. Exit code 1 when it cannot learn.\n"
    "\n"
    "  ham describe experiments/models/energy_attn_mnist.toml --time --figure attention.svg\n",
    options,
    "model",
    run};

}  // namespace experiments

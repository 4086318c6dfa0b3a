// ham inspect: energies, activations, gradients and trajectories of given states.
#include <fmt/core.h>

#include <fmt/ranges.h>
#include <optional>

#include <cmath>
#include <limits>

#include "core/formats/array_file.h"
#include "core/formats/foreign_hdf5.h"
#include "core/numbers.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/named_arrays.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/spec.h"
#include "experiments/training/trained_data.h"
#include "ham/engine/program.h"
#include "ham/uses/inspect.h"
#include "results/json.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// FILE.h5[:/GROUP] or FILE.npz.
ham::NamedArrays read_arrays(const std::string& location) {
  const std::size_t colon = location.rfind(":/");
  const std::string path = location.substr(0, colon),
                    group = colon == std::string::npos ? "/" : location.substr(colon + 1);
  const auto limit = static_cast<std::uint64_t>(available_memory() / 4);
  if (core::first_bytes(path, 2) == "PK")
    return ham::in_double(core::read_arrays(path, {.names = {}, .all = true}, limit));
  return ham::in_double(
      core::read_foreign(path, limit, [&](const core::Hdf5File& file) { return file.read_arrays(group, limit); }));
}

std::string json_number(double value) { return results::json_value(value); }

void print_json(const ham::NamedArrays& arrays) {
  std::string document;
  for (const auto& [name, tensor] : arrays) {
    document += fmt::format("{}\n\"{}\":{{\"shape\":[{}],\"values\":[", document.empty() ? "" : ",", name,
                            fmt::join(tensor.shape, ","));
    for (std::size_t i = 0; i < tensor.values.size(); ++i) document += (i ? "," : "") + json_number(tensor.values[i]);
    document += "]}";
  }
  fmt::print("{{{}\n}}\n", document);
}

void print_summary(const ham::NamedArrays& arrays) {
  fmt::print("{:<20} {:>18} {:>16} {:>16} {:>16}\n", "array", "shape", "mean", "min", "max");
  for (const auto& [name, tensor] : arrays) {
    double sum = 0, low = std::numeric_limits<double>::infinity(), high = -low;
    for (const double value : tensor.values) sum += value, low = std::min(low, value), high = std::max(high, value);
    fmt::print("{:<20} {:>18} {:>16.8g} {:>16.8g} {:>16.8g}\n", name, ham::text(tensor.shape),
               sum / static_cast<double>(tensor.values.size()), low, high);
  }
}

// What a training step of the model computes, in order.
int print_program(const po::variables_map& given) {
  const ham::Model model = given.contains("model") ? ham::load_model(given["model"].as<std::string>())
                                                   : load_network(given, "inspect").model;
  const ham::Program program(model.network, {model.clamped});
  const ham::Unrolled unrolled =
      program.unroll(model.network.layer_index(model.readout.layer), model.readout.descent.depth);
  fmt::print("{}", ham::text(program, unrolled, positive_integer(given, "batch")));
  return kComplete;
}

/// A trained network and the images of --data; of a whole data set the first hundred.
std::pair<ham::Model, ham::NamedArrays> shown_to(const po::variables_map& given) {
  constexpr long kShown = 100;
  const DataChoice choice = parse_data(given.contains("data") ? given["data"].as<std::string>() : "");
  TrainedData both = load_trained(given, "inspect");
  set_descent(both.trained.model, parse_descent(given));
  ham::Images& images = both.data.test;
  if (choice.which == DataChoice::Which::all && images.count() > kShown) {
    images = chosen(images, {choice.name, DataChoice::Which::first, 0, kShown}, 1);
    fmt::print(stderr, "the first {} images; --data \"X:first N\" takes more\n", kShown);
  }
  const Shown some = shown(images, both.data.normalization);
  ham::NamedArrays arrays = ham::given_of(both.trained.model, both.trained.weights, some.images, some.labels);
  return {std::move(both.trained.model), std::move(arrays)};
}

int run(const po::variables_map& given, const std::string& command_line) {
  const bool trained = given.contains("file");
  if (!given.contains("model") && !trained)
    throw UsageError(
        "--model is missing: a network as TOML, such as experiments/models/hn_relu_mnist.toml; or name a training run");
  if (given["program"].as<bool>()) return print_program(given);
  if (!given.contains("data") && !trained)
    throw UsageError(
        "--data is missing: an HDF5 or NPZ file (FILE.h5[:/group]) with parameters p.NAME and states x.0, x.1, …");
  std::optional<core::OutputFile> out;
  if (given.contains("out")) out.emplace(open_output(given, given["out"].as<std::string>(), kPredictions));
  auto [model, arrays] = trained ? shown_to(given)
                                 : std::pair{ham::load_model(given["model"].as<std::string>()),
                                             read_arrays(given["data"].as<std::string>())};
  if (!trained) set_descent(model, parse_descent(given));
  const ham::NamedArrays found = ham::inspect(model, arrays);
  if (out) write_arrays(*out, found, command_line);
  given["json"].as<bool>() ? print_json(found) : print_summary(found);
  return kComplete;
}

Options options() {
  Options options;
  add_trained_options(options);
  add_descent_options(options);
  auto add = options.add_options();
  add("out", word("FILE"), "write every array: .h5 or .npz");
  add("json", flag(), "print every array as one JSON document");
  add("program", flag(),
      "print what a training step computes instead: one line an operation, with its shape, operations and bytes");
  add("batch", word("N", "400"), "its samples");
  add_force(options);
  return options;
}

}  // namespace

const Verb kInspect = {
    "inspect",
    "evaluate a network at given states: energies, activations, gradients, descent",
    "(RUN.h5 [--data X[:CHOICE]] | --model FILE.toml --data FILE.h5[:/GROUP]) [--out FILE] [--json] [--program]",
    "Of a training run or exported weights: what the network does with images (of a whole data set the first "
    "hundred),\n"
    "the states x being those at the end of its descent. Of a model file: what it does at the states in a file of "
    "arrays\n"
    "(`ham help arrays`).\n"
    "\n"
    "Gives energies by layer and connection (E_layer, E_syn, E), activations g.I, dE/dg (dEdg.I), the free descent\n"
    "(free.I, free.E), the model's own descent from img (run.I, probs) and, with labels y, the loss and its gradients\n"
    "through time (grad.NAME). Double precision.\n"
    "\n"
    "With --program no data is needed: the network as it was lowered, in the order of a training step. `per` says how\n"
    "often a line runs: per set of parameters, per batch, per lane (a share of the batch) or per step of time; MFLOP "
    "and\n"
    "MB are sums over the batch and the steps.\n"
    "\n"
    "  ham inspect results/hn_relu_mnist-code-1.h5 --data \"mnist:first 100\" --out states.npz\n",
    options,
    "file",
    run};

}  // namespace experiments

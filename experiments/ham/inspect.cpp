// ham inspect: energies, activations, gradients and trajectories of given states.
#include <fmt/core.h>

#include <fmt/ranges.h>
#include <optional>

#include <cmath>
#include <limits>

#include "core/formats/foreign_hdf5.h"
#include "core/numbers.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/named_arrays.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "ham/engine/program.h"
#include "ham/uses/inspect.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// FILE.h5[:/GROUP].
ham::NamedArrays read_arrays(const std::string& location) {
  const std::size_t colon = location.rfind(":/");
  const std::string group = colon == std::string::npos ? "/" : location.substr(colon + 1);
  const auto limit = static_cast<std::uint64_t>(available_memory() / 4);
  return ham::in_double(core::read_foreign(location.substr(0, colon), limit,
                                           [&](const core::Hdf5File& file) { return file.read_arrays(group, limit); }));
}

std::string json_number(double value) { return std::isfinite(value) ? core::number_text(value) : "null"; }

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
  const ham::Model model = ham::load_model(given["model"].as<std::string>());
  const ham::Program program(model.network, {model.clamped});
  const ham::Unrolled unrolled =
      program.unroll(model.network.layer_index(model.readout.layer), model.readout.descent.depth);
  fmt::print("{}", ham::text(program, unrolled, positive_integer(given, "batch")));
  return kComplete;
}

int run(const po::variables_map& given, const std::string& command_line) {
  if (!given.contains("model"))
    throw UsageError("--model is missing: a network as TOML, such as experiments/models/hn_relu_mnist.toml");
  if (given["program"].as<bool>()) return print_program(given);
  if (!given.contains("data"))
    throw UsageError(
        "--data is missing: an HDF5 file (FILE.h5[:/group]) with parameters p.NAME and states x.0, x.1, …");
  const ham::Model model = ham::load_model(given["model"].as<std::string>());
  std::optional<core::OutputFile> out;
  if (given.contains("out")) out.emplace(open_output(given, given["out"].as<std::string>(), kArraysFile));
  const ham::NamedArrays found = ham::inspect(model, read_arrays(given["data"].as<std::string>()));
  if (out) write_arrays(*out, found, command_line);
  given["json"].as<bool>() ? print_json(found) : print_summary(found);
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("model", word("FILE.toml"), "the network (ham/README.md has the keys)");
  add("data", word("FILE.h5[:/GROUP]"), "arrays p.NAME (parameters), x.I (states), optionally img and labels y");
  add("out", word("FILE.h5"), "write every array");
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
    "--model FILE.toml (--data FILE.h5[:/GROUP] [--out FILE.h5] [--json] | --program [--batch N])",
    "Gives energies by layer and connection (E_layer, E_syn, E), activations g.I, dE/dg (dEdg.I), the free descent\n"
    "(free.I, free.E), the model's own descent from img (run.I, probs) and, with labels y, the loss and its gradients\n"
    "through time (grad.NAME). Double precision.\n"
    "\n"
    "With --program no data is needed: the network as it was lowered, in the order of a training step. `per` says how\n"
    "often a line runs: per set of parameters, per batch, per lane (a share of the batch) or per step of time; MFLOP "
    "and\n"
    "MB are sums over the batch and the steps.\n",
    options,
    "",
    run};

}  // namespace experiments

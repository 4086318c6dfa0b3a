#include "experiments/training/weights.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/formats/array_file.h"
#include "core/formats/hdf5_file.h"
#include "core/formats/npz.h"
#include "core/formats/safetensors.h"
#include "core/provenance.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/progress.h"
#include "experiments/command_line/run_options.h"
#include "experiments/training/spec.h"
#include "results/result_file.h"
#include "results/seal.h"

namespace experiments {
namespace {

using Arrays = std::vector<std::pair<std::string, core::NumericArray>>;

/// The texts an export carries, by the names they have there.
struct Text {
  const char* name;
  std::string TrainedModel::*text;
};
constexpr Text kTexts[] = {
    {"__model__", &TrainedModel::toml}, {"__run__", &TrainedModel::spec}, {"__progress__", &TrainedModel::progress}};

void fill_from_spec(TrainedModel& trained) {
  trained.data = spec_value(trained.spec, "data");
  trained.images = spec_value(trained.spec, "images");
  trained.recipe = spec_value(trained.spec, "recipe");
}

TrainedModel from_run(const std::string& path, const std::string& array) {
  results::ResultFile file = results::read(path);
  if (file.kind != "ham" || !file.has("model"))
    throw std::runtime_error(path + ": is no training run; `ham train` makes them");
  if (file.arrays.empty()) throw std::runtime_error(path + ": is a copy trimmed of its weights");
  const auto epochs = static_cast<std::int64_t>(file.table("epochs").rows());
  const std::int64_t batches = file.has("training") ? file.table("training").values<std::int64_t>("batches").at(0) : 0;
  if (epochs == 0 && batches == 0)
    throw std::runtime_error(path + ": holds the weights that training begins with, not one batch is done");
  const bool averages = std::ranges::any_of(file.arrays, [](const results::NamedArray& each) {
    return each.name == "averaged_weights" && each.values.shape.at(0) > 0;
  });
  const std::string name = epochs == 0 && array == "best_weights" ? (averages ? "averaged_weights" : "weights") : array;
  const auto* weights = std::get_if<std::vector<float>>(&file.array(name).values.values);
  if (weights == nullptr) throw std::runtime_error(path + ": array " + name + " does not hold 32-bit reals");
  const std::string toml = file.table("model").values<std::string>("toml").at(0);
  TrainedModel trained{
      model_of(file.spec, toml, path),
      {},
      {},
      {},
      *weights,
      epochs == 0 ? counted(batches, "batch", "batches") + " of the first epoch" : counted(epochs, "epoch", "epochs"),
      toml,
      file.spec};
  fill_from_spec(trained);
  const long parameters = trained.model.network.num_parameters();
  if (static_cast<long>(trained.weights.size()) != parameters)
    throw std::runtime_error(fmt::format("{}: {} holds {} numbers, the network has {} parameters", path, array,
                                         trained.weights.size(), parameters));
  return trained;
}

std::string text_of(const core::NumericArray& array) {
  return std::visit(
      [](const auto& values) {
        std::string text;
        for (const auto value : values) text += static_cast<char>(value);
        return text;
      },
      array.values);
}

/// All arrays of a file; its texts are taken out into `texts`.
Arrays arrays_and_texts(const std::string& path, TrainedModel& texts) {
  const auto limit = static_cast<std::uint64_t>(available_memory());
  Arrays arrays;
  if (core::is_safetensors(path)) {
    core::Safetensors file = core::read_safetensors(path, limit);
    for (const auto& [name, text] : kTexts) texts.*text = file.metadata[name];
    return std::move(file.arrays);
  }
  for (auto& [name, array] : core::read_arrays(path, {.names = {}, .all = true}, limit)) {
    const auto text = std::ranges::find(kTexts, name, &Text::name);
    if (text == std::end(kTexts))
      arrays.emplace_back(name, std::move(array));
    else
      texts.*(text->text) = text_of(array);
  }
  return arrays;
}

/// The network's parameters of a file's arrays.
std::vector<float> collected(const std::string& path, const ham::Network& network, const Arrays& arrays) {
  std::vector<float> weights(static_cast<std::size_t>(network.num_parameters()));
  for (const ham::Parameter& parameter : network.parameters()) {
    const auto found = std::ranges::find(arrays, parameter.name, &Arrays::value_type::first);
    if (found == arrays.end())
      throw std::runtime_error(
          fmt::format("{}: has no array {} of shape {}", path, parameter.name, ham::text(parameter.shape)));
    const std::vector<std::uint64_t> shape(parameter.shape.begin(), parameter.shape.end());
    if (found->second.shape != shape)
      throw std::runtime_error(fmt::format("{}: {} has shape {}, the network's has {}", path, parameter.name,
                                           core::shape_text(found->second.shape), core::shape_text(shape)));
    std::visit(
        [&](const auto& values) {
          std::ranges::transform(values, weights.begin() + parameter.offset,
                                 [](auto x) { return static_cast<float>(x); });
        },
        found->second.values);
  }
  return weights;
}

}  // namespace

TrainedModel read_trained(const std::string& path, const std::string& array) {
  if (results::is_sealed(path)) return from_run(path, array);
  TrainedModel trained;
  const Arrays arrays = arrays_and_texts(path, trained);
  if (trained.toml.empty())
    throw std::runtime_error(
        path + ": is no training run and holds no model; `ham train --export-weights` writes files that do");
  if (array != "best_weights") throw std::runtime_error(path + ": holds one set of weights, no array " + array);
  trained.model =
      trained.spec.empty() ? ham::parse_model(trained.toml, path) : model_of(trained.spec, trained.toml, path);
  fill_from_spec(trained);
  trained.weights = collected(path, trained.model.network, arrays);
  if (trained.progress.empty()) trained.progress = "others' weights";
  return trained;
}

TrainedModel read_weights(const std::string& path, const std::string& toml, const std::string& model_path) {
  TrainedModel trained;
  const Arrays arrays = arrays_and_texts(path, trained);
  trained.toml = toml;
  trained.model = ham::parse_model(toml, model_path);
  trained.weights = collected(path, trained.model.network, arrays);
  fill_from_spec(trained);
  if (trained.progress.empty()) trained.progress = "others' weights";
  return trained;
}

void write_weights(const core::OutputFile& out, const TrainedModel& trained, const std::string& command_line) {
  Arrays arrays;
  for (const ham::Parameter& parameter : trained.model.network.parameters()) {
    const auto begin = trained.weights.begin() + parameter.offset;
    arrays.emplace_back(parameter.name, core::NumericArray({parameter.shape.begin(), parameter.shape.end()},
                                                           std::vector<float>(begin, begin + parameter.size())));
  }
  if (out.path().ends_with(".safetensors")) {
    core::Safetensors file{std::move(arrays), {}};
    for (const auto& [name, text] : kTexts) file.metadata[name] = trained.*text;
    return out.write({core::safetensors_bytes(file)});
  }
  for (const auto& [name, text] : kTexts) {
    const std::string& words = trained.*text;
    arrays.emplace_back(name,
                        core::NumericArray({words.size()}, std::vector<std::uint8_t>(words.begin(), words.end())));
  }
  if (out.path().ends_with(".npz")) return out.write({core::npz_bytes(arrays)});
  core::Hdf5File file = core::Hdf5File::create();
  core::Provenance made = core::build_provenance();
  made.command_line = command_line;
  core::for_each_field(made, [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
  for (const auto& [name, array] : arrays) file.write_array("/" + name, array);
  out.write({file.image()});
}

}  // namespace experiments

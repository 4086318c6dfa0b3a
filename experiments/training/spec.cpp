#include "experiments/training/spec.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/hash.h"
#include "core/numbers.h"
#include "core/text.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/run_options.h"
#include "ham/network/diagnosis.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

template <class T>
std::uint64_t hash_of(const std::vector<T>& values, std::uint64_t state) {
  return core::fnv1a(std::as_bytes(std::span(values)), state);
}

}  // namespace

std::string content_id(const ham::DataSet& data) {
  std::uint64_t hash = core::fnv1a({});
  for (const ham::Images* images : {&data.train, &data.test})
    hash = hash_of(images->labels, hash_of(images->pixels, hash));
  return fmt::format("{:016x}", hash_of(data.normalization.deviation, hash_of(data.normalization.mean, hash)));
}

void add_descent_options(Options& options) {
  auto add = options.add_options();
  add("depth", word(), "steps of the descent [the model's]");
  add("time-step", word(), "their length [the model's]");
}

DescentOptions parse_descent(const po::variables_map& given) {
  DescentOptions descent;
  if (given.contains("depth")) descent.depth = static_cast<int>(positive_integer(given, "depth"));
  if (!given.contains("time-step")) return descent;
  try {
    descent.time_step = core::parse_double(given["time-step"].as<std::string>(), "--time-step:");
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
  if (!(descent.time_step > 0)) throw UsageError("--time-step: is a number above 0");
  return descent;
}

void set_descent(ham::Model& model, const DescentOptions& descent) {
  if (descent.depth > 0) model.readout.descent.depth = descent.depth;
  if (descent.time_step > 0) model.readout.descent.time_step = descent.time_step;
}

void add_recipe_options(Options& options) {
  std::string names;
  for (const ham::Recipe& recipe : ham::recipes()) names += (names.empty() ? "" : ", ") + recipe.name;
  auto add = options.add_options();
  add("recipe", word("X", "code"), fmt::format("the row of the table of recipes to start from: {}", names).c_str());
  for (const ham::RecipeSwitch& option : ham::recipe_switches()) add(option.name, word(), option.help);
}

ham::Recipe parse_recipe(const po::variables_map& given) {
  const auto named = [](const std::string& option, auto parse) {
    try {
      return parse();
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--{}: {}", option, error.what()));
    }
  };
  ham::Recipe recipe = named("recipe", [&] { return ham::recipe(given["recipe"].as<std::string>()); });
  for (const ham::RecipeSwitch& option : ham::recipe_switches())
    if (given.contains(option.name))
      named(option.name, [&] { option.set(recipe, given[option.name].as<std::string>()); });
  return recipe;
}

TrainingSpec training_spec(const std::string& model_path, std::shared_ptr<const ham::DataSet> data,
                           ham::TrainingOptions options, const DescentOptions& descent) {
  std::string toml = ham::model_text(model_path);
  ham::Model model = ham::parse_model(toml, model_path, options.recipe.norm);
  set_descent(model, descent);
  const ham::Descent& run = model.readout.descent;
  std::vector<std::string> warnings;
  for (const auto& findings : {ham::diagnose(model), ham::diagnose(*data)})
    for (const ham::Finding& finding : findings) {
      if (finding.weight == ham::Finding::Weight::error) throw UsageError(model_path + ": " + finding.text);
      warnings.push_back(finding.text);
    }
  core::require_printable(data->name, "the name of the images");
  std::string text = fmt::format(
      "model = {}\nmodel_file = {:016x}\ndepth = {}\ntime_step = {}\ndata = {}\nimages = {}\nseed = {}\n"
      "recipe = {}\n",
      model.name, core::fnv1a(std::as_bytes(std::span(toml))), run.depth, core::number_text(run.time_step), data->name,
      content_id(*data), options.seed, options.recipe.name);
  for (const ham::RecipeSwitch& option : ham::recipe_switches())
    text += fmt::format("{} = {}\n", option.name, option.text(options.recipe));
  // A schedule that knows its end trains other weights for another end; a constant rate goes on as far as one likes.
  if (options.recipe.schedule.needs_length()) text += fmt::format("epochs = {}\n", options.epochs);
  return {std::move(model), std::move(toml), std::move(data), std::move(options), std::move(text), std::move(warnings)};
}

ham::Model model_of(const std::string& spec_text, const std::string& toml, const std::string& name) {
  ham::Recipe recipe;
  for (const ham::RecipeSwitch& option : ham::recipe_switches()) option.set(recipe, spec_value(spec_text, option.name));
  ham::Model model = ham::parse_model(toml, name, recipe.norm);
  model.readout.descent.depth = static_cast<int>(core::parse_integer(spec_value(spec_text, "depth"), "depth"));
  model.readout.descent.time_step = core::parse_double(spec_value(spec_text, "time_step"), "time_step");
  return model;
}

std::string spec_value(const std::string& spec_text, const std::string& key) {
  const std::string text = "\n" + spec_text, line = "\n" + key + " = ";
  const std::size_t at = text.find(line);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + line.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string run_name(const std::string& model_path, const ham::TrainingOptions& options) {
  return fmt::format("{}-{}{}-{}", std::filesystem::path(model_path).stem().string(), options.recipe.name,
                     options.recipe.schedule.needs_length() ? fmt::format("-{}", options.epochs) : "", options.seed);
}

std::string default_data(const std::string& model_path, const std::vector<std::string>& directories) {
  const ham::Model model = ham::load_model(model_path);
  const long size = model.clamped.empty()
                        ? 0
                        : ham::count(model.network.layers()[model.network.layer_index(model.clamped[0])].layer.shape);
  const std::vector<ham::FoundDataSet> found = ham::find_data_sets(directories);
  std::string fitting;
  for (const ham::KnownDataSet& known : ham::known_data_sets()) {
    if (static_cast<long>(known.rows) * known.columns * known.channels != size) continue;
    fitting += (fitting.empty() ? "" : " or ") + std::string(known.name);
    for (const ham::FoundDataSet& place : found)
      if (place.data_set == &known && place.missing.empty()) return known.name;
  }
  if (fitting.empty())
    throw UsageError(
        fmt::format("--data is missing: no known data set has images of {} numbers, as {} needs", size, model_path));
  throw UsageError(fmt::format("{} is not found; `ham data` says where it is looked for and fetches it", fitting));
}

}  // namespace experiments

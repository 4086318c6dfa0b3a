#include "experiments/training_spec.h"

#include <fmt/core.h>

#include <boost/program_options/value_semantic.hpp>

#include "core/file.h"
#include "core/hash.h"
#include "core/numbers.h"
#include "experiments/cli.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

template <class T>
std::uint64_t hash_of(const std::vector<T>& values, std::uint64_t state) {
  return core::fnv1a(std::as_bytes(std::span(values)), state);
}

/// Tells data sets apart by what is in them.
std::uint64_t content(const ham::DataSet& data) {
  std::uint64_t hash = core::fnv1a({});
  for (const ham::Images* images : {&data.train, &data.test})
    hash = hash_of(images->labels, hash_of(images->pixels, hash));
  return hash_of(data.normalization.deviation, hash_of(data.normalization.mean, hash));
}

}  // namespace

void add_recipe_options(po::options_description& options) {
  std::string names;
  for (const ham::Recipe& recipe : ham::recipes()) names += (names.empty() ? "" : ", ") + recipe.name;
  auto add = options.add_options();
  add("recipe", po::value<std::string>()->default_value("code")->value_name("X"),
      fmt::format("the row of the table of recipes to start from: {}", names).c_str());
  for (const ham::RecipeSwitch& option : ham::recipe_switches())
    add(option.name, po::value<std::string>()->value_name("X"), option.help);
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
                           ham::TrainingOptions options) {
  constexpr std::uint64_t kModelBytes = 1 << 20;
  const core::Bytes file = core::read_file(model_path, kModelBytes);
  std::string toml(reinterpret_cast<const char*>(file.data()), file.size());
  TrainingSpec spec{ham::parse_model(toml, model_path, options.recipe.norm), std::move(toml), std::move(data),
                    std::move(options), ""};
  spec.text = fmt::format("model = {}\nmodel_file = {:016x}\ndata = {}\nimages = {:016x}\nseed = {}\nrecipe = {}\n",
                          spec.model.name, core::fnv1a(file), spec.data->name, content(*spec.data), spec.options.seed,
                          spec.options.recipe.name);
  for (const ham::RecipeSwitch& option : ham::recipe_switches())
    spec.text += fmt::format("{} = {}\n", option.name, option.text(spec.options.recipe));
  // A schedule that knows its end trains other weights for another end; a constant rate goes on as far as one likes.
  if (spec.options.recipe.schedule.needs_length()) spec.text += fmt::format("epochs = {}\n", spec.options.epochs);
  return spec;
}

}  // namespace experiments

// ham train: gradient descent through the descent, on images.
#include <fmt/core.h>

#include <boost/program_options/value_semantic.hpp>
#include <filesystem>

#include "core/npz.h"
#include "experiments/data_path.h"
#include "experiments/ham_verbs.h"
#include "experiments/training_run.h"
#include "results/export.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string& command_line) {
  if (!given.contains("model"))
    throw UsageError("--model is missing: a network as TOML, such as experiments/models/hn_relu_mnist.toml");
  const std::string model = given["model"].as<std::string>();
  ham::TrainingOptions training{
      .recipe = parse_recipe(given), .epochs = positive_integer(given, "epochs"), .seed = parse_seed(given)};
  const std::string stem =
      fmt::format("{}-{}-{}", std::filesystem::path(model).stem().string(), training.recipe.name, training.seed);
  const RunOptions options = parse_run_options(given, "results/" + stem + ".h5");
  training.threads = options.threads;
  Progress progress(options.quiet);
  const auto directories = data_directories(given.contains("data-dir") ? given["data-dir"].as<std::string>() : "");
  const auto data = std::make_shared<const ham::DataSet>(
      ham::read_data_set(given["data"].as<std::string>(), directories, static_cast<std::uint64_t>(options.max_memory)));
  const TrainingSpec spec = training_spec(model, data, training);
  TrainingRun training_run(spec, options, command_line, progress);
  const bool complete = training_run.run();
  return complete ? kComplete : kStoppedEarly;
}

po::options_description options() {
  po::options_description options("options", 110, 70);
  auto add = options.add_options();
  add("model", po::value<std::string>()->value_name("FILE.toml"), "the network (ham/README.md has the keys)");
  add("data", po::value<std::string>()->default_value("mnist")->value_name("X"), "mnist");
  add("data-dir", po::value<std::string>()->value_name("DIR"), "where data sets are looked for first");
  add("epochs", po::value<std::string>()->default_value("100")->value_name("N"), "passes over the training images");
  add_recipe_options(options);
  add_seed(options);
  add_run_options(options, "results/MODEL-RECIPE-SEED.h5");
  return options;
}

}  // namespace

const Verb kTrain = {"train", "train a network on images", "--model FILE.toml [options]", "", options, "", run};

}  // namespace experiments

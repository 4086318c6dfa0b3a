// ham train: a network learns to classify images.
#include <fmt/core.h>

#include <optional>

#include "core/numbers.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/files/data_path.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/run.h"
#include "experiments/training/weights.h"
#include "results/export.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

void print_summary(const std::string& path, const TrainingSummary& summary) {
  const auto percent = [](double fraction) { return fmt::format("{:.2f} %", 100 * fraction); };
  fmt::print("{}\n", path);
  fmt::print("  network      {}, {} parameters, recipe {}, seed {}\n", summary.model, summary.parameters,
             summary.recipe, summary.seed);
  fmt::print("  trained      {}{} of {} in {}\n", counted(summary.epochs, "epoch", "epochs"),
             summary.batches > 0 ? " and " + counted(summary.batches, "batch", "batches") : "", summary.data,
             duration_text(summary.seconds));
  if (summary.epochs == 0) return;
  fmt::print("  best         {} (epoch {}), zoomed {}\n", percent(summary.best), summary.best_epoch,
             percent(summary.best_zoomed));
  fmt::print("  last         {}, zoomed {}\n", percent(summary.last), percent(summary.last_zoomed));
}

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  const NetworkDevice device(given);
  if (!given.contains("model"))
    throw UsageError("--model is missing: a network as TOML, such as experiments/models/hn_relu_mnist.toml");
  const std::string model = given["model"].as<std::string>();
  ham::TrainingOptions training{
      .recipe = parse_recipe(given), .epochs = positive_integer(given, "epochs"), .seed = parse_seed(given)};
  const DescentOptions descent = parse_descent(given);
  const RunOptions options = parse_run_options(given, "results/" + run_name(model, training) + ".h5");
  training.threads = options.threads;

  std::optional<core::OutputFile> exported;
  if (given.contains("export-weights"))
    exported.emplace(open_output(given, given["export-weights"].as<std::string>(), kWeightsFile));

  std::optional<core::OutputFile> log;
  if (given.contains("log")) log.emplace(open_output(given, given["log"].as<std::string>(), kEpochsFile));
  const long patience = given.contains("patience") ? positive_integer(given, "patience") : 0;

  Progress progress(options.quiet);
  const auto directories = data_directories(given["data-dir"].as<std::string>());
  const std::string name = given.contains("data") ? given["data"].as<std::string>() : default_data(model, directories);
  const auto data = std::make_shared<const ham::DataSet>(
      ham::read_data_set(name, directories, static_cast<std::uint64_t>(options.max_memory)));
  if (!given.contains("data")) progress.say(fmt::format("training on {}; --data chooses other images", name));
  const TrainingSpec spec = training_spec(model, data, training, descent);
  TrainingRun training_run(spec, options, device, command_line, progress);
  if (log) training_run.log_to(std::move(*log));
  training_run.set_patience(patience);
  const bool complete = training_run.run();
  if (!complete) progress.say("stopped early; run the same command to go on");
  const TrainingSummary summary = summary_of(training_run.file(), training.epochs);
  if (exported) {
    const TrainedModel trained = read_trained(options.out);
    write_weights(*exported, trained, command_line);
    progress.say(fmt::format("wrote {}: the weights after {}", exported->path(), trained.progress));
  }
  if (options.json)
    std::fputs(results::to_json(training_run.file(), {"epochs"}).c_str(), stdout);
  else
    print_summary(options.out, summary);
  return complete ? kComplete : kStoppedEarly;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("model", word("FILE.toml"), "the network (ham/README.md has the keys)");
  add("data", word(),
      "mnist, fashion-mnist, cifar10 or a file: NPZ, HDF5, MATLAB [the first that is found and fits the network]");
  add_data_dir(options);
  add("epochs", word("X", "100"), "passes over the training images");
  add_recipe_options(options);
  add_descent_options(options);
  add("export-weights", word("FILE"), "also write the best epoch's weights, model inside: .npz, .h5 or .safetensors");
  add("log", word("FILE.csv"), "also write what every epoch came to, as soon as it has ended");
  add("patience", word("N"), "end when no epoch has been better on the test images for N of them");
  add_force(options);
  add_seed(options);
  add_save_every(options, "20s");
  add_kernels(options);
  add_network_device(options);
  add_run_options(options, "results/MODEL-RECIPE-SEED.h5; with a schedule MODEL-RECIPE-EPOCHS-SEED");
  return options;
}

}  // namespace

const Verb kTrain = {
    "train",
    "train a network to classify images",
    "--model FILE.toml [--data X] [--recipe X] [--epochs N] [options]",
    "The image layer (the first clamped one) is clamped to the image, the others start from 0, and the readout after\n"
    "the descent is the prediction. A recipe is a row of values: `paper` and `code` are those of Hoover et al. 2022 "
    "and\n"
    "of its first public code, `ours` is made for long runs (about 100 epochs; README of ham/ has\n"
    "what to add in shorter ones); options change single values.\n"
    "\n"
    "The result file holds loss and test accuracy of every epoch (of plain images, and zoomed by 1/0.875 as the paper\n"
    "evaluates), the last and the best weights, and what it takes to go on. Stopped, killed and continued training "
    "gives the\n"
    "same weights bit for bit, for any number of threads; more epochs of a constant rate continue the same file. A\n"
    "stop asked for by Ctrl-C or --time-limit is answered after the batch under way.\n"
    "\n"
    "  ham train --model experiments/models/hn_relu_mnist.toml --epochs 100 --out run.h5\n"
    "  ham train --model experiments/models/hn_softmax_mnist.toml --recipe ours --export-weights softmax.npz\n"
    "  ham train --model experiments/models/hn_softmax_mnist.toml --recipe ours --epochs 4 --hidden-beta 4\n"
    "  ham train --model experiments/models/conv_ham_maxpool_mnist.toml --log conv.csv --patience 5\n",
    options,
    "",
    run,
    true};

}  // namespace experiments

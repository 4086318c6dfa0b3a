// ham eval: how well a trained network classifies images.
#include <fmt/core.h>

#include <optional>

#include "core/numbers.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/device.h"
#include "experiments/training/spec.h"
#include "experiments/training/trained_data.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  const NetworkDevice device(given);
  require_run(given, "eval");
  const std::string which = given["images"].as<std::string>();
  if (which != "test" && which != "train")
    throw UsageError(fmt::format("--images: '{}' is not one of test, train", which));
  const int batch = static_cast<int>(positive_integer(given, "batch"));
  const int threads = parse_threads(given);
  const DescentOptions descent = parse_descent(given);
  std::optional<core::OutputFile> exported;
  if (given.contains("export-weights"))
    exported.emplace(open_output(given, given["export-weights"].as<std::string>(), kWeightsFile));
  TrainedModel network = load_network(given, "eval");
  if (exported) {
    write_weights(*exported, network, command_line);
    fmt::print(stderr, "wrote {}\n", exported->path());
  }

  auto [trained, data] = with_data(std::move(network), given, "eval");
  set_descent(trained.model, descent);
  const ham::Classifier classifier(trained.model, data);
  const std::string name = given.contains("data") ? given["data"].as<std::string>() : trained.data;
  const ham::Images& images = which == "test" ? data.test : data.train;
  const std::array<ham::Score, 2> scores =
      device.scores(trained.model, trained.weights, images, data.normalization, classifier, batch, threads);

  const bool json = given["json"].as<bool>();
  std::string document;
  if (!json)
    fmt::print("{} trained on {} ({}, {}), {} {} images of {}\n{:<8} {:>10} {:>9} {:>22}\n", trained.model.name,
               trained.data, trained.recipe, trained.progress, images.count(), which, name, "view", "loss", "top-1",
               "mean of batches");
  for (const auto& [score, label] : {std::pair{scores[0], "plain"}, std::pair{scores[1], "zoomed"}}) {
    if (json)
      document += fmt::format("{}\"{}\":{{\"loss\":{},\"accuracy\":{},\"batch_accuracy\":{}}}",
                              document.empty() ? "" : ",", label, core::number_text(score.loss),
                              core::number_text(score.accuracy), core::number_text(score.batch_accuracy));
    else
      fmt::print("{:<8} {:>10.5f} {:>7.2f} % {:>20.2f} %\n", label, score.loss, 100 * score.accuracy,
                 100 * score.batch_accuracy);
  }
  if (json) fmt::print("{{{}}}\n", document);
  return kComplete;
}

Options options() {
  Options options;
  add_trained_options(options);
  auto add = options.add_options();
  add("images", word("X", "test"), "test or train");
  add("batch", word("X", "400"), "images per batch; only the mean of batches depends on it");
  add("threads", word(), "threads [all]");
  add("export-weights", word("FILE"), "also write the weights, model inside: .npz, .h5 or .safetensors");
  add_descent_options(options);
  add_seed(options);
  add("json", flag(), "print one JSON document instead of the table");
  add_kernels(options);
  add_network_device(options);
  add_force(options);
  return options;
}

}  // namespace

const Verb kEval = {
    "eval",
    "score a trained network on plain and zoomed images",
    "FILE.h5 [--data X[:first N]] [--depth N] [--time-step X] [options]",
    "Zoomed images are enlarged by 1/0.875 (bicubic) and cropped, as the paper evaluates. The mean of batches is the\n"
    "number the paper's code reports: each batch counts the same, a smaller last one too.\n"
    "\n"
    "  ham eval results/hn_relu_mnist-code-1.h5\n"
    "  ham eval results/hn_relu_mnist-code-1.h5 --data \"mnist:first 100\" --depth 8\n"
    "  ham eval weights.npz --model experiments/models/hn_relu_mnist.toml --data mnist\n",
    options,
    "file",
    run};

}  // namespace experiments

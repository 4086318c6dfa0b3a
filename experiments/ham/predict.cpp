// ham predict: what a trained network makes of images, image by image.
#include "ham/uses/predict.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "core/formats/npz.h"
#include "core/numbers.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/command_line/progress.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/data_path.h"
#include "experiments/files/named_arrays.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/spec.h"
#include "experiments/training/trained_data.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// The images of --data, labelled or not, as the network was trained to see them.
Shown images_of(const po::variables_map& given, const TrainedModel& trained) {
  const std::string which = given["images"].as<std::string>();
  if (which != "test" && which != "train")
    throw UsageError(fmt::format("--images: '{}' is not one of test, train", which));
  const auto limit = static_cast<std::uint64_t>(available_memory());
  const auto directories = data_directories(given["data-dir"].as<std::string>());
  const DataChoice choice = parse_data(given.contains("data") ? given["data"].as<std::string>() : trained.data);
  if (choice.name.empty()) throw UsageError("predict: --data is missing: the file does not say what was trained on");
  const auto some = [&](const ham::Images& images) { return chosen(images, choice, parse_seed(given)); };
  if (choice.name.find_first_of("/.") == std::string::npos || !given["unlabelled"].as<bool>()) {
    const ham::DataSet data = ham::read_data_set(choice.name, directories, limit);
    warn_of_other_images(given["file"].as<std::string>(), trained, data);
    return shown(some(which == "test" ? data.test : data.train), data.normalization);
  }
  const ham::Images images = ham::read_images(choice.name, limit);
  // Colours are scaled as they were in training.
  ham::Normalization normalization{{0}, {1}};
  if (images.channels > 1) {
    if (trained.data.empty()) throw UsageError("predict: colour images need the data the network was trained on");
    normalization = ham::read_data_set(trained.data, directories, limit).normalization;
  }
  return shown(some(images), normalization);
}

std::string csv_of(const ham::Prediction& found, const std::vector<int>& labels) {
  const int classes = found.probabilities.shape[1];
  std::string text = "image,label,predicted";
  for (int c = 0; c < classes; ++c) text += fmt::format(",p{}", c);
  const std::vector<float> energies = found.energies.total();
  text += ",energy\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += fmt::format("{},{},{}", i, labels[i] < 0 ? "" : std::to_string(labels[i]), found.classes[i]);
    for (int c = 0; c < classes; ++c)
      text += "," + core::number_text(static_cast<double>(found.probabilities.values[i * classes + c]));
    text += fmt::format(",{}\n", core::number_text(static_cast<double>(energies[i])));
  }
  return text;
}

ham::NamedArrays arrays_of(const ham::Prediction& found, const std::vector<int>& labels) {
  ham::NamedArrays arrays;
  const auto add = [&](const std::string& name, const ham::Tensor<float>& tensor) {
    arrays[name] = {tensor.shape, std::vector<double>(tensor.values.begin(), tensor.values.end())};
  };
  const int count = static_cast<int>(labels.size());
  add("probs", found.probabilities);
  arrays["predicted"] = {{count}, std::vector<double>(found.classes.begin(), found.classes.end())};
  if (count > 0 && labels[0] >= 0) arrays["label"] = {{count}, std::vector<double>(labels.begin(), labels.end())};
  add("E_layer", found.energies.layers);
  add("E_syn", found.energies.connections);
  const std::vector<float> total = found.energies.total();
  arrays["E"] = {{count}, std::vector<double>(total.begin(), total.end())};
  for (std::size_t i = 0; i < found.states.size(); ++i) add(fmt::format("x.{}", i), found.states[i]);
  return arrays;
}

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  require_run(given, "predict");
  if (!given.contains("out")) throw UsageError("predict: --out is missing: an .h5, .npz or .csv file");
  const core::OutputFile out = open_output(given, given["out"].as<std::string>(), kPredictions);
  const int threads = parse_threads(given);
  const DescentOptions descent = parse_descent(given);
  TrainedModel trained = load_network(given, "predict");
  set_descent(trained.model, descent);
  const Shown some = images_of(given, trained);
  const ham::Prediction found = ham::predict(trained.model, trained.weights, some.images, threads);
  if (out.path().ends_with(".csv"))
    out.write(csv_of(found, some.labels));
  else
    write_arrays(out, arrays_of(found, some.labels), command_line);
  long right = 0, known = 0;
  for (std::size_t i = 0; i < some.labels.size(); ++i) {
    known += some.labels[i] >= 0;
    right += found.classes[i] == some.labels[i];
  }
  const std::string score = known == 0 ? ""
                                       : fmt::format(", {} right ({:.2f} %)", right,
                                                     100 * static_cast<double>(right) / static_cast<double>(known));
  fmt::print("{}: {}{}\n", out.path(), counted(static_cast<std::int64_t>(some.labels.size()), "image", "images"),
             score);
  return kComplete;
}

Options options() {
  Options options;
  add_trained_options(options);
  auto add = options.add_options();
  add("images", word("X", "test"), "test or train");
  add("unlabelled", flag(), "--data is a file of images alone: `images`, or its only array");
  add("out,o", word("FILE"), "arrays (.h5, .npz) or a table (.csv)");
  add_descent_options(options);
  add("threads", word(), "threads [all]");
  add_seed(options);
  add_kernels(options);
  add_force(options);
  return options;
}

}  // namespace

const Verb kPredict = {
    "predict",
    "write what a trained network makes of images, image by image",
    "FILE.h5 --out Y [--data X[:CHOICE]] [--unlabelled] [options]",
    "As arrays: the readout's activations (probs), their largest (predicted), labels (label), energies at the end of "
    "the\n"
    "descent by layer and connection (E_layer, E_syn, E) and the states of every layer (x.0, x.1, …); one row, or in "
    "E_layer\n"
    "and E_syn one column, an image. As a table: image, label, predicted, probabilities, energy.\n"
    "\n"
    "  ham predict results/hn_relu_mnist-code-1.h5 --data \"mnist:first 100\" --out predictions.csv\n"
    "  ham predict weights.safetensors --data mine.npy --unlabelled --out predictions.npz\n",
    options,
    "file",
    run};

}  // namespace experiments

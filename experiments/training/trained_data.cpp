#include "experiments/training/trained_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>
#include <regex>

#include "core/random.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/grid.h"
#include "experiments/command_line/run_options.h"
#include "experiments/files/data_path.h"
#include "experiments/files/named_arrays.h"
#include "experiments/files/outputs.h"
#include "experiments/training/spec.h"
#include "ham/data/augmentation.h"
#include "ham/training/trainer.h"

namespace experiments {

namespace po = boost::program_options;

void add_trained_options(Options& options) {
  auto add = options.add_options();
  add("file", word("FILE"), "a training run, or exported weights (also without --file)");
  add("weights", word("X", "best_weights"), "of a run: best_weights, weights or averaged_weights");
  add("model", word("FILE.toml"), "the network of a file of weights that holds none");
  add("data", word("X[:CHOICE]"),
      "the images [those it was trained on]; `:first 100`, `:last 100`, `:random 100` or `:0-99` takes some");
  add_data_dir(options);
}

void require_run(const po::variables_map& given, const char* verb) {
  if (!given.contains("file"))
    throw UsageError(fmt::format("{}: a training run is missing, such as results/hn_softmax_mnist-code-1.h5", verb));
}

void warn_of_other_images(const std::string& path, const TrainedModel& trained, const ham::DataSet& data) {
  if (!trained.images.empty() && trained.images != content_id(data))
    warn(fmt::format("{} was trained on other images ({}) than these ({})", path, trained.data, data.name));
}

TrainedModel load_network(const po::variables_map& given, const char* verb) {
  require_run(given, verb);
  const std::string file = given["file"].as<std::string>();
  if (!given.contains("model")) return read_trained(file, given["weights"].as<std::string>());
  const std::string model = given["model"].as<std::string>();
  return read_weights(file, ham::model_text(model), model);
}

TrainedData load_trained(const po::variables_map& given, const char* verb) {
  return with_data(load_network(given, verb), given, verb);
}

TrainedData with_data(TrainedModel network, const po::variables_map& given, const char* verb) {
  TrainedData both{std::move(network), {}};
  if (!given.contains("data") && both.trained.data.empty())
    throw UsageError(fmt::format("{}: --data is missing: the file does not say what its network was trained on", verb));
  const DataChoice choice = parse_data(given.contains("data") ? given["data"].as<std::string>() : both.trained.data);
  both.data = ham::read_data_set(choice.name, data_directories(given["data-dir"].as<std::string>()),
                                 static_cast<std::uint64_t>(available_memory()));
  ham::Classifier(both.trained.model, both.data);  // throws when they do not fit
  warn_of_other_images(given["file"].as<std::string>(), both.trained, both.data);
  const std::uint64_t seed = given.contains("seed") ? parse_seed(given) : 1;
  const bool train = given.contains("images") && given["images"].as<std::string>() == "train";
  ham::Images& images = train ? both.data.train : both.data.test;
  if (choice.which != DataChoice::Which::all) images = chosen(images, choice, seed);
  return both;
}

DataChoice parse_data(const std::string& text) {
  static const std::regex pattern(R"((.+):(first|last|random) +(\d{1,9})|(.+):(\d{1,9})-(\d{1,9}))");
  std::smatch found;
  if (!std::regex_match(text, found, pattern)) {
    const std::size_t colon = text.rfind(':');
    for (const char* word : {"first", "last", "random"})
      if (colon != std::string::npos && text.compare(colon + 1, std::strlen(word), word) == 0)
        throw UsageError(fmt::format("--data: '{}' chooses no images; accepted are :first N, :last N, :random N, :A-B",
                                     text.substr(colon)));
    return {text};
  }
  if (found[5].matched) {
    const long from = std::stol(found[5]), to = std::stol(found[6]);
    if (to < from) throw UsageError(fmt::format("--data: {}-{} names no images", from, to));
    return {found[4], DataChoice::Which::range, from, to - from + 1};
  }
  const auto which = found[2] == "first"  ? DataChoice::Which::first
                     : found[2] == "last" ? DataChoice::Which::last
                                          : DataChoice::Which::random;
  const long count = std::stol(found[3]);
  if (count < 1) throw UsageError(fmt::format("--data: '{} 0' names no images", found[2].str()));
  return {found[1], which, 0, count};
}

namespace {

/// `count` of `all` indices, in random order.
std::vector<std::uint32_t> drawn(long all, long count, std::uint64_t seed) {
  constexpr std::uint64_t kSample = 1;  // configuration of its stream
  std::vector<std::uint32_t> indices(static_cast<std::size_t>(all));
  std::iota(indices.begin(), indices.end(), 0u);
  if (count >= all) return indices;
  core::Stream stream(seed, kSample, 0, core::Purpose::data);
  core::shuffle(stream, indices);
  indices.resize(static_cast<std::size_t>(count));
  return indices;
}

}  // namespace

ham::Images chosen(const ham::Images& images, const DataChoice& choice, std::uint64_t seed) {
  const long all = images.count();
  if (choice.which == DataChoice::Which::all) return images;
  if (choice.from + choice.count > all)
    throw UsageError(fmt::format("--data: {} images are asked for up to number {}, {} has {}", choice.count,
                                 choice.from + choice.count - 1, choice.name, all));
  std::vector<std::uint32_t> indices;
  if (choice.which == DataChoice::Which::random) {
    indices = drawn(all, choice.count, seed);
    std::ranges::sort(indices);
  } else {
    indices.resize(static_cast<std::size_t>(choice.count));
    const long first = choice.which == DataChoice::Which::last ? all - choice.count : choice.from;
    std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(first));
  }
  ham::Images some{images.rows, images.columns, images.channels, {}, {}};
  for (const std::uint32_t index : indices) {
    const auto pixels = images.image(index);
    some.pixels.insert(some.pixels.end(), pixels.begin(), pixels.end());
    some.labels.push_back(images.labels[index]);
  }
  return some;
}

void add_finding_options(Options& options, const char* name, const char* what) {
  auto add = options.add_options();
  add("threads", word(), "threads [all]");
  add_seed(options);
  add("out", word("FILE.h5"), fmt::format("HDF5 file: {} [beside the run, FILE-{}.h5]", what, name).c_str());
  add("figure", word("LIST"),
      fmt::format("figures, .svg, .png or .pdf [beside the run, FILE-{0}.svg,FILE-{0}.png]", name).c_str());
  add_force(options);
}

namespace {

std::string finding_path(const po::variables_map& given, const char* option, const char* name, const char* endings) {
  if (given.contains(option)) return given[option].as<std::string>();
  const std::string stem =
      std::filesystem::path(given["file"].as<std::string>()).replace_extension().string() + "-" + name;
  return fmt::format(fmt::runtime(endings), stem);
}

}  // namespace

FindingFiles::FindingFiles(const po::variables_map& given, const char* name)
    : arrays_(open_output(given, finding_path(given, "out", name, "{}.h5"), kArraysFile)) {
  for (const std::string& path : parse_list(finding_path(given, "figure", name, "{0}.svg,{0}.png"), "figure"))
    figures_.push_back(open_output(given, path, kFigureFile));
}

void FindingFiles::write(const ham::NamedArrays& arrays, const analysis::Figure& figure,
                         const std::string& command_line) const {
  write_arrays(arrays_, arrays, command_line);
  for (const core::OutputFile& file : figures_)
    file.write(analysis::render(figure, analysis::figure_format(file.path())));
}

Shown sample_images(const ham::DataSet& data, long count, std::uint64_t seed) {
  const ham::Images& images = data.test;
  Shown some{ham::Tensor<float>(
                 {static_cast<int>(std::min(count, images.count())), images.rows, images.columns, images.channels}),
             {}};
  for (const std::uint32_t index : drawn(images.count(), count, seed)) {
    ham::plain(images, index, data.normalization,
               std::span(some.images.values).subspan(some.labels.size() * images.size(), images.size()));
    some.labels.push_back(images.labels[index]);
  }
  return some;
}

Shown shown(const ham::Images& images, const ham::Normalization& normalization) {
  Shown all{ham::Tensor<float>({static_cast<int>(images.count()), images.rows, images.columns, images.channels}),
            images.labels};
  for (long i = 0; i < images.count(); ++i)
    ham::plain(images, i, normalization, std::span(all.images.values).subspan(i * images.size(), images.size()));
  return all;
}

long parse_images(const po::variables_map& given) {
  if (given["images"].as<std::string>() == "all") return std::numeric_limits<long>::max();
  return positive_integer(given, "images");
}

}  // namespace experiments

#include "experiments/training/trained_data.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>

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
  add("file", word("FILE.h5"), "a training run (also without --file)");
  add("weights", word("X", "best_weights"), "best_weights, weights or averaged_weights");
  add("data", word(), "the images [those it was trained on]");
  add_data_dir(options);
}

void require_run(const po::variables_map& given, const char* verb) {
  if (!given.contains("file"))
    throw UsageError(fmt::format("{}: a training run is missing, such as results/hn_softmax_mnist-code-1.h5", verb));
}

void warn_of_other_images(const std::string& path, const TrainedModel& trained, const ham::DataSet& data) {
  if (!trained.images.empty() && trained.images != content_id(data))
    fmt::print(stderr, "warning: {} was trained on other images ({}) than these ({})\n", path, trained.data, data.name);
}

TrainedData load_trained(const po::variables_map& given, const char* verb) {
  require_run(given, verb);
  TrainedData both{read_trained(given["file"].as<std::string>(), given["weights"].as<std::string>()), {}};
  both.data = ham::read_data_set(given.contains("data") ? given["data"].as<std::string>() : both.trained.data,
                                 data_directories(given["data-dir"].as<std::string>()),
                                 static_cast<std::uint64_t>(available_memory()));
  ham::Classifier(both.trained.model, both.data);  // throws when they do not fit
  warn_of_other_images(given["file"].as<std::string>(), both.trained, both.data);
  return both;
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
  std::vector<std::uint32_t> chosen(static_cast<std::size_t>(images.count()));
  std::iota(chosen.begin(), chosen.end(), 0u);
  if (count < images.count()) {
    constexpr std::uint64_t kSample = 1;  // configuration of its stream
    core::Stream stream(seed, kSample, 0, core::Purpose::data);
    core::shuffle(stream, chosen);
    chosen.resize(static_cast<std::size_t>(count));
  }
  Shown shown{ham::Tensor<float>({static_cast<int>(chosen.size()), images.rows, images.columns, images.channels}), {}};
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    ham::plain(images, chosen[i], data.normalization,
               std::span(shown.images.values).subspan(i * images.size(), images.size()));
    shown.labels.push_back(images.labels[chosen[i]]);
  }
  return shown;
}

long parse_images(const po::variables_map& given) {
  if (given["images"].as<std::string>() == "all") return std::numeric_limits<long>::max();
  return positive_integer(given, "images");
}

}  // namespace experiments

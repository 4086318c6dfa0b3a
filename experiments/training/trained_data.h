// What the verbs that look at trained networks share: a run with images for it, and where their findings go.
#pragma once

#include <boost/program_options/variables_map.hpp>

#include "analysis/drawing/figure.h"
#include "core/files/output_file.h"
#include "experiments/command_line/options.h"
#include "experiments/training/weights.h"
#include "ham/data/data_set.h"
#include "ham/uses/inspect.h"

namespace experiments {

struct TrainedData {
  TrainedModel trained;
  ham::DataSet data;
};

/// Some images of a data set: `mnist`, `mnist:first 100`, `digits.npz:last 10`, `mnist:random 50`, `cifar10:100-199`.
struct DataChoice {
  std::string name;  ///< of the data set or file
  enum class Which { all, first, last, random, range } which = Which::all;
  long from = 0, count = 0;
};
/// Throws UsageError that says what is accepted.
DataChoice parse_data(const std::string& text);
/// The chosen images in their order; a random sample is a function of the seed. Throws UsageError when there are fewer.
ham::Images chosen(const ham::Images& images, const DataChoice& choice, std::uint64_t seed);

/// Adds the run file (also as a word without a dash), --weights, --model, --data and --data-dir.
void add_trained_options(Options& options);

/// Throws UsageError where no run is named.
void require_run(const boost::program_options::variables_map& given, const char* verb);

/// Says on stderr that these are not the images a run was trained on, where that is so.
void warn_of_other_images(const std::string& path, const TrainedModel& trained, const ham::DataSet& data);

/// The network of the file, which may also be one of weights (--model, unless the model is inside); throws UsageError
/// when no file is named.
TrainedModel load_network(const boost::program_options::variables_map& given, const char* verb);

/// Reads both and checks that they fit; the images to look at (--images: test, unless the verb has it otherwise) are
/// cut down to what --data chooses.
TrainedData load_trained(const boost::program_options::variables_map& given, const char* verb);
/// The same for a network that is read already.
TrainedData with_data(TrainedModel trained, const boost::program_options::variables_map& given, const char* verb);

/// Adds --threads, --seed, --out and --figure; files by default stand beside the run file: `FILE-NAME.h5`,
/// `FILE-NAME.svg`, `FILE-NAME.png`.
void add_finding_options(Options& options, const char* name, const char* what);

/// Where a verb's findings go, decided before it computes them.
class FindingFiles {
 public:
  FindingFiles(const boost::program_options::variables_map& given, const char* name);
  /// Writes the arrays to --out, draws the figure into every --figure.
  void write(const ham::NamedArrays& arrays, const analysis::Figure& figure, const std::string& command_line) const;

 private:
  core::OutputFile arrays_;
  std::vector<core::OutputFile> figures_;
};

/// Some test images with their labels; images normalized, (count, rows, columns, channels).
struct Shown {
  ham::Tensor<float> images;
  std::vector<int> labels;
};
/// A random sample of `count` test images without repetition, a function of the seed; all of them, in their order, when
/// there are no more.
Shown sample_images(const ham::DataSet& data, long count, std::uint64_t seed);
/// All of these, in their order.
Shown shown(const ham::Images& images, const ham::Normalization& normalization);

/// Reads --images: a number, or the word `all`.
long parse_images(const boost::program_options::variables_map& given);

}  // namespace experiments

// What a training run is: the options of `ham train`, from words to a model, data and a recipe.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <memory>
#include <string>
#include <vector>

#include "experiments/command_line/options.h"
#include "ham/training/trainer.h"

namespace experiments {

/// A run: everything that decides its numbers.
struct TrainingSpec {
  ham::Model model;
  std::string toml;  // the model's file
  std::shared_ptr<const ham::DataSet> data;
  ham::TrainingOptions options;
  std::string text;                   // canonical `key = value` lines; equal texts train the same weights
  std::vector<std::string> warnings;  // of ham/network/diagnosis.h
};

/// The descent of a model, where it is not to be that of its file.
struct DescentOptions {
  int depth = 0;         // 0: the file's
  double time_step = 0;  // 0: the file's
};

/// Adds and reads --depth and --time-step.
void add_descent_options(Options& options);
DescentOptions parse_descent(const boost::program_options::variables_map& given);
/// Puts what is given in the place of the model's own.
void set_descent(ham::Model& model, const DescentOptions& descent);

/// Adds --recipe and an option for every switch of a recipe.
void add_recipe_options(Options& options);
/// The recipe with the switches that are given; throws UsageError that names the option.
ham::Recipe parse_recipe(const boost::program_options::variables_map& given);

/// Puts a run together; throws what ham/network/model_file.h throws, and UsageError for a model that cannot learn
/// (ham/network/diagnosis.h).
TrainingSpec training_spec(const std::string& model_path, std::shared_ptr<const ham::DataSet> data,
                           ham::TrainingOptions options, const DescentOptions& descent = {});

/// Sixteen digits that tell data sets apart by what is in them; `images` of a spec text.
std::string content_id(const ham::DataSet& data);

/// The model a spec text and a model file describe: with the spec's norm, depth and time step.
ham::Model model_of(const std::string& spec_text, const std::string& toml, const std::string& name);

/// The value of `key = value` in a spec text, empty when there is no such line.
std::string spec_value(const std::string& spec_text, const std::string& key);

/// `hn_relu_mnist-code-1`: the stem of a run's file; a schedule that knows its end puts the epochs before the seed.
std::string run_name(const std::string& model_path, const ham::TrainingOptions& options);

/// The first known data set that fits the model's images and is found below the directories; throws UsageError when
/// there is none.
std::string default_data(const std::string& model_path, const std::vector<std::string>& directories);

}  // namespace experiments

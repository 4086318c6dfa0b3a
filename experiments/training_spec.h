// What a training run is: the options of `ham train`, from words to a model, data and a recipe.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <memory>
#include <string>

#include "ham/trainer.h"

namespace experiments {

/// A run: everything that decides its numbers.
struct TrainingSpec {
  ham::Model model;
  std::string toml;  // the model's file
  std::shared_ptr<const ham::DataSet> data;
  ham::TrainingOptions options;
  std::string text;  // canonical `key = value` lines; equal texts train the same weights
};

/// Adds --recipe and an option for every switch of a recipe.
void add_recipe_options(boost::program_options::options_description& options);
/// The recipe with the switches that are given; throws UsageError that names the option.
ham::Recipe parse_recipe(const boost::program_options::variables_map& given);

/// Puts a run together; throws what ham/model_file.h throws.
TrainingSpec training_spec(const std::string& model_path, std::shared_ptr<const ham::DataSet> data,
                           ham::TrainingOptions options);

}  // namespace experiments

// A training run together with images for it: what the verbs that look at trained networks begin with.
#pragma once

#include "experiments/training_run.h"
#include "ham/data_set.h"

namespace experiments {

struct TrainedData {
  TrainedModel trained;
  ham::DataSet data;
};

/// Adds the run file (also as a word without a dash), --weights, --data and --data-dir.
void add_trained_options(boost::program_options::options_description& options);

/// Reads both and checks that they fit; throws UsageError when the file is missing.
TrainedData load_trained(const boost::program_options::variables_map& given, const char* verb);

/// The first `count` test images, normalized, (count, rows, columns, channels); all when there are fewer.
ham::Tensor<float> first_images(const ham::DataSet& data, long count);

}  // namespace experiments

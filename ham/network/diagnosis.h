// What keeps a model from learning, or from running as meant: said before anything is computed.
#pragma once

#include <string>
#include <vector>

#include "ham/data/data_set.h"
#include "ham/network/model_file.h"

namespace ham {

/// Something to know about a model. An error cannot work; a warning works, but hardly as meant.
struct Finding {
  enum class Weight { warning, error };
  Weight weight;
  std::string text;  ///< one line that names the layer or synapse and the cure
};

/// Steps of a descent after which a change of layer `from` has reached each layer, by the shortest way along
/// connections; −1 where no way leads.
std::vector<int> steps_from(const Network& network, int from);

/// Everything that is known to go wrong in classifying images with this model: a readout that the image does not reach
/// in its depth or that gives no probabilities, layers that overshoot (dt/τ > 2), synapses without a say.
std::vector<Finding> diagnose(const Model& model);

/// The same of labels: classes without a training image, labels from 1.
std::vector<Finding> diagnose(const DataSet& data);

}  // namespace ham

// How a trained memory bears other depths and steps in time than it was trained with, and noise.
#pragma once

#include <span>
#include <vector>

#include "ham/network/model_file.h"

namespace ham {

/// What the network makes of labelled images at one moment of its descent.
struct Response {
  long correct = 0;   ///< images whose own label has the largest state of the label layer
  double energy = 0;  ///< mean over the images
};

/// A trained network and the images that are shown to its first clamped layer, (samples, image shape…), normalized.
struct Exposure {
  const Model& model;
  std::span<const float> weights;
  const Tensor<float>& images;
  std::span<const int> labels;
  int threads = 1;
};

/// The responses after 0, 1, … descent.depth steps.
std::vector<Response> responses(const Exposure& shown, const Descent& descent);

/// The response at the end of a descent; with a tolerance that is at rest, if the depth allows.
Response response(const Exposure& shown, const Descent& descent);

}  // namespace ham

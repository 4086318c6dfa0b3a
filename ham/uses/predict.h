// What a trained network makes of images, image by image: what `ham predict` writes.
#pragma once

#include <span>
#include <vector>

#include "ham/engine/dynamics.h"
#include "ham/network/model_file.h"

namespace ham {

/// One row a sample: where the model's own descent leads, and what that means.
struct Prediction {
  Tensor<float> probabilities;  ///< the readout's activations, (samples, classes)
  std::vector<int> classes;     ///< the places of the largest
  EnergyTable<float> energies;  ///< by layer and connection, (…, samples)
  States<float> states;         ///< of every layer
};

/// Shows the images, (samples, …), to the first clamped layer while the others begin at 0. Weights are in
/// Network::parameters() order. Throws std::invalid_argument when the model clamps no layer or sizes do not fit,
/// NotFinite when a state runs away.
Prediction predict(const Model& model, std::span<const float> weights, const Tensor<float>& images, int threads);

}  // namespace ham

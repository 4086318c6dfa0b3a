// Retrieval from a trained network: images from labels, whole images from parts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ham/network/model_file.h"

namespace ham {

/// Steps after which a retrieval that has not come to rest is given up.
inline constexpr int kMostSteps = 3000;

struct RetrievalOptions {
  double sharpening = 10;   ///< factor on the β of hidden units: their softmax is this much colder than in training
  double noise = 0.01;      ///< standard deviation of the image neurons to begin with
  int steps = 15;           ///< after which the images are looked at first
  double tolerance = 1e-4;  ///< at rest when no free neuron has a larger force
  int most_steps = kMostSteps;  ///< given up after
  std::uint64_t seed = 1;
  int threads = 1;
};

/// Whether some hidden units have a β for the sharpening to act on.
bool can_be_cooled(const Network& network);

/// What came of a retrieval, one row a sample. Runs in double precision, so that energies show every fall.
struct Retrieved {
  Tensor<float> after_steps, at_rest;  ///< images: states of the image layer, (samples, image shape…); where they were
                                       ///< held, what the network would make of them, Σ∂F/∂g
  Tensor<float> labels;     ///< activations of the label layer at rest, (samples, classes)
  Tensor<double> energies;  ///< at every step to rest, (steps + 1, samples)
  std::vector<int> steps;   ///< to rest; most_steps where it was not reached
};

/// Clamps the label layer to each class in turn (an activation of 1 up to rounding) and lets all else descend, the
/// image layer from noise. The image layer is the model's first clamped one, the label layer its readout; weights are
/// in Network::parameters() order. Throws std::invalid_argument when the model clamps no layer or the weights do not
/// fit, and NotFinite when a state runs away.
Retrieved dream(const Model& model, std::span<const float> weights, const RetrievalOptions& options);

/// Completes images: neurons whose `known` is 1 are held at their image, the others begin from noise, the label at 0.
/// `images` is (samples, image shape…), `known` has one number for each neuron of the image layer.
Retrieved complete(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                   std::span<const std::uint8_t> known, const RetrievalOptions& options);

/// The class the network itself gives each image, at the temperature it was trained with.
std::vector<int> recognise(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                           int threads);

/// The images with noise N(0, deviation²) on every number, the same noise for the same seed at any deviation.
Tensor<float> with_noise(Tensor<float> images, double deviation, std::uint64_t seed);

/// The place of the largest of each row.
std::vector<int> largest(const Tensor<float>& rows);

}  // namespace ham

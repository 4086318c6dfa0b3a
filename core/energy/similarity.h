// Similarities S(ξ, σ) between a stored pattern and the state.
#pragma once

#include <string>
#include <string_view>

namespace core {

/// dot = ξ·σ, cosine = ξ·σ/(|ξ||σ|), euclidean = −‖σ − ξ‖².
enum class Similarity { dot, cosine, euclidean };

/// On ±1 states every similarity is affine in the integer overlap m = ξ·σ: S = slope·m + intercept (THEORY §2).
struct AffineSimilarity {
  double slope;
  double intercept;
  double operator()(double overlap) const { return slope * overlap + intercept; }
};

/// The similarity of N-neuron ±1 states as a function of their overlap.
AffineSimilarity on_overlap(Similarity similarity, int num_neurons);

std::string text(Similarity similarity);
/// Reads `dot`, `cosine` or `euclidean`; throws std::invalid_argument that names them.
Similarity parse_similarity(std::string_view text);

}  // namespace core

#include "core/energy/similarity.h"

#include <stdexcept>

namespace core {

AffineSimilarity on_overlap(Similarity similarity, int num_neurons) {
  switch (similarity) {
    case Similarity::dot:
      return {1, 0};
    case Similarity::cosine:
      return {1.0 / num_neurons, 0};
    case Similarity::euclidean:
      return {2, -2.0 * num_neurons};
  }
  throw std::logic_error("similarity");
}

std::string text(Similarity similarity) {
  switch (similarity) {
    case Similarity::dot:
      return "dot";
    case Similarity::cosine:
      return "cosine";
    case Similarity::euclidean:
      return "euclidean";
  }
  throw std::logic_error("similarity");
}

Similarity parse_similarity(std::string_view name) {
  for (const Similarity similarity : {Similarity::dot, Similarity::cosine, Similarity::euclidean})
    if (text(similarity) == name) return similarity;
  throw std::invalid_argument("similarity '" + std::string(name) + "' is not one of dot, cosine, euclidean");
}

}  // namespace core

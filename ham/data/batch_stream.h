// Batches of training images, made on threads of their own ahead of the training that takes them.
#pragma once

#include <memory>
#include <vector>

#include "ham/data/augmentation.h"
#include "ham/tensor.h"

namespace ham {

struct BatchOptions {
  long batch = 400;  ///< images; the last batch of an epoch holds the rest
  std::uint64_t seed = 1;
  Augmentation augmentation;
  int workers = 1;   ///< threads that make batches
  int ahead = 2;     ///< batches kept ready
  Shape shape = {};  ///< of one image as the network's layer has it; empty: (rows, columns, channels)
};

/// Epochs without end over the training images, each in an order of its own.
///
/// The order depends on (seed, epoch) alone and an image's augmentation on (seed, epoch, index) alone, whatever the
/// workers. After the first `ahead + 1` batches nothing of a batch's size is allocated. Images and normalization must
/// outlive it.
class BatchStream {
 public:
  /// Begins with batch `first` (counted through all epochs), where a resumed training goes on. Throws
  /// std::invalid_argument when a number is below 1 or the shape has another size than an image.
  BatchStream(const Images& images, const Normalization& normalization, BatchOptions options, long first = 0);
  ~BatchStream();

  /// Waits for the next batch and swaps it in: `images` becomes (batch, shape…), `labels` (batch). Rethrows what a
  /// worker threw.
  void next(Tensor<float>& images, std::vector<int>& labels);

  long batches_per_epoch() const;
  /// The order of an epoch: a permutation of 0 … count − 1, batches taken from the front.
  static std::vector<std::uint32_t> order(long count, std::uint64_t seed, std::uint64_t epoch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ham

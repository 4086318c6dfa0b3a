// Training a classifier on images: batches in, weights and scores out; stops anywhere and goes on bit for bit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ham/data/batch_stream.h"
#include "ham/network/model_file.h"
#include "ham/training/recipe.h"

namespace ham {

/// How well a network classifies images.
struct Score {
  double loss = 0;            ///< mean smoothed cross-entropy, nats
  double accuracy = 0;        ///< fraction classified right
  double batch_accuracy = 0;  ///< mean over batches, as HAMUX reports it: images of a smaller last batch count more
};

/// How test images are shown: as they are, or the middle of the image enlarged by 1/0.875.
enum class View { plain, zoomed };

/// Which layers of a network see the image and tell the class.
struct Classifier {
  int image, label;
  int classes;
  /// The image layer is the first clamped one, the label layer the readout; throws std::invalid_argument when the model
  /// clamps none or their sizes are not those of the images and classes.
  Classifier(const Model& model, const DataSet& data);
};

/// Runs the model's descent from every image in batches of `batch` and scores the readout's largest activation.
Score score(Engine<float>& engine, const Model& model, const Classifier& classifier, const Images& images,
            const Normalization& normalization, View view, int batch);

/// What one epoch came to. Training numbers are of augmented images before each step.
struct EpochResult {
  long epoch = 0;  ///< from 1
  double learning_rate = 0;
  double loss = 0, train_accuracy = 0, gradient_norm = 0;
  Score plain, zoomed;  ///< of the test images, after the epoch
};

/// All that training has come to: a trainer made from it goes on bit for bit.
struct TrainingState {
  /// Goes up when the same training comes to other weights, by rounding: then no trainer can go on from older states.
  static constexpr std::int64_t kVersion = 2;
  std::int64_t version = kVersion;  ///< of the trainer that it comes from

  long epochs = 0;   ///< finished
  long batches = 0;  ///< done in the epoch under way
  double loss_sum = 0, gradient_norm_sum = 0;
  long correct = 0;
  long best_epoch = 0;  ///< of the best plain accuracy, 0 before the first
  std::vector<EpochResult> results;

  AdamW<float> optimizer{0, {}};
  std::vector<float> weights;           ///< empty before the beginning
  std::vector<float> averaged_weights;  ///< empty without averaging
  std::vector<float> best_weights;      ///< of best_epoch, averaged where the recipe averages

  /// Calls visit(name, meaning, array) for every array in the order files show them.
  template <class Visit>
  void for_each_array(Visit visit) {
    visit("weights", "weights after the last step", weights);
    visit("averaged_weights", "running average of the weights", averaged_weights);
    visit("best_weights", "scored weights of the best epoch", best_weights);
    visit("first_moment", "AdamW's running mean of gradients", optimizer.first_moment());
    visit("second_moment", "AdamW's running mean of squared gradients", optimizer.second_moment());
  }
};

struct TrainingOptions {
  Recipe recipe;
  long epochs = 100;
  std::uint64_t seed = 1;  ///< of starting weights, order and augmentation
  int threads = 1;
};

/// Trains one network. Model and data must outlive it. The numbers depend on model, data, recipe, seed and kernels, not
/// on threads or on where training stopped and went on.
class Trainer {
 public:
  /// Begins, or goes on from a state. Throws std::invalid_argument when model, data and state do not fit.
  Trainer(const Model& model, const DataSet& data, const TrainingOptions& options, TrainingState state = {});

  bool done() const { return state_.epochs >= options_.epochs; }
  /// One step on the next batch; the last one of an epoch scores the test images and adds to the results. Throws
  /// std::runtime_error that names the parameter or layer when a number is no longer finite; the state is then still
  /// that before the step.
  void step();

  long batches_per_epoch() const { return stream_.batches_per_epoch(); }
  /// Where training stands; `weights` are those of the last checkpoint().
  const TrainingState& state() const { return state_; }
  /// All of it, weights included. Arrays may be moved out if they are moved back before the next step.
  TrainingState& checkpoint();

 private:
  void finish_epoch();
  double gradient_norm();
  [[noreturn]] void report_not_finite(double loss);

  const Model& model_;
  const DataSet& data_;
  TrainingOptions options_;
  Classifier classifier_;
  TrainingState state_;
  Engine<float> engine_;
  Backpropagation<float> backpropagation_;
  BatchStream stream_;
  States<float> batch_;
  std::vector<int> labels_;
  std::vector<float> squares_;  // sums over the gradient's chunks
};

}  // namespace ham

// Training a classifier on images: batches in, weights and scores out; stops anywhere and goes on bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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

/// The training images in the order, augmentation and shape that the training takes them, from where `state` stands.
BatchStream training_batches(const Model& model, const DataSet& data, const TrainingOptions& options,
                             const TrainingState& state);

/// Who computes the steps of a training and its scores: the processor, or a card. It works on the state it was given:
/// arrays of the state are current after store() alone.
class TrainingDevice {
 public:
  virtual ~TrainingDevice() = default;
  /// `cpu`, or `NVIDIA H100 80GB HBM3`; and which loops compute there: `x86-64-v4`, `cuda float`. Provenance shows
  /// both.
  virtual std::string name() const = 0;
  virtual std::string kernel() const = 0;
  /// Batches that are well done at one stroke.
  virtual long steps_at_once() const = 0;

  /// One step: batch `batch` of the stream (counted through all epochs), AdamW's rate and the average's share.
  struct Step {
    long batch = 0;
    double rate = 0, share = 0;
  };
  struct Outcome {
    double loss = 0, gradient_norm = 0;
    long correct = 0;
  };
  /// Steps one after the other. Where loss or gradient are no longer finite the list of outcomes ends before that step,
  /// which has changed nothing; explain() then throws.
  virtual std::vector<Outcome> run(std::span<const Step> steps) = 0;
  /// Throws std::runtime_error: what was not finite in the last step.
  [[noreturn]] virtual void explain() = 0;
  /// Of the test images, by the weights or by their average.
  virtual Score score(View view, bool averaged) = 0;
  /// The weights (or their average) are the best so far.
  virtual void keep_best(bool averaged) = 0;
  virtual void store() = 0;
};
/// Makes a device for a training that is about to begin at `state`; all of them must outlive it.
using MakeTrainingDevice = std::function<std::unique_ptr<TrainingDevice>(
    const Model& model, const DataSet& data, const TrainingOptions& options, TrainingState& state)>;

/// Throws std::runtime_error that names the parameter or layer that is not finite: in these weights, on the way of the
/// descent from this batch, or in this gradient.
[[noreturn]] void explain_not_finite(const Model& model, std::span<const float> weights,
                                     std::span<const float> gradient, const States<float>& batch,
                                     const TrainingState& state, double loss);

/// The processor, with options.threads threads.
std::unique_ptr<TrainingDevice> make_processor(const Model& model, const DataSet& data, const TrainingOptions& options,
                                               TrainingState& state);

/// Trains one network. Model and data must outlive it. The numbers depend on model, data, recipe, seed and device, not
/// on threads or on where training stopped and went on.
class Trainer {
 public:
  /// Begins, or goes on from a state. Throws std::invalid_argument when model, data and state do not fit.
  Trainer(const Model& model, const DataSet& data, const TrainingOptions& options, TrainingState state = {},
          const MakeTrainingDevice& make_device = make_processor);
  Trainer(const Trainer&) = delete;

  bool done() const { return state_.epochs >= options_.epochs; }
  /// Steps on the next batches: at most so many, to the end of the epoch at most; returns how many. The last one of an
  /// epoch scores the test images and adds to the results. Throws std::runtime_error that names the parameter or layer
  /// when a number is no longer finite; the state is then still that before the step.
  long step(long most = 1);

  long batches_per_epoch() const { return batches_per_epoch_; }
  const TrainingDevice& device() const { return *device_; }
  /// Where training stands; its arrays are those of the last checkpoint().
  const TrainingState& state() const { return state_; }
  /// All of it, arrays included. Arrays may be moved out if they are moved back before the next step.
  TrainingState& checkpoint();

 private:
  void finish_epoch();

  const Model& model_;
  const DataSet& data_;
  TrainingOptions options_;
  TrainingState state_;
  long batches_per_epoch_;
  std::unique_ptr<TrainingDevice> device_;
};

}  // namespace ham

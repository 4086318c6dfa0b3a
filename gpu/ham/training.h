// Training and scoring classifiers on a machine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gpu/ham/interpreter.h"
#include "ham/training/trainer.h"

namespace gpu {

/// The test images as both views show them, classified by a network on a machine.
class Scoring {
 public:
  /// Images in batches of `batch`; all of these must outlive it.
  Scoring(Memory& memory, const ham::Model& model, const ham::Images& images, const ham::Normalization& normalization,
          int batch, Precision precision);

  /// The score of these weights, which stand on the machine.
  ham::Score score(const float* weights, ham::View view);

 private:
  struct Piece {  // batches of one size
    long first, rows, count;
    std::unique_ptr<Interpreter<float>> interpreter;
    std::array<int, 2> recordings = {-1, -1};  // by view
  };
  void record(Piece& piece, int view);
  const float* shown(int view);

  Memory& memory_;
  const ham::Model& model_;
  const ham::Images& images_;
  const ham::Normalization& normalization_;
  int batch_, image_, classes_;
  ham::Program program_;
  ham::Unrolled unrolled_;
  Interpreter<float>::Constants constants_;
  std::vector<Piece> pieces_;
  std::array<float*, 2> shown_ = {nullptr, nullptr};
  std::int32_t *labels_, *correct_, *turn_;
  double* losses_;
};

/// Steps of training on a machine: augmented images, gradients, AdamW and the running average.
///
/// A step is one recording, replayed for every batch; what it came to is read after many. Sums have one order: two runs
/// give the same bits, and so does one that was stopped and goes on.
std::unique_ptr<ham::TrainingDevice> make_training(std::unique_ptr<Launcher> launcher, const ham::Model& model,
                                                   const ham::DataSet& data, const ham::TrainingOptions& options,
                                                   ham::TrainingState& state, Precision precision = Precision::full);

}  // namespace gpu

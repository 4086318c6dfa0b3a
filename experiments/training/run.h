// One training run and its file: begins or goes on, saves, stops orderly.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files/output_file.h"
#include "experiments/command_line/progress.h"
#include "experiments/command_line/run_options.h"
#include "experiments/training/device.h"
#include "experiments/training/spec.h"
#include "results/result_file.h"

namespace experiments {

/// Trains; owns the result file while it runs.
///
/// It is saved every options.save_every seconds, less often where saving takes long, at the end, and when asked to
/// stop. Weights are the same bit for bit however often it was stopped.
class TrainingRun {
 public:
  /// Opens (locks, reads) or begins options.out; throws results::SpecMismatch when it belongs to another spec.
  TrainingRun(const TrainingSpec& spec, const RunOptions& options, const NetworkDevice& device,
              const std::string& command_line, Progress& progress);

  /// Writes what every epoch came to, as CSV, whenever one has ended.
  void log_to(core::OutputFile log);
  /// Ends training when no epoch has been better on plain test images for so many; 0: never.
  void set_patience(long epochs) { patience_ = epochs; }

  /// Trains to the last epoch, or until patience ends; false when a signal or the time limit stopped it before.
  bool run();

  const results::ResultFile& file() const { return file_; }

 private:
  void save();
  long steps_now() const;
  void watch_loss();
  void write_log() const;
  bool out_of_patience() const;
  std::string progress_line(double images_per_second) const;

  const TrainingSpec& spec_;
  core::OutputFile out_;
  RunOptions options_;
  Progress& progress_;
  results::ResultFile file_;
  std::vector<double> seconds_;  // of finished epochs
  double seconds_in_epoch_ = 0;
  ham::Trainer trainer_;
  std::optional<core::OutputFile> log_;
  long patience_ = 0;
  double saved_at_ = 0, save_took_ = 0;
  double first_loss_ = 0, loss_sum_before_ = 0;  // of the first batch; of those before the last watched ones
};

/// What the first `epochs` of a run came to. Accuracies are fractions, NaN before the first epoch.
struct TrainingSummary {
  std::string model, data, recipe;
  std::uint64_t seed = 0;
  long parameters = 0, epochs = 0, best_epoch = 0;  // best by the plain test accuracy
  long batches = 0;                                 // of the epoch under way
  double best = 0, best_zoomed = 0, last = 0, last_zoomed = 0;
  double seconds = 0;
};
TrainingSummary summary_of(const results::ResultFile& file, long epochs);

/// The run without what only training needs: without its counters, and of its arrays at most the best weights.
results::ResultFile trimmed(const std::string& path, bool keep_weights);

}  // namespace experiments

// Runs batches on all threads of all ranks, keeps what is measured on disk, stops orderly.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/files/output_file.h"
#include "core/provenance.h"
#include "experiments/command_line/progress.h"
#include "experiments/command_line/stopping.h"
#include "experiments/sweep/batch_store.h"
#include "experiments/sweep/crew.h"
#include "experiments/sweep/spec.h"
#include "results/result_file.h"

namespace experiments {

/// Ask for the first `batches` batches of configuration number `configuration` of the spec at K.
struct PointRequest {
  std::size_t configuration = 0;
  std::int64_t num_patterns = 0;
  std::int64_t batches = 0;
};

/// One batch of one point.
struct BatchRequest {
  std::size_t configuration = 0;
  std::int64_t num_patterns = 0;
  std::int64_t batch = 0;
};

/// The batches of all requests, one by one; or those of them that are a shard's, by their expected cost.
std::vector<BatchRequest> batches_of(const std::vector<PointRequest>& requests);
std::vector<BatchRequest> batches_of(const std::vector<PointRequest>& requests, const SweepSpec& spec,
                                     const Shard& shard);

/// What `dam curve` measures: the spec's trials at each K of each configuration.
std::vector<PointRequest> curve_requests(const SweepSpec& spec);

/// Whether a store holds every batch asked for.
bool holds_all(const BatchStore& store, const SweepSpec& spec, const std::vector<BatchRequest>& requests);

/// Measures what it is asked for and has not measured yet; owns the result file while it runs.
///
/// Numbers depend on the spec alone; threads, kernel, order of work and restarts change only `seconds`.
class Runner {
 public:
  /// Opens (locks, reads) or begins options.out; throws results::SpecMismatch when it belongs to another spec.
  Runner(const SweepSpec& spec, const RunOptions& options, Crew& crew, const std::string& command_line);

  /// Measures the requests that are missing; `headline` stands before the progress figures and `later` is the
  /// estimated cost (seconds of one thread) of work still to be asked for. False when stopped before all was done.
  bool measure(const std::vector<BatchRequest>& requests, const std::string& headline, double later);

  const BatchStore& store() const { return store_; }
  const results::ResultFile& file() const { return file_; }
  /// Where it stands.
  const std::string& path() const { return out_.path(); }
  Progress& progress() { return progress_; }
  /// Whether this run is to end early; see Stopping, whose parts are batches.
  bool stopping() const { return stopping_.requested(); }
  /// Whether a thread got so far that it could begin with a pattern set.
  bool prepared() const { return stopping_.is_prepared(); }

  /// Writes batches, points and, when given, the capacity table; `complete` is stored as the run's state.
  void save(bool complete, const results::Table* capacity = nullptr);

 private:
  const SweepSpec& spec_;
  Crew& crew_;
  RunOptions options_;
  const dam::Kernel& kernel_;
  std::unique_ptr<gpu::Clusters> card_;  // or none
  core::OutputFile out_;
  results::ResultFile file_;
  BatchStore store_;
  Progress progress_;
  Stopping stopping_;
  std::vector<dam::TrialWorkspace> workspaces_;
  std::optional<core::Provenance> made_before_;  // by whom what the file held was made
  double saved_at_ = 0;
};

/// Throws UsageError saying what is needed and what is there when trials with K patterns do not fit on every thread.
void require_memory(const RunOptions& options, const dam::Configuration& configuration, std::int64_t num_patterns);

/// The largest K whose trials fit in max_memory on every thread; throws as require_memory when K = 1 does not.
std::int64_t memory_bound(const RunOptions& options, const dam::Configuration& configuration);

/// The end of a measuring verb: prints the tables (or the JSON document) and where the file is; returns the exit code.
int report_run(Runner& runner, const RunOptions& options, bool complete);

/// Seconds of one thread a trial of N neurons and K patterns is expected to take, before anything was measured.
double expected_trial_seconds(const dam::Configuration& configuration, std::int64_t num_patterns);

}  // namespace experiments

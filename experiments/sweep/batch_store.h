// Everything measured so far: one record per (configuration, K, batch), the primary data of a result file.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "dam/recall/trial.h"
#include "results/table.h"

namespace experiments {

/// Pattern sets in a batch: batch b is clusters [32 b, 32 b + 32), the grain of storage, restart and sharding.
inline constexpr std::int64_t kClustersPerBatch = 32;

/// Which batch: the key that makes resuming and merging idempotent.
struct BatchKey {
  std::uint64_t configuration = 0;
  std::int64_t num_patterns = 0;
  std::int64_t batch = 0;
  auto operator<=>(const BatchKey&) const = default;
};

/// The integer columns of `batches` and `points`, and where each lives in the counts.
inline constexpr std::pair<const char*, std::int64_t dam::TrialCounts::*> kCounters[] = {
    {"trials", &dam::TrialCounts::trials},
    {"successes", &dam::TrialCounts::successes},
    {"clusters", &dam::TrialCounts::clusters},
    {"successes_squared", &dam::TrialCounts::successes_squared},
    {"passes", &dam::TrialCounts::passes},
    {"flips", &dam::TrialCounts::flips},
    {"ties", &dam::TrialCounts::ties},
    {"not_converged", &dam::TrialCounts::not_converged},
    {"cycles", &dam::TrialCounts::cycles},
    {"energy_rises", &dam::TrialCounts::energy_rises},
    {"wrong_bits", &dam::TrialCounts::wrong_bits},
};

/// What a batch measured and what it took (seconds of one thread).
struct BatchRecord {
  dam::TrialCounts counts;
  double seconds = 0;
};

/// Batches ordered by key; sums over a point's first batches do not depend on when they were measured.
class BatchStore {
 public:
  bool contains(const BatchKey& key) const { return batches_.contains(key); }
  void add(const BatchKey& key, const BatchRecord& record) { batches_.insert_or_assign(key, record); }

  /// The sum over batches [0, count) of a point; all of them must be there (throws std::logic_error).
  BatchRecord sum_first(std::uint64_t configuration, std::int64_t num_patterns, std::int64_t count) const;
  /// The sum over every stored batch of a point.
  BatchRecord sum(std::uint64_t configuration, std::int64_t num_patterns) const;
  /// The K measured for a configuration, increasing.
  std::set<std::int64_t> num_patterns(std::uint64_t configuration) const;
  std::size_t size() const { return batches_.size(); }

  /// The `batches` table and back (results/schema.h); from_table throws std::runtime_error on missing columns.
  results::Table table() const;
  static BatchStore from_table(const results::Table& table);

 private:
  std::map<BatchKey, BatchRecord> batches_;
};

}  // namespace experiments

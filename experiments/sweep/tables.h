// From measured batches to the tidy tables of a result file.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include "dam/search/capacity_search.h"
#include "experiments/sweep/batch_store.h"
#include "experiments/sweep/spec.h"

namespace experiments {

/// One capacity: a configuration, a β, what the search concluded, and the K it asked for.
struct CapacityRow {
  const dam::Configuration* configuration = nullptr;
  double beta = 0.5;
  std::int64_t max_patterns = 0;  // the largest K the search may try
  dam::SearchPlan plan;
  std::vector<dam::CurvePoint> points;
  double k_exact_one_step = std::numeric_limits<double>::quiet_NaN();  // until add_exact_one_step()
};

/// K_max that a theory row (dam/theory/theory.h) predicts for iid patterns; NaN where it says nothing.
double predicted_capacity(std::string_view theory_id, const dam::Configuration& configuration, double beta);

/// Where a search starts: the signal-to-noise prediction, or a small number where there is none.
double capacity_guess(const dam::Configuration& configuration, double beta);

/// A point's counts as the estimator takes them.
dam::CurvePoint curve_point(std::int64_t num_patterns, const dam::TrialCounts& counts);

/// `points`: one row per (configuration, K) measured, in the spec's order.
results::Table points_table(const SweepSpec& spec, const BatchStore& store);

/// Gives every row what the exact law of one step predicts (independent spins, iid patterns); its convolutions can take
/// minutes. False when `stopping` came true before all rows had it.
bool add_exact_one_step(std::vector<CapacityRow>& rows, int threads, const std::function<bool()>& stopping);

/// `capacity`: one row per (configuration, β), theory beside it.
results::Table capacity_table(const BatchStore& store, const std::vector<CapacityRow>& rows);

}  // namespace experiments

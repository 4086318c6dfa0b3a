// From measured batches to the tidy tables of a result file.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "dam/capacity_search.h"
#include "experiments/batch_store.h"
#include "experiments/sweep_spec.h"

namespace experiments {

/// One capacity: a configuration, a β, what the search concluded, and the K it asked for.
struct CapacityRow {
  const dam::Configuration* configuration = nullptr;
  double beta = 0.5;
  dam::SearchPlan plan;
  std::vector<dam::CurvePoint> points;
};

/// A point's counts as the estimator takes them.
dam::CurvePoint curve_point(std::int64_t num_patterns, const dam::TrialCounts& counts);

/// `points`: one row per (configuration, K) measured, in the spec's order.
results::Table points_table(const SweepSpec& spec, const BatchStore& store);

/// `capacity`: one row per (configuration, β), theory beside it.
results::Table capacity_table(const BatchStore& store, const std::vector<CapacityRow>& rows);

}  // namespace experiments

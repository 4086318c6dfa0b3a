// From measured batches to the tidy tables of a result file.
#pragma once

#include <string>
#include <vector>

#include "dam/success_curve.h"
#include "experiments/batch_store.h"
#include "experiments/sweep_spec.h"

namespace experiments {

/// One capacity: a configuration, a β, and what the search concluded.
struct CapacityRow {
  std::size_t configuration = 0;
  double beta = 0.5;
  dam::CapacityEstimate estimate;
  std::string status;  // ok | lower_bound | upper_bound | budget
};

/// `points`: one row per (configuration, K) measured, in the spec's order.
results::Table points_table(const SweepSpec& spec, const BatchStore& store);

/// `capacity`: one row per (configuration, β), theory beside it.
results::Table capacity_table(const SweepSpec& spec, const BatchStore& store, const std::vector<CapacityRow>& rows);

}  // namespace experiments

// The tables of a result file: capacities with theory beside them, and measured points.
#pragma once

#include <span>

#include "analysis/measurements.h"
#include "analysis/tables/tables.h"

namespace analysis {

/// Capacities with the theories that say something beside them; only conventions that differ get a column.
TextTable capacity_table(const Measurements& measured, std::span<const TheoryCurve> theory);

/// Measured points: success probabilities, loads, counters per trial.
TextTable points_table(const Measurements& measured);

}  // namespace analysis

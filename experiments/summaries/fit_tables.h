// Scaling fits of a result file: one fit per convention, never across two.
#pragma once

#include <string>
#include <vector>

#include "analysis/scaling_fit.h"
#include "analysis/tables/tables.h"
#include "results/result_file.h"

namespace experiments {

/// One convention of a file (everything but N): its fit, or why there is none.
struct ConventionFit {
  dam::Configuration configuration;  // of the smallest N
  double beta = 0.5;
  std::vector<analysis::ScalingRow> rows;
  std::string objection;
};

/// Fits every convention of the `capacity` table; throws std::runtime_error when the file has no capacities.
std::vector<ConventionFit> fit_conventions(const results::ResultFile& file);

/// The fits as tables for people: exponents or rates beside theory. Empty when nothing could be fitted.
std::vector<analysis::TextTable> fit_tables(const std::vector<ConventionFit>& fits);

}  // namespace experiments

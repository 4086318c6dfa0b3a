// A result file in a terminal: its tables, and a plot when somebody is looking.
#pragma once

#include <string>

#include "analysis/measurements.h"
#include "results/result_file.h"

namespace experiments {

/// The measured rows of a dam file as analysis takes them; `name` is what titles and messages call it.
analysis::Measurements measurements(const std::string& name, const results::ResultFile& file);

/// Capacities (or points where there are none) as an aligned table; with a terminal on stdout, a plot below it.
std::string terminal_summary(const std::string& name, const results::ResultFile& file);

}  // namespace experiments

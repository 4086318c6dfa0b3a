// One self-contained web page about result files: conventions, figures, tables, provenance.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "analysis/figures.h"
#include "analysis/measurements.h"
#include "analysis/tables/tables.h"
#include "results/result_file.h"

namespace analysis {

/// What the page says about one result file.
struct ReportEntry {
  Measurements measured;
  std::string spec;                                             // what was asked for, as stored
  std::vector<std::pair<std::string, std::string>> provenance;  // field, value
  std::vector<TextTable> more;                                  // tables made elsewhere, such as scaling fits
};

/// The entry of a file: its tables, spec and provenance; throws as point_rows() and capacity_rows(), messages starting
/// with the name. A file without `capacity` (dam curve) has points only.
ReportEntry report_entry(const std::string& name, const results::ResultFile& file);

/// The page: inline SVG figures, tables that sort on click, light and dark, nothing loaded from anywhere.
///
/// All text of the files is escaped. A figure that cannot be drawn leaves a sentence that says why. Equal entries give
/// equal pages. Throws std::invalid_argument without entries, or when an entry has no rows at all.
std::string report_page(std::span<const ReportEntry> entries, std::span<const TheoryCurve> theory);

}  // namespace analysis

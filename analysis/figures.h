// The figures we draw, as a table: which file each suits, and how it is built.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/drawing/figure.h"
#include "analysis/measurements.h"

namespace analysis {

/// One figure: a name for the command line and file names, and the conventions its rows may differ in.
struct FigureKind {
  const char* name;
  const char* purpose;
  bool of_points;                                 // built from `points`, not from `capacity`
  std::vector<std::string_view> needs;            // at least one of these conventions must vary; empty asks nothing
  std::vector<std::string_view> allows;           // these may vary too; any other difference would mix conventions
  std::string (*objection)(const Measurements&);  // what else is wrong with the file, or nothing
  Figure (*build)(const Measurements&, std::span<const TheoryCurve>);
};

/// Every figure, in the order a report shows them.
std::span<const FigureKind> figure_kinds();

/// Why the figure cannot be drawn from this file, in one line; empty when it can.
std::string why_not(const FigureKind& kind, const Measurements& measured);

/// Builds the named figure; throws std::invalid_argument with why_not(), or with the names there are.
Figure build_figure(std::string_view name, const Measurements& measured, std::span<const TheoryCurve> theory);

/// Every figure that suits the file.
std::vector<Figure> build_figures(const Measurements& measured, std::span<const TheoryCurve> theory);

}  // namespace analysis

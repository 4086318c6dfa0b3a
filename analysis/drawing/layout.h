// Where everything of a figure stands on the page: scales, legend, panels. Lengths are points (1/72 inch).
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "analysis/drawing/axes.h"
#include "analysis/drawing/figure.h"

namespace analysis {

inline constexpr double kLine = 12;  // one line of text with its air
inline constexpr double kMargin = 6;

/// Places on the page, from its lower left corner.
struct Layout {
  double width = 0;
  double height = 0;
  double panel_width = 0;
  std::vector<double> left;           // of each column of panels
  std::vector<double> bottom;         // of each row of panels
  std::vector<double> panel_heights;  // of each row of panels
  double legend_top = 0;
  std::vector<std::pair<double, double>> legend;  // left end of each entry and its distance from the legend's top
};

/// A figure with all that is decided before a line is drawn.
struct Drawing {
  const Figure& figure;
  std::vector<Scale> x, y;  // per panel
  std::vector<Series> legend;
  Layout layout;
};

/// Chooses scales, legend and places; throws std::invalid_argument when the figure has no panel, nothing finite to
/// draw, or no room for its panels beside their labels. The figure must outlive the drawing.
Drawing draw(const Figure& figure);

/// Columns of panels, at least one.
std::size_t num_columns(const Figure& figure);

/// Whether a panel's axis is written there, not at the panel below (to the left) that has the same.
bool shows_x_axis(const Figure& figure, std::size_t panel);
bool shows_y_axis(const Figure& figure, std::size_t panel);

/// Width of the longest label.
double widest(const std::vector<Tic>& tics);

/// Width of a legend entry's marker or line.
double legend_sample(const Series& series);

}  // namespace analysis

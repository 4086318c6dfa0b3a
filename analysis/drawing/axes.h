// Axes of figures: markup, ranges, and the places of their tics; shared by paper figures and terminal plots.
#pragma once

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/drawing/figure.h"

namespace analysis {

/// About the width of the shown markup in points, DejaVu Sans at 8 points: a little too much rather than too little.
double shown_width(std::string_view markup);
inline constexpr double kDigit = 5.1;  // width of a digit

/// A range of an axis; logarithmic axes are handled by their decimal logarithm. A reversed range (low > high) is one of
/// categories, counted from the top.
struct Scale {
  bool logarithmic = false;
  double low = 0;
  double high = 1;

  double to(double value) const { return logarithmic ? std::log10(value) : value; }
  double from(double place) const { return logarithmic ? std::pow(10., place) : place; }
  /// Where the value lies between the ends of the range, 0 … 1.
  double fraction(double value) const { return (to(value) - low) / (high - low); }
  bool shows(double value) const { return std::isfinite(value) && (!logarithmic || value > 0); }
};

struct Tic {
  double value;
  std::string label;  // markup; empty: a minor tic
};

/// The tics of an axis that is `length` points long: the asked-for ones, or round ones; labels never touch.
std::vector<Tic> axis_tics(const Axis& axis, const Scale& scale, double length, bool vertical);

/// Collects what must be visible on the axes of one line of panels (a row for y, a column for x) that share a label.
class ScaleFinder {
 public:
  /// Counts in the points of a panel on line number `line`; throws std::invalid_argument when one label is linear in
  /// one panel and logarithmic in another.
  void add(std::size_t line, const Axis& axis, Coordinate Point::*coordinate, Bound Point::*bound,
           const std::vector<Series>& all);
  /// The range of an axis that was added; of one without anything to draw, an empty frame from 0 to 1.
  Scale find(std::size_t line, const Axis& axis) const;
  /// Throws std::invalid_argument when no axis has anything to draw.
  void check() const;

 private:
  struct Entry {
    Scale scale;
    bool seen = false;
    bool bounds = false;
    std::size_t categories = 0;
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();
  };
  std::map<std::pair<std::size_t, std::string>, Entry> entries_;
};

}  // namespace analysis

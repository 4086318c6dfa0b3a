// Figures as values: panels of points, lines and bounds, at the size a paper prints them.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace analysis {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// A coordinate with its interval; missing ends draw no bar.
struct Coordinate {
  double value = kMissing;
  double low = kMissing;
  double high = kMissing;
};

/// Whether a point is a value, only says on which side of it the value lies (open marker with an arrow towards it), or
/// comes from a search that ran out of budget (open marker).
enum class Bound { none, lower, upper, unfinished };

struct Point {
  Coordinate x;
  Coordinate y;
  Bound y_bound = Bound::none;
  Bound x_bound = Bound::none;
};

/// Hue, marker and dash are counters into the palettes of the renderer (colour-blind safe, Okabe & Ito 2008); they
/// wrap.
struct Style {
  static constexpr int kBlack = -1;             // a hue outside the palette, for what is not a series
  enum class Kind { points, line, reference };  // a reference line is thin and never widens the axes
  Kind kind = Kind::points;
  int hue = 0;
  int marker = 0;
  int dash = 0;  // 0 = solid
  bool operator==(const Style&) const = default;
};

/// One curve. A label puts it into the legend (once per figure); no points and a label makes a legend entry only.
struct Series {
  std::string label;
  Style style;
  std::vector<Point> points;
};

/// An axis. Empty `tics` chooses round ones; `categories` names the places 0, 1, 2, … from the top (vertical axis
/// only).
struct Axis {
  std::string label;  // with symbol and unit
  bool logarithmic = false;
  std::vector<double> tics;  // wished-for places; labels that would touch are left out
  std::vector<std::string> categories;
};

/// An image that fills its panel: `columns` × `rows` pixels of three bytes (red, green, blue), from the upper left
/// corner. The panel's horizontal axis has the places 0, 1, … `cells` − 1 in the middle of as many equal parts, its
/// vertical axis those of its categories, so that both can name the parts of a mosaic.
struct Picture {
  int rows = 0;
  int columns = 0;
  int cells = 1;
  std::vector<std::uint8_t> rgb;
};

struct Panel {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
  Picture picture = {};  // where it has pixels, series are not drawn
};

/// Widths of printed columns: 86 mm and 180 mm.
enum class PaperWidth { single_column, double_column };

/// A figure. Panels fill `columns` from left to right. Vertical axes of a row share one range where their labels are
/// equal, and so do horizontal axes of a column.
///
/// Texts are gnuplot's enhanced markup, `{/:Italic K}_{max}`; anything from a file or a user goes through plain().
struct Figure {
  std::string name;         // file stem
  std::string title;        // plain text, one line
  std::string description;  // plain text: what is drawn, under which conventions (caption and alternative text)
  PaperWidth width = PaperWidth::double_column;
  int columns = 1;
  double panel_aspect = 0.66;  // height / width of a panel
  std::vector<Panel> panels;
};

/// Text as markup that shows exactly this text.
std::string plain(std::string_view text);

/// The markup as text for terminals: no fonts, subscripts on the line, `^` before exponents.
std::string shown_text(std::string_view markup);

/// Number of characters the markup shows.
std::size_t shown_length(std::string_view markup);

enum class FigureFormat { svg, pdf, png };

/// The format a file name asks for; throws std::invalid_argument naming the path and the accepted endings.
FigureFormat figure_format(std::string_view path);

/// The gnuplot program that draws the figure; equal figures give equal text.
///
/// Throws std::invalid_argument when the figure has no panel or nothing finite to draw.
std::string gnuplot_script(const Figure& figure, FigureFormat format);

/// The drawn figure as the bytes of a file: no dates, no machine names, equal for equal figures.
///
/// Throws std::runtime_error in one line when gnuplot is missing or fails.
std::string render(const Figure& figure, FigureFormat format);

}  // namespace analysis

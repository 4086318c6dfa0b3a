#include "analysis/drawing/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace analysis {
namespace {

constexpr double kArrow = 11;

// Okabe & Ito 2008 without yellow (invisible on white), strongest contrast first; then a grey and a purple.
constexpr std::array kHues{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#777777", "#5E3C99"};
struct Marker {
  int filled;
  int open;
};
constexpr std::array kMarkers{Marker{7, 6}, Marker{5, 4}, Marker{9, 8}, Marker{13, 12},
                              Marker{11, 10}};  // five, so that with eight hues they repeat late
constexpr std::array kDashes{"solid", "(10,4)", "(3,3)", "(12,4,3,4)", "(20,5)", "(3,6)"};

template <class Array>
const auto& pick(const Array& array, int index) {
  return array[static_cast<std::size_t>(index) % array.size()];
}

std::string colour(int hue) { return hue == Style::kBlack ? "'#000000'" : "'" + std::string(pick(kHues, hue)) + "'"; }

/// A gnuplot string constant. Quotes become typographic ones: gnuplot 5.4 misreads a doubled quote at the start of a
/// string, and what then stands outside of it could be executed.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'')
      result += "’";
    else if (c == '`')
      result += "‘";
    else
      result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "'";
}

std::string terminal(FigureFormat format, const Layout& layout) {
  switch (format) {
    case FigureFormat::svg:
      return fmt::format("svg size {:.0f},{:.0f} fixed font 'DejaVu Sans,8' linewidth 0.8 background '#ffffff'",
                         layout.width, layout.height);
    case FigureFormat::pdf:  // cairo takes a point for 1/96 inch: 0.75 makes it 1/72
      return fmt::format(
          "pdfcairo size {:.4f}in,{:.4f}in font 'DejaVu Sans,8' fontscale 0.75 linewidth 0.8 pointscale 0.75",
          layout.width / 72, layout.height / 72);
    case FigureFormat::png:  // 300 pixels per inch
      return fmt::format(
          "pngcairo size {:.0f},{:.0f} font 'DejaVu Sans,8' fontscale 3.125 linewidth 2.7 pointscale 3.125",
          layout.width * 300 / 72, layout.height * 300 / 72);
  }
  throw std::invalid_argument("figure: unknown format");
}

std::string pen(const Style& style) {
  const double width = style.kind == Style::Kind::reference ? 0.7 : 1.3;
  return fmt::format("lc rgb {} lw {} dt {}", colour(style.hue), width, pick(kDashes, style.dash));
}

std::string marker(const Style& style, bool open) {
  const Marker& shapes = pick(kMarkers, style.marker);
  return fmt::format("lc rgb {} lw 1.2 pt {} ps 0.6", colour(style.hue), open ? shapes.open : shapes.filled);
}

/// Gathers inline data and the plot command that uses it.
class Plot {
 public:
  explicit Plot(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const std::string& rows, const std::string& how) {
    if (rows.empty()) return;
    const std::string block = fmt::format("${}_{}", prefix_, count_++);
    data_ += fmt::format("{} << EOD\n{}EOD\n", block, rows);
    command_ += fmt::format("{}{} {} notitle", command_.empty() ? "plot " : ", \\\n  ", block, how);
  }
  /// The command; an empty plot still draws its axes.
  std::string text() const { return data_ + (command_.empty() ? "plot NaN notitle" : command_) + "\n"; }

 private:
  std::string prefix_;
  std::string data_;
  std::string command_;
  int count_ = 0;
};

template <class... Values>
std::string row(Values... values) {
  std::string text;
  ((text += core::number_text(values) + " "), ...);
  text.back() = '\n';
  return text;
}

/// The ends of an interval as drawable numbers: a missing end is the value, one off the axis stops at the axis' end.
std::pair<double, double> bar(const Coordinate& coordinate, const Scale& scale) {
  const auto end = [&](double value) {
    if (std::isnan(value)) return coordinate.value;
    if (scale.shows(value)) return value;
    return scale.from(value > 0 ? std::max(scale.low, scale.high) : std::min(scale.low, scale.high));
  };
  return {end(coordinate.low), end(coordinate.high)};
}

double arrow_end(double value, Bound bound, const Scale& scale, double length) {
  if (bound == Bound::none || bound == Bound::unfinished) return value;
  const double reach = kArrow / length * (scale.high - scale.low);
  return scale.from(scale.to(value) + (bound == Bound::lower ? reach : -reach));
}

/// Each pixel as its place on the panel's axes and its colour.
void add_picture(Plot& plot, const Picture& picture, std::size_t categories) {
  std::string pixels;
  for (int row = 0; row < picture.rows; ++row)
    for (int column = 0; column < picture.columns; ++column) {
      const std::uint8_t* rgb = &picture.rgb[3 * (static_cast<std::size_t>(row) * picture.columns + column)];
      pixels += fmt::format("{:.4f} {:.4f} {} {} {}\n", (column + 0.5) * picture.cells / picture.columns - 0.5,
                            (row + 0.5) * static_cast<double>(categories) / picture.rows - 0.5, rgb[0], rgb[1], rgb[2]);
    }
  plot.add(pixels, "using 1:2:3:4:5 with rgbimage");
}

void add_series(Plot& plot, const Series& series, const Scale& x, const Scale& y, double width, double height) {
  std::string line, values, unfinished, bounds;
  for (const Point& point : series.points) {
    if (!x.shows(point.x.value) || !y.shows(point.y.value)) {
      line += "\n";  // a gap
      continue;
    }
    line += row(point.x.value, point.y.value);
    const double x_end = arrow_end(point.x.value, point.x_bound, x, width);
    const double y_end = arrow_end(point.y.value, point.y_bound, y, height);
    if (x_end != point.x.value || y_end != point.y.value) {
      bounds += row(point.x.value, point.y.value, x_end - point.x.value, y_end - point.y.value);
      continue;
    }
    const bool finished = point.x_bound == Bound::none && point.y_bound == Bound::none;
    const auto [x_low, x_high] = bar(point.x, x);
    const auto [y_low, y_high] = bar(point.y, y);
    (finished ? values : unfinished) += row(point.x.value, point.y.value, x_low, x_high, y_low, y_high);
  }
  if (series.style.kind != Style::Kind::points) {
    plot.add(line, "using 1:2 with lines " + pen(series.style));
    return;
  }
  plot.add(values, "using 1:2:3:4:5:6 with xyerrorbars " + marker(series.style, false));
  plot.add(unfinished, "using 1:2:3:4:5:6 with xyerrorbars " + marker(series.style, true));
  plot.add(bounds, fmt::format("using 1:2:3:4 with vectors filled head size screen 0.008,22 lc rgb {} lw 1",
                               colour(series.style.hue)));
  plot.add(bounds, "using 1:2 with points " + marker({Style::Kind::points, series.style.hue, 0, 0}, true));
}

/// A tic's label, in which gnuplot would read % as the beginning of a number's format.
std::string tic_label(std::string_view label) {
  std::string text;
  for (const char c : label) text += c == '%' ? "%%" : std::string(1, c);
  return quoted(text);
}

std::string tics_command(char axis, const std::vector<Tic>& tics, bool labelled) {
  std::string list;
  for (const Tic& tic : tics)
    list += fmt::format("{}{} {} {}", list.empty() ? "" : ", ", tic_label(labelled ? tic.label : ""),
                        core::number_text(tic.value), tic.label.empty() ? 1 : 0);
  return list.empty() ? fmt::format("unset {}tics\n", axis) : fmt::format("set {}tics ({}) nomirror\n", axis, list);
}

std::string panel_text(const Drawing& drawing, std::size_t index) {
  const Panel& panel = drawing.figure.panels[index];
  const Layout& layout = drawing.layout;
  const Scale &x = drawing.x[index], &y = drawing.y[index];
  const double left = layout.left[index % num_columns(drawing.figure)];
  const double bottom = layout.bottom[index / num_columns(drawing.figure)];
  const double height = layout.panel_heights[index / num_columns(drawing.figure)];
  const bool x_shown = shows_x_axis(drawing.figure, index), y_shown = shows_y_axis(drawing.figure, index);

  std::string text = fmt::format("set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\n", left / layout.width,
                                 (left + layout.panel_width) / layout.width);
  text += fmt::format("set bmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n", bottom / layout.height,
                      (bottom + height) / layout.height);
  const auto axis = [&](char name, const Axis& described, const Scale& scale, bool shown, double length) {
    text += fmt::format("{} logscale {}\n", scale.logarithmic ? "set" : "unset", name);
    text += fmt::format("set {}range [{}:{}]\n", name, core::number_text(scale.from(scale.low)),
                        core::number_text(scale.from(scale.high)));
    text += tics_command(name, axis_tics(described, scale, length, name == 'y'), shown);
  };
  axis('x', panel.x, x, x_shown, layout.panel_width);
  axis('y', panel.y, y, y_shown, height);
  std::string title = panel.title;
  if (drawing.figure.panels.size() > 1)
    title = fmt::format("{{/:Bold ({})}} {}", static_cast<char>('a' + static_cast<char>(index % 26)), title);
  // Texts stand where the layout left room for them: gnuplot's own places differ from terminal to terminal.
  text += "unset label\n";
  const auto label = [&](const std::string& words, double at_x, double at_y, const char* how) {
    if (!words.empty())
      text += fmt::format("set label {} at screen {:.5f},{:.5f} {}\n", quoted(words), at_x / layout.width,
                          at_y / layout.height, how);
  };
  const double title_left = !panel.y.categories.empty() && y_shown ? kMargin : left;
  label(title, title_left, bottom + height + kLine / 2 + 2, "left");
  if (x_shown) label(panel.x.label, left + layout.panel_width / 2, bottom - 2 * kLine, "center");
  if (y_shown)
    label(panel.y.label, left - widest(axis_tics(panel.y, y, height, true)) - kLine - 2, bottom + height / 2,
          "rotate by 90 center");

  Plot plot(fmt::format("panel{}", index));
  if (!panel.picture.rgb.empty()) {
    add_picture(plot, panel.picture, panel.y.categories.size());
    return text + plot.text();
  }
  for (const bool points : {false, true})  // markers lie above lines
    for (const Series& series : panel.series)
      if ((series.style.kind == Style::Kind::points) == points)
        add_series(plot, series, x, y, layout.panel_width, height);
  return text + plot.text();
}

/// The legend has a strip of its own below the panels, so it can never lie over data.
std::string legend_text(const Drawing& drawing) {
  const Layout& layout = drawing.layout;
  if (drawing.legend.empty()) return "";
  std::string text = fmt::format(
      "set lmargin at screen 0\nset rmargin at screen 1\nset bmargin at screen 0\nset tmargin at screen {:.5f}\n"
      "unset logscale\nunset border\nunset tics\nunset label\n"
      "set xrange [0:{}]\nset yrange [0:{}]\n",
      layout.legend_top / layout.height, layout.width, layout.legend_top);
  Plot plot("legend");
  for (std::size_t i = 0; i < drawing.legend.size(); ++i) {
    const Series& series = drawing.legend[i];
    const auto [x, depth] = layout.legend[i];
    const double y = layout.legend_top - depth;
    text += fmt::format("set label {} at {},{} left front\n", quoted(series.label), x + legend_sample(series) + 4, y);
    if (series.style.kind == Style::Kind::points)
      plot.add(row(x + legend_sample(series) / 2, y), "with points " + marker(series.style, !series.points.empty()));
    else
      plot.add(row(x, y) + row(x + legend_sample(series), y), "with lines " + pen(series.style));
  }
  return text + plot.text();
}

}  // namespace

std::string script(const Drawing& drawing, FigureFormat format) {
  std::string text = "set encoding utf8\nset terminal " + terminal(format, drawing.layout) + "\n";
  text +=
      "set multiplot\nset border 3 lw 0.8\nset tics out scale 0.5,0.25\nset errorbars 0\nset clip two\n"
      "set xtics offset 0,0.3\nset ytics offset 0.4,0\n";
  for (std::size_t i = 0; i < drawing.figure.panels.size(); ++i) text += panel_text(drawing, i);
  return text + legend_text(drawing) + "unset multiplot\n";
}

}  // namespace analysis

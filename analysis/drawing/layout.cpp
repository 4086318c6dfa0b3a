#include "analysis/drawing/layout.h"

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <tuple>

namespace analysis {
namespace {

constexpr double kRightMargin = 12;  // half of a tic label may stand out
constexpr double kGap = 16;
constexpr double kCategoryHeight = 11;
constexpr double kLineSample = 20;  // in the legend
constexpr double kMarkerSample = 8;

std::vector<Series> legend_of(const Figure& figure) {
  std::vector<Series> legend;
  bool bounds = false;
  for (const Panel& panel : figure.panels)
    for (const Series& series : panel.series) {
      for (const Point& point : series.points) bounds |= point.x_bound != Bound::none || point.y_bound != Bound::none;
      const auto same = [&](const Series& other) { return other.label == series.label; };
      if (!series.label.empty() && std::none_of(legend.begin(), legend.end(), same))
        legend.push_back({series.label, series.style, {}});
    }
  // Panels rarely hold all series: markers in the order of their places, then lines, then what stands outside.
  const auto place = [](const Series& series) {
    const bool black = series.style.hue == Style::kBlack;
    const bool points = series.style.kind == Style::Kind::points;
    return std::tuple(points && black, series.style.kind, points ? series.style.hue : 0);
  };
  std::stable_sort(legend.begin(), legend.end(), [&](const Series& a, const Series& b) { return place(a) < place(b); });
  if (bounds) {
    Series entry{"open: bound, or search out of budget", {Style::Kind::points, Style::kBlack, 0, 0}, {}};
    entry.points.push_back({{}, {}, Bound::lower, Bound::none});
    legend.push_back(entry);
  }
  return legend;
}

double panel_height(const Figure& figure, std::size_t index, const Scale& y, double width) {
  const Picture& picture = figure.panels[index].picture;
  if (!picture.rgb.empty()) return width * picture.rows / picture.columns;
  if (y.low > y.high) return std::max(kCategoryHeight * (y.low - y.high) + 4, 40.);  // a reversed range: categories
  return width * figure.panel_aspect;
}

Layout lay_out(const Figure& figure, const std::vector<Scale>& y, const std::vector<Series>& legend) {
  const std::size_t columns = num_columns(figure);
  const std::size_t rows = (figure.panels.size() + columns - 1) / columns;
  Layout layout;
  layout.width = figure.width == PaperWidth::single_column ? 244 : 510;

  std::vector<double> before(columns, kMargin);  // what stands left of each column: labels and tics
  std::vector<double> below(rows, kMargin);
  double above = 2;
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    if (shows_y_axis(figure, i)) {
      const double tics = widest(axis_tics(panel.y, y[i], 150, true));
      before[i % columns] = std::max(before[i % columns], tics + kMargin + (panel.y.label.empty() ? 0 : kLine + 2));
    }
    if (shows_x_axis(figure, i)) below[i / columns] = 2.5 * kLine + 4;
    if (!panel.title.empty() || figure.panels.size() > 1) above = kLine + 6;
  }
  double used = kRightMargin;
  for (const double space : before) used += space;
  used += kGap * static_cast<double>(columns - 1);
  layout.panel_width = (layout.width - used) / static_cast<double>(columns);
  if (layout.panel_width < 40) throw std::invalid_argument("figure: no room for its panels beside their labels");
  layout.panel_heights.assign(rows, 0);
  for (std::size_t i = 0; i < figure.panels.size(); ++i)
    layout.panel_heights[i / columns] =
        std::max(layout.panel_heights[i / columns], panel_height(figure, i, y[i], layout.panel_width));

  double x = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    x += before[column];
    layout.left.push_back(x);
    x += layout.panel_width + kGap;
  }
  double free_from = 2 * kMargin, depth = kLine / 2 + 1;
  for (const Series& series : legend) {
    const double entry = legend_sample(series) + 4 + shown_width(series.label);
    if (free_from > 2 * kMargin && free_from + entry > layout.width) free_from = 2 * kMargin, depth += kLine;
    layout.legend.emplace_back(free_from, depth);
    free_from += entry + 2.5 * kMargin;
  }
  layout.legend_top = legend.empty() ? 0 : depth + kLine / 2 + 3;

  layout.height = layout.legend_top;
  for (std::size_t row = 0; row < rows; ++row) layout.height += above + layout.panel_heights[row] + below[row];
  double top = layout.height;
  for (std::size_t row = 0; row < rows; ++row) {
    layout.bottom.push_back(top - above - layout.panel_heights[row]);
    top = layout.bottom[row] - below[row];
  }
  return layout;
}

}  // namespace

double widest(const std::vector<Tic>& tics) {
  double width = 0;
  for (const auto& tic : tics) width = std::max(width, shown_width(tic.label));
  return width;
}

std::size_t num_columns(const Figure& figure) { return static_cast<std::size_t>(std::max(1, figure.columns)); }

bool shows_x_axis(const Figure& figure, std::size_t index) {
  const std::size_t below = index + num_columns(figure);
  return below >= figure.panels.size() || figure.panels[below].x.label != figure.panels[index].x.label;
}

bool shows_y_axis(const Figure& figure, std::size_t index) {
  return index % num_columns(figure) == 0 || figure.panels[index - 1].y.label != figure.panels[index].y.label;
}

double legend_sample(const Series& series) {
  return series.style.kind == Style::Kind::points ? kMarkerSample : kLineSample;
}

Drawing draw(const Figure& figure) {
  if (figure.panels.empty()) throw std::invalid_argument("figure '" + figure.name + "' has no panel");
  const std::size_t columns = num_columns(figure);
  ScaleFinder x, y;
  const auto shows_picture = [](const Panel& panel) { return !panel.picture.rgb.empty(); };
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    if (shows_picture(panel)) continue;
    x.add(i % columns, panel.x, &Point::x, &Point::x_bound, panel.series);
    y.add(i / columns, panel.y, &Point::y, &Point::y_bound, panel.series);
  }
  if (!std::ranges::all_of(figure.panels, shows_picture)) {
    x.check();
    y.check();
  }
  Drawing drawing{figure, {}, {}, legend_of(figure), {}};
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    const Panel& panel = figure.panels[i];
    const auto rows = static_cast<double>(panel.y.categories.size());
    drawing.x.push_back(shows_picture(panel) ? Scale{false, -0.5, panel.picture.cells - 0.5}
                                             : x.find(i % columns, panel.x));
    drawing.y.push_back(shows_picture(panel) ? Scale{false, rows - 0.5, -0.5} : y.find(i / columns, panel.y));
  }
  drawing.layout = lay_out(figure, drawing.y, drawing.legend);
  return drawing;
}

}  // namespace analysis

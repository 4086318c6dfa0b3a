#include "analysis/figures/builders.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/numbers.h"

namespace analysis::figures {

Axis neurons_axis(const std::vector<const CapacityRow*>& rows) {
  std::set<double> sizes;
  for (const CapacityRow* row : rows) sizes.insert(static_cast<double>(row->num_neurons));
  return {"{/:Italic N} (neurons)", true, {sizes.begin(), sizes.end()}, {}};
}

Axis k_max_axis() { return {"{/:Italic K}_{max} (patterns)", true, {}, {}}; }

Axis patterns_axis() { return {"{/:Italic K} (patterns)", true, {}, {}}; }

Axis alpha_axis(std::vector<double> tics) { return {"keep probability {/:Italic α}", false, std::move(tics), {}}; }

Axis success_axis() { return {"Pr[success]", false, {0, 0.25, 0.5, 0.75, 1}, {}}; }

std::string separation_label(const Identity& row) {
  const std::string value = core::number_text(row.parameter());
  if (row.family() == "power") return "{/:Italic n} = " + value;
  if (row.family() == "relu-power") return "rectified {/:Italic n} = " + value;
  if (row.family() == "exp") return "{/:Italic λ} = " + value;
  return "{/:Italic F} = " + plain(row.separation);
}

std::string neurons_label(std::int64_t num_neurons) { return fmt::format("{{/:Italic N}} = {}", num_neurons); }

std::string alpha_label(double alpha) { return "{/:Italic α} = " + core::number_text(alpha); }

std::string beta_label(double beta) { return "{/:Italic β} = " + core::number_text(beta); }

Coordinate k_max_coordinate(const CapacityRow& row) {
  const auto known = [&](double end) { return std::isfinite(end) ? end : row.k_max; };
  switch (bound_of(row)) {
    case Bound::lower:
      return {known(row.ci_low), kMissing, kMissing};
    case Bound::upper:
      return {known(row.ci_high), kMissing, kMissing};
    case Bound::unfinished:  // without an estimate, the middle of the bracket stands for it
      return {std::isnan(row.k_max) ? std::sqrt(row.ci_low * row.ci_high) : row.k_max, row.ci_low, row.ci_high};
    case Bound::none:
      break;
  }
  return {row.k_max, row.ci_low, row.ci_high};
}

Style points_style(int index) { return {Style::Kind::points, index, index, 0}; }

Style line_style(int hue, int dash) { return {Style::Kind::line, hue, 0, dash}; }

void add_theory_lines(Panel& panel, const std::vector<const CapacityRow*>& rows, std::span<const TheoryCurve> theory,
                      int hue, const std::function<Point(const CapacityRow&, double k_max)>& place) {
  for (std::size_t i = 0; i < theory.size(); ++i) {
    Series line{"", line_style(hue, static_cast<int>(i)), {}};
    for (const CapacityRow* row : rows)
      if (const double k_max = theory[i].k_max(*row); std::isfinite(k_max)) line.points.push_back(place(*row, k_max));
    if (line.points.size() > 1) panel.series.push_back(std::move(line));
  }
}

void merge_equal_lines(Panel& panel) {
  const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-9 * std::abs(a); };
  const auto same = [&](const Series& a, const Series& b) {
    return std::ranges::equal(a.points, b.points, [&](const Point& p, const Point& q) {
      return near(p.x.value, q.x.value) && near(p.y.value, q.y.value);
    });
  };
  for (std::size_t i = 0; i < panel.series.size(); ++i) {
    Series line = panel.series[i];
    const auto of_theory = [&](const Series& s) {
      return line.style.kind == Style::Kind::line && s.style.kind == line.style.kind && s.style.dash == line.style.dash;
    };
    if (std::ranges::count_if(panel.series, of_theory) < 2) continue;
    if (!std::ranges::all_of(panel.series, [&](const Series& s) { return !of_theory(s) || same(line, s); })) continue;
    std::erase_if(panel.series, of_theory);
    line.style.hue = Style::kBlack;
    panel.series.insert(panel.series.begin() + static_cast<std::ptrdiff_t>(i), line);
  }
}

void add_theory_legend(Figure& figure, std::span<const TheoryCurve> theory) {
  std::set<int> dashes;
  for (const Panel& panel : figure.panels)
    for (const Series& series : panel.series)
      if (series.style.kind == Style::Kind::line) dashes.insert(series.style.dash);
  for (const int dash : dashes) {
    const TheoryCurve& curve = theory[static_cast<std::size_t>(dash)];
    const std::string label = plain(curve.label) + " (" + plain(curve.status) + ")";
    figure.panels.front().series.push_back({label, line_style(Style::kBlack, dash), {}});
  }
}

double spread(int index, std::size_t count) { return std::pow(1.04, index - 0.5 * (static_cast<double>(count) - 1)); }

std::string conventions_sentence(const std::vector<const Identity*>& rows) {
  return " Conventions: " + shared_conventions(rows) + ". Bars are 95 % intervals; open markers are not values.";
}

}  // namespace analysis::figures

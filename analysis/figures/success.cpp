// Success probability against the number of patterns, and against cue quality.
#include <algorithm>
#include <set>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

Coordinate success_coordinate(const PointRow& row) { return {row.success_probability, row.ci_low, row.ci_high}; }

void add_threshold(Panel& panel, double beta, double from, double to) {
  panel.series.push_back({"", kReference, {{{from}, {beta}}, {{to}, {beta}}}});
}

}  // namespace

Figure success(const Measurements& measured, std::span<const TheoryCurve>) {
  const auto rows = pointers(measured.points);
  Figure figure;
  figure.name = "success";
  figure.title = "Success probability against the number of patterns";
  figure.description =
      "Fraction of trials that end in the stored pattern against K, one colour per N, one panel per separation and cue "
      "quality; diamonds with a horizontal bar mark the fitted K_max where the file has one, dotted lines its "
      "threshold." +
      conventions_sentence(identities(measured.points));
  const auto panel_key = [](const Identity& row) { return std::tuple(row.family(), row.parameter(), -row.alpha); };
  const auto panels = grouped(rows, panel_key);
  const auto sizes = grouped(rows, [](const PointRow& row) { return row.num_neurons; });
  figure.width = panels.size() == 1 ? PaperWidth::single_column : PaperWidth::double_column;
  const std::size_t alphas = grouped(rows, [](const PointRow& row) { return row.alpha; }).size();
  figure.columns = static_cast<int>(std::min<std::size_t>(alphas > 1 ? alphas : panels.size(), 3));
  const auto capacity = pointers(measured.capacity);
  for (const auto& [key, members] : panels) {
    const PointRow& first = *members.front();
    Panel panel{separation_label(first) + ", " + alpha_label(first.alpha), patterns_axis(), success_axis(), {}};
    // Separations differ by orders of magnitude in K: each has an axis of its own, told apart by its label.
    panel.x.label += std::string(panels.size() > 1 ? ", " + separation_label(first) : "");
    double lowest = static_cast<double>(first.num_patterns), highest = lowest;
    for (auto [size, series] : grouped(members, [](const PointRow& row) { return row.num_neurons; })) {
      sort_by(series, [](const PointRow& row) { return row.num_patterns; });
      const int hue = static_cast<int>(std::distance(sizes.begin(), sizes.find(size)));
      Series line{"", line_style(hue, 0), {}};
      Series points{neurons_label(size), points_style(hue), {}};
      for (const PointRow* row : series) {
        const double k = static_cast<double>(row->num_patterns);
        lowest = std::min(lowest, k);
        highest = std::max(highest, k);
        points.points.push_back({{k}, success_coordinate(*row)});
        line.points.push_back({{k}, {row->success_probability}});
      }
      panel.series.push_back(std::move(line));
      panel.series.push_back(std::move(points));
    }
    std::set<double> thresholds;
    Series crossings{"{/:Italic K}_{max}", {Style::Kind::points, Style::kBlack, 3, 0}, {}};
    for (const CapacityRow* row : capacity)
      if (panel_key(*row) == key && bound_of(*row) == Bound::none) {
        crossings.points.push_back({k_max_coordinate(*row), {row->beta}});
        thresholds.insert(row->beta);
      }
    for (const double beta : thresholds) add_threshold(panel, beta, lowest, highest);
    if (!crossings.points.empty()) panel.series.push_back(std::move(crossings));
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Figure cue_quality(const Measurements& measured, std::span<const TheoryCurve>) {
  const auto rows = pointers(measured.points);
  Figure figure;
  figure.name = "cue-quality";
  figure.title = "Success probability against cue quality at fixed load";
  figure.description =
      "Fraction of trials that end in the stored pattern against the keep probability of the cue, one colour per "
      "number "
      "of patterns, one panel per separation and N; where a curve crosses a threshold lies its critical cue quality." +
      conventions_sentence(identities(measured.points));
  const auto panels =
      grouped(rows, [](const PointRow& row) { return std::tuple(row.family(), row.parameter(), row.num_neurons); });
  std::set<double> alphas;
  for (const PointRow* row : rows) alphas.insert(row->alpha);
  figure.width = panels.size() == 1 ? PaperWidth::single_column : PaperWidth::double_column;
  figure.columns = static_cast<int>(std::min<std::size_t>(panels.size(), panels.size() == 4 ? 2 : 3));
  const auto loads = grouped(rows, [](const PointRow& row) { return row.num_patterns; });
  for (const auto& [key, members] : panels) {
    const PointRow& first = *members.front();
    Panel panel{separation_label(first) + ", " + neurons_label(first.num_neurons),
                alpha_axis({alphas.begin(), alphas.end()}),
                success_axis(),
                {}};
    for (auto [num_patterns, series] : grouped(members, [](const PointRow& row) { return row.num_patterns; })) {
      sort_by(series, [](const PointRow& row) { return row.alpha; });
      const int hue = static_cast<int>(std::distance(loads.begin(), loads.find(num_patterns)));
      Series line{"", line_style(hue, 0), {}};
      Series points{"{/:Italic K} = " + std::to_string(num_patterns), points_style(hue), {}};
      for (const PointRow* row : series) {
        points.points.push_back({{row->alpha}, success_coordinate(*row)});
        line.points.push_back({{row->alpha}, {row->success_probability}});
      }
      panel.series.push_back(std::move(line));
      panel.series.push_back(std::move(points));
    }
    add_threshold(panel, 0.5, *alphas.begin(), *alphas.rbegin());
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

}  // namespace analysis::figures

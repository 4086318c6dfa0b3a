// K_max against N: as it is, and over its theory.
#include <algorithm>
#include <functional>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

using Rows = std::vector<const CapacityRow*>;

/// One panel per (α, β); `fill` adds the series of one separation, its rows sorted by N, in its hue.
Figure by_condition(const Measurements& measured, const Axis& y,
                    const std::function<void(Panel&, const Rows&, int)>& fill) {
  const auto rows = pointers(measured.capacity);
  const auto separation = [](const CapacityRow& row) { return std::tuple(row.family(), row.parameter()); };
  const auto separations = grouped(rows, separation);
  const auto panels = grouped(rows, [](const CapacityRow& row) { return std::tuple(-row.alpha, row.beta); });
  const std::size_t thresholds = grouped(rows, [](const CapacityRow& row) { return row.beta; }).size();
  Figure figure;
  figure.columns = static_cast<int>(std::min<std::size_t>(thresholds > 1 ? thresholds : panels.size(), 3));
  figure.width = panels.size() == 1 ? PaperWidth::single_column : PaperWidth::double_column;
  for (const auto& [condition, members] : panels) {
    const CapacityRow& first = *members.front();
    Panel panel{alpha_label(first.alpha) + ", " + beta_label(first.beta), neurons_axis(rows), y, {}};
    for (auto [key, series] : grouped(members, separation)) {
      sort_by(series, [](const CapacityRow& row) { return row.num_neurons; });
      fill(panel, series, static_cast<int>(std::distance(separations.begin(), separations.find(key))));
    }
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

double neurons(const CapacityRow& row) { return static_cast<double>(row.num_neurons); }

}  // namespace

Figure scaling(const Measurements& measured, std::span<const TheoryCurve> theory) {
  Figure figure = by_condition(measured, k_max_axis(), [&](Panel& panel, const Rows& series, int hue) {
    Series points{separation_label(*series.front()), points_style(hue), {}};
    for (const CapacityRow* row : series)
      points.points.push_back({{neurons(*row)}, k_max_coordinate(*row), bound_of(*row)});
    panel.series.push_back(std::move(points));
    add_theory_lines(panel, series, theory, hue, [](const CapacityRow& row, double k_max) {
      return Point{{neurons(row)}, {k_max}};
    });
  });
  add_theory_legend(figure, theory);
  figure.name = "scaling";
  figure.title = "Capacity against the number of neurons";
  figure.description =
      "Measured capacity K_max against N on logarithmic axes, one colour and marker per separation, one panel per cue "
      "quality and threshold; lines are theory, the dash says which." +
      conventions_sentence(identities(measured.capacity));
  return figure;
}

Figure agreement(const Measurements& measured, std::span<const TheoryCurve>) {
  const Axis axis{"{/:Italic K}_{max} / theory", false, {}, {}};
  const std::size_t num_separations =
      grouped(pointers(measured.capacity), [](const CapacityRow& row) { return row.separation; }).size();
  Figure figure = by_condition(measured, axis, [&](Panel& panel, const Rows& series, int hue) {
    Series points{separation_label(*series.front()), points_style(hue), {}};
    for (const CapacityRow* row : series) {
      if (bound_of(*row) != Bound::none) continue;
      const double theory = row->k_exact_one_step;
      points.points.push_back({{spread(hue, num_separations) * neurons(*row)},
                               {row->k_max / theory, row->ci_low / theory, row->ci_high / theory}});
    }
    panel.series.push_back(std::move(points));
  });
  for (Panel& panel : figure.panels)
    panel.series.push_back({"", kReference, {{{panel.x.tics.front()}, {1}}, {{panel.x.tics.back()}, {1}}}});
  figure.name = "agreement";
  figure.title = "Measured capacity over the exact one-step prediction";
  figure.description =
      "Measured K_max divided by the K_max that the exact law of one update predicts, against N; 1 (dotted) is "
      "agreement. "
      "Recall goes on after that update and repairs corrupted cues, so values above 1 are expected for alpha < 1. "
      "Bounds are left out; separations are set apart a little along N." +
      conventions_sentence(identities(measured.capacity));
  return figure;
}

}  // namespace analysis::figures

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

Coordinate rate(const Coordinate& k, double num_neurons) {
  return {std::log(k.value) / num_neurons, std::log(k.low) / num_neurons, std::log(k.high) / num_neurons};
}

}  // namespace

Figure exponential(const Measurements& measured, std::span<const TheoryCurve> theory) {
  const auto rows = pointers(measured.capacity);
  Figure figure;
  figure.name = "exponential";
  figure.title = "Rate of the exponential capacity";
  std::set<double> alphas;
  for (const CapacityRow* row : rows) alphas.insert(row->alpha);
  const bool over_alpha = alphas.size() > 1;
  figure.description =
      std::string("Rate ln K_max / N of the capacity with exponential separation against ") +
      (over_alpha ? "the keep probability of the cue, one colour per N" : "N") +
      ", one panel per parameter and threshold; lines are theory, the dash says which; rigorous bounds lie below." +
      conventions_sentence(identities(measured.capacity));
  const auto panels = grouped(rows, [](const CapacityRow& row) { return std::tuple(row.parameter(), row.beta); });
  const auto sizes = grouped(rows, [](const CapacityRow& row) { return row.num_neurons; });
  figure.width = panels.size() == 1 ? PaperWidth::single_column : PaperWidth::double_column;
  figure.columns = static_cast<int>(std::min<std::size_t>(panels.size(), 2));
  const auto place = [&](const CapacityRow& row) {
    return over_alpha ? row.alpha : static_cast<double>(row.num_neurons);
  };
  const auto series_key = [&](const CapacityRow& row) { return over_alpha ? row.num_neurons : 0; };
  for (const auto& [key, members] : panels) {
    const CapacityRow& first = *members.front();
    Panel panel{
        separation_label(first) + ", " + beta_label(first.beta) + (over_alpha ? "" : ", " + alpha_label(first.alpha)),
        over_alpha ? alpha_axis({alphas.begin(), alphas.end()}) : neurons_axis(rows),
        {"ln {/:Italic K}_{max} / {/:Italic N}", false, {}, {}},
        {}};
    for (auto [size, series] : grouped(members, series_key)) {
      sort_by(series, place);
      const int hue = over_alpha ? static_cast<int>(std::distance(sizes.begin(), sizes.find(size))) : 0;
      Series points{over_alpha ? neurons_label(size) : "measured", points_style(hue), {}};
      for (const CapacityRow* row : series)
        points.points.push_back(
            {{place(*row)}, rate(k_max_coordinate(*row), static_cast<double>(row->num_neurons)), bound_of(*row)});
      add_theory_lines(panel, series, theory, hue, [&](const CapacityRow& row, double k_max) {
        return Point{{place(row)}, rate({k_max}, static_cast<double>(row.num_neurons))};
      });
      panel.series.push_back(std::move(points));
    }
    merge_equal_lines(panel);
    figure.panels.push_back(std::move(panel));
  }
  add_theory_legend(figure, theory);
  return figure;
}

}  // namespace analysis::figures

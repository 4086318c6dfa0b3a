#include <algorithm>
#include <cmath>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

/// Ratio of two measured capacities; the logarithms of their independent intervals add in quadrature.
Coordinate ratio(const CapacityRow& above, const CapacityRow& below) {
  const double value = above.k_max / below.k_max;
  const double down = std::hypot(std::log(above.k_max / above.ci_low), std::log(below.ci_high / below.k_max));
  const double up = std::hypot(std::log(above.ci_high / above.k_max), std::log(below.k_max / below.ci_low));
  return {value, value * std::exp(-down), value * std::exp(up)};
}

}  // namespace

Figure rectified(const Measurements& measured, std::span<const TheoryCurve>) {
  const auto rows = pointers(measured.capacity);
  Figure figure;
  figure.name = "rectified";
  figure.title = "Rectified against full powers";
  figure.description =
      "Capacity with the rectified power over the capacity with the full power of the same degree, against N; half the "
      "noise variance makes it 2 (dotted). Pairs of which one is only a bound are left out." +
      conventions_sentence(identities(measured.capacity));
  const auto panels = grouped(rows, [](const CapacityRow& row) { return std::tuple(-row.alpha, row.beta); });
  const auto degrees = grouped(rows, [](const CapacityRow& row) { return row.degree; });
  const Axis sizes = neurons_axis(rows);
  figure.width = panels.size() == 1 ? PaperWidth::single_column : PaperWidth::double_column;
  figure.columns = static_cast<int>(std::min<std::size_t>(panels.size(), 2));
  for (const auto& [key, members] : panels) {
    const CapacityRow& first = *members.front();
    Panel panel{alpha_label(first.alpha) + ", " + beta_label(first.beta),
                sizes,
                {"{/:Italic K}_{max} rectified / full", false, {}, {}},
                {}};
    for (auto [degree, series] : grouped(members, [](const CapacityRow& row) { return row.degree; })) {
      sort_by(series, [](const CapacityRow& row) { return row.num_neurons; });
      const int hue = static_cast<int>(std::distance(degrees.begin(), degrees.find(degree)));
      const double shift = spread(hue, degrees.size());
      Series points{"{/:Italic n} = " + std::to_string(degree), points_style(hue), {}};
      for (const CapacityRow* above : series)
        for (const CapacityRow* below : series)
          if (above->num_neurons == below->num_neurons && above->family() == "relu-power" &&
              below->family() == "power" && bound_of(*above) == Bound::none && bound_of(*below) == Bound::none)
            points.points.push_back({{shift * static_cast<double>(above->num_neurons)}, ratio(*above, *below)});
      panel.series.push_back(std::move(points));
    }
    panel.series.push_back({"theory: 2 (SNR)", kReference, {{{sizes.tics.front()}, {2}}, {{sizes.tics.back()}, {2}}}});
    figure.panels.push_back(std::move(panel));
  }
  return figure;
}

}  // namespace analysis::figures

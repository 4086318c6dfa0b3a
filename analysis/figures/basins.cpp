#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

/// K and its interval per N^(n−1): the load, whose critical cue quality is α.
Coordinate load_coordinate(const CapacityRow& row) {
  const double scale = std::pow(static_cast<double>(row.num_neurons), static_cast<double>(row.degree - 1));
  const Coordinate k = k_max_coordinate(row);
  return {k.value / scale, k.low / scale, k.high / scale};
}

std::string load_label(std::int64_t degree) {
  return "load {/:Italic K}/{/:Italic N}" + (degree > 2 ? "^{" + std::to_string(degree - 1) + "}" : "");
}

}  // namespace

Figure basins(const Measurements& measured, std::span<const TheoryCurve> theory) {
  const auto rows = pointers(measured.capacity);
  Figure figure;
  figure.name = "basins";
  figure.title = "Capacity against cue quality";
  figure.description =
      "Measured capacity K_max against the keep probability of the cue, one panel per separation and threshold, one "
      "colour per N; lines are theory. Where there is one threshold only, the panels on the right are the same "
      "measurements read the other way: the smallest keep probability that is still recalled against the load "
      "K/N^(n−1)." +
      conventions_sentence(identities(measured.capacity));
  std::set<double> alphas, betas;
  for (const CapacityRow* row : rows) {
    alphas.insert(row->alpha);
    betas.insert(row->beta);
  }
  const std::vector<double> tics{alphas.begin(), alphas.end()};
  const auto sizes = grouped(rows, [](const CapacityRow& row) { return row.num_neurons; });
  const bool both_ways = betas.size() == 1;
  figure.columns = both_ways ? 2 : static_cast<int>(std::min<std::size_t>(betas.size(), 3));
  for (const auto& [key, members] :
       grouped(rows, [](const CapacityRow& row) { return std::tuple(row.family(), row.parameter(), row.beta); })) {
    const CapacityRow& first = *members.front();
    const std::string title = separation_label(first) + ", " + beta_label(first.beta);
    Panel capacity{title, alpha_axis(tics), k_max_axis(), {}};
    Panel critical{title, {load_label(first.degree), true, {}, {}}, {}, {}};
    critical.y = {"critical {/:Italic α}", false, tics, {}};
    for (auto [size, series] : grouped(members, [](const CapacityRow& row) { return row.num_neurons; })) {
      sort_by(series, [](const CapacityRow& row) { return row.alpha; });
      const int hue = static_cast<int>(std::distance(sizes.begin(), sizes.find(size)));
      Series points{neurons_label(size), points_style(hue), {}}, inverse = points;
      for (const CapacityRow* row : series) {
        points.points.push_back({{row->alpha}, k_max_coordinate(*row), bound_of(*row)});
        inverse.points.push_back({load_coordinate(*row), {row->alpha}, Bound::none, bound_of(*row)});
      }
      add_theory_lines(capacity, series, theory, hue, [](const CapacityRow& row, double k_max) {
        return Point{{row.alpha}, {k_max}};
      });
      capacity.series.push_back(std::move(points));
      critical.series.push_back(std::move(inverse));
    }
    figure.panels.push_back(std::move(capacity));
    if (both_ways && first.degree > 0) figure.panels.push_back(std::move(critical));
  }
  add_theory_legend(figure, theory);
  return figure;
}

}  // namespace analysis::figures

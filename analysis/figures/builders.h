// What the builders in this folder share: axes, labels, and rows sorted into panels and series.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "analysis/drawing/figure.h"
#include "analysis/measurements.h"

namespace analysis::figures {

Figure scaling(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure agreement(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure success(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure cue_quality(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure basins(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure ablation(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure models(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure patterns(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure rectified(const Measurements& measured, std::span<const TheoryCurve> theory);
Figure exponential(const Measurements& measured, std::span<const TheoryCurve> theory);

/// Rows sorted by a key: a panel, a series.
template <class Row, class Key>
auto grouped(const std::vector<const Row*>& rows, Key key) {
  std::map<decltype(key(*rows.front())), std::vector<const Row*>> groups;
  for (const Row* row : rows) groups[key(*row)].push_back(row);
  return groups;
}

template <class Row>
std::vector<const Row*> pointers(const std::vector<Row>& rows) {
  std::vector<const Row*> all;
  for (const Row& row : rows) all.push_back(&row);
  return all;
}

template <class Row, class Key>
void sort_by(std::vector<const Row*>& rows, Key key) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Row* a, const Row* b) { return key(*a) < key(*b); });
}

Axis neurons_axis(const std::vector<const CapacityRow*>& rows);
Axis k_max_axis();
Axis patterns_axis();
Axis alpha_axis(std::vector<double> tics);
Axis success_axis();

/// `n = 3`, `rectified n = 3`, `λ = 0.5`, `F = log-cosh:2`.
std::string separation_label(const Identity& row);

/// `N = 64`; `α = 0.9`; `β = 0.5`; as they stand in titles and legends.
std::string neurons_label(std::int64_t num_neurons);
std::string alpha_label(double alpha);
std::string beta_label(double beta);

/// A measured K_max with its interval; for a bound, the safe end of what is known.
Coordinate k_max_coordinate(const CapacityRow& row);

Style points_style(int index);
Style line_style(int hue, int dash);
inline constexpr Style kReference{Style::Kind::reference, Style::kBlack, 0, 5};

/// Adds a line for every theory that has two or more values on these rows; its dash is the theory's place in the list.
void add_theory_lines(Panel& panel, const std::vector<const CapacityRow*>& rows, std::span<const TheoryCurve> theory,
                      int hue, const std::function<Point(const CapacityRow&, double k_max)>& place);

/// Leaves one line, in black, of a theory whose lines are the same for all series of a panel.
void merge_equal_lines(Panel& panel);

/// Adds legend entries, in black, for the theories whose lines the figure has.
void add_theory_legend(Figure& figure, std::span<const TheoryCurve> theory);

/// A factor on N that sets series number `index` of `count` apart from the others by a few per cent, so that bars do
/// not cover each other.
double spread(int index, std::size_t count);

/// What every caption ends with.
std::string conventions_sentence(const std::vector<const Identity*>& rows);

}  // namespace analysis::figures

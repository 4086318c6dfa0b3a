// Tables drawn as rows of intervals: what changes when a convention, a model or the patterns change.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <tuple>

#include "analysis/figures/builders.h"

namespace analysis::figures {
namespace {

/// The counters of the measured point nearest to K_max: what recall does where it begins to fail.
const PointRow* nearest_point(const Measurements& measured, const CapacityRow& row) {
  const PointRow* nearest = nullptr;
  const auto distance = [&](const PointRow& point) {
    return std::abs(std::log(static_cast<double>(point.num_patterns) / row.k_max));
  };
  for (const PointRow& point : measured.points)
    if (point.configuration == row.configuration && (nearest == nullptr || distance(point) < distance(*nearest)))
      nearest = &point;
  return nearest;
}

/// A quantity per trial at the point nearest to K_max.
struct Column {
  const char* label;
  std::int64_t PointRow::*counter;
};

using RowLabel = std::function<std::string(const Identity&)>;

/// One row of the figure per label, one panel row per (N, α, β), one marker per separation unless labels name it.
Figure forest(const Measurements& measured, const std::vector<std::string>& labels, const RowLabel& label,
              bool separation_in_label, std::span<const Column> counters) {
  const auto rows = pointers(measured.capacity);
  Figure figure;
  figure.width = PaperWidth::double_column;
  figure.columns = 1 + static_cast<int>(counters.size());
  const auto groups =
      grouped(rows, [](const CapacityRow& row) { return std::tuple(row.num_neurons, -row.alpha, row.beta); });
  const auto series_key = [&](const CapacityRow& row) {
    return separation_in_label ? std::tuple(std::string(), 0.) : std::tuple(row.family(), row.parameter());
  };
  const auto separations = grouped(rows, series_key);
  if (counters.empty() && groups.size() > 1) figure.columns = 2;
  for (const auto& [key, members] : groups) {
    const CapacityRow& first = *members.front();
    const std::string title =
        neurons_label(first.num_neurons) + ", " + alpha_label(first.alpha) + ", " + beta_label(first.beta);
    const Axis categories{"", false, {}, labels};
    std::vector<Panel> panels{{title, k_max_axis(), categories, {}}};
    for (const Column& column : counters) panels.push_back({"", {column.label, false, {}, {}}, categories, {}});
    for (const auto& [separation, series] : grouped(members, series_key)) {
      const int hue = static_cast<int>(std::distance(separations.begin(), separations.find(separation)));
      // Series of one category are set apart a little, so that their bars do not cover each other.
      const double shift =
          separations.size() == 1 ? 0 : 0.5 * (hue / static_cast<double>(separations.size() - 1) - 0.5);
      const std::string name = separation_in_label ? "" : separation_label(*series.front());
      std::vector<Series> drawn(panels.size(), {name, points_style(hue), {}});
      for (const CapacityRow* row : series) {
        const auto place = std::find(labels.begin(), labels.end(), label(*row)) - labels.begin();
        const Coordinate y{static_cast<double>(place) + shift};
        drawn[0].points.push_back({k_max_coordinate(*row), y, Bound::none, bound_of(*row)});
        const PointRow* point = nearest_point(measured, *row);
        for (std::size_t i = 0; i < counters.size(); ++i)
          if (point != nullptr && point->trials > 0)
            drawn[i + 1].points.push_back(
                {{static_cast<double>(point->*counters[i].counter) / static_cast<double>(point->trials)}, y});
      }
      for (std::size_t i = 0; i < panels.size(); ++i) panels[i].series.push_back(std::move(drawn[i]));
    }
    for (Panel& panel : panels) figure.panels.push_back(std::move(panel));
  }
  return figure;
}

/// The labels of all rows in order of first appearance.
std::vector<std::string> row_labels(const Measurements& measured, const RowLabel& label) {
  std::vector<std::string> labels;
  for (const CapacityRow& row : measured.capacity)
    if (std::string text = label(row); std::find(labels.begin(), labels.end(), text) == labels.end())
      labels.push_back(std::move(text));
  return labels;
}

}  // namespace

Figure ablation(const Measurements& measured, std::span<const TheoryCurve>) {
  std::vector<Convention> named;  // only what differs is worth a word
  for (const Convention& convention : conventions())
    for (const std::string_view name : {"rule", "order", "tie", "self_coupling"})
      if (convention.name == name && distinct(identities(measured.capacity), convention).size() > 1)
        named.push_back(convention);
  const RowLabel label = [&](const Identity& row) {
    std::string text;
    for (const Convention& convention : named) {
      const std::string_view name = convention.name;
      const std::string prefix = name == "tie" ? "tie " : name == "self_coupling" ? "self " : "";
      text += (text.empty() ? "" : ", ") + prefix + plain(convention.text(row));
    }
    return text;
  };
  constexpr Column kColumns[] = {{"energy rises / trial", &PointRow::energy_rises},
                                 {"cycles / trial", &PointRow::cycles}};
  Figure figure = forest(measured, row_labels(measured, label), label, false, kColumns);
  figure.name = "ablation";
  figure.title = "What the conventions of recall change";
  figure.description =
      "Capacity, flips that raise the energy, and trials stopped by a cycle (both at the measured point nearest to "
      "K_max) "
      "for each combination of update rule, order, tie rule and self-coupling." +
      conventions_sentence(identities(measured.capacity));
  return figure;
}

Figure models(const Measurements& measured, std::span<const TheoryCurve>) {
  const RowLabel label = [](const Identity& row) {
    return plain(row.similarity + ", " + row.separation + ", " + row.shaping);
  };
  Figure figure = forest(measured, row_labels(measured, label), label, true, {});
  figure.name = "models";
  figure.title = "Similarity, separation and shaping";
  figure.description = "Capacity for each combination of similarity, separation and shaping." +
                       conventions_sentence(identities(measured.capacity));
  return figure;
}

Figure patterns(const Measurements& measured, std::span<const TheoryCurve>) {
  const RowLabel label = [](const Identity& row) {
    constexpr std::string_view kFile = "file:";
    if (!row.patterns.starts_with(kFile)) return plain(row.patterns);
    return plain(std::filesystem::path(row.patterns.substr(kFile.size())).filename().string());
  };
  Figure figure = forest(measured, row_labels(measured, label), label, false, {});
  figure.name = "patterns";
  figure.title = "Capacity for structured patterns";
  figure.description = "Capacity for each distribution of patterns, independent fair ones (iid) among them." +
                       conventions_sentence(identities(measured.capacity));
  return figure;
}

}  // namespace analysis::figures

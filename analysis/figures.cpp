#include "analysis/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "analysis/figures/builders.h"

namespace analysis {
namespace {

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string no_objection(const Measurements&) { return ""; }

std::set<std::string> families(const Measurements& measured) {
  std::set<std::string> all;
  for (const CapacityRow& row : measured.capacity) all.insert(row.family());
  return all;
}

std::string not_exponential(const Measurements& measured) {
  return families(measured) == std::set<std::string>{"exp"} ? "" : "it draws the exponential separation only";
}

std::string not_both_powers(const Measurements& measured) {
  if (families(measured) != std::set<std::string>{"power", "relu-power"})
    return "it needs full and rectified powers, and nothing else";
  const auto theory = theory_beside();
  for (const Panel& panel : figures::rectified(measured, theory).panels)
    for (const Series& series : panel.series)
      if (series.style.kind == Style::Kind::points && !series.points.empty()) return "";
  return "no N has both a full and a rectified power of one degree measured";
}

std::string few_alphas(const std::vector<const Identity*>& rows) {
  std::set<double> alphas;
  for (const Identity* row : rows) alphas.insert(row->alpha);
  return alphas.size() >= 3 ? "" : "it needs three or more values of alpha";
}

std::string few_capacity_alphas(const Measurements& measured) {
  if (families(measured).contains("exp")) return "exponential separations have a figure of their own";
  return few_alphas(identities(measured.capacity));
}

std::string few_point_alphas(const Measurements& measured) {
  if (!measured.capacity.empty()) return "it draws files that were measured at given K (dam curve)";
  return few_alphas(identities(measured.points));
}

std::string one_point(const Measurements& measured) {
  for (const PointRow& row : measured.points)
    if (row.num_patterns != measured.points.front().num_patterns) return "";
  return "it needs two or more values of num_patterns";
}

std::string no_powers(const Measurements& measured) {
  return families(measured).contains("exp") ? "exponential separations have a figure of their own" : "";
}

std::string no_prediction(const Measurements& measured) {
  for (const CapacityRow& row : measured.capacity)
    if (row.status == "ok" && std::isfinite(row.k_exact_one_step)) return "";
  return "no measured capacity has an exact one-step prediction beside it";
}

std::string rectified_only(const Measurements& measured) {
  return not_both_powers(measured).empty() ? "rectified against full powers have a figure of their own" : "";
}

}  // namespace

std::span<const FigureKind> figure_kinds() {
  using Names = std::vector<std::string_view>;
  static const Names kGrid{"num_neurons", "parameter", "alpha"},
      kGridAndFamily{"num_neurons", "family", "parameter", "alpha"};
  static const Names kRecall{"rule", "order", "tie", "self_coupling"};
  static const Names kSize{"num_neurons"}, kAlpha{"alpha"}, kSizeOrAlpha{"num_neurons", "alpha"}, kNothing;
  static const Names kFamily{"family"}, kModel{"similarity", "family", "shaping"}, kPatterns{"patterns"};
  static const std::vector<FigureKind> kKinds{
      {"scaling", "K_max against N", false, kSize, kGrid, no_powers, figures::scaling},
      {"agreement", "K_max over theory against N", false, kSize, kGrid, no_prediction, figures::agreement},
      {"basins", "K_max against cue quality", false, kAlpha, kGrid, few_capacity_alphas, figures::basins},
      {"rectified", "rectified over full powers", false, kFamily, kGrid, not_both_powers, figures::rectified},
      {"exponential", "ln K_max / N", false, kSizeOrAlpha, kGrid, not_exponential, figures::exponential},
      {"ablation", "K_max by recall convention", false, kRecall, kGrid, no_objection, figures::ablation},
      {"models", "K_max by model", false, kModel, kGrid, rectified_only, figures::models},
      {"patterns", "K_max by kind of patterns", false, kPatterns, kGridAndFamily, no_objection, figures::patterns},
      {"success", "success probability against K", true, kNothing, kGrid, one_point, figures::success},
      {"cue-quality", "success probability against alpha", true, kAlpha, kGrid, few_point_alphas, figures::cue_quality},
  };
  return kKinds;
}

std::string why_not(const FigureKind& kind, const Measurements& measured) {
  const auto rows = kind.of_points ? identities(measured.points) : identities(measured.capacity);
  if (rows.empty()) return fmt::format("{}: no {}", measured.name, kind.of_points ? "points" : "capacities");
  bool needed = kind.needs.empty();
  std::string needs;
  for (const Convention& convention : conventions()) {
    const auto values = distinct(rows, convention);
    if (contains(kind.needs, convention.name)) {
      needed |= values.size() > 1;
      needs += (needs.empty() ? "" : " or ") + std::string(convention.name);
    } else if (values.size() > 1 && !contains(kind.allows, convention.name)) {
      return fmt::format("{}: mixes {} '{}' and '{}', which the {} figure would draw as one", measured.name,
                         convention.name, values[0], values[1], kind.name);
    }
  }
  if (!needed) return fmt::format("{}: the {} figure needs rows that differ in {}", measured.name, kind.name, needs);
  const std::string objection = kind.objection(measured);
  return objection.empty() ? "" : fmt::format("{}: no {} figure: {}", measured.name, kind.name, objection);
}

Figure build_figure(std::string_view name, const Measurements& measured, std::span<const TheoryCurve> theory) {
  std::string names;
  for (const FigureKind& kind : figure_kinds()) {
    names += (names.empty() ? "" : ", ") + std::string(kind.name);
    if (kind.name != name) continue;
    if (const std::string reason = why_not(kind, measured); !reason.empty()) throw std::invalid_argument(reason);
    return kind.build(measured, theory);
  }
  throw std::invalid_argument(fmt::format("no figure '{}'; there are {}", name, names));
}

std::vector<Figure> build_figures(const Measurements& measured, std::span<const TheoryCurve> theory) {
  std::vector<Figure> figures;
  for (const FigureKind& kind : figure_kinds())
    if (why_not(kind, measured).empty()) figures.push_back(kind.build(measured, theory));
  return figures;
}

}  // namespace analysis

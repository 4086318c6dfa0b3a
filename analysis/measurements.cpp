#include "analysis/measurements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <variant>

#include "core/numbers.h"
#include "dam/theory/theory.h"

namespace analysis {
namespace {

template <class Row>
using Member = std::variant<std::int64_t Row::*, std::uint64_t Row::*, double Row::*, std::string Row::*>;

template <class Row>
struct ColumnOf {
  const char* name;
  Member<Row> member;
};

template <class Row>
std::vector<Row> read_rows(const results::Table& table, std::initializer_list<ColumnOf<Row>> own) {
  std::vector<ColumnOf<Row>> columns{
      {"configuration", &Row::configuration},
      {"num_neurons", &Row::num_neurons},
      {"model", &Row::model},
      {"similarity", &Row::similarity},
      {"separation", &Row::separation},
      {"shaping", &Row::shaping},
      {"degree", &Row::degree},
      {"alpha", &Row::alpha},
      {"rule", &Row::rule},
      {"order", &Row::order},
      {"tie", &Row::tie},
      {"self_coupling", &Row::self_coupling},
      {"success", &Row::success},
      {"patterns", &Row::patterns},
      {"cues", &Row::cues},
      {"max_passes", &Row::max_passes},
      {"seed", &Row::seed},
  };
  columns.insert(columns.end(), own);
  std::vector<Row> rows(table.rows());
  for (const auto& column : columns)
    std::visit(
        [&]<class T>(T Row::*member) {
          const auto& values = table.values<T>(column.name);
          for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*member = values[i];
        },
        column.member);
  return rows;
}

constexpr std::array kStatuses{"ok", "lower_bound", "upper_bound", "budget"};

}  // namespace

std::string Identity::family() const { return separation.substr(0, separation.find(':')); }

double Identity::parameter() const {
  const auto colon = separation.find(':');
  return colon == std::string::npos ? 0 : core::parse_double(separation.substr(colon + 1), "separation parameter");
}

std::vector<PointRow> point_rows(const results::Table& points) {
  return read_rows<PointRow>(points, {{"num_patterns", &PointRow::num_patterns},
                                      {"trials", &PointRow::trials},
                                      {"flips", &PointRow::flips},
                                      {"not_converged", &PointRow::not_converged},
                                      {"cycles", &PointRow::cycles},
                                      {"energy_rises", &PointRow::energy_rises},
                                      {"success_probability", &PointRow::success_probability},
                                      {"ci_low", &PointRow::ci_low},
                                      {"ci_high", &PointRow::ci_high},
                                      {"load", &PointRow::load},
                                      {"mean_final_bit_error", &PointRow::mean_final_bit_error},
                                      {"seconds", &PointRow::seconds}});
}

std::vector<CapacityRow> capacity_rows(const results::Table& capacity) {
  auto rows = read_rows<CapacityRow>(capacity, {{"beta", &CapacityRow::beta},
                                                {"k_max", &CapacityRow::k_max},
                                                {"ci_low", &CapacityRow::ci_low},
                                                {"ci_high", &CapacityRow::ci_high},
                                                {"status", &CapacityRow::status},
                                                {"goodness_of_fit_p", &CapacityRow::goodness_of_fit_p},
                                                {"isotonic_agrees", &CapacityRow::isotonic_agrees},
                                                {"trials", &CapacityRow::trials},
                                                {"seconds", &CapacityRow::seconds},
                                                {"k_pattern_snr", &CapacityRow::k_pattern_snr},
                                                {"k_krotov_hopfield", &CapacityRow::k_krotov_hopfield},
                                                {"k_exact_one_step", &CapacityRow::k_exact_one_step},
                                                {"k_demircigil", &CapacityRow::k_demircigil}});
  for (const CapacityRow& row : rows)
    if (std::find(kStatuses.begin(), kStatuses.end(), row.status) == kStatuses.end())
      throw std::invalid_argument("table capacity: unknown status '" + row.status + "'; known are ok, lower_bound, " +
                                  "upper_bound and budget");
  return rows;
}

Bound bound_of(const CapacityRow& row) {
  if (row.status == "lower_bound") return Bound::lower;
  if (row.status == "upper_bound") return Bound::upper;
  return row.status == "ok" ? Bound::none : Bound::unfinished;
}

std::vector<std::string> doubts(const Measurements& measured) {
  std::int64_t bounds = 0, misfits = 0, disagreements = 0, stuck = 0;
  for (const CapacityRow& row : measured.capacity) {
    bounds += row.status != "ok";
    misfits += row.status == "ok" && row.goodness_of_fit_p < 0.01;
    disagreements += row.status == "ok" && row.isotonic_agrees == 0;
  }
  for (const PointRow& row : measured.points) stuck += row.not_converged > 0;
  std::vector<std::string> sentences;
  const auto say = [&](std::int64_t count, std::size_t of, const char* what) {
    if (count > 0) sentences.push_back(fmt::format("{} of {} {}.", count, of, what));
  };
  say(bounds, measured.capacity.size(), "capacities are bounds or unfinished searches, not values");
  say(misfits, measured.capacity.size(), "success curves fit with p < 0.01");
  say(disagreements, measured.capacity.size(), "capacities disagree with the isotonic cross-check");
  say(stuck, measured.points.size(), "points have trials that met the cap on passes or a cycle");
  return sentences;
}

namespace {

/// e^{aN} with the rate a of exponential separation (dam/theory/theory.md): a formula, so that no file has to hold it.
double largest_overlap(const CapacityRow& row) {
  if (row.family() != "exp" || row.patterns != "iid") return kMissing;
  dam::TheoryInput input;
  input.num_neurons = static_cast<int>(row.num_neurons);
  input.model.similarity = core::parse_similarity(row.similarity);
  input.model.separation = core::Separation::parse(row.separation);
  input.alpha = row.alpha;
  return dam::as_num_patterns(dam::theory_row("extreme-rate"), input).value;
}

}  // namespace

std::vector<TheoryCurve> theory_beside() {
  return {{"one step", "independence", [](const CapacityRow& row) { return row.k_exact_one_step; }},
          {"whole pattern", "SNR", [](const CapacityRow& row) { return row.k_pattern_snr; }},
          {"Krotov–Hopfield", "asymptotic", [](const CapacityRow& row) { return row.k_krotov_hopfield; }},
          {"Demircigil", "rigorous bound", [](const CapacityRow& row) { return row.k_demircigil; }},
          {"largest overlap", "asymptotic", largest_overlap}};
}

std::span<const Convention> conventions() {
  static constexpr std::array kConventions{
      Convention{"num_neurons", [](const Identity& row) { return std::to_string(row.num_neurons); }},
      Convention{"alpha", [](const Identity& row) { return core::number_text(row.alpha); }},
      Convention{"similarity", [](const Identity& row) { return row.similarity; }},
      Convention{"family", [](const Identity& row) { return row.family(); }},
      Convention{"parameter", [](const Identity& row) { return core::number_text(row.parameter()); }},
      Convention{"shaping", [](const Identity& row) { return row.shaping; }},
      Convention{"rule", [](const Identity& row) { return row.rule; }},
      Convention{"order", [](const Identity& row) { return row.order; }},
      Convention{"tie", [](const Identity& row) { return row.tie; }},
      Convention{"self_coupling", [](const Identity& row) { return row.self_coupling; }},
      Convention{"success", [](const Identity& row) { return row.success; }},
      Convention{"patterns", [](const Identity& row) { return row.patterns; }},
      Convention{"cues", [](const Identity& row) { return std::to_string(row.cues); }},
      Convention{"max_passes", [](const Identity& row) { return std::to_string(row.max_passes); }},
      Convention{"seed", [](const Identity& row) { return std::to_string(row.seed); }},
  };
  return kConventions;
}

std::vector<std::string> distinct(const std::vector<const Identity*>& rows, const Convention& convention) {
  std::vector<std::string> values;
  for (const Identity* row : rows)
    if (std::string value = convention.text(*row); std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(std::move(value));
  return values;
}

std::string shared_conventions(const std::vector<const Identity*>& rows) {
  std::string text;
  for (const Convention& convention : conventions())
    if (const auto values = distinct(rows, convention); values.size() == 1)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", convention.name, values.front());
  return text;
}

}  // namespace analysis

#include "analysis/tables/measured_tables.h"

#include <algorithm>
#include <cmath>

namespace analysis {
namespace {

/// Columns for the conventions in which rows differ, left of what was measured.
class ConventionColumns {
 public:
  explicit ConventionColumns(const std::vector<const Identity*>& rows) {
    for (const Convention& convention : conventions()) {
      const std::string_view name = convention.name;
      const bool in_model = name == "similarity" || name == "family" || name == "parameter" || name == "shaping";
      const bool always = name == "num_neurons" || name == "alpha";
      if (!in_model && !always && distinct(rows, convention).size() > 1) differing_.push_back(convention);
    }
  }

  std::vector<TextColumn> columns() const {
    std::vector<TextColumn> all{{"model", ""}, {"N", "neurons"}, {"α", ""}};
    for (const Convention& convention : differing_) all.push_back({convention.name, ""});
    return all;
  }

  std::vector<Cell> cells(const Identity& row) const {
    std::vector<Cell> all{row.model, row.num_neurons, row.alpha};
    for (const Convention& convention : differing_) all.emplace_back(convention.text(row));
    return all;
  }

 private:
  std::vector<Convention> differing_;
};

}  // namespace

TextTable capacity_table(const Measurements& measured, std::span<const TheoryCurve> theory) {
  const auto rows = identities(measured.capacity);
  const ConventionColumns common(rows);
  TextTable table{"capacity",
                  "Capacity K_max with 95 % intervals; theory beside it, (status) says how sure it is. " +
                      ("Conventions: " + shared_conventions(rows)) + ".",
                  common.columns(),
                  {}};
  table.columns.insert(table.columns.end(), {{"β", ""}, {"K_max", "patterns"}});
  std::vector<TheoryCurve> known;
  for (const TheoryCurve& curve : theory)
    if (std::any_of(measured.capacity.begin(), measured.capacity.end(),
                    [&](const CapacityRow& row) { return std::isfinite(curve.k_max(row)); })) {
      known.push_back(curve);
      table.columns.push_back({curve.label, curve.status});
    }
  table.columns.insert(table.columns.end(), {{"trials", ""}, {"fit p", ""}});
  for (const CapacityRow& row : measured.capacity) {
    std::vector<Cell> cells = common.cells(row);
    cells.emplace_back(row.beta);
    cells.emplace_back(Estimate{row.k_max, row.ci_low, row.ci_high, bound_of(row)});
    for (const TheoryCurve& curve : known) cells.emplace_back(curve.k_max(row));
    cells.emplace_back(row.trials);
    cells.emplace_back(row.status == "ok" ? row.goodness_of_fit_p : kMissing);
    table.rows.push_back(std::move(cells));
  }
  return table;
}

TextTable points_table(const Measurements& measured) {
  const auto rows = identities(measured.points);
  const ConventionColumns common(rows);
  TextTable table{"points",
                  "Success probability with 95 % intervals at each K. Conventions: " + shared_conventions(rows) + ".",
                  common.columns(),
                  {}};
  table.columns.insert(table.columns.end(), {{"K", "patterns"},
                                             {"load", "K/N^(n−1)"},
                                             {"Pr[success]", ""},
                                             {"trials", ""},
                                             {"bit error", ""},
                                             {"energy rises", "per trial"},
                                             {"cycles", "per trial"},
                                             {"not converged", "per trial"}});
  for (const PointRow& row : measured.points) {
    std::vector<Cell> cells = common.cells(row);
    cells.emplace_back(row.num_patterns);
    cells.emplace_back(row.load);
    cells.emplace_back(Estimate{row.success_probability, row.ci_low, row.ci_high, Bound::none});
    cells.emplace_back(row.trials);
    cells.emplace_back(row.mean_final_bit_error);
    for (const std::int64_t count : {row.energy_rises, row.cycles, row.not_converged})
      cells.emplace_back(row.trials == 0 ? kMissing : static_cast<double>(count) / static_cast<double>(row.trials));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace analysis

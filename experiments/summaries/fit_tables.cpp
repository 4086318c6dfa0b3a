#include "experiments/summaries/fit_tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "core/numbers.h"
#include "experiments/sweep/spec.h"

namespace experiments {
namespace {

/// A configuration without what may vary inside one fit.
std::string convention_of(dam::Configuration configuration, double beta) {
  configuration.num_neurons = 2;
  configuration.seed = 0;
  return canonical_text(configuration) + " beta=" + core::number_text(beta);
}

std::vector<analysis::ScalingPoint> scaling_points(const results::ResultFile& file) {
  if (!file.has("capacity")) throw std::runtime_error("holds no capacities to fit: `dam capacity` measures them");
  std::map<std::uint64_t, dam::Configuration> configurations;
  for (const dam::Configuration& configuration : read_spec_text(file.spec).configurations)
    configurations[configuration_id(configuration)] = configuration;

  const results::Table& table = file.table("capacity");
  const auto& id = table.values<std::uint64_t>("configuration");
  const auto& status = table.values<std::string>("status");
  std::vector<analysis::ScalingPoint> points;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto found = configurations.find(id[row]);
    if (found == configurations.end())
      throw std::runtime_error(fmt::format("row {} of capacity belongs to no configuration of the spec", row));
    points.push_back({found->second, table.values<double>("beta")[row], table.values<double>("k_max")[row],
                      table.values<double>("ci_low")[row], table.values<double>("ci_high")[row], status[row] == "ok"});
  }
  return points;
}

}  // namespace

std::vector<ConventionFit> fit_conventions(const results::ResultFile& file) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<analysis::ScalingPoint>> groups;
  for (const analysis::ScalingPoint& point : scaling_points(file)) {
    const std::string convention = convention_of(point.configuration, point.beta);
    if (!groups.contains(convention)) order.push_back(convention);
    groups[convention].push_back(point);
  }
  std::vector<ConventionFit> fits;
  for (const std::string& convention : order) {
    const auto& points = groups[convention];
    ConventionFit fit{.configuration = points.front().configuration, .beta = points.front().beta};
    try {
      fit.rows = analysis::fit_scaling(points);
    } catch (const std::invalid_argument& error) {
      fit.objection = error.what();
    }
    fits.push_back(std::move(fit));
  }
  return fits;
}

std::vector<analysis::TextTable> fit_tables(const std::vector<ConventionFit>& fits) {
  analysis::TextTable table{
      .name = "fit",
      .caption =
          "Growth of K_max with N: fitted numbers with 95 % intervals, the change when the smallest N is left out, "
          "and theory; deviation in standard errors.",
      .columns = {{"model", ""},
                  {"α", ""},
                  {"β", ""},
                  {"fitted", ""},
                  {"measured", ""},
                  {"smallest N out", ""},
                  {"theory", ""},
                  {"deviation", "σ"},
                  {"χ²/dof", ""}},
      .rows = {}};
  for (const ConventionFit& fit : fits)
    for (const analysis::ScalingRow& row : fit.rows)
      table.rows.push_back({fit.configuration.model.text(), fit.configuration.alpha, fit.beta, row.id,
                            analysis::Estimate{row.measured, row.ci_low, row.ci_high}, row.systematic, row.theory,
                            row.deviation, fmt::format("{:.3g}/{}", row.chi_squared, row.degrees_of_freedom)});
  if (table.rows.empty()) return {};
  return {table};
}

}  // namespace experiments

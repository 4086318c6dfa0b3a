// Formulas of the literature, and how measured capacities grow beside them.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "dam/theory/theory.h"
#include "experiments/summaries/fit_tables.h"
#include "python/src/bindings.h"
#include "python/src/convert.h"

namespace nb = nanobind;

namespace python {
namespace {

/// One dict for every formula at one point.
nb::list theory(int num_neurons, const std::string& model, double alpha, double beta, double bit_error) {
  const dam::TheoryInput input{.num_neurons = num_neurons,
                               .model = core::EnergyModel::parse(model),
                               .alpha = alpha,
                               .beta = beta,
                               .bit_error = bit_error};
  std::vector<dam::TheoryValue> values;
  {
    const nb::gil_scoped_release others_may_run;
    for (const dam::TheoryRow& row : dam::theory_rows()) values.push_back(row.evaluate(input));
  }
  nb::list rows;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const dam::TheoryRow& row = dam::theory_rows()[i];
    nb::dict entry;
    entry["id"] = nb::cast(std::string(row.id));
    entry["status"] = nb::cast(dam::text(row.status));
    entry["quantity"] = nb::cast(dam::text(row.quantity));
    entry["value"] = values[i].value;
    entry["error"] = values[i].error;
    entry["reason"] = nb::cast(values[i].reason);
    entry["formula"] = nb::cast(std::string(row.formula));
    entry["source"] = nb::cast(std::string(row.source));
    rows.append(entry);
  }
  return rows;
}

/// One dict for every fitted number of every convention; where nothing can be fitted, one with the objection.
nb::list fit(const std::string& path) {
  std::vector<experiments::ConventionFit> fits;
  {
    const nb::gil_scoped_release others_may_run;
    fits = experiments::fit_conventions(results::read(path));
  }
  nb::list rows;
  for (const experiments::ConventionFit& one : fits) {
    const auto entry = [&] {
      nb::dict row;
      row["model"] = nb::cast(one.configuration.model.text());
      row["alpha"] = one.configuration.alpha;
      row["beta"] = one.beta;
      row["objection"] = nb::cast(one.objection);
      return row;
    };
    if (!one.objection.empty()) rows.append(entry());
    for (const analysis::ScalingRow& number : one.rows) {
      nb::dict row = entry();
      row["id"] = nb::cast(number.id);
      row["quantity"] = nb::cast(number.quantity);
      row["measured"] = number.measured;
      row["ci_low"] = number.ci_low;
      row["ci_high"] = number.ci_high;
      row["smallest_size_left_out"] = number.systematic;
      row["theory"] = number.theory;
      row["deviation"] = number.deviation;
      row["chi_squared"] = number.chi_squared;
      row["degrees_of_freedom"] = number.degrees_of_freedom;
      rows.append(row);
    }
  }
  return rows;
}

}  // namespace

void bind_theory(nb::module_& module) {
  module.def("theory", theory, nb::arg("num_neurons"), nb::arg("model"), nb::arg("alpha"), nb::arg("beta"),
             nb::arg("bit_error"), "Every formula of `dam theory` at one point.");
  module.def("fit", fit, nb::arg("path"), "What `dam fit` says of a result file, one dict a number.");
}

}  // namespace python

#include "experiments/summaries/summary.h"

#include <unistd.h>

#include "analysis/drawing/terminal_plot.h"
#include "analysis/figures.h"
#include "analysis/tables/measured_tables.h"
#include "analysis/tables/tables.h"

namespace experiments {

analysis::Measurements measurements(const std::string& name, const results::ResultFile& file) {
  analysis::Measurements measured{.name = name};
  if (file.has("points")) measured.points = analysis::point_rows(file.table("points"));
  if (file.has("capacity")) measured.capacity = analysis::capacity_rows(file.table("capacity"));
  return measured;
}

std::string terminal_summary(const std::string& name, const results::ResultFile& file) {
  const analysis::Measurements measured = measurements(name, file);
  const auto theory = analysis::theory_beside();
  if (measured.capacity.empty()) return analysis::write_table(analysis::points_table(measured), "terminal");
  std::string text = analysis::write_table(analysis::capacity_table(measured, theory), "terminal");
  for (const std::string& doubt : analysis::doubts(measured)) text += doubt + "\n";
  if (isatty(STDOUT_FILENO) == 0) return text;
  for (const analysis::FigureKind& kind : analysis::figure_kinds())
    if (std::string_view(kind.name) == "scaling" && analysis::why_not(kind, measured).empty())
      text += "\n" + analysis::terminal_plot(kind.build(measured, theory).panels.front());
  return text;
}

}  // namespace experiments

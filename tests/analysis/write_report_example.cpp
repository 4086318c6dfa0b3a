// Writes a report page of invented measurements for the browser test: write_report_example PAGE.html.
#include <fstream>

#include "analysis/report/report.h"
#include "tests/support/synthetic_measurements.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<analysis::ReportEntry> entries;
  for (const analysis::Measurements& measured : synthetic::all())
    entries.push_back({measured, "invented = yes\n", {{"command_line", "none: invented numbers"}}, {}});
  const auto theory = analysis::theory_beside();
  return (std::ofstream(argv[1]) << analysis::report_page(entries, theory)) ? 0 : 1;
}

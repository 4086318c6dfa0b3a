#include "analysis/tables/tables.h"
#include "analysis/tables/measured_tables.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "core/numbers.h"
#include "tests/support/synthetic_measurements.h"

using namespace analysis;

namespace {

const std::vector<TheoryCurve> kTheory = theory_beside();

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

TextTable small() {
  return {"small",
          "A caption with 50 % & <tags>",
          {{"name", ""}, {"K_max", "patterns"}, {"p", ""}},
          {{"a_b|c,\"d\"", Estimate{2813.4, 2752, 2874, Bound::none}, 0.25},
           {"<b>&", Estimate{4096, 4096, INFINITY, Bound::lower}, kMissing}}};
}

}  // namespace

TEST_CASE("estimates carry the digits their interval supports") {
  const auto text = [](double value, double low, double high) {
    return estimate_text({value, low, high, Bound::none});
  };
  CHECK(text(2813.4, 2752.3, 2874.5) == "2813 ± 61");
  CHECK(text(145231, 138000, 152500) == "145200 ± 7300");
  CHECK(text(8.5231, 8.09, 8.95) == "8.52 ± 0.43");
  CHECK(text(12, 10, 15) == "12.0 +3.0 −2.0");
  CHECK(text(12.5, 12, 13) == "12.50 ± 0.50");
  CHECK(text(1.2341e12, 1.222e12, 1.246e12) == "(1.234 ± 0.012)e12");
  CHECK(text(7, 7, 7) == "7.00 ± 0.00");
  CHECK(text(7, kMissing, kMissing) == "7");
}

TEST_CASE("a bound is never written as a value") {
  CHECK(estimate_text({4096, 4096, INFINITY, Bound::lower}) == "> 4096");
  CHECK(estimate_text({1, 0, 1, Bound::upper}) == "< 1");
  CHECK(estimate_text({kMissing, 12, 48, Bound::unfinished}) == "12 … 48 (budget)");
  for (const TableFormat& format : table_formats()) {
    TextTable table = small();
    table.rows.erase(table.rows.begin());
    const std::string text = format.write(table);
    INFO(format.name << ": " << text);
    if (format.name == std::string_view("csv"))
      CHECK(text.find(",nan,4096,inf,lower,") != std::string::npos);
    else
      CHECK((text.find("> 4096") != std::string::npos || text.find("$>$ 4096") != std::string::npos ||
             text.find("&gt; 4096") != std::string::npos));
  }
}

TEST_CASE("terminal tables are aligned") {
  const auto written = lines(write_table(small(), "terminal"));
  REQUIRE(written.size() == 4);
  CHECK(written[0] == "name           K_max     p");
  CHECK(written[1] == "            patterns");
  CHECK(written[2] == "a_b|c,\"d\"  2813 ± 61  0.25");
  CHECK(written[3] == "<b>&          > 4096     –");
}

TEST_CASE("Markdown, LaTeX and HTML escape what they must") {
  const std::string markdown = write_table(small(), "markdown");
  CHECK(markdown.find("a_b\\|c") != std::string::npos);
  for (const std::string& line : lines(markdown)) CHECK(line.front() == '|');
  const std::string latex = write_table(small(), "latex");
  CHECK(latex.find("a\\_b|c") != std::string::npos);
  CHECK(latex.find("$2813 \\pm 61$") != std::string::npos);
  CHECK(latex.find("50 \\% \\& $<$tags$>$") != std::string::npos);
  CHECK(latex.find("\\toprule") != std::string::npos);
  const std::string html = write_table(small(), "html");
  CHECK(html.find("<td data-sort=\"&lt;b&gt;&amp;\">&lt;b&gt;&amp;</td>") != std::string::npos);
  CHECK(html.find("data-sort=\"2813.4\"") != std::string::npos);
}

TEST_CASE("CSV keeps every digit") {
  const Measurements measured = synthetic::scaling();
  const auto written = lines(write_table(capacity_table(measured, kTheory), "csv"));
  REQUIRE(written.size() == measured.capacity.size() + 1);
  CHECK(written[0].starts_with("model,N,α,β,K_max,K_max low,K_max high,K_max bound,"));
  const CapacityRow& row = measured.capacity.front();
  CHECK(written[1].find("," + core::number_text(row.k_max) + "," + core::number_text(row.ci_low) + ",") !=
        std::string::npos);
  CHECK(lines(write_table(small(), "csv"))[1].starts_with("\"a_b|c,\"\"d\"\"\","));
}

TEST_CASE("capacity tables have a column for what differs and none for what does not") {
  const auto headings = [](const TextTable& table) {
    std::string all;
    for (const TextColumn& column : table.columns) all += column.heading + ";";
    return all;
  };
  CHECK(headings(capacity_table(synthetic::scaling(), kTheory)) ==
        "model;N;α;β;K_max;one step;whole pattern;Krotov–Hopfield;trials;fit p;");
  CHECK(headings(capacity_table(synthetic::ablation(), kTheory)) ==
        "model;N;α;rule;order;tie;self_coupling;β;K_max;one step;whole pattern;trials;fit p;");
  CHECK(headings(capacity_table(synthetic::exponential(), kTheory)).find("Demircigil") != std::string::npos);
  const TextTable points = points_table(synthetic::curves());
  CHECK(points.rows.size() == synthetic::curves().points.size());
}

TEST_CASE("every format writes every table") {
  for (const Measurements& measured : synthetic::all())
    for (const TextTable& table : {capacity_table(measured, kTheory), points_table(measured)})
      for (const TableFormat& format : table_formats()) {
        const std::string text = write_table(table, format.name);
        const auto rows = std::count(text.begin(), text.end(), '\n');
        CHECK(rows > static_cast<std::ptrdiff_t>(table.rows.size()));
      }
}

TEST_CASE("unknown formats and ragged tables are refused") {
  CHECK_THROWS_WITH(write_table(small(), "word"),
                    "no table format 'word'; there are terminal, markdown, csv, latex, html");
  TextTable ragged = small();
  ragged.rows[1].pop_back();
  CHECK_THROWS_WITH(write_table(ragged, "csv"), "table small: a row has 2 cells for 3 columns");
}

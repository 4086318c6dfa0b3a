#include "analysis/report/report.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "results/schema.h"
#include "tests/support/synthetic_measurements.h"

using namespace analysis;

namespace {

const std::vector<TheoryCurve> kTheory = theory_beside();

ReportEntry entry(Measurements measured) {
  return {std::move(measured), "size = 32,64\n", {{"seed", "1"}, {"command_line", "dam capacity"}}, {}};
}

std::string page(Measurements measured) { return report_page({{entry(std::move(measured))}}, kTheory); }

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++found;
  return found;
}

}  // namespace

TEST_CASE("a page has the figures, the table, the spec and the provenance of its file") {
  const std::string text = page(synthetic::scaling());
  CHECK(text.starts_with("<!DOCTYPE html>"));
  CHECK(count(text, "<svg ") == 3);
  CHECK(count(text, "<svg ") == count(text, "<figcaption"));
  CHECK(count(text, "role=\"img\" aria-label=\"") == 3);
  for (const char* word : {"Krotov–Hopfield (asymptotic)", "size = 32,64", "dam capacity",
                           "<dt>rule</dt><dd>derivative</dd>", "<dt>beta</dt><dd>0.5, 0.95</dd>"})
    CHECK(text.find(word) != std::string::npos);
}

TEST_CASE("a page loads nothing from anywhere") {
  std::string text = page(synthetic::basins());
  for (const char* space : {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"})  // names, not addresses
    for (std::size_t at = 0; (at = text.find(space, at)) != std::string::npos;)
      text.erase(at, std::string(space).size());
  for (const char* link : {"http:", "https:", "src=", "@import", "url(http"}) {
    INFO(link);
    CHECK(text.find(link) == std::string::npos);
  }
}

TEST_CASE("identifiers are unique on a page of several files") {
  const std::vector<ReportEntry> entries{entry(synthetic::scaling()), entry(synthetic::scaling())};
  const std::string text = report_page(entries, kTheory);
  std::set<std::string> seen;
  for (const char quote : {'"', '\''})
    for (std::size_t at = 0; (at = text.find(std::string(" id=") + quote, at)) != std::string::npos;) {
      at += 5;
      const std::string id = text.substr(at, text.find(quote, at) - at);
      INFO(id);
      CHECK(seen.insert(id).second);
    }
  CHECK(seen.size() > 20);
  CHECK(text.find("<a href=\"#file2\">") != std::string::npos);
}

TEST_CASE("texts of files are escaped wherever they stand") {
  Measurements measured = synthetic::patterns();
  measured.name = "<script>bad()</script>.h5";
  for (CapacityRow& row : measured.capacity) row.model = "<img onerror=bad()>\"'";
  measured.capacity.back().patterns = "file:</text><script>bad()</script>";
  ReportEntry hostile = entry(measured);
  hostile.spec = "</pre><script>bad()</script>";
  hostile.provenance = {{"<script>", "\"><script>bad()</script>"}};
  hostile.more.push_back(
      {"<script>bad()</script>", "<script>", {{"<script>", "<script>"}}, {{"<script>bad()</script>"}}});
  const std::string text = report_page({{hostile}}, kTheory);
  CHECK(count(text, "<script>") == 1);  // our own
  CHECK(text.find("<img") == std::string::npos);
}

TEST_CASE("doubtful rows are pointed out") {
  Measurements measured = synthetic::scaling();
  CHECK(page(measured).find("Worth a look") == std::string::npos);
  measured.capacity[0].status = "lower_bound";
  measured.capacity[1].goodness_of_fit_p = 1e-4;
  measured.capacity[2].isotonic_agrees = 0;
  const std::string text = page(measured);
  CHECK(text.find("<li>1 of " + std::to_string(measured.capacity.size()) + " capacities are bounds") !=
        std::string::npos);
  CHECK(text.find("<li>1 of " + std::to_string(measured.capacity.size()) + " success curves fit with p &lt; 0.01") !=
        std::string::npos);
  CHECK(text.find("<li>1 of " + std::to_string(measured.capacity.size()) +
                  " capacities disagree with the isotonic cross-check") != std::string::npos);
}

TEST_CASE("equal files give equal pages") { CHECK(page(synthetic::curves()) == page(synthetic::curves())); }

TEST_CASE("without gnuplot the page says so where a figure would stand") {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const std::string text = page(synthetic::curves());
  setenv("PATH", path.c_str(), 1);
  CHECK(text.find("This figure could not be drawn: gnuplot is not installed") != std::string::npos);
  CHECK(text.find("<svg") == std::string::npos);
}

TEST_CASE("nothing measured is nothing to report") {
  CHECK_THROWS_WITH(report_page({}, kTheory), "report: no result files");
  Measurements nothing;
  nothing.name = "empty.h5";
  CHECK_THROWS_WITH(page(nothing), "empty.h5: nothing measured, nothing to report");
}

TEST_CASE("a result file becomes an entry, a foreign one is refused by name") {
  results::ResultFile file{"dam", "size = 8\n", {}, {}};
  file.provenance.command_line = "dam curve";
  CHECK_THROWS_WITH(report_entry("x.h5", file), Catch::StartsWith("x.h5: "));
  file.tables.push_back(results::empty_table(results::dam_table("points")));
  const ReportEntry read = report_entry("x.h5", file);
  CHECK(read.measured.name == "x.h5");
  CHECK(read.spec == "size = 8\n");
  CHECK(std::find(read.provenance.begin(), read.provenance.end(),
                  std::pair<std::string, std::string>("command_line", "dam curve")) != read.provenance.end());
}

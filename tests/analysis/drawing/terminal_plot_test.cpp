#include "analysis/drawing/terminal_plot.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "analysis/figures.h"
#include "tests/support/synthetic_measurements.h"

using namespace analysis;

namespace {

Panel diagonal() {
  Panel panel{"", {"x", false, {0, 1}, {}}, {"y", false, {0, 1}, {}}, {}};
  panel.series.push_back({"points", {Style::Kind::points, 0, 0, 0}, {{{0}, {0}}, {{1}, {1}}}});
  return panel;
}

}  // namespace

TEST_CASE("points stand where they belong") {
  std::istringstream text(terminal_plot(diagonal(), 10, 5));
  std::string line;
  std::getline(text, line);
  CHECK(line == "y");
  std::getline(text, line);
  CHECK(line.ends_with("●"));  // (1, 1): top right
  CHECK(line.find("1 ┤") != std::string::npos);
  for (int i = 0; i < 4; ++i) std::getline(text, line);
  CHECK(line.find("┤●") != std::string::npos);  // (0, 0): bottom left
}

TEST_CASE("bounds have markers of their own") {
  Panel panel = diagonal();
  panel.series.front().points[1].y_bound = Bound::lower;
  CHECK(terminal_plot(panel).find("▵") != std::string::npos);
  panel.series.front().points[1].y_bound = Bound::upper;
  CHECK(terminal_plot(panel).find("▿") != std::string::npos);
}

TEST_CASE("a line is drawn in braille, all the way") {
  Panel panel = diagonal();
  panel.series.front().style.kind = Style::Kind::line;
  const std::string text = terminal_plot(panel, 20, 6);
  std::size_t cells = 0;
  for (std::size_t at = 0; (at = text.find("\xE2\xA0", at)) != std::string::npos; ++at) ++cells;
  for (std::size_t at = 0; (at = text.find("\xE2\xA1", at)) != std::string::npos; ++at) ++cells;
  for (std::size_t at = 0; (at = text.find("\xE2\xA2", at)) != std::string::npos; ++at) ++cells;
  CHECK(cells >= 18);
}

TEST_CASE("the scaling figure has a terminal version that names its axes and theories") {
  const auto theory = theory_beside();
  const std::string text = terminal_plot(build_figure("scaling", synthetic::scaling(), theory).panels.front());
  for (const char* word : {"Kmax (patterns)", "N (neurons)", "n = 4", "one step (independence)", "10^4", "128"})
    CHECK(text.find(word) != std::string::npos);
}

TEST_CASE("what cannot be drawn is refused") {
  CHECK_THROWS_WITH(terminal_plot(diagonal(), 7, 5), "terminal plot: needs at least 8 by 4 characters");
  Panel panel = diagonal();
  panel.y.categories = {"a"};
  CHECK_THROWS_WITH(terminal_plot(panel), "terminal plot: cannot draw categories");
  panel = diagonal();
  panel.series.clear();
  CHECK_THROWS_WITH(terminal_plot(panel), "figure: nothing to draw on axis 'x'");
}

#include "analysis/drawing/figure.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>

#include "analysis/drawing/axes.h"
#include "analysis/drawing/graph.h"
#include "analysis/drawing/program.h"
#include "tests/support/temporary_directory.h"

using namespace analysis;

namespace {

Figure one_line() {
  Figure figure;
  figure.name = "line";
  figure.title = "A line";
  figure.panels.push_back({"title", {"x", false, {}, {}}, {"y", true, {}, {}}, {}});
  figure.panels.front().series.push_back({"measured", {}, {{{1}, {10, 8, 13}}, {{2}, {100, 90, 110}}}});
  return figure;
}

/// An empty search path for as long as it lives: no program can be found.
class NoPrograms {
 public:
  NoPrograms() : path_(std::getenv("PATH")) { setenv("PATH", "/nonexistent", 1); }
  NoPrograms(const NoPrograms&) = delete;
  NoPrograms& operator=(const NoPrograms&) = delete;
  ~NoPrograms() { setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("the ending of a file name chooses the format") {
  CHECK(figure_format("a/b.svg") == FigureFormat::svg);
  CHECK(figure_format("b.pdf") == FigureFormat::pdf);
  CHECK(figure_format("b.png") == FigureFormat::png);
  CHECK_THROWS_WITH(figure_format("b.jpg"), "b.jpg: figures end in .svg, .pdf or .png");
}

TEST_CASE("figures are written in the format their ending names, twice the same") {
  const auto [ending, magic] =
      GENERATE(table<const char*, const char*>({{".svg", "<?xml"}, {".pdf", "%PDF-"}, {".png", "\x89PNG"}}));
  const std::string path = std::string("figure") + ending;
  const std::string bytes = render(one_line(), figure_format(path));
  CHECK(bytes.starts_with(magic));
  CHECK(bytes == render(one_line(), figure_format(path)));
  CHECK(bytes.find("CreationDate") == std::string::npos);
}

TEST_CASE("an SVG has its printed size in points") {
  Figure figure = one_line();
  figure.width = PaperWidth::single_column;
  CHECK(render(figure, FigureFormat::svg).find("width=\"244pt\"") != std::string::npos);
}

TEST_CASE("texts are drawn, never executed") {
  const support::TemporaryDirectory directory;
  const std::string trap = directory / "trap";
  Figure figure = one_line();
  figure.panels.front().title = plain("'\nsystem 'touch " + trap + "'\n`touch " + trap + "` $(touch " + trap + ")");
  figure.panels.front().series.front().label = plain("it's {a} \\ _b^c @d &e ~f");
  const std::string svg = render(figure, FigureFormat::svg);
  CHECK_FALSE(std::filesystem::exists(trap));
  CHECK(svg.find("touch " + trap) != std::string::npos);
}

TEST_CASE("plain text survives markup") {
  const std::string text = "it's {a} \\ _b @d &e ~f, α ≥ 1";
  CHECK(shown_text(plain(text)) == text);
  CHECK(shown_length(plain("α = {1}")) == 7);
  CHECK(shown_text("{/:Italic K}_{max} (patterns)") == "Kmax (patterns)");
  CHECK(shown_length("10^{12}") == 4);
}

TEST_CASE("bounds are open markers with an arrow, never filled ones") {
  Figure figure = one_line();
  CHECK(gnuplot_script(figure, FigureFormat::svg).find("pt 6") == std::string::npos);
  for (Point& point : figure.panels.front().series.front().points) point.y_bound = Bound::lower;
  const std::string script = gnuplot_script(figure, FigureFormat::svg);
  CHECK(script.find("pt 6") != std::string::npos);
  CHECK(script.find("with vectors") != std::string::npos);
  // The filled marker remains in the legend alone.
  CHECK(script.find("pt 7") == script.rfind("pt 7"));
  CHECK(script.find("pt 7") > script.find("$legend"));
  CHECK(script.find("open: bound") != std::string::npos);

  for (Point& point : figure.panels.front().series.front().points) point.y_bound = Bound::unfinished;
  CHECK(gnuplot_script(figure, FigureFormat::svg).find("with vectors") == std::string::npos);
}

TEST_CASE("a dozen series differ in colour or marker, and none is black") {
  Figure figure = one_line();
  auto& all = figure.panels.front().series;
  for (int i = 0; i < 12; ++i) {
    all.push_back(all.front());
    all.back().label = "series " + std::to_string(i);
    all.back().style = {Style::Kind::points, i, i, 0};
  }
  all.erase(all.begin());
  const std::string script = gnuplot_script(figure, FigureFormat::svg);
  std::set<std::string> looks;
  const std::string how = "with points lc rgb ";  // the legend's entries
  for (std::size_t at = 0; (at = script.find(how, at)) != std::string::npos;) {
    at += how.size();
    looks.insert(script.substr(at, script.find(" ps", at) - at));
  }
  CHECK(looks.size() == 12);
  CHECK(looks.begin()->find("#000000") == std::string::npos);
}

TEST_CASE("a picture fills its panel pixel by pixel, as high as it is, beside panels of curves") {
  Figure figure = one_line();
  const Figure without = figure;
  Panel panel{"", {"image", false, {0, 1}, {}}, {"", false, {}, {"row"}}, {}, {2, 4, 2, std::vector<std::uint8_t>(24)}};
  panel.picture.rgb[0] = 201;
  panel.picture.rgb[23] = 102;
  figure.panels.push_back(panel);
  const std::string script = gnuplot_script(figure, FigureFormat::svg);
  // The first pixel lies in the upper left of place 0, the last in the lower right of place 1.
  CHECK(script.find("-0.2500 -0.2500 201 0 0\n") != std::string::npos);
  CHECK(script.find("1.2500 0.2500 0 0 102\n") != std::string::npos);
  CHECK(script.find("with rgbimage") != std::string::npos);
  CHECK(render(figure, FigureFormat::svg).find("<image") != std::string::npos);
  CHECK(gnuplot_script(without, FigureFormat::svg).find("rgbimage") == std::string::npos);
  figure.panels.erase(figure.panels.begin());
  CHECK(render(figure, FigureFormat::png).starts_with("\x89PNG"));
}

TEST_CASE("figures without anything to draw say so") {
  Figure figure;
  figure.name = "nothing";
  CHECK_THROWS_WITH(render(figure, FigureFormat::svg), "figure 'nothing' has no panel");
  figure = one_line();
  figure.panels.front().series.front().points = {{{1}, {0}}, {{2}, {kMissing}}};  // zero has no logarithm
  CHECK_THROWS_WITH(render(figure, FigureFormat::svg), "figure: nothing to draw on axis 'y'");
}

TEST_CASE("a missing or failing gnuplot is one clear line") {
  CHECK_THROWS_WITH(drawn_by(kGnuplot, "plot nonsense(1)\n"),
                    Catch::StartsWith("gnuplot failed: line 1: ") && !Catch::Contains("\n"));
  const NoPrograms none;
  CHECK_THROWS_WITH(render(one_line(), FigureFormat::svg),
                    "gnuplot is not installed: figures need it (Debian package gnuplot-nox)");
}

TEST_CASE("a graph is drawn twice the same, its labels as they are") {
  const Graph graph{"g", {{"a \"quoted\"\nlayer", false, true, true}, {"W", true}}, {{0, 1, "twice"}}};
  CHECK(dot_script(graph).find(R"(n0 [label="a \"quoted\"\nlayer", shape=ellipse, peripheries=2)") !=
        std::string::npos);
  const auto [format, magic] = GENERATE(table<FigureFormat, const char*>(
      {{FigureFormat::svg, "<?xml"}, {FigureFormat::pdf, "%PDF-"}, {FigureFormat::png, "\x89PNG"}}));
  const std::string bytes = render(graph, format);
  CHECK(bytes.starts_with(magic));
  CHECK(bytes == render(graph, format));
  CHECK(bytes.find("CreationDate") == std::string::npos);
  const NoPrograms none;
  CHECK_THROWS_WITH(render(graph, format), "dot is not installed: figures need it (Debian package graphviz)");
}

TEST_CASE("tics lie on the axis and their labels never touch") {
  std::mt19937 random(Catch::rngSeed());
  std::uniform_real_distribution<double> exponent(-3, 12), span(0.02, 10), length(60, 500);
  for (int round = 0; round < 2000; ++round) {
    Scale scale{round % 2 == 0, 0, 0};
    scale.low = scale.logarithmic ? exponent(random) - 4 : std::pow(10, exponent(random) - 6);
    scale.high = scale.logarithmic ? scale.low + span(random) : scale.low * (1 + span(random));
    Axis axis;
    if (round % 3 == 0)
      for (int i = 0; i < 9; ++i) axis.tics.push_back(scale.from(scale.low + (scale.high - scale.low) * i / 8));
    const double points = length(random);
    const auto tics = axis_tics(axis, scale, points, round % 5 == 0);
    double free_from = -1e9;
    int labels = 0;
    for (const Tic& tic : tics) {
      const double place = scale.fraction(tic.value) * points;
      CHECK(place >= -1e-3);
      CHECK(place <= points + 1e-3);
      if (tic.label.empty()) continue;
      const double half = round % 5 == 0 ? 4 : shown_width(tic.label) / 2;
      INFO("from 10^" << scale.low << " to 10^" << scale.high << (scale.logarithmic ? " log " : " lin ") << tic.label);
      CHECK(place - half >= free_from);
      free_from = place + half;
      ++labels;
    }
    CHECK(labels >= 1);
  }
}

#include "analysis/figures.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/synthetic_measurements.h"

using namespace analysis;

namespace {

const std::vector<TheoryCurve> kTheory = theory_beside();

std::set<std::string> names(const Measurements& measured) {
  std::set<std::string> all;
  for (const Figure& figure : build_figures(measured, kTheory)) all.insert(figure.name);
  return all;
}

std::vector<Point> points_of(const Panel& panel, const std::string& label) {
  for (const Series& series : panel.series)
    if (series.label == label) return series.points;
  return {};
}

}  // namespace

TEST_CASE("every sweep gets the figures made for it") {
  using Set = std::set<std::string>;
  CHECK(names(synthetic::scaling()) == Set{"scaling", "agreement", "success"});
  CHECK(names(synthetic::basins()) == Set{"scaling", "agreement", "basins", "success"});
  CHECK(names(synthetic::ablation()) == Set{"ablation"});
  CHECK(names(synthetic::models()) == Set{"models"});
  CHECK(names(synthetic::rectified()) == Set{"rectified"});
  CHECK(names(synthetic::exponential()) == Set{"exponential", "success"});
  CHECK(names(synthetic::patterns()) == Set{"patterns"});
  CHECK(names(synthetic::curves()) == Set{"success"});
  CHECK(names(synthetic::cue_quality()) == Set{"success", "cue-quality"});
}

TEST_CASE("every figure can be drawn and says its conventions") {
  for (const Measurements& measured : synthetic::all())
    for (const Figure& figure : build_figures(measured, kTheory)) {
      INFO(measured.name << " " << figure.name);
      CHECK(gnuplot_script(figure, FigureFormat::pdf) == gnuplot_script(figure, FigureFormat::pdf));
      CHECK(figure.description.find("success exact") != std::string::npos);
    }
}

TEST_CASE("a rate that no N changes is one black line, one that N changes is a line for each") {
  const Figure figure = build_figure("exponential", synthetic::exponential(), kTheory);
  std::map<int, std::vector<int>> hues;  // by theory
  for (const Series& series : figure.panels.front().series)
    if (series.style.kind == Style::Kind::line && !series.points.empty())
      hues[series.style.dash].push_back(series.style.hue);
  std::set<std::vector<int>> found;
  for (const auto& [dash, of_theory] : hues) found.insert(of_theory);
  CHECK(found == std::set<std::vector<int>>{{Style::kBlack}, {0, 1, 2}});
}

TEST_CASE("the scaling figure has a panel per condition, a series per degree, a curve per theory") {
  const Figure figure = build_figure("scaling", synthetic::scaling(), kTheory);
  REQUIRE(figure.panels.size() == 4);
  CHECK(figure.panels[0].title == "{/:Italic α} = 1, {/:Italic β} = 0.5");
  for (const int n : {2, 3, 4}) {
    const auto points = points_of(figure.panels[0], "{/:Italic n} = " + std::to_string(n));
    REQUIRE(points.size() == 4);
    CHECK(points.front().x.value == 32);
    CHECK(points.back().x.value == 256);
    for (const Point& point : points) CHECK((point.y.low < point.y.value && point.y.value < point.y.high));
  }
  std::set<int> dashes;
  for (const Series& series : figure.panels[0].series)
    if (series.style.kind == Style::Kind::line && !series.points.empty()) dashes.insert(series.style.dash);
  CHECK(dashes == std::set<int>{0, 1, 2});  // exact, SNR, asymptotic; Demircigil's bound is not about powers
}

TEST_CASE("theory is passed in: a curve handed to the builder is drawn and labelled") {
  const std::vector<TheoryCurve> mine{{"mine", "guess", [](const CapacityRow&) { return 42.; }}};
  const Figure figure = build_figure("scaling", synthetic::scaling(), mine);
  CHECK(points_of(figure.panels[0], "mine (guess)").empty());  // the legend's entry
  int curves = 0;
  for (const Series& series : figure.panels[0].series)
    if (series.style.kind == Style::Kind::line && !series.points.empty()) {
      CHECK(series.points.front().y.value == 42);
      ++curves;
    }
  CHECK(curves == 3);
}

TEST_CASE("bounds stay bounds in every figure") {
  for (const char* name : {"scaling", "exponential", "models"}) {
    synthetic::Sweep sweep("bounds.h5");
    const bool exponential = name == std::string("exponential");
    for (const int num_neurons : {32, 64}) {
      auto row = synthetic::identity(num_neurons, exponential ? "exp:1" : "power:4", 1);
      sweep.measure(row, 0.5, 1, 100);
      row.similarity = "cosine";
      if (name == std::string("models")) sweep.measure(row, 0.5, 1, 100);
    }
    const Figure figure = build_figure(name, sweep.measured(), kTheory);
    for (const Series& series : figure.panels[0].series) {
      if (series.style.kind != Style::Kind::points) continue;
      for (const Point& point : series.points) CHECK((point.y_bound == Bound::lower || point.x_bound == Bound::lower));
    }
  }
}

TEST_CASE("a condition of which only bounds are known leaves an empty frame, not a failure") {
  synthetic::Sweep sweep("half.h5");
  for (const int num_neurons : {32, 64})
    for (const double beta : {0.5, 0.95})
      for (const double alpha : {1., 0.9})
        sweep.measure(synthetic::identity(num_neurons, "power:3", alpha), beta, 1, alpha < 1 ? 10 : 1e6);
  const Figure figure = build_figure("agreement", sweep.measured(), kTheory);
  CHECK(points_of(figure.panels[0], "{/:Italic n} = 3").size() == 2);
  CHECK(points_of(figure.panels[2], "{/:Italic n} = 3").empty());
  CHECK_FALSE(gnuplot_script(figure, FigureFormat::svg).empty());
}

TEST_CASE("an unfinished search without an estimate stands in the middle of its bracket") {
  Measurements measured = synthetic::scaling();
  CapacityRow& row = measured.capacity.front();
  row.status = "budget";
  row.k_max = kMissing;
  row.ci_low = 4;
  row.ci_high = 16;
  const Point point = points_of(build_figure("scaling", measured, kTheory).panels[0], "{/:Italic n} = 2").front();
  CHECK(point.y.value == Approx(8));
  CHECK(point.y_bound == Bound::unfinished);
}

TEST_CASE("a bound takes no part in a ratio") {
  Measurements measured = synthetic::rectified();
  const auto count = [&] {
    std::size_t points = 0;
    for (const Panel& panel : build_figure("rectified", measured, kTheory).panels)
      for (const Series& series : panel.series)
        if (series.style.kind == Style::Kind::points) points += series.points.size();
    return points;
  };
  const std::size_t all = count();
  CHECK(all == 20);
  measured.capacity.front().status = "lower_bound";
  CHECK(count() == all - 1);
}

TEST_CASE("the ratio of rectified and full powers is the ratio of their capacities") {
  Measurements measured = synthetic::rectified();
  for (CapacityRow& row : measured.capacity) {
    row.k_max = row.family() == "power" ? 100 : 200;
    row.ci_low = row.k_max * 0.9;
    row.ci_high = row.k_max / 0.9;
  }
  const auto points = points_of(build_figure("rectified", measured, kTheory).panels[0], "{/:Italic n} = 3");
  REQUIRE(points.size() == 5);
  CHECK(points[0].y.value == Approx(2));
  // Two independent logarithmic intervals of ln(10/9) add in quadrature.
  CHECK(points[0].y.high == Approx(2 * std::pow(10. / 9, std::sqrt(2))));
  CHECK(points[0].y.low == Approx(2 / std::pow(10. / 9, std::sqrt(2))));
}

TEST_CASE("critical cue quality is the capacity read the other way") {
  const Measurements measured = synthetic::basins();
  const Figure figure = build_figure("basins", measured, kTheory);
  const auto capacity = points_of(figure.panels[0], "{/:Italic N} = 32");
  const auto critical = points_of(figure.panels[1], "{/:Italic N} = 32");
  REQUIRE(capacity.size() == critical.size());
  for (std::size_t i = 0; i < capacity.size(); ++i) {
    CHECK(critical[i].y.value == capacity[i].x.value);
    CHECK(critical[i].x.value == Approx(capacity[i].y.value / 32));
  }
}

TEST_CASE("the ablation counts rises and cycles per trial at the point nearest to K_max") {
  const Figure figure = build_figure("ablation", synthetic::ablation(), kTheory);
  REQUIRE(figure.panels.size() == 3);
  const auto rises = points_of(figure.panels[1], "{/:Italic n} = 4");
  REQUIRE(!rises.empty());
  CHECK(rises.front().x.value == Approx(48. / 500));  // derivative rule
  CHECK(rises.back().x.value == 0);                   // energy rule
  CHECK(figure.panels[0].y.categories.size() == 24);
}

TEST_CASE("conventions are never mixed silently") {
  Measurements measured = synthetic::scaling();
  measured.capacity.back().rule = "energy";
  CHECK_THROWS_WITH(build_figure("scaling", measured, kTheory),
                    "scaling.h5: mixes rule 'derivative' and 'energy', which the scaling figure would draw as one");
  measured = synthetic::scaling();
  measured.capacity.back().success = "overlap:0.9";
  CHECK(names(measured) == std::set<std::string>{"success"});  // the points are of one convention still
  for (const FigureKind& kind : figure_kinds())
    for (const Measurements& other : synthetic::all()) {
      Measurements seeds = other;
      if (seeds.capacity.empty()) continue;
      seeds.capacity.back().seed = 2;
      seeds.points.back().seed = 2;
      CHECK_FALSE(why_not(kind, seeds).empty());
    }
}

TEST_CASE("files that cannot carry a figure say why") {
  Measurements nothing;
  nothing.name = "empty.h5";
  CHECK_THROWS_WITH(build_figure("scaling", nothing, kTheory), "empty.h5: no capacities");
  CHECK_THROWS_WITH(build_figure("success", nothing, kTheory), "empty.h5: no points");
  CHECK(build_figures(nothing, kTheory).empty());
  CHECK_THROWS_WITH(build_figure("ablation", synthetic::scaling(), kTheory),
                    "scaling.h5: the ablation figure needs rows that differ in rule or order or tie or self_coupling");
  CHECK_THROWS_WITH(build_figure("basins", synthetic::scaling(), kTheory),
                    "scaling.h5: no basins figure: it needs three or more values of alpha");
  CHECK_THROWS_WITH(build_figure("pie", synthetic::scaling(), kTheory),
                    Catch::StartsWith("no figure 'pie'; there are scaling, "));
}

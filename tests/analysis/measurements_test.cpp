#include "analysis/measurements.h"

#include <catch2/catch.hpp>

#include "results/schema.h"
#include "tests/support/synthetic_measurements.h"

using namespace analysis;

namespace {

/// A described table with one row: numbers are 7, words are `word`, statuses `ok`.
results::Table one_row(const char* name) {
  results::Table table = results::empty_table(results::dam_table(name));
  for (results::Column& column : table.columns)
    std::visit(
        [&]<class T>(std::vector<T>& values) {
          if constexpr (std::is_same_v<T, std::string>)
            values.push_back(column.name == "status" ? "ok" : column.name == "separation" ? "relu-power:3" : "word");
          else
            values.push_back(T(7));
        },
        column.values);
  return table;
}

}  // namespace

TEST_CASE("rows of the described tables are read") {
  const auto capacity = capacity_rows(one_row("capacity"));
  REQUIRE(capacity.size() == 1);
  CHECK(capacity[0].num_neurons == 7);
  CHECK(capacity[0].k_max == 7);
  CHECK(capacity[0].rule == "word");
  CHECK(capacity[0].family() == "relu-power");
  CHECK(capacity[0].parameter() == 3);
  CHECK(bound_of(capacity[0]) == Bound::none);
  const auto points = point_rows(one_row("points"));
  REQUIRE(points.size() == 1);
  CHECK(points[0].num_patterns == 7);
  CHECK(points[0].success_probability == 7);
  CHECK(capacity_rows(results::empty_table(results::dam_table("capacity"))).empty());
}

TEST_CASE("foreign tables are refused by name") {
  results::Table table = one_row("capacity");
  std::erase_if(table.columns, [](const auto& column) { return column.name == "k_max"; });
  CHECK_THROWS_WITH(capacity_rows(table), Catch::StartsWith("table capacity has no column k_max"));
  table = one_row("capacity");
  table.column("rule").values = std::vector<double>{1};
  CHECK_THROWS_WITH(capacity_rows(table), Catch::Contains("column rule holds float64"));
  table = one_row("capacity");
  table.values<std::string>("status")[0] = "great";
  CHECK_THROWS_WITH(capacity_rows(table), Catch::StartsWith("table capacity: unknown status 'great'"));
}

TEST_CASE("a status says what k_max is") {
  CapacityRow row;
  for (const auto& [status, bound] : {std::pair{"ok", Bound::none},
                                      {"lower_bound", Bound::lower},
                                      {"upper_bound", Bound::upper},
                                      {"budget", Bound::unfinished}}) {
    row.status = status;
    CHECK(bound_of(row) == bound);
  }
}

TEST_CASE("shared conventions leave out what differs") {
  const Measurements measured = synthetic::scaling();
  const std::string text = shared_conventions(identities(measured.capacity));
  CHECK(text.find("rule derivative") != std::string::npos);
  CHECK(text.find("alpha") == std::string::npos);
  CHECK(text.find("num_neurons") == std::string::npos);
}

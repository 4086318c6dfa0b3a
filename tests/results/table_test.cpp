#include "results/table.h"

#include <catch2/catch.hpp>
#include <cmath>

using results::Column;
using results::Table;

namespace {

Table example() {
  return {"points",
          {{"trials", "trials run", "trials", "", std::vector<std::int64_t>{10, 20, 30}},
           {"rule", "update rule", "text", "", std::vector<std::string>{"a", "b", "c"}}}};
}

}  // namespace

TEST_CASE("columns are found by name and type") {
  Table table = example();
  CHECK(table.rows() == 3);
  CHECK(table.values<std::int64_t>("trials")[1] == 20);
  table.values<std::int64_t>("trials")[1] = 21;
  CHECK(table.values<std::int64_t>("trials")[1] == 21);
  CHECK(table.has("rule"));
  CHECK_FALSE(table.has("flips"));
}

TEST_CASE("a missing column is told with the table and the columns it has") {
  CHECK_THROWS_WITH(example().column("flips"), "table points has no column flips; it has trials, rule");
  CHECK_THROWS_WITH(Table{}.column("flips"), Catch::Contains("it has none"));
  CHECK_THROWS_WITH(example().values<double>("rule"), Catch::Contains("column rule holds text"));
}

TEST_CASE("columns of different length are told by name") {
  Table table = example();
  table.values<std::int64_t>("trials").pop_back();
  CHECK_THROWS_WITH(table.rows(), "table points: column trials has 2 rows, rule has 3");
  CHECK(Table{}.rows() == 0);
}

TEST_CASE("selected rows keep their columns' meaning") {
  const Table selected = results::select_rows(example(), {2, 0, 2});
  CHECK(selected.values<std::string>("rule") == std::vector<std::string>{"c", "a", "c"});
  CHECK(selected.column("trials").long_name == "trials run");
  CHECK(selected.name == "points");
}

TEST_CASE("NaN is the same value as NaN") {
  const std::vector<double> a{1, std::nan("")};
  CHECK(results::same_values(a, a));
  CHECK_FALSE(results::same_values(a, std::vector<double>{1, 2}));
  CHECK_FALSE(results::same_values(a, std::vector<double>{1}));
  CHECK_FALSE(results::same_values(a, std::vector<std::int64_t>{1, 2}));
}

#include "results/schema.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <set>

using results::dam_table;
using results::TableDescription;

namespace {

std::vector<TableDescription> all_tables() {
  std::vector<TableDescription> all(results::dam_tables().begin(), results::dam_tables().end());
  all.insert(all.end(), results::ham_tables().begin(), results::ham_tables().end());
  return all;
}

}  // namespace

TEST_CASE("every column has a meaning and a unit, and a name used once in its table") {
  for (const TableDescription& table : all_tables()) {
    std::set<std::string_view> names;
    for (const auto& column : table.columns) {
      INFO(table.name << "/" << column.name);
      CHECK(names.insert(column.name).second);
      CHECK_FALSE(column.long_name.empty());
      CHECK_FALSE(column.units.empty());
      CHECK((column.units == "text") == (column.type == results::ColumnType::text));
      CHECK(column.reproducible == (column.name != "seconds" && column.name != "max_patterns"));
    }
  }
}

TEST_CASE("theory columns name their source") {
  int found = 0;
  for (const auto& column : dam_table("capacity").columns)
    if (column.name.starts_with("k_") && column.name != "k_max") {
      CHECK_FALSE(column.source.empty());
      ++found;
    }
  CHECK(found == 5);
}

TEST_CASE("an empty table has every described column, of its type") {
  for (const TableDescription& description : all_tables()) {
    const results::Table table = results::empty_table(description);
    REQUIRE(table.columns.size() == description.columns.size());
    CHECK(table.rows() == 0);
    constexpr std::string_view kTypes[] = {"int64", "uint64", "float64", "text"};
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      CHECK(results::type_name(table.columns[i].values) == kTypes[static_cast<int>(description.columns[i].type)]);
  }
  CHECK_THROWS_WITH(dam_table("none"), Catch::Contains("batches, points, capacity"));
  CHECK_THROWS_WITH(results::ham_table("none"), Catch::Contains("epochs, parameters, model, training, table1"));
}

TEST_CASE("the README's data dictionary is the program's") {
  std::ifstream in(DAMBENCH_FIXTURES "/../../results/README.md");
  const std::string readme{std::istreambuf_iterator<char>(in), {}};
  const std::string begin = "<!-- data dictionary -->\n\n";
  const auto start = readme.find(begin);
  const auto end = readme.find("<!-- end of data dictionary -->");
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  CHECK(readme.substr(start + begin.size(), end - start - begin.size()) == results::data_dictionary());
}

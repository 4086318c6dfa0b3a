// Two result files compared column by column.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "results/result_file.h"

namespace support {

/// Every reproducible column of every table and every array of two files is the same.
inline void check_same_numbers(const std::string& a_path, const std::string& b_path) {
  const results::ResultFile a = results::read(a_path), b = results::read(b_path);
  CHECK(a.spec == b.spec);
  REQUIRE(a.tables.size() == b.tables.size());
  for (const results::Table& table : a.tables)
    for (const results::Column& column : table.columns) {
      INFO(table.name << "/" << column.name);
      if (column.reproducible)
        CHECK(results::same_values(column.values, b.table(table.name).column(column.name).values));
    }
  REQUIRE(a.arrays.size() == b.arrays.size());
  for (const results::NamedArray& array : a.arrays) {
    INFO(array.name);
    CHECK(array.values == b.array(array.name).values);
  }
}

}  // namespace support

// A result file with something of everything, for the tests of this room.
#pragma once

#include <limits>
#include <string>

#include "results/result_file.h"
#include "results/schema.h"

namespace results {

/// A file of kind "dam" with every table of the schema; each column's values follow from its place and the row.
inline ResultFile example_file(std::size_t rows = 5) {
  ResultFile file;
  file.kind = "dam";
  file.spec = "size = 32,64\nmodel = dense:3\nalpha = 0.9  \n";
  file.provenance = {"0.1.0",
                     "abc",
                     "GNU 12.2",
                     "-O3",
                     "avx2",
                     "some CPU",
                     "cpu",
                     2,
                     17,
                     "dam capacity --size 32,64",
                     "2026-01-02T03:04:05Z",
                     "2026-01-02T03:05:06Z"};
  for (const TableDescription& description : dam_tables()) {
    Table table = empty_table(description);
    std::size_t place = 0;
    for (Column& column : table.columns) {
      ++place;
      std::visit(
          [&]<class T>(std::vector<T>& values) {
            for (std::size_t row = 0; row < rows; ++row) {
              if constexpr (std::is_same_v<T, std::string>)
                values.push_back(row == 0 ? "" : "ξ" + std::to_string(place * row));
              else if constexpr (std::is_same_v<T, double>)
                values.push_back(row == 1 ? std::numeric_limits<T>::quiet_NaN()
                                          : static_cast<T>(place) / static_cast<T>(row));
              else
                values.push_back(static_cast<T>(place + 1000 * row));
            }
          },
          column.values);
    }
    file.tables.push_back(std::move(table));
  }
  return file;
}

/// True when two files hold the same, NaN equal to NaN.
inline bool same(const ResultFile& a, const ResultFile& b) {
  if (a.kind != b.kind || a.spec != b.spec || a.provenance != b.provenance || a.tables.size() != b.tables.size())
    return false;
  for (std::size_t t = 0; t < a.tables.size(); ++t) {
    const auto& left = a.tables[t];
    const auto& right = b.tables[t];
    if (left.name != right.name || left.columns.size() != right.columns.size()) return false;
    for (std::size_t c = 0; c < left.columns.size(); ++c) {
      const Column& x = left.columns[c];
      const Column& y = right.columns[c];
      if (x.name != y.name || x.long_name != y.long_name || x.units != y.units || x.source != y.source ||
          x.reproducible != y.reproducible || !same_values(x.values, y.values))
        return false;
    }
  }
  return true;
}

}  // namespace results

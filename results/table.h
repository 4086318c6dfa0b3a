// Tables of named, described columns: what a result file holds.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/formats/arrays.h"

namespace results {

/// One column: its values and what they mean.
struct Column {
  std::string name;
  std::string long_name;
  std::string units;   // "1" for a pure number, "text" for words
  std::string source;  // where a formula comes from; empty for what was counted
  core::ColumnValues values;
  bool reproducible = true;  // false: differs from run to run (a time)

  std::size_t size() const;
};

/// True when two columns hold the same values, NaN equal to NaN.
bool same_values(const core::ColumnValues& a, const core::ColumnValues& b);

/// Named columns of equal length.
struct Table {
  std::string name;
  std::vector<Column> columns;

  /// Rows; 0 without columns. Throws std::invalid_argument naming the columns when their lengths differ.
  std::size_t rows() const;
  bool has(std::string_view column_name) const;
  /// Throws std::out_of_range naming the table, the column and the columns there are.
  const Column& column(std::string_view column_name) const;
  Column& column(std::string_view column_name);

  /// The values of a column of type T (std::int64_t, std::uint64_t, double or std::string); throws as column(), and
  /// std::invalid_argument when the column holds another type.
  template <class T>
  const std::vector<T>& values(std::string_view column_name) const {
    const Column& found = column(column_name);
    if (const auto* typed = std::get_if<std::vector<T>>(&found.values)) return *typed;
    throw_wrong_type(found);
  }
  template <class T>
  std::vector<T>& values(std::string_view column_name) {
    return const_cast<std::vector<T>&>(static_cast<const Table&>(*this).values<T>(column_name));
  }

 private:
  [[noreturn]] void throw_wrong_type(const Column& found) const;
};

/// The table's rows at `positions`, in that order.
Table select_rows(const Table& table, const std::vector<std::size_t>& positions);

/// `int64`, `uint64`, `float64` or `text`.
std::string_view type_name(const core::ColumnValues& values);

}  // namespace results

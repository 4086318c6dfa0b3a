// The data dictionary: every column of every table, its meaning and its unit, as data.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "results/table.h"

namespace results {

/// What a column holds; identifier is an unsigned 64-bit hash or seed.
enum class ColumnType { integer, identifier, real, text };

/// One row of the data dictionary.
struct ColumnDescription {
  std::string_view name;
  std::string_view long_name;
  std::string_view units;  // "1" for a pure number, "text" for words
  ColumnType type;
  std::string_view source = {};  // of a formula
  bool reproducible = true;
};

/// A table, what one of its rows is, and its columns in the order files show them.
struct TableDescription {
  std::string_view name;
  std::string_view row;
  std::vector<ColumnDescription> columns;
};

/// The tables of a file of kind "dam": `batches` (the primary data), `points` and `capacity` (computed from them).
std::span<const TableDescription> dam_tables();

/// The tables of a file of kind "ham": `epochs` (what training measured), `parameters` (where each stands in the arrays
/// of weights), `model`, `training` (where training stands) and `table1` (runs side by side).
std::span<const TableDescription> ham_tables();

/// The table of that name; throws std::out_of_range for any other name.
const TableDescription& dam_table(std::string_view name);
const TableDescription& ham_table(std::string_view name);

/// A table without rows that has all described columns, ready to be filled.
Table empty_table(const TableDescription& description);

/// The dictionary as Markdown, one heading and one table of columns per table: the text of results/README.md.
std::string data_dictionary();

}  // namespace results

#include "results/table.h"

#include <algorithm>
#include <cmath>

namespace results {

std::size_t Column::size() const {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

bool same_values(const core::ColumnValues& a, const core::ColumnValues& b) {
  const auto* reals_a = std::get_if<std::vector<double>>(&a);
  const auto* reals_b = std::get_if<std::vector<double>>(&b);
  if (reals_a == nullptr || reals_b == nullptr) return a == b;
  return std::equal(reals_a->begin(), reals_a->end(), reals_b->begin(), reals_b->end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

std::size_t Table::rows() const {
  for (const Column& other : columns)
    if (other.size() != columns.front().size())
      throw std::invalid_argument("table " + name + ": column " + columns.front().name + " has " +
                                  std::to_string(columns.front().size()) + " rows, " + other.name + " has " +
                                  std::to_string(other.size()));
  return columns.empty() ? 0 : columns.front().size();
}

bool Table::has(std::string_view column_name) const {
  return std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.name == column_name; });
}

const Column& Table::column(std::string_view column_name) const {
  std::string names;
  for (const Column& candidate : columns) {
    if (candidate.name == column_name) return candidate;
    names += (names.empty() ? "" : ", ") + candidate.name;
  }
  throw std::out_of_range("table " + name + " has no column " + std::string(column_name) + "; it has " +
                          (names.empty() ? "none" : names));
}

Column& Table::column(std::string_view column_name) {
  return const_cast<Column&>(static_cast<const Table&>(*this).column(column_name));
}

void Table::throw_wrong_type(const Column& found) const {
  throw std::invalid_argument("table " + name + ": column " + found.name + " holds " +
                              std::string(type_name(found.values)) + ", which is not what was asked for");
}

Table select_rows(const Table& table, const std::vector<std::size_t>& positions) {
  Table selected{table.name, {}};
  for (const Column& column : table.columns) {
    Column picked{column.name, column.long_name, column.units, column.source, {}, column.reproducible};
    std::visit(
        [&]<class T>(const std::vector<T>& values) {
          std::vector<T> chosen;
          chosen.reserve(positions.size());
          for (const std::size_t position : positions) chosen.push_back(values.at(position));
          picked.values = std::move(chosen);
        },
        column.values);
    selected.columns.push_back(std::move(picked));
  }
  return selected;
}

std::string_view type_name(const core::ColumnValues& values) {
  constexpr std::string_view kNames[] = {"int64", "uint64", "float64", "text"};
  return kNames[values.index()];
}

}  // namespace results

// Filling a table row by row: each appends to the column of that name.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "results/table.h"

namespace experiments {

inline void push_integer(results::Table& table, const char* column, std::int64_t value) {
  table.values<std::int64_t>(column).push_back(value);
}
inline void push_identifier(results::Table& table, const char* column, std::uint64_t value) {
  table.values<std::uint64_t>(column).push_back(value);
}
inline void push_real(results::Table& table, const char* column, double value) {
  table.values<double>(column).push_back(value);
}
inline void push_text(results::Table& table, const char* column, std::string value) {
  table.values<std::string>(column).push_back(std::move(value));
}

}  // namespace experiments

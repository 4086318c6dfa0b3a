// Result files as text: CSV for spreadsheets, one JSON document for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/result_file.h"

namespace results {

/// A header line and one line per row, RFC 4180 quoting, `\n` ends; reals in the shortest form that reads back the
/// same, `nan` and `inf` as such.
std::string to_csv(const Table& table);

/// One JSON document, `{"spec":{…},"points":[{…}],"capacity":[{…}],"provenance":{…}}`: one object per row of each named
/// table (an empty array when the file has no such table), its keys the column names.
///
/// The `key = value` lines of the spec become text members (`#` starts a comment). NaN and infinities, which JSON does
/// not have, become null. 64-bit identifiers are written in full. Throws std::runtime_error naming a spec line that is
/// not `key = value`, or given twice.
std::string to_json(const ResultFile& file, const std::vector<std::string_view>& table_names = {"points", "capacity"});

}  // namespace results

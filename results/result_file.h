// The result file: one HDF5 file per run, tidy columns that other programs read without our code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/provenance.h"
#include "core/random.h"
#include "results/table.h"

namespace results {

/// Version of the layout; files of this and of every older version can be read. Arrays came with version 2; a file
/// without arrays is written as version 1.
inline constexpr std::int64_t kSchemaVersion = 2;

/// The most bytes read() takes unless told otherwise.
inline constexpr std::uint64_t kDefaultByteLimit = std::uint64_t{4} << 30;

/// A dense array with a name and a meaning: weights, an optimizer's moments.
struct NamedArray {
  std::string name;
  std::string long_name;
  core::NumericArray values;
};

/// All that a result file holds.
struct ResultFile {
  std::string kind;  // whose tables these are: "dam", "ham"
  std::string spec;  // canonical `key = value` lines: what was asked for
  core::Provenance provenance;
  std::vector<Table> tables;
  std::vector<NamedArray> arrays = {};  // stored under /arrays
  /// core::kStreamVersion of the program that drew the random numbers; files that do not say are of version 1.
  std::int64_t streams = core::kStreamVersion;

  /// Whether all K of a search shared their pattern sets, so that intervals fitted to its counts are too short.
  bool nested_patterns() const { return kind == "dam" && streams < 2; }

  /// The version of the layout this content is written in.
  std::int64_t schema_version() const { return arrays.empty() ? 1 : 2; }

  bool has(std::string_view table_name) const;
  /// Throws std::out_of_range naming the tables there are.
  const Table& table(std::string_view table_name) const;
  Table& table(std::string_view table_name);
  /// Throws std::out_of_range naming the arrays there are.
  const NamedArray& array(std::string_view array_name) const;
  NamedArray& array(std::string_view array_name);
};

/// Reads a whole file; throws std::runtime_error "PATH: …" in one line when it is missing, truncated, damaged, foreign,
/// of a newer schema version, or needs more than `byte_limit` bytes (file and columns together).
ResultFile read(const std::string& path, std::uint64_t byte_limit = kDefaultByteLimit);

/// read() of the bytes of a file; messages call it `name`.
ResultFile parse(core::Bytes bytes, const std::string& name, std::uint64_t byte_limit = kDefaultByteLimit);

/// Replaces the file as a whole (core::replace_file): a kill at any instant leaves the old or the new one.
///
/// The caller holds the core::FileLock of the path. Throws std::runtime_error "PATH: …" (disk full, read-only, …) with
/// the old file untouched, std::invalid_argument when columns of a table differ in length.
void write(const std::string& path, const ResultFile& file);

/// The bytes write() writes: equal for equal content.
core::Bytes serialize(const ResultFile& file);

}  // namespace results

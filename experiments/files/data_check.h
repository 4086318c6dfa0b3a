// Are these the published files? Checksums, and what can be said without them.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "ham/data/data_set.h"

namespace experiments {

/// Where a data set is published and how its files are recognised (SHA-256, hexadecimal).
struct Published {
  const char* data_set;
  const char* url;                           ///< of the folder that holds `downloads`
  std::span<const char* const> downloads;    ///< the files of KnownDataSet with .gz, or one archive of its folder
  std::span<const char* const> file_sha256;  ///< of each file of KnownDataSet, uncompressed; empty where not published
  const char* archive_sha256;                ///< of the archive; empty where the files come one by one
  /// Where there are no file_sha256: content_sha256 of training and test set, and the labels the published order begins
  /// with.
  std::array<const char*, 2> content;
  std::array<std::array<int, 10>, 2> labels;
};

/// The row of a known data set.
const Published& published(const ham::KnownDataSet& data_set);

enum class DataState { published, other_order, different, unreadable };

/// What a look at the files found, with one line that says it.
struct DataCheck {
  DataState state;
  std::string text;
};

/// Reads every file, counts, and compares with what is published.
DataCheck check_data(const ham::FoundDataSet& found, std::uint64_t byte_limit);

/// SHA-256 of a file as it is.
std::string file_sha256(const std::string& path, std::uint64_t byte_limit);
/// SHA-256 of an IDX file as it is uncompressed.
std::string idx_sha256(const std::string& path, std::uint64_t byte_limit);

/// A checksum of the labelled images whatever their order: SHA-256 of the sorted SHA-256 of (label, pixels).
std::string content_sha256(const ham::Images& images);

}  // namespace experiments

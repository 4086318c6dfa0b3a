// The result files a verb is given, where other files may lie among them.
#pragma once

#include <string>
#include <vector>

#include "results/merge.h"

namespace experiments {

/// Reads one; says on stderr when its intervals are those of the old streams.
results::ResultFile read_result(const std::string& path);

/// Reads them all. Of several, one that cannot be read, or has no such table (any when empty), is passed over with a
/// line on stderr; throws what is wrong with the last when none is left.
std::vector<results::NamedFile> read_results(const std::vector<std::string>& paths, const std::string& table = "");

}  // namespace experiments

// Several result files of one spec as one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace experiments {

/// What a merge came to.
struct MergedFiles {
  std::string path;  // where it stands, links followed
  std::size_t batches = 0, files = 0;
  bool complete = false;  // nothing that the spec asks for is missing
};

/// Writes the union of these files, and of what stands at `out` already, to `out`: batches once each, points and
/// capacities made anew from them. Throws as results::merge(), results::read() and core::OutputFile.
MergedFiles merge_files(const std::vector<std::string>& paths, const std::string& out);

}  // namespace experiments

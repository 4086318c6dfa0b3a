// Patterns and cues people bring: NPY files and HDF5 data sets of ±1 or 0/1, IDX images.
#pragma once

#include <cstdint>
#include <string>

#include "dam/states/patterns.h"

namespace experiments {

/// Rows of ±1 read from a file, bit-packed, and a hash of what was read.
struct LoadedPatterns {
  dam::Patterns patterns;
  std::uint64_t content = 0;
};

/// Reads `FILE.npy` or `FILE.h5:dataset` (default data set: `dataset`): rows × neurons, int8 ±1 or uint8 0/1; or IDX
/// images (`…-ubyte`, `…-ubyte.gz`), one pattern an image, +1 where a pixel is above 127. A file that is not here is
/// looked for where data sets are (data_path.h).
///
/// Throws std::runtime_error in one line when the file cannot be read, has another shape or type, holds another value
/// (and where), or needs more than `byte_limit` bytes.
LoadedPatterns load_patterns(const std::string& location, const std::string& dataset, std::int64_t byte_limit);

}  // namespace experiments

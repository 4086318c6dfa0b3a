// Patterns and cues people bring, in any format that core/formats/array_file.h reads.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <string>

#include "dam/states/patterns.h"
#include "dam/states/spins.h"
#include "experiments/command_line/options.h"

namespace experiments {

/// How the numbers of a file become spins.
struct SpinReading {
  dam::Threshold threshold;      ///< none: values are −1, +1 or 0, 1; of IDX pictures 127
  std::int64_t num_neurons = 0;  ///< of one long row: rows of that many
};

/// Adds --threshold.
void add_threshold(Options& options);
/// What --threshold says; throws UsageError.
dam::Threshold given_threshold(const boost::program_options::variables_map& given);

/// A file and the array in it.
struct ArrayLocation {
  std::string path;  ///< where the file stands (data_path.h)
  std::string name;  ///< empty where none was given
};

/// `FILE` or `FILE:NAME`; a file whose whole name has colons wins. A file that is not here is looked for where data
/// sets are.
ArrayLocation locate_array(const std::string& location);

/// Reads rows of spins; `usual` is the array's name where the location gives none and the file holds several.
///
/// Throws std::runtime_error in one line, beginning with file and array, when it cannot be read, has another shape,
/// holds another value (and where), or needs more than `byte_limit` bytes.
dam::Spins load_spins(const std::string& location, const std::string& usual, std::int64_t byte_limit,
                      const SpinReading& reading, dam::Erased erased);

/// Erases the neurons of the spins that a file of 0 (known) and 1 (erased) names; throws as load_spins.
void load_mask(const std::string& location, std::int64_t byte_limit, dam::Spins& spins);

/// Patterns, bit-packed, and a hash of what was read.
struct LoadedPatterns {
  dam::Patterns patterns;
  std::uint64_t content = 0;
  bool bits = false;  ///< they came as 0 and 1
};

/// load_spins of rows without erased neurons.
LoadedPatterns load_patterns(const std::string& location, const std::string& usual, std::int64_t byte_limit,
                             const SpinReading& reading = {});

}  // namespace experiments

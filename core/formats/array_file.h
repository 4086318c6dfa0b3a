// The one door for arrays that people bring, in whatever format they have them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/guarded_read.h"

namespace core {

/// As messages name them.
inline constexpr std::string_view kArrayFormats =
    "NPY, NPZ, HDF5, MATLAB, IDX, and numbers as text (NPY, IDX and text also gzipped)";

/// Which arrays are wanted of a file that may hold many.
struct ArrayRequest {
  /// Sets of names; the first whose first name is in the file is read, all of it.
  std::vector<std::vector<std::string>> names;
  /// Where none of them is there: the file's one array will do, whatever its name; so it will where arrays have none
  /// (NPY, IDX, text).
  bool or_the_only_one = false;
  /// Every array of a file whose arrays have names, instead.
  bool all = false;
};

/// Reads arrays from an NPY, NPZ, HDF5, MATLAB (5 to 7.3) or IDX file or a text of numbers; what the file is decides
/// its content, not its name. MATLAB's arrays come in C order with the shape MATLAB shows.
///
/// Names are the file's own, those of HDF5 paths below the root such as `train/images`; an array without a name has
/// the empty one. Throws std::runtime_error "PATH: …" of one line: what the file is where it is none of these, which
/// arrays it holds where none is the wanted one, what is damaged, or that more than `byte_limit` bytes are needed.
NamedArrays read_arrays(const std::string& path, const ArrayRequest& request, std::uint64_t byte_limit);

/// One array: the one of that name, or where `name` is empty the one called `usual`, or the only one.
NumericArray read_array(const std::string& path, const std::string& name, const std::string& usual,
                        std::uint64_t byte_limit);

}  // namespace core

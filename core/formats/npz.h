// NumPy's NPZ files: named arrays in one archive.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/formats/arrays.h"

namespace core {

/// Writes a zip of NPY files, as numpy.savez does (numpy.load reads it), replacing the file as core::replace_file does;
/// the same arrays give the same bytes. Throws std::runtime_error "PATH: …".
void write_npz(const std::string& path, const std::vector<std::pair<std::string, NumericArray>>& arrays);

}  // namespace core

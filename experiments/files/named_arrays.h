// Arrays by name, into an HDF5 file that says where they come from.
#pragma once

#include <string>

#include "ham/uses/inspect.h"

namespace experiments {

/// Replaces the file by one that holds the arrays at its root, and how it was made as attributes.
void write_arrays(const std::string& path, const ham::NamedArrays& arrays, const std::string& command_line);

}  // namespace experiments

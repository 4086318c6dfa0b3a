// Arrays by name, into an HDF5 file that says where they come from, or into an NPZ.
#pragma once

#include <string>

#include "core/files/output_file.h"
#include "ham/uses/inspect.h"

namespace experiments {

/// Writes the arrays at the root of an HDF5 file, and how they were made as its attributes; where the path ends in .npz
/// the arrays alone.
void write_arrays(const core::OutputFile& out, const ham::NamedArrays& arrays, const std::string& command_line);

}  // namespace experiments

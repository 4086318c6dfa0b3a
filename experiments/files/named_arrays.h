// Arrays by name, into an HDF5 file that says where they come from.
#pragma once

#include <string>

#include "core/files/output_file.h"
#include "ham/uses/inspect.h"

namespace experiments {

/// Writes the arrays at the root of the file, and how they were made as its attributes.
void write_arrays(const core::OutputFile& out, const ham::NamedArrays& arrays, const std::string& command_line);

}  // namespace experiments

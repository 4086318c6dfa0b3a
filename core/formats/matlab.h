// MATLAB's MAT-files of version 5 to 7.2; version 7.3 is HDF5.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/files/guarded_read.h"

namespace core {

/// The full, real arrays of numbers or logicals of a MAT-file, by name, in C order.
///
/// `choose` is given the names of all of them, in the file's order, and returns those to read; the others are not
/// looked at. Runs matio as read_guarded does; throws std::runtime_error "PATH: …".
NamedArrays read_matlab(const std::string& path, std::uint64_t byte_limit,
                        const std::function<std::vector<std::string>(const std::vector<std::string>&)>& choose);

}  // namespace core

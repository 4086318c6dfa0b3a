// HDF5 files made by others, read where a crash of the HDF5 library does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/formats/hdf5_file.h"

namespace core {

/// Opens the file in a process of its own, runs `read` there, and hands back what it returned; throws as read_guarded.
NamedArrays read_foreign(const std::string& path, std::uint64_t byte_limit,
                         const std::function<NamedArrays(const Hdf5File&)>& read);

/// One dataset of a foreign file; throws as read_foreign and Hdf5File::read_array.
NumericArray read_foreign_array(const std::string& path, const std::string& dataset, std::uint64_t byte_limit);

}  // namespace core

// HDF5 files made by others, read where a crash of the HDF5 library does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/formats/hdf5_file.h"

namespace core {

/// Opens the file in a process of its own, runs `read` there, and hands back what it returned.
///
/// HDF5 1.10 crashes, hangs or asks for any amount of memory on many files with damaged metadata. All that ends here in
/// a std::runtime_error of one line, "PATH: damaged: …"; exceptions of `read` come back as std::runtime_error with
/// their words. The process may take `byte_limit` bytes more than it has, and ten minutes of processor time.
NamedArrays read_foreign(const std::string& path, std::uint64_t byte_limit,
                         const std::function<NamedArrays(const Hdf5File&)>& read);

/// One dataset of a foreign file; throws as read_foreign and Hdf5File::read_array.
NumericArray read_foreign_array(const std::string& path, const std::string& dataset, std::uint64_t byte_limit);

}  // namespace core

// Readers of other people's making, run where their crash does no harm.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/arrays.h"

namespace core {

/// Arrays and the names they go by.
using NamedArrays = std::vector<std::pair<std::string, NumericArray>>;

/// Runs `read` in a process of its own and hands back what it returned.
///
/// The libraries of HDF5 1.10 and MATLAB files crash, hang or ask for any amount of memory on many files with damaged
/// metadata. All that ends here in a std::runtime_error of one line, "PATH: damaged: …" naming the library; exceptions
/// of `read` come back as std::runtime_error with their words. The process may take `byte_limit` bytes more than it
/// has, and ten minutes of processor time.
NamedArrays read_guarded(const std::string& path, const std::string& library, std::uint64_t byte_limit,
                         const std::function<NamedArrays()>& read);

}  // namespace core

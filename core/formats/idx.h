// IDX files (MNIST and its relatives), plain or gzip-compressed.
#pragma once

#include <cstdint>
#include <string>

#include "core/formats/arrays.h"

namespace core {

/// Reads an IDX file of unsigned bytes, `.gz` or not; images come as (count, rows, columns), labels as (count).
///
/// Throws std::runtime_error "PATH: …" when the file is truncated or no such file, when its length is not what the
/// header promises, or when the array takes more than `byte_limit` bytes; sizes are checked before memory is taken.
/// Source: the format's description in LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
NumericArray read_idx(const std::string& path, std::uint64_t byte_limit);

}  // namespace core

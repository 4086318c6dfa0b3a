// NumPy's NPY files (format 1.0 to 3.0): how people hand over patterns and cues.
#pragma once

#include <cstdint>
#include <string>

#include "core/files/byte_reader.h"
#include "core/formats/arrays.h"

namespace core {

/// Reads an array of integers of 8 to 64 bits, reals of 16 to 64 (on x86 also 80) or booleans (as uint8 0/1), of either
/// byte order, in C or Fortran order; what they become says StoredNumber::element. The result is in C order.
///
/// Throws std::runtime_error "NAME: …" when the source is not such an array (and what it holds), when its length is not
/// what the header promises, or when the array takes more than `byte_limit` bytes. Source: numpy.lib.format.
NumericArray read_npy(ByteReader& reader, std::uint64_t byte_limit);
/// Reads a file, plain or gzip-compressed.
NumericArray read_npy(const std::string& path, std::uint64_t byte_limit);

/// A file of format 1.0 in C order.
Bytes npy_bytes(const NumericArray& array);

}  // namespace core

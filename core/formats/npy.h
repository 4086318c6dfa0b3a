// NumPy's NPY files (format 1.0 to 3.0): how people hand over patterns and cues.
#pragma once

#include <cstdint>
#include <string>

#include "core/formats/arrays.h"

namespace core {

/// Shape and type of the array in a file, from its header alone; bool gives uint8. Throws as read_npy.
ArrayInfo npy_info(const std::string& path);

/// Reads an array of int8, uint8, bool (as uint8 0/1), int64, float32 or float64, little-endian, in C or Fortran order
/// (the result is in C order).
///
/// Throws std::runtime_error "PATH: …" when the file is not such an array, when its length is not what the header
/// promises, or when the array takes more than `byte_limit` bytes; all before memory is allocated for it.
/// Source: numpy.lib.format.
NumericArray read_npy(const std::string& path, std::uint64_t byte_limit);

/// A file of format 1.0 in C order.
Bytes npy_bytes(const NumericArray& array);

/// Writes npy_bytes, replacing the file as core::replace_file does.
void write_npy(const std::string& path, const NumericArray& array);

}  // namespace core

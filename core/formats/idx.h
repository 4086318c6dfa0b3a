// IDX files (MNIST and its relatives).
#pragma once

#include <cstdint>
#include <string>

#include "core/files/byte_reader.h"
#include "core/formats/arrays.h"

namespace core {

/// Reads an IDX array of up to four axes: images come as (count, rows, columns), labels as (count). The published files
/// hold unsigned bytes; integers of 8 to 32 bits and reals of 32 and 64 are read too (StoredNumber::element).
///
/// Throws std::runtime_error "NAME: …" when the source is truncated or no such array, when its length is not what the
/// header promises, or when the array takes more than `byte_limit` bytes.
/// Source: the format's description in LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
NumericArray read_idx(ByteReader& reader, std::uint64_t byte_limit);
/// Reads a file, plain or gzip-compressed.
NumericArray read_idx(const std::string& path, std::uint64_t byte_limit);

}  // namespace core

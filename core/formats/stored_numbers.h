// Numbers as files store them, of any width and byte order, as the element types of NumericArray.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/files/byte_reader.h"
#include "core/formats/arrays.h"

namespace core {

/// How a file stores a number: NumPy's letter of its kind (b boolean, i and u integers, f reals) and its bytes.
struct StoredNumber {
  char kind = 'f';
  std::size_t size = 8;
  bool big_endian = false;

  /// What an array of it becomes: booleans and bytes stay bytes, wider integers int64, reals of up to 32 bits float32,
  /// wider ones float64; nothing for what is no such number.
  std::optional<ElementType> element() const;
};

/// Reads the values of an array, which must end the source.
///
/// The result is in C order, also where the first index runs fastest in the file; unsigned numbers beyond int64 become
/// its largest. Memory grows as bytes arrive: a forged shape costs nothing. Throws std::runtime_error "NAME: …" when
/// the bytes are not what the shape takes, or the array takes more than `byte_limit` bytes.
NumericArray read_values(ByteReader& reader, const std::vector<std::uint64_t>& shape, StoredNumber stored,
                         bool first_index_fastest, std::uint64_t byte_limit);

/// Turns values whose first index runs fastest (Fortran, MATLAB) into C order; the shape stays.
NumericArray in_c_order(const NumericArray& array);

}  // namespace core

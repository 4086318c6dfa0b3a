// Tables of numbers as text: CSV, and what spreadsheets, R, Octave and numpy.savetxt write.
#pragma once

#include <cstdint>

#include "core/files/byte_reader.h"
#include "core/formats/arrays.h"

namespace core {

/// Reads rows of numbers, (rows, columns) of float64: one row a line, numbers apart by commas, semicolons, blanks or
/// tabs.
///
/// Empty lines, what follows `#` or `%`, a byte-order mark and a first line of names (no number in it) are skipped.
/// Throws std::runtime_error "NAME: line L: …" at what is no number and where a line is longer or shorter than the
/// first; "NAME: …" when there are no numbers, or text or numbers need more than `byte_limit` bytes.
NumericArray read_number_table(ByteReader& reader, std::uint64_t byte_limit);

}  // namespace core

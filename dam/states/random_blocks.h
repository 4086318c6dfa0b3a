// Many blocks of a random stream at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/random.h"

namespace dam {

/// Writes out[r·stride + w] = stream.block(w / 4, first_row + r)[w % 4] for r < num_rows, w < words_per_row ≤ stride.
///
/// The same bits as Stream::block, several blocks per instruction. Words from words_per_row to stride stay untouched.
void fill_random(const core::Stream& stream, std::uint64_t first_row, std::size_t num_rows, std::size_t words_per_row,
                 std::size_t stride, std::uint64_t* out);

}  // namespace dam

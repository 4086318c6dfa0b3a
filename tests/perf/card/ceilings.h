// What a card can do at most.
#pragma once

namespace gpu {

/// 10¹⁵ bit products a second of the bare m16n8k256 AND-popcount instruction, and 10¹² bytes a second read from memory.
double peak_bit_products();
double peak_bytes_read();

}  // namespace gpu

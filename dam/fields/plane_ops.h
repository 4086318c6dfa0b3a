// The vector loops of the plane kernel, compiled once per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dam/fields/plane_tables.h"

namespace dam {

/// A pattern whose overlap lies outside the window, held apart with its exact agreements.
struct Outlier {
  std::int64_t pattern;
  int agreements;
};

/// A byte for each position, to be summed over the patterns.
struct ByteWeights {
  const std::uint8_t* bytes;  // kTableSize of them
  bool is_signed;
};

/// The same loops for one instruction set. Columns have W words, positions 64·W bytes.
///
/// W is below 9 or a multiple of 8; buffers are aligned to 64 bytes where W is a multiple of 8.
struct PlaneOps {
  const char* name;
  std::int64_t target;  // Highway's bit of this instruction set

  /// positions[μ] = agreements of pattern μ with `state` − lowest where that is in [0, width); the other patterns below
  /// num_patterns get kNowhere and are appended to outliers.
  void (*count)(const std::uint64_t* columns, std::size_t words, std::span<const std::int8_t> state,
                std::int64_t num_patterns, int lowest, int width, std::uint8_t* positions,
                std::vector<Outlier>& outliers);
  /// Subtracts 1 from positions where the column's bit equals `plus`, adds 1 elsewhere (modulo 256); appends to `left`
  /// the patterns that arrive at −1 or at width.
  void (*step)(const std::uint64_t* column, std::size_t words, bool plus, int width, std::uint8_t* positions,
               std::vector<std::int64_t>& left);
  /// sums[t] = Σ_μ tables[t].bytes[positions[μ]].
  void (*sum)(const std::uint8_t* positions, std::size_t words, std::span<const ByteWeights> tables,
              std::int64_t* sums);
  /// Writes the limb's num_bits planes: bit b from the top for the patterns of word w to planes[8w + b] if interleaved,
  /// else to planes[b·W + w]. Returns Σ_μ limb.bytes[positions[μ]].
  std::int64_t (*build)(const std::uint8_t* positions, std::size_t words, const Limb& limb, bool interleaved,
                        std::uint64_t* planes);
  /// sums[j] = Σ_μ (column j's bit)·limb, from planes that are not interleaved, W a multiple of 8.
  void (*fields)(std::span<const std::uint64_t* const> columns, std::size_t words, const Limb& limb,
                 const std::uint64_t* planes, std::int64_t* sums);
  /// sums[j] = Σ_μ (column j's bit)·Σ_l 2^first_bit·limb l, from interleaved planes, limb l's at planes + 8·W·l.
  void (*short_fields)(std::span<const std::uint64_t* const> columns, std::size_t words, std::span<const Limb> limbs,
                       const std::uint64_t* planes, std::int64_t* sums);
  /// supports[i] += offset + 2^shift·(bits in which columns i and `spin` differ), for a number of spins that is a
  /// multiple of 8; word w of column i is columns[w·spins + i].
  void (*add_differences)(const std::uint64_t* columns, std::size_t words, std::size_t spins, std::size_t spin,
                          std::int64_t offset, int shift, std::int64_t* supports);
};

/// Every instruction set of this build, widest first; not all may run here.
std::span<const PlaneOps> plane_ops();

}  // namespace dam

// The exact weights of a Support as small integers that bit planes and byte tables can hold.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dam/fields/support.h"
#include "dam/states/patterns.h"

namespace dam {

/// A count of units; sums over any number of patterns fit.
using Units = __int128;

/// Where numbers of units are cut off: a weight this large is known to be at least this large.
inline constexpr Units kClamp = Units{1} << 90;

/// Byte tables have one entry per position a − lowest in a window of agreements a, and 0 outside.
inline constexpr int kTableSize = 128;
/// The last two positions stay free, so that a pattern that has just left the window, or is listed apart, looks up 0.
inline constexpr int kMaxWidth = kTableSize - 2;
inline constexpr std::uint8_t kNowhere = kTableSize - 1;

/// Some bits of integers below 2³², one byte per position.
struct Limb {
  int first_bit = 0;                                  // the lowest bit here has weight 2^first_bit
  int num_bits = 0;                                   // 1 … 8
  bool is_signed = false;                             // the top bit counts negative
  std::array<std::uint8_t, kTableSize> bytes{};       // the bits, from the byte's top bit down
  std::array<std::uint8_t, kTableSize> magnitudes{};  // |value of the bits|
};

/// Columns of up to this many words are short: sums over them look at every bit of the weights at once.
inline constexpr std::size_t kShortWords = 32;

/// A function of the position: offset + unit·Σ limbs.
struct LimbTable {
  Units offset = 0;
  Units unit = 1;
  std::vector<Limb> limbs;  // most significant first
};

/// Tables for one Support and window, fitted to a number of patterns.
///
/// In units of its own, twice the support of spin i is σ_i Σ_μ ξ_i difference + Σ_μ total, where difference = agree −
/// disagree and total = agree + disagree.
struct PlaneTables {
  /// Throws core::Stopped when asked to.
  PlaneTables(const Support& support, int lowest, int width, const core::StopToken& stop = {});
  /// Chooses the limbs of `difference` for K patterns, and the errors.
  void fit(std::int64_t num_patterns);

  int lowest;                          // agreements at position 0 of the window
  int width;                           // positions in the window, ≤ kMaxWidth
  double deviation;                    // of the agreements of random patterns
  std::vector<Units> agree, disagree;  // by agreements 0 … N, cut off at ±kClamp
  Units largest = 0;                   // among their magnitudes
  bool exact = true;                   // every agree and disagree is the exact weight
  LimbTable difference;                // offset 0
  LimbTable total;
  int pair_scale = 0;   // s > 0 where agree = s(m − 1)/2 and disagree = −s(m + 1)/2 for every m (n = 2), s = 1 or 2
  Units error = 0;      // how far a sum over K patterns can be from the exact one; 0 when every number is exact
  bool narrow = false;  // every sum over K patterns fits 62 bits

  std::vector<Units> separation;  // F by agreements, in units of its own
  bool separation_exact = true;
  LimbTable separation_limbs;
  Units separation_error = 0;  // of the difference of two sums
};

/// Where a window around `centre` agreements starts and how wide it is, for all but one in 10⁵ random patterns.
struct Window {
  int lowest;
  int width;
};
Window window_around(int centre, int num_neurons);
/// The window as wide as it can be that holds most of the patterns counted by agreements 0 … N.
Window fullest_window(std::span<const std::int64_t> counts);

}  // namespace dam

// Numbers people bring as spins: signs, bits or grey values, pictures as rows, neurons erased.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/formats/arrays.h"
#include "dam/states/patterns.h"

namespace dam {

/// Where grey turns white: a value above the threshold is +1, any other −1. Mean and median are those of the row it is
/// in (the median of an even number of values is the lower of the middle two).
struct Threshold {
  enum class Kind { none, mean, median, value };
  Kind kind = Kind::none;
  double value = 0;
};

/// Reads `mean`, `median` or a number; throws std::invalid_argument that says so.
Threshold parse_threshold(std::string_view text);

/// Rows of spins.
struct Spins {
  int num_neurons = 0;
  std::vector<std::int8_t> values;  ///< row by row −1 or +1; 0 is an erased neuron
  bool bits = false;                ///< they came as 0 and 1
  bool erased = false;              ///< some are 0

  std::int64_t rows() const { return static_cast<std::int64_t>(values.size()) / num_neurons; }
  State row(std::int64_t index) const;
};

/// Whether a 0 among −1 and +1 is a neuron without a value, or an error.
enum class Erased { refused, allowed };

/// Reads an array (rows, neurons); further axes are the neurons' (pictures: (count, rows, columns)), a single axis is
/// one row. With `num_neurons` above 0 one long row is rows of that many.
///
/// Without a threshold values are −1, +1 (a −1 may have become the largest unsigned integer), or 0, 1 where no −1 is
/// among them. Throws std::invalid_argument: another value and its place, or a shape that is not rows of 2 to 2²⁰
/// neurons.
Spins spins_of(const core::NumericArray& array, const Threshold& threshold, Erased erased,
               std::int64_t num_neurons = 0);

/// Erases the neurons at which the mask is not 0: an array like that of the spins, or one row for all of them. Throws
/// std::invalid_argument when it has another shape or holds other values than 0 and 1.
void erase(Spins& spins, const core::NumericArray& mask);

/// The rows as patterns; throws std::invalid_argument when a neuron is erased.
Patterns patterns_of(const Spins& spins);

}  // namespace dam

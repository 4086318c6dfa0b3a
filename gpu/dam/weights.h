// The exact weights of a Support as the card holds them.
#pragma once

#include <cstdint>
#include <vector>

#include "dam/fields/plane_tables.h"
#include "dam/fields/support.h"
#include "gpu/dam/work.h"

namespace gpu {

/// WeightView's arrays and numbers, made on the host for one (model, dynamics, N).
///
/// Inside the window of agreements (dam::window_around(centre, N)) weights are integers of up to 29 bits in units of
/// their own, rounded where they do not fit; what rounding can do to a sum stands in `error` and `separation_error`.
struct Weights {
  Weights(const dam::Support& support, int centre);

  /// The same with pointers to these arrays.
  WeightView view() const;

  std::vector<std::uint32_t> digits;
  std::vector<std::int32_t> totals, separations;
  std::vector<Units> agree, disagree, separation;
  WeightView numbers{};  // all but the pointers
};

}  // namespace gpu

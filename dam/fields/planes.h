// Local fields by bit planes of exact integer weights, once per instruction set.
#pragma once

#include <vector>

#include "dam/fields/kernels.h"

namespace dam {

/// One row per instruction set compiled into this build, widest first: planes-avx3_dl … planes-ssse3, or planes-neon.
std::vector<Kernel> plane_kernels();

}  // namespace dam

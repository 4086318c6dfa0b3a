// The doors of the separately compiled kernel sets.
#pragma once

#include "ham/kernels/kernels.h"

namespace ham {
namespace baseline {
const Kernels<float>& single();
const Kernels<double>& real();
}  // namespace baseline
namespace v3 {
const Kernels<float>& single();
const Kernels<double>& real();
}  // namespace v3
namespace v4 {
const Kernels<float>& single();
const Kernels<double>& real();
}  // namespace v4
#if defined(HAM_AMX)
namespace amx {
bool available();  // asks the system for the tiles
const Kernels<float>& single();
}  // namespace amx
#endif
}  // namespace ham

// How tasks become kernels.
#pragma once

#include <cuda_runtime_api.h>

#include "gpu/ham/tasks.h"

namespace gpu {

/// Starts the task's kernel in this queue of the current card; cudaGetLastError() has what went wrong. An `early` one
/// is put in place before the one before it has ended (compute capability 9.0 and above).
void launch(const Task<float>& task, bool early, cudaStream_t queue);
void launch(const Task<double>& task, bool early, cudaStream_t queue);

}  // namespace gpu

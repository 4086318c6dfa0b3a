// How tasks become kernels.
#pragma once

#include <cuda_runtime_api.h>

#include "gpu/ham/tasks.h"

namespace gpu {

/// Starts the task's kernel in this queue of the current card; cudaGetLastError() has what went wrong.
void launch(const Task<float>& task, cudaStream_t queue);
void launch(const Task<double>& task, cudaStream_t queue);

}  // namespace gpu

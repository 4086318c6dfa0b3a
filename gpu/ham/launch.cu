// The kernels of networks: each is the body of a task.
#include "gpu/device/cuda_block.cuh"
#include "gpu/ham/launch.h"

namespace gpu {
namespace {

// A kernel's blocks may be put in place while the one before still runs: here they wait for what it wrote.
__device__ __forceinline__ void wait_for_earlier() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

template <class Body>
__global__ void __launch_bounds__(kRowThreads) body_kernel(const __grid_constant__ Body body) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  wait_for_earlier();
  body.run(block, shared);
}

template <class T, class Tile, bool kGathers>
__global__ void __launch_bounds__(Tile::kThreads) product_kernel(const __grid_constant__ Product<T> product) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  wait_for_earlier();
  product.template compute<Tile, kGathers>(block, shared);
}

template <class Body>
void start(void (*kernel)(Body), const Body& body, const Shape& shape, bool early, cudaStream_t queue) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(shape.blocks));
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = queue;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &attribute;
  config.numAttrs = early ? 1 : 0;
  cudaLaunchKernelEx(&config, kernel, body);
}

template <class T, class Body>
auto kernel_of(const Body&) {
  return body_kernel<Body>;
}
template <class T>
auto kernel_of(const Product<T>& product) {
  using Small = typename Product<T>::Small;
  using Large = typename Product<T>::Large;
  if (product.gathers()) return product.large ? product_kernel<T, Large, true> : product_kernel<T, Small, true>;
  return product.large ? product_kernel<T, Large, false> : product_kernel<T, Small, false>;
}

template <class T>
void launch_task(const Task<T>& task, bool early, cudaStream_t queue) {
  const Shape shape = shape_of(task);
  std::visit([&](const auto& body) { start(kernel_of<T>(body), body, shape, early, queue); },
             static_cast<const TaskOf<T>&>(task));
}

}  // namespace

void launch(const Task<float>& task, bool early, cudaStream_t queue) { launch_task(task, early, queue); }
void launch(const Task<double>& task, bool early, cudaStream_t queue) { launch_task(task, early, queue); }

}  // namespace gpu

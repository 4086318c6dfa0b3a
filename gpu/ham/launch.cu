// The kernels of networks: each is the body of a task.
#include "gpu/device/cuda_block.cuh"
#include "gpu/ham/launch.h"

namespace gpu {
namespace {

template <class Body>
__global__ void __launch_bounds__(kRowThreads) body_kernel(const __grid_constant__ Body body) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  body.run(block, shared);
}

template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads) product_kernel(const __grid_constant__ Product<T> product) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  product.template compute<Tile>(block, shared);
}

template <class T, class Body>
void start(const Body& body, const Shape& shape, cudaStream_t queue) {
  body_kernel<<<shape.blocks, shape.threads, shape.shared_bytes, queue>>>(body);
}

template <class T>
void start(const Product<T>& product, const Shape& shape, cudaStream_t queue) {
  const auto kernel =
      product.large ? product_kernel<T, typename Product<T>::Large> : product_kernel<T, typename Product<T>::Small>;
  kernel<<<shape.blocks, shape.threads, shape.shared_bytes, queue>>>(product);
}

template <class T>
void launch_task(const Task<T>& task, cudaStream_t queue) {
  const Shape shape = shape_of(task);
  std::visit([&](const auto& body) { start<T>(body, shape, queue); }, static_cast<const TaskOf<T>&>(task));
}

}  // namespace

void launch(const Task<float>& task, cudaStream_t queue) { launch_task(task, queue); }
void launch(const Task<double>& task, cudaStream_t queue) { launch_task(task, queue); }

}  // namespace gpu

// The card: memory, errors and the two kernels, each a body of trials_body.h.
#include <stdexcept>
#include <string>

#include "gpu/dam/trials_body.h"
#include "gpu/device/cuda_block.cuh"
#include "gpu/device/launcher.h"

namespace gpu {
namespace {

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw std::runtime_error(std::string("the card: ") + what + ": " + cudaGetErrorString(status));
}

// 128 registers a thread: one block of 512 threads to a multiprocessor, two of 256, four of 128.
constexpr int kMaxThreads = 512;

template <bool kNear>
__global__ void __launch_bounds__(kMaxThreads, 1) clusters_kernel(const __grid_constant__ ClusterBatch batch) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  run_clusters<kNear>(block, batch, shared);
}

template <bool kNear>
__global__ void __launch_bounds__(kMaxThreads, 1) states_kernel(const __grid_constant__ StateBatch batch) {
  extern __shared__ __align__(16) std::byte shared[];
  CudaBlock block;
  run_states<kNear>(block, batch, shared);
}

class CudaLauncher final : public Launcher {
 public:
  explicit CudaLauncher(int index) : index_(index) {
    select();
    check(cudaGetDeviceProperties(&properties_, index), "its properties");
  }
  std::string name() const override { return properties_.name; }
  Limits limits() const override {
    select();
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "its memory");
    return {properties_.multiProcessorCount, properties_.sharedMemPerBlockOptin, properties_.sharedMemPerMultiprocessor,
            static_cast<std::int64_t>(free)};
  }
  void* allocate(std::size_t bytes) override {
    select();
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "allocating memory");
    return memory;
  }
  void release(void* memory) override {
    select();
    cudaFree(memory);
  }
  void put(void* there, const void* here, std::size_t bytes) override {
    select();
    check(cudaMemcpy(there, here, bytes, cudaMemcpyHostToDevice), "copying to it");
  }
  void get(void* here, const void* there, std::size_t bytes) override {
    select();
    check(cudaMemcpy(here, there, bytes, cudaMemcpyDeviceToHost), "copying from it");
  }
  void run(const ClusterBatch& batch, const Shape& shape) override {
    launch(batch.task.positions == nullptr ? clusters_kernel<true> : clusters_kernel<false>, batch, shape);
  }
  void run(const StateBatch& batch, const Shape& shape) override {
    launch(batch.task.positions == nullptr ? states_kernel<true> : states_kernel<false>, batch, shape);
  }

 private:
  // Every thread of the host has a current card of its own.
  void select() const { check(cudaSetDevice(index_), "choosing it"); }
  template <class Kernel, class Batch>
  void launch(Kernel kernel, const Batch& batch, const Shape& shape) const {
    select();
    check(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shape.shared_bytes)),
        "asking for shared memory");
    kernel<<<shape.blocks, shape.threads, shape.shared_bytes>>>(batch);
    check(cudaGetLastError(), "starting a kernel");
    check(cudaDeviceSynchronize(), "running a kernel");
  }

  int index_;
  cudaDeviceProp properties_{};
};

}  // namespace

int num_cards() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::unique_ptr<Launcher> make_cuda_launcher(int index) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0)
    throw std::runtime_error(std::string("there is no card to use here (") + cudaGetErrorString(status) + ")");
  if (index >= count)
    throw std::runtime_error("card " + std::to_string(index) + " of " + std::to_string(count) + " is not here");
  return std::make_unique<CudaLauncher>(index);
}

}  // namespace gpu

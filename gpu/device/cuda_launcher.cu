// The card: memory, errors queues and the two kernels of trials, each a body of trials_body.h.
#include <stdexcept>
#include <string>
#include <vector>

#include "gpu/dam/trials_body.h"
#include "gpu/device/cuda_block.cuh"
#include "gpu/device/launcher.h"
#include "gpu/ham/launch.h"

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
    check(cudaStreamCreate(&queue_), "its queue");
  }
  ~CudaLauncher() override {
    cudaSetDevice(index_);
    for (const cudaGraphExec_t recording : recordings_) cudaGraphExecDestroy(recording);
    cudaStreamDestroy(queue_);
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
  void clear(void* memory, std::size_t bytes) override {
    select();
    check(cudaMemset(memory, 0, bytes), "clearing memory");
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
    start(batch.task.positions == nullptr ? clusters_kernel<true> : clusters_kernel<false>, batch, shape);
  }
  void run(const StateBatch& batch, const Shape& shape) override {
    start(batch.task.positions == nullptr ? states_kernel<true> : states_kernel<false>, batch, shape);
  }
  void enqueue(const Task<float>& task) override { put_in(task); }
  void enqueue(const Task<double>& task) override { put_in(task); }
  void begin_recording() override {
    select();
    check(cudaStreamBeginCapture(queue_, cudaStreamCaptureModeThreadLocal), "recording");
  }
  int end_recording() override {
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(queue_, &graph), "recording");
    recordings_.emplace_back();
    const cudaError_t status = cudaGraphInstantiate(&recordings_.back(), graph, 0);
    cudaGraphDestroy(graph);
    check(status, "instantiating a recording");
    return static_cast<int>(recordings_.size()) - 1;
  }
  void replay(int recording) override {
    select();
    check(cudaGraphLaunch(recordings_[static_cast<std::size_t>(recording)], queue_), "replaying a recording");
  }
  void finish() override {
    select();
    check(cudaStreamSynchronize(queue_), "running a network's kernels");
  }

 private:
  template <class T>
  void put_in(const Task<T>& task) {
    select();
    launch(task, properties_.major >= 9, queue_);
    check(cudaGetLastError(), "starting a network's kernel");
  }
  // Every thread of the host has a current card of its own.
  void select() const { check(cudaSetDevice(index_), "choosing it"); }
  template <class Kernel, class Batch>
  void start(Kernel kernel, const Batch& batch, const Shape& shape) const {
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
  cudaStream_t queue_ = nullptr;  // copies wait for it: they run on the stream that all streams wait for
  std::vector<cudaGraphExec_t> recordings_;
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

// What runs batches: a card, or the host playing one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gpu {

struct ClusterBatch;
struct StateBatch;
template <class T>
struct Task;

/// How a kernel is launched.
struct Shape {
  int blocks = 1;
  int threads = 128;
  std::size_t shared_bytes = 0;
};

/// What a machine offers.
struct Limits {
  int multiprocessors = 1;
  std::size_t shared_per_block = 0, shared_per_multiprocessor = 0;
  std::int64_t memory = 0;  // bytes that are free
};

/// Memory and kernels of one machine. Every failure throws std::runtime_error with the machine's own words.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// `NVIDIA H100 80GB HBM3`: what provenance shows.
  virtual std::string name() const = 0;
  virtual Limits limits() const = 0;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) = 0;
  /// Fills memory with zeros.
  virtual void clear(void* memory, std::size_t bytes) = 0;
  virtual void put(void* there, const void* here, std::size_t bytes) = 0;
  virtual void get(void* here, const void* there, std::size_t bytes) = 0;
  /// Runs the batch to its end.
  virtual void run(const ClusterBatch& batch, const Shape& shape) = 0;
  virtual void run(const StateBatch& batch, const Shape& shape) = 0;

  /// Puts tasks in the machine's queue: they run in this order, and before put() or get() copy.
  virtual void enqueue(const Task<float>& task) = 0;
  virtual void enqueue(const Task<double>& task) = 0;
  /// What `enqueue` does between these two is not done but remembered, to be done again and again at one stroke (on a
  /// card, a CUDA graph). Returns what replay() wants.
  virtual void begin_recording() = 0;
  virtual int end_recording() = 0;
  virtual void replay(int recording) = 0;
  /// Waits until the queue is empty.
  virtual void finish() = 0;
};

/// The host playing a card with these limits, thread by thread: slow, for tests.
std::unique_ptr<Launcher> make_host_launcher(const Limits& limits);

/// Card number `index` of this machine; throws std::runtime_error saying why there is none to use.
std::unique_ptr<Launcher> make_cuda_launcher(int index);

/// Cards that make_cuda_launcher() takes; 0 where the build or the machine has none.
int num_cards();

}  // namespace gpu

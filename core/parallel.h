// The one place where threads start.
#pragma once

#include <cstddef>
#include <functional>

namespace core {

/// Runs body(index, thread) for index in [0, count) on `threads` threads, dynamically scheduled; thread < threads.
///
/// The first exception of a body is rethrown here after all bodies ended or were skipped. Results must not depend on
/// the schedule: write to slots owned by the index. The threads stay from call to call; called by a body, or while
/// another thread's call is under way, it runs on the calling thread alone; where the system gives fewer threads, on
/// those.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t index, int thread)>& body);

/// Told of every call of parallel_for on one thread and of its bodies: for timing them.
struct TaskWatcher {
  virtual ~TaskWatcher() = default;
  virtual void phase_begins(std::size_t count) = 0;
  virtual void task_ends() = 0;
};
/// From now on; null: nobody.
void watch_tasks(TaskWatcher* watcher);

/// Runs body(chunk, first, size) on the pieces [first, first + size) of `count` elements, kChunk of them each but the
/// last: the same pieces for any number of threads, so that sums over pieces are too.
inline constexpr std::size_t kChunk = std::size_t{1} << 15;
constexpr std::size_t num_chunks(std::size_t count) { return (count + kChunk - 1) / kChunk; }
void for_each_chunk(std::size_t count, int threads,
                    const std::function<void(std::size_t chunk, std::size_t first, std::size_t size)>& body);

/// The number of hardware threads this process may use (respects affinity and OMP_NUM_THREADS), at least 1.
int hardware_threads();

}  // namespace core

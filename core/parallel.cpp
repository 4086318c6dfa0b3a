#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace core {
namespace {

using Work = std::function<void(int thread)>;

std::atomic<TaskWatcher*> watching = nullptr;

// Whether the calling thread is at work in a team; what it calls in parallel then runs on it alone.
thread_local bool at_work = false;

// Tries often enough that a phase of microseconds is not slept through, and gives the processor away soon after.
template <class Condition>
bool soon(const Condition& condition) {
  constexpr int kTries = 400;
  for (int i = 0; i < kTries; ++i) {
    if (condition()) return true;
#if defined(__x86_64__)
    _mm_pause();
#endif
  }
  return condition();
}

// Threads that stay from call to call. Who opens a job works on it too, and closes it when nothing is left to begin:
// a thread that has not come by then is not waited for, so that on a busy machine a job takes no longer than with the
// threads that do run.
class Team {
 public:
  // Never destroyed: its threads end with the process, also with one that was forked without them.
  static Team& instance() {
    static Team* const team = new Team;
    return *team;
  }

  void run(int threads, const Work& work) {
    if (threads == 1) return work(0);
    std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
    if (at_work || !turn.try_lock()) return work_as(0, work);  // the team has a job already
    grow(threads - 1);
    work_ = &work;
    threads_ = threads;
    state_.store(next_round() | kOpen, std::memory_order_release);
    state_.notify_all();
    work_as(0, work);
    state_.fetch_and(~kOpen, std::memory_order_acq_rel);
    std::uint32_t state = 0;
    const auto left = [&] { return ((state = state_.load(std::memory_order_acquire)) & kInside) == 0; };
    while (!soon(left)) state_.wait(state, std::memory_order_acquire);
  }

 private:
  // The state: the job's number, whether it may still be joined, and how many threads are inside.
  static constexpr std::uint32_t kInside = (1u << 15) - 1, kOpen = 1u << 15, kRound = 1u << 16;

  std::uint32_t next_round() { return round_ += kRound; }

  // Where the system gives no more threads (limits of users and of containers) those there are do the work.
  void grow(int size) {
    try {
      for (; !refused_ && size_ < size; ++size_) std::thread([this, thread = size_ + 1] { stay(thread); }).detach();
    } catch (const std::system_error&) {
      refused_ = true;
    }
  }

  static void work_as(int thread, const Work& work) {
    const bool before = at_work;
    at_work = true;
    work(thread);
    at_work = before;
  }

  void stay(int thread) {
    std::uint32_t done = 0;  // the job this thread has seen
    for (;;) {
      std::uint32_t state = state_.load(std::memory_order_acquire);
      const auto job = [&] {
        state = state_.load(std::memory_order_acquire);
        return (state & kOpen) != 0 && (state & ~(kInside | kOpen)) != done;
      };
      if (!soon(job)) {
        state_.wait(state, std::memory_order_acquire);
        continue;
      }
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
      done = state & ~(kInside | kOpen);
      if (thread < threads_) work_as(thread, *work_);
      if (((state_.fetch_sub(1, std::memory_order_acq_rel) - 1) & (kInside | kOpen)) == 0) state_.notify_all();
    }
  }

  std::mutex turn_;
  int size_ = 0;
  bool refused_ = false;
  std::uint32_t round_ = 0;
  const Work* work_ = nullptr;
  int threads_ = 0;
  std::atomic<std::uint32_t> state_ = 0;
};

}  // namespace

void watch_tasks(TaskWatcher* watcher) { watching = watcher; }

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t, int)>& body) {
  if (TaskWatcher* const watcher = watching; watcher != nullptr && threads == 1) {
    watcher->phase_begins(count);
    for (std::size_t index = 0; index < count; ++index) body(index, 0), watcher->task_ends();
    return;
  }
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
  std::atomic<std::size_t> next = 0;
  Team::instance().run(threads, [&](int thread) {
    for (std::size_t index; !failed && (index = next++) < count;) {
      try {
        body(index, thread);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  });
  if (failure) std::rethrow_exception(failure);
}

void for_each_chunk(std::size_t count, int threads,
                    const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  parallel_for(num_chunks(count), threads,
               [&](std::size_t chunk, int) { body(chunk, chunk * kChunk, std::min(kChunk, count - chunk * kChunk)); });
}

int hardware_threads() { return std::max(1, omp_get_max_threads()); }

}  // namespace core

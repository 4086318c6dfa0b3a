#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace core {
namespace {

/// Runs work(thread) on this many threads; OpenMP keeps them from call to call.
template <class Work>
void on_threads(int threads, const Work& work) {
#ifdef __SANITIZE_THREAD__
  // The thread sanitizer does not see how libgomp starts and joins its threads, and would report every result.
  std::vector<std::jthread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(std::cref(work), thread);
  work(0);
#else
#pragma omp parallel num_threads(threads)
  work(omp_get_thread_num());
#endif
}

}  // namespace

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t, int)>& body) {
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
  std::atomic<std::size_t> next = 0;
  on_threads(threads, [&](int thread) {
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

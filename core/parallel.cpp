#include "core/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>

namespace core {

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t, int)>& body) {
  std::exception_ptr failure;
  std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::size_t index = 0; index < count; ++index) {
    if (failed) continue;
    try {
      body(index, omp_get_thread_num());
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void for_each_chunk(std::size_t count, int threads,
                    const std::function<void(std::size_t, std::size_t, std::size_t)>& body) {
  parallel_for(num_chunks(count), threads,
               [&](std::size_t chunk, int) { body(chunk, chunk * kChunk, std::min(kChunk, count - chunk * kChunk)); });
}

int hardware_threads() { return std::max(1, omp_get_max_threads()); }

}  // namespace core

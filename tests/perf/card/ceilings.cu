#include "tests/perf/card/ceilings.h"

#include <cstdint>
#include <stdexcept>

namespace gpu {
namespace {

__global__ void products(int* out, int rounds) {
  int c[8][4] = {};
  const std::uint32_t a[4] = {threadIdx.x, 7u, threadIdx.x * 3u, 9u};
  for (int i = 0; i < rounds; ++i)
#pragma unroll
    for (int j = 0; j < 8; ++j)
      asm volatile(
          "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
          : "+r"(c[j][0]), "+r"(c[j][1]), "+r"(c[j][2]), "+r"(c[j][3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[0] + j), "r"(a[1]));
  int sum = 0;
  for (const auto& row : c)
    for (const int v : row) sum += v;
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

__global__ void read(const uint4* words, std::size_t count, unsigned* out) {
  unsigned any = 0;
  for (std::size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += std::size_t{gridDim.x} * blockDim.x)
    any |= words[i].x ^ words[i].y ^ words[i].z ^ words[i].w;
  if (any == 1) *out = any;
}

/// Seconds of one of `times` runs, after one to warm up.
template <class Run>
double seconds(const Run& run, int times) {
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  run();
  cudaEventRecord(begin);
  for (int i = 0; i < times; ++i) run();
  cudaEventRecord(end);
  if (cudaEventSynchronize(end) != cudaSuccess) throw std::runtime_error("the card failed");
  float milliseconds = 0;
  cudaEventElapsedTime(&milliseconds, begin, end);
  return milliseconds / 1e3 / times;
}

}  // namespace

double peak_bit_products() {
  constexpr int kBlocks = 132 * 4, kThreads = 256, kRounds = 20000;
  int* out;
  cudaMalloc(&out, kBlocks * kThreads * sizeof(int));
  const double time = seconds([&] { products<<<kBlocks, kThreads>>>(out, kRounds); }, 2);
  cudaFree(out);
  return 1e-15 * kBlocks * (kThreads / 32) * kRounds * 8.0 * 16 * 8 * 256 / time;
}

double peak_bytes_read() {
  constexpr std::size_t kBytes = std::size_t{4} << 30;
  uint4* words;
  cudaMalloc(&words, kBytes);
  cudaMemset(words, 0x5b, kBytes);
  const double time =
      seconds([&] { read<<<132 * 16, 512>>>(words, kBytes / 16, reinterpret_cast<unsigned*>(words)); }, 5);
  cudaFree(words);
  return 1e-12 * kBytes / time;
}

}  // namespace gpu

#include "ham/kernels/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include "ham/kernels/sets.h"

namespace ham {
namespace {

#if defined(__x86_64__)
// Feature by feature: Clang 14 knows neither the levels by name nor all of what is in them.
bool has_v3() {
  unsigned a = 0, b = 0, basic = 0, extended = 0, d = 0;
  return __get_cpuid(1, &a, &b, &basic, &d) && (basic & bit_F16C) && (basic & bit_MOVBE) &&
         __get_cpuid(0x80000001, &a, &b, &extended, &d) && (extended & bit_LZCNT) && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#if defined(HAM_AMX)
bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return has_v4() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & (1u << 24)) && (d & (1u << 22)) &&
         __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5)) && amx::available();
}
#endif
#else
bool has_v3() { return false; }
bool has_v4() { return false; }
#endif

constexpr KernelSet kSets[] = {
    {"baseline", [] { return true; }, baseline::single, baseline::real},
    {"x86-64-v3", has_v3, v3::single, v3::real},
    {"x86-64-v4", has_v4, v4::single, v4::real},
#if defined(HAM_AMX)
    {"amx", has_amx, amx::single, v4::real, true},
#endif
};

const KernelSet* best() {
  const KernelSet* chosen = &kSets[0];
  for (const KernelSet& set : kSets)
    if (!set.by_choice && set.available()) chosen = &set;
  return chosen;
}

std::atomic<const KernelSet*>& in_use() {
  static std::atomic<const KernelSet*> set = best();
  return set;
}

struct Buffer {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  ~Buffer() { std::free(data); }
};

}  // namespace

std::span<const KernelSet> kernel_sets() { return kSets; }

const char* kernels_in_use() { return in_use().load()->name; }

void use_kernels(const std::string& name) {
  std::string names;
  for (const KernelSet& set : kSets) {
    names += (names.empty() ? "" : ", ") + std::string(set.name);
    if (name != set.name) continue;
    if (!set.available()) throw std::invalid_argument("kernels '" + name + "' cannot run on this processor");
    in_use() = &set;
    return;
  }
  throw std::invalid_argument("kernels '" + name + "' are not one of " + names);
}

template <>
const Kernels<float>& kernels<float>() {
  return in_use().load()->single();
}
template <>
const Kernels<double>& kernels<double>() {
  return in_use().load()->real();
}

std::byte* scratch(Scratch purpose, std::size_t bytes) {
  constexpr std::size_t kAlignment = 64;
  thread_local std::array<Buffer, static_cast<std::size_t>(Scratch::kCount)> buffers;
  Buffer& buffer = buffers[static_cast<std::size_t>(purpose)];
  if (buffer.bytes < bytes) {
    std::free(buffer.data);
    buffer.bytes = 0;
    buffer.data =
        static_cast<std::byte*>(std::aligned_alloc(kAlignment, (bytes + kAlignment) / kAlignment * kAlignment));
    if (buffer.data == nullptr) throw std::bad_alloc();
    buffer.bytes = bytes;
  }
  return buffer.data;
}

}  // namespace ham

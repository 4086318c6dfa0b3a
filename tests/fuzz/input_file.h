// What a fuzzer invents, as a file: the readers take paths.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fuzz {

/// Memory a reader may take of an input; libFuzzer's -malloc_limit_mb stands a little above.
inline constexpr std::uint64_t kByteLimit = 1 << 24;

/// Writes the input to the one file of this process and returns its path.
inline std::string input_file(const std::uint8_t* data, std::size_t size, const std::string& ending) {
  static const std::string path = "/dev/shm/dambench-fuzz-" + std::to_string(::getpid()) + ending;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr || std::fwrite(data, 1, size, file) != size || std::fclose(file) != 0) std::abort();
  return path;
}

/// A target that hands the input to a reader of paths: it reads, or says in a std::runtime_error why not.
template <class Read>
int read_or_refuse(const std::uint8_t* data, std::size_t size, const std::string& ending, Read read) {
  const std::string path = input_file(data, size, ending);
  try {
    read(path);
  } catch (const std::runtime_error&) {
  }
  return 0;
}

}  // namespace fuzz

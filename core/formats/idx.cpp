#include "core/formats/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace core {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr unsigned kLargestChunk = 1u << 30;

struct CloseFile {
  void operator()(gzFile file) const { gzclose(file); }
};
using File = std::unique_ptr<gzFile_s, CloseFile>;

/// Reads exactly `size` bytes; zlib passes uncompressed files through.
void read_exactly(const File& file, std::uint8_t* bytes, std::uint64_t size, const std::string& path) {
  while (size > 0) {
    const auto chunk = static_cast<unsigned>(std::min<std::uint64_t>(size, kLargestChunk));
    const int got = gzread(file.get(), bytes, chunk);
    if (got <= 0) {
      int error = Z_OK;
      const char* reason = gzerror(file.get(), &error);
      throw std::runtime_error(error == Z_OK ? path + ": ends before its header says" : std::string(reason));
    }
    bytes += got;
    size -= static_cast<unsigned>(got);
  }
}

}  // namespace

NumericArray read_idx(const std::string& path, std::uint64_t byte_limit) {
  const File file(gzopen(path.c_str(), "rb"));
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::array<std::uint8_t, 4> magic{};
  read_exactly(file, magic.data(), magic.size(), path);
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != kUnsignedByte || magic[3] < 1 || magic[3] > 4)
    throw std::runtime_error(
        fmt::format("{}: is no IDX file of unsigned bytes (begins with {:02x} {:02x} {:02x} {:02x})", path, magic[0],
                    magic[1], magic[2], magic[3]));
  ArrayInfo info{{}, ElementType::uint8};
  for (int dimension = 0; dimension < magic[3]; ++dimension) {
    std::array<std::uint8_t, 4> size{};
    read_exactly(file, size.data(), size.size(), path);
    info.shape.push_back(std::uint64_t{size[0]} << 24 | std::uint64_t{size[1]} << 16 | std::uint64_t{size[2]} << 8 |
                         size[3]);
  }
  const std::uint64_t bytes = checked_bytes(info, byte_limit, path + ": the array");
  // A forged header must not make us allocate what the file cannot hold: grow as bytes arrive.
  constexpr std::uint64_t kStep = 1 << 20;
  std::vector<std::uint8_t> values;
  while (values.size() < bytes) {
    const std::uint64_t from = values.size(), step = std::min<std::uint64_t>(kStep, bytes - from);
    values.resize(from + step);
    read_exactly(file, values.data() + from, step, path);
  }
  // Reading on to the end also makes zlib compare the checksum that ends a compressed file.
  std::uint8_t beyond = 0;
  if (gzread(file.get(), &beyond, 1) > 0) throw std::runtime_error(path + ": is longer than its header says");
  int error = Z_OK;
  const char* reason = gzerror(file.get(), &error);
  if (error != Z_OK) throw std::runtime_error(reason);
  return {info.shape, std::move(values)};
}

}  // namespace core

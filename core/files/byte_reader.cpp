#include "core/files/byte_reader.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace core {

FileReader::FileReader(const std::string& path) : ByteReader(path) {
  std::error_code ignored;  // an unreadable path fails below
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw std::runtime_error(path + ": not a regular file");
  file_.reset(gzopen(path.c_str(), "rb"));
  if (!file_) throw std::runtime_error(path + ": cannot open");
  constexpr unsigned kBuffer = 1 << 17;
  gzbuffer(file_.get(), kBuffer);
}

std::size_t FileReader::read(void* to, std::size_t size) {
  constexpr std::size_t kLargest = 1u << 30;  // gzread counts in int
  auto* at = static_cast<char*>(to);
  std::size_t done = 0;
  while (done < size) {
    const int got = gzread(file_.get(), at + done, static_cast<unsigned>(std::min(size - done, kLargest)));
    if (got > 0) {
      done += static_cast<std::size_t>(got);
      continue;
    }
    int error = Z_OK;
    const std::string reason = gzerror(file_.get(), &error);
    if (error == Z_OK) break;
    throw std::runtime_error(reason.starts_with(name()) ? reason : name() + ": " + reason);
  }
  return done;
}

std::size_t MemoryReader::read(void* to, std::size_t size) {
  size = std::min(size, left_.size());
  if (size > 0) std::memcpy(to, left_.data(), size);
  left_ = left_.subspan(size);
  return size;
}

Bytes read_rest(ByteReader& reader, std::uint64_t byte_limit) {
  constexpr std::size_t kStep = 1 << 20;
  Bytes bytes;
  for (;;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + kStep);
    const std::size_t got = reader.read(bytes.data() + before, kStep);
    bytes.resize(before + got);
    if (bytes.size() > byte_limit)
      throw std::runtime_error(reader.name() + ": needs more than the limit of " + std::to_string(byte_limit) +
                               " bytes");
    if (got < kStep) return bytes;
  }
}

}  // namespace core

// Bytes one after another, wherever they come from: files, plain or gzip-compressed, members of archives, memory.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/formats/arrays.h"

namespace core {

/// A source of bytes that is read once, from its start; errors are std::runtime_error "NAME: …".
class ByteReader {
 public:
  explicit ByteReader(std::string name) : name_(std::move(name)) {}
  virtual ~ByteReader() = default;
  ByteReader(const ByteReader&) = delete;
  ByteReader& operator=(const ByteReader&) = delete;

  /// Reads `size` bytes, fewer where the source ends; returns how many.
  virtual std::size_t read(void* to, std::size_t size) = 0;
  /// What messages call the source.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
};

/// A regular file; what gzip compressed comes out decompressed.
class FileReader final : public ByteReader {
 public:
  /// Throws std::runtime_error when the path is no regular file or cannot be opened.
  explicit FileReader(const std::string& path);
  std::size_t read(void* to, std::size_t size) override;

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::unique_ptr<gzFile_s, Close> file_;
};

/// Bytes in memory, which outlive the reader.
class MemoryReader final : public ByteReader {
 public:
  MemoryReader(std::span<const std::byte> bytes, std::string name) : ByteReader(std::move(name)), left_(bytes) {}
  std::size_t read(void* to, std::size_t size) override;

 private:
  std::span<const std::byte> left_;
};

/// All that is left; throws std::runtime_error when that is more than the limit.
Bytes read_rest(ByteReader& reader, std::uint64_t byte_limit);

}  // namespace core

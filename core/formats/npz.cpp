#include "core/formats/npz.h"

#include <zip.h>

#include <memory>
#include <stdexcept>

#include "core/files/file.h"
#include "core/formats/npy.h"

namespace core {
namespace {

// An archive built in memory; libzip frees the source with the archive, unless it is kept.
class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path) {
    zip_error_t error;
    zip_error_init(&error);
    source_ = zip_source_buffer_create(nullptr, 0, 0, &error);
    if (source_ != nullptr) archive_ = zip_open_from_source(source_, ZIP_TRUNCATE, &error);
    if (archive_ == nullptr) {
      zip_source_free(source_);
      throw std::runtime_error(path_ + ": " + zip_error_strerror(&error));
    }
    zip_source_keep(source_);
  }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;
  ~Archive() {
    if (archive_ != nullptr) zip_discard(archive_);
    zip_source_free(source_);
  }

  /// The content must outlive bytes().
  void add(const std::string& name, const Bytes& content) {
    zip_source_t* file = zip_source_buffer(archive_, content.data(), content.size(), 0);
    const zip_int64_t index = file == nullptr ? -1 : zip_file_add(archive_, name.c_str(), file, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(file);
      fail();
    }
    const auto at = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kNoTime = 0, kFirstOfJanuary1980 = 0x21;  // no time stamps: equal content, equal bytes
    if (zip_set_file_compression(archive_, at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive_, at, kNoTime, kFirstOfJanuary1980, 0) != 0)
      fail();
  }

  Bytes bytes() {
    if (zip_close(archive_) != 0) fail();
    archive_ = nullptr;
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_source_stat(source_, &stat) != 0 || zip_source_open(source_) != 0)
      throw std::runtime_error(path_ + ": the archive cannot be finished");
    Bytes content(stat.size);
    const zip_int64_t read = zip_source_read(source_, content.data(), content.size());
    zip_source_close(source_);
    if (read != static_cast<zip_int64_t>(content.size()))
      throw std::runtime_error(path_ + ": the archive cannot be finished");
    return content;
  }

 private:
  [[noreturn]] void fail() const { throw std::runtime_error(path_ + ": " + zip_strerror(archive_)); }

  const std::string& path_;
  zip_source_t* source_ = nullptr;
  zip_t* archive_ = nullptr;
};

}  // namespace

void write_npz(const std::string& path, const std::vector<std::pair<std::string, NumericArray>>& arrays) {
  std::vector<Bytes> contents;
  contents.reserve(arrays.size());
  Archive archive(path);
  for (const auto& [name, array] : arrays) {
    contents.push_back(npy_bytes(array));
    archive.add(name + ".npy", contents.back());
  }
  replace_file(path, {archive.bytes()});
}

}  // namespace core

#include "core/formats/npz.h"

#include <zip.h>

#include <memory>
#include <stdexcept>

#include "core/formats/npy.h"

namespace core {
namespace {

/// An archive built in memory; libzip frees the source with the archive, unless it is kept.
class NewArchive {
 public:
  explicit NewArchive(const std::string& path) : path_(path) {
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
  NewArchive(const NewArchive&) = delete;
  NewArchive& operator=(const NewArchive&) = delete;
  ~NewArchive() {
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

  const std::string path_;
  zip_source_t* source_ = nullptr;
  zip_t* archive_ = nullptr;
};

/// One member of an archive.
class MemberReader final : public ByteReader {
 public:
  MemberReader(zip_t* archive, zip_uint64_t index, std::string name) : ByteReader(std::move(name)) {
    file_.reset(zip_fopen_index(archive, index, 0));
    if (!file_) throw std::runtime_error(this->name() + ": " + zip_strerror(archive));
  }
  std::size_t read(void* to, std::size_t size) override {
    auto* at = static_cast<char*>(to);
    std::size_t done = 0;
    while (done < size) {
      const zip_int64_t got = zip_fread(file_.get(), at + done, size - done);
      if (got < 0) throw std::runtime_error(name() + ": damaged: " + zip_file_strerror(file_.get()));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };
  std::unique_ptr<zip_file_t, Close> file_;
};

constexpr std::string_view kEnding = ".npy";

}  // namespace

struct NpzFile::Archive {
  struct Close {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };
  std::unique_ptr<zip_t, Close> zip;
};

NpzFile::NpzFile(const std::string& path) : path_(path), archive_(std::make_unique<Archive>()) {
  int code = 0;
  archive_->zip.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (!archive_->zip) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw std::runtime_error(path + ": damaged: " + reason);
  }
  const zip_int64_t count = zip_get_num_entries(archive_->zip.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* raw = zip_get_name(archive_->zip.get(), static_cast<zip_uint64_t>(i), 0);
    const std::string_view name = raw == nullptr ? "" : raw;
    if (name.ends_with(kEnding))
      names_.emplace_back(name.substr(0, name.size() - kEnding.size()));
    else
      others_.emplace_back(name);
  }
}

NpzFile::~NpzFile() = default;
NpzFile::NpzFile(NpzFile&&) noexcept = default;

NumericArray NpzFile::read(const std::string& name, std::uint64_t byte_limit) const {
  const std::string what = path_ + ": " + name, member = name + std::string(kEnding);
  const zip_int64_t index = zip_name_locate(archive_->zip.get(), member.c_str(), 0);
  if (index < 0) throw std::runtime_error(what + ": not in the archive");
  MemberReader reader(archive_->zip.get(), static_cast<zip_uint64_t>(index), what);
  return read_npy(reader, byte_limit);
}

Bytes npz_bytes(const std::vector<std::pair<std::string, NumericArray>>& arrays) {
  std::vector<Bytes> contents;
  contents.reserve(arrays.size());
  NewArchive archive("archive");
  for (const auto& [name, array] : arrays) {
    contents.push_back(npy_bytes(array));
    archive.add(name + ".npy", contents.back());
  }
  return archive.bytes();
}

}  // namespace core

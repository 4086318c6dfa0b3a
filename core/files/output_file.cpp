#include "core/files/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/files/descriptor.h"
#include "core/files/file.h"

namespace core {
namespace {

namespace fs = std::filesystem;

bool is_stream(const struct stat& status) { return S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode); }

const char* name_of(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return "a directory";
  if (S_ISFIFO(status.st_mode)) return "a pipe";
  if (S_ISSOCK(status.st_mode)) return "a socket";
  return "a device";
}

std::string joined(const std::vector<std::string_view>& endings) {
  std::string text;
  for (std::size_t i = 0; i < endings.size(); ++i)
    text += (i == 0 ? "" : i + 1 == endings.size() ? " or " : ", ") + std::string(endings[i]);
  return text;
}

}  // namespace

std::string behind_links(const std::string& path) {
  constexpr int kMostLinks = 40;
  fs::path at = path;
  std::error_code error;
  for (int link = 0; fs::is_symlink(fs::symlink_status(at, error)); ++link) {
    if (link == kMostLinks) throw std::runtime_error(path + ": its symbolic links go round in a circle");
    const fs::path target = fs::read_symlink(at, error);
    if (error) break;
    at = target.is_absolute() ? target : at.parent_path() / target;
  }
  return at.string();
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code none;
  return fs::exists(a, none) && fs::exists(b, none) && fs::equivalent(a, b, none);
}

std::string first_bytes(const std::string& path, std::size_t count) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string bytes(count, '\0');
  std::size_t have = 0;
  for (ssize_t got = 1; file.valid() && got > 0 && have < count;
       have += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
    got = ::read(file.get(), bytes.data() + have, count - have);
  bytes.resize(have);
  return bytes;
}

OutputFile::OutputFile(const std::string& path, const OutputKind& kind, std::span<const std::string> inputs, bool force)
    : path_(behind_links(path)) {
  const bool fits = kind.endings.empty() ||
                    std::ranges::any_of(kind.endings, [&](std::string_view ending) { return path.ends_with(ending); });
  struct stat status {};
  const bool there = ::stat(path_.c_str(), &status) == 0;
  if (there && is_stream(status) && kind.streams) return;
  if (there && !S_ISREG(status.st_mode))
    throw std::runtime_error(path + ": is " + name_of(status) + ", not a place for " + kind.what);
  for (const std::string& input : inputs)
    if (same_file(path_, input))
      throw Refused(path + ": is what this command reads; writing " + kind.what + " there would destroy it");
  if (there && status.st_size > 0 && !force && !kind.recognises(path_))
    throw Refused(path + ": is there and is not " + kind.what + "; choose another name, or --force to replace it");
  if (!fits) throw std::invalid_argument(path + ": " + kind.what + " has a name that ends in " + joined(kind.endings));
  lock_.emplace(path_);
}

void OutputFile::write(std::initializer_list<std::span<const std::byte>> parts) const {
  if (lock_) return replace_file(path_, parts);
  stream_file(path_, parts);
}

}  // namespace core

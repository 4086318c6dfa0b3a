#include "core/files/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/files/descriptor.h"

namespace core {
namespace {

std::filesystem::path directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

void write_all(const Descriptor& file, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw errno_error(path + ": cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

/// Gives the file who may read and write the one at `path`, if there is one: a private file stays private.
void keep_rights(const Descriptor& file, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;
  // Only root may give files away, and a group only its members; others' files become the writer's own.
  const bool given = ::fchown(file.get(), status.st_uid, status.st_gid) == 0 ||
                     ::fchown(file.get(), static_cast<uid_t>(-1), status.st_gid) == 0;
  const mode_t rights = status.st_mode & 0777;
  // File systems without rights say so, and lose nothing.
  if (::fchmod(file.get(), given ? rights : rights & 0707) != 0 && errno != EPERM && errno != ENOTSUP)
    throw errno_error(path + ": cannot keep its rights");
}

void flush_directory(const std::string& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot flush a directory and say EINVAL; they order renames themselves.
  if (!directory.valid() || (::fsync(directory.get()) != 0 && errno != EINVAL))
    throw errno_error(path + ": cannot flush its directory");
}

}  // namespace

Bytes read_file(const std::string& path, std::uint64_t byte_limit) {
  // O_NONBLOCK: opening a named pipe must not wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) throw errno_error(path + ": cannot open");
  if (!S_ISREG(status.st_mode)) throw std::runtime_error(path + ": not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > byte_limit)
    throw std::runtime_error(path + ": " + std::to_string(size) + " bytes, the limit is " + std::to_string(byte_limit));
  Bytes bytes(size);
  for (std::size_t have = 0; have < bytes.size();) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw errno_error(path + ": cannot read");
    if (got == 0) throw std::runtime_error(path + ": became shorter while it was read");
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string read_text(const std::string& path, std::size_t byte_limit, int patience_ms) {
  // O_NONBLOCK: neither opening a named pipe nor reading from it waits for a writer, poll() does.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) throw errno_error(path + ": cannot be read");
  const bool waits = !S_ISREG(status.st_mode);
  std::string text;
  constexpr std::size_t kStep = 1 << 16;
  while (text.size() <= byte_limit) {
    if (pollfd ready{file.get(), POLLIN, 0}; waits && ::poll(&ready, 1, patience_ms) == 0)
      throw std::runtime_error(path + ": nothing came through this pipe for " + std::to_string(patience_ms / 1000) +
                               " s");
    const std::size_t before = text.size();
    text.resize(before + kStep);
    const ssize_t got = ::read(file.get(), text.data() + before, kStep);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
    if (got < 0 && errno != EINTR && errno != EAGAIN) throw errno_error(path + ": cannot be read");
  }
  throw std::runtime_error(path + ": is longer than the limit, " + std::to_string(byte_limit) + " bytes");
}

void require_regular(const std::string& path) {
  std::error_code ignored;  // what cannot be looked at fails when it is opened
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw std::runtime_error(path + ": not a regular file");
}

void replace_file(const std::string& path, std::initializer_list<std::span<const std::byte>> parts) {
  const std::string temporary = path + "." + std::to_string(::getpid()) + ".tmp";
  // O_EXCL: never through a link, never into somebody's file. What stands there under our own process id is left over
  // from a dead process or planted; only its name is removed.
  const auto create = [&] {
    return Descriptor(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  };
  Descriptor file = create();
  if (!file.valid() && errno == EEXIST && ::unlink(temporary.c_str()) == 0) file = create();
  if (!file.valid()) throw errno_error(path + ": cannot create a temporary file beside it");
  try {
    keep_rights(file, path);
    for (const auto part : parts) write_all(file, part, path);
    if (::fsync(file.get()) != 0 || !file.close()) throw errno_error(path + ": cannot flush");
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw errno_error(path + ": cannot replace");
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  flush_directory(path);
}

void stream_file(const std::string& path, std::initializer_list<std::span<const std::byte>> parts) {
  // O_NONBLOCK: opening a pipe that nobody reads fails at once.
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) throw errno_error(path + ": cannot be written to");
  if (::fcntl(file.get(), F_SETFL, 0) != 0) throw errno_error(path + ": cannot be written to");
  for (const auto part : parts) write_all(file, part, path);
}

void remove_stale_temporaries(const std::string& path) {
  const std::string prefix = std::filesystem::path(path).filename().string() + ".";
  std::error_code ignored;  // a temporary that cannot be listed or removed harms nobody
  for (const auto& entry : std::filesystem::directory_iterator(directory_of(path), ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(".tmp") || name.size() < prefix.size() + 5) continue;
    const std::string pid = name.substr(prefix.size(), name.size() - prefix.size() - 4);
    if (pid.find_first_not_of("0123456789") == std::string::npos) std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace core

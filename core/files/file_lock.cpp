#include "core/files/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <climits>
#include <filesystem>
#include <string_view>

#include "core/files/file.h"

namespace core {
namespace {

std::string lock_name(const std::string& path) { return path + ".lock"; }

std::string holder(const Descriptor& file) {
  char text[32] = {};
  const ssize_t size = ::pread(file.get(), text, sizeof text - 1, 0);
  const std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto end = pid.find_first_not_of("0123456789");
  return end == 0 || pid.empty() ? "unknown" : pid.substr(0, end);
}

/// Whether the locked file is still the one others find: its last holder may have removed it before we locked it.
bool still_there(const Descriptor& file, const std::string& name) {
  struct stat ours {};
  struct stat theirs {};
  return ::fstat(file.get(), &ours) == 0 && ::stat(name.c_str(), &theirs) == 0 && ours.st_ino == theirs.st_ino &&
         ours.st_dev == theirs.st_dev;
}

/// With `.PID.tmp` behind it a name is one that file systems take.
constexpr std::size_t kLongestName = NAME_MAX - std::string_view(".4194304.tmp").size();

bool has_no_locks(int error) { return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP; }

void (*told_unheld)(const std::string& line) = nullptr;

/// Whether this is what a lock file looks like: short, a process id on a line, or empty. Anything else is somebody's.
bool looks_like_ours(const Descriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1 || status.st_size > 24)
    return false;
  char text[32] = {};
  const ssize_t size = ::pread(file.get(), text, sizeof text - 1, 0);
  return std::string_view(text, size > 0 ? static_cast<std::size_t>(size) : 0).find_first_not_of("0123456789\n") ==
         std::string_view::npos;
}

Descriptor lock(const std::string& path, FileLock::LockCall call, bool& held) {
  const std::string name = lock_name(path);
  while (true) {
    // O_NOFOLLOW: a link planted under this name is never followed.
    Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666));
    if (!file.valid() && errno == ELOOP) throw std::runtime_error(path + ": its lock file " + name + " is a link");
    if (!file.valid()) throw errno_error(path + ": cannot create its lock file " + name);
    if (!looks_like_ours(file))
      throw std::runtime_error(path + ": " + name + " is no lock file of this program; move it away");
    if (call(file.get()) != 0) {
      if (errno == EINTR) continue;
      if (has_no_locks(errno)) {
        held = false;
        return file;
      }
      if (errno == EWOULDBLOCK) throw std::runtime_error(path + ": is being written by process " + holder(file));
      throw errno_error(path + ": cannot lock " + name);
    }
    if (still_there(file, name)) return file;
  }
}

}  // namespace

int FileLock::system_lock(int descriptor) { return ::flock(descriptor, LOCK_EX | LOCK_NB); }

void FileLock::tell_unheld(void (*told)(const std::string& line)) { told_unheld = told; }

FileLock::FileLock(std::string path, LockCall call) : path_(std::move(path)), file_(-1) {
  std::error_code ignored;  // whatever cannot be looked at fails with its reason when it is locked
  const auto status = std::filesystem::status(path_, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw std::runtime_error(path_ + ": not a regular file, cannot be written");
  // A rename would go over a file that its owner has made read-only. (Where the directory is, locking will say so.)
  const auto writable = [](const std::filesystem::path& name) {
    return ::faccessat(AT_FDCWD, name.c_str(), W_OK, AT_EACCESS) == 0;
  };
  if (std::filesystem::exists(status) && writable(std::filesystem::absolute(path_).parent_path()) && !writable(path_))
    throw errno_error(path_ + ": cannot be written");
  if (std::filesystem::path(path_).filename().native().size() > kLongestName)
    throw std::runtime_error(
        fmt::format("{}: its name has more than {} bytes, too long for a lock and a temporary file "
                    "beside it",
                    path_, kLongestName));
  file_ = lock(path_, call, held_);
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    const std::runtime_error error = errno_error(path_ + ": cannot write its lock file " + lock_name(path_));
    ::unlink(lock_name(path_).c_str());
    throw error;
  }
  // Without a lock a temporary may be a living writer's.
  if (held_) remove_stale_temporaries(path_);
  if (!held_ && told_unheld != nullptr)
    told_unheld(path_ + ": this file system has no locks; see to it that no other process writes this file");
}

FileLock::~FileLock() {
  // Removed while still held, so that nobody can have locked it in between.
  if (file_.valid()) ::unlink(lock_name(path_).c_str());
}

}  // namespace core

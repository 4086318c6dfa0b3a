// One writer per result file.
#pragma once

#include <string>
#include <utility>

#include "core/files/descriptor.h"

namespace core {

/// Holds the right to write a path until it is destroyed: an flock on `PATH.lock`, which holds the process id.
///
/// The path itself need not exist. The system drops the lock when the process dies, so a lock file left by a killed
/// process is no obstacle. Taking the lock removes the temporaries that killed writers left beside the path. Where the
/// file system has no locks (ENOLCK, ENOSYS, EOPNOTSUPP) the path may be written all the same, and tell_unheld() says
/// so.
class FileLock {
 public:
  /// Throws std::runtime_error "PATH: …" when another process (named by its id) holds the lock, when the directory
  /// cannot be written, or when the path is something else than a regular file, a file that may not be written, or a
  /// name too long for what is written beside it.
  explicit FileLock(std::string path) : FileLock(std::move(path), system_lock) {}

  /// Tries to lock an open file and does not wait; 0, or −1 and errno, as flock.
  using LockCall = int (*)(int descriptor);
  /// As the other, by a call of the caller's.
  FileLock(std::string path, LockCall call);

  /// Who is told, once per lock, in a line "PATH: …", that a file system has no locks and the file is written without;
  /// for the program's beginning.
  static void tell_unheld(void (*told)(const std::string& line));

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  /// Whether others are kept out: false where the file system has no locks.
  bool held() const { return held_; }

  /// The path that may be written.
  const std::string& path() const { return path_; }

 private:
  static int system_lock(int descriptor);

  std::string path_;
  bool held_ = true;
  Descriptor file_;
};

}  // namespace core

// One writer per result file.
#pragma once

#include <string>

#include "core/files/descriptor.h"

namespace core {

/// Holds the right to write a path until it is destroyed: an flock on `PATH.lock`, which holds the process id.
///
/// The path itself need not exist. The system drops the lock when the process dies, so a lock file left by a killed
/// process is no obstacle. Taking the lock removes the temporaries that killed writers left beside the path.
class FileLock {
 public:
  /// Throws std::runtime_error "PATH: …" when another process (named by its id) holds the lock, when the directory
  /// cannot be written, or when the path is something else than a regular file.
  explicit FileLock(std::string path);
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

  /// The path that may be written.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor file_;
};

}  // namespace core

// The one way to write a file that a user has named: decided before any work, nothing lost.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/file_lock.h"

namespace core {

/// Writing would destroy what somebody has; the programs answer with exit code 4.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A kind of file: what it is called, how its name ends, and how one that is there is recognised.
struct OutputKind {
  const char* what;                             ///< `a report page`
  std::vector<std::string_view> endings;        ///< `.html`; empty: any name
  bool (*recognises)(const std::string& path);  ///< whether a regular file with content is of this kind
  bool streams = false;                         ///< text that may go down a pipe or into a device
};

/// The right to write one path, held until it is destroyed.
///
/// Links are followed to what they name, dangling ones too; a file is written beside its place, flushed, and renamed.
class OutputFile {
 public:
  /// Decides: throws std::invalid_argument "PATH: …" for another ending than the kind's; Refused for one of the call's
  /// `inputs` (always), and for a file with content that is not of this kind (unless `force`); std::runtime_error for
  /// directories, sockets, devices and pipes that the kind does not stream to, and as FileLock. Nothing is written.
  OutputFile(const std::string& path, const OutputKind& kind, std::span<const std::string> inputs, bool force = false);

  /// Where it is written: the path, links followed.
  const std::string& path() const { return path_; }

  /// Replaces the file by the parts joined, or streams them; throws as replace_file().
  void write(std::initializer_list<std::span<const std::byte>> parts) const;
  void write(std::string_view text) const { write({std::as_bytes(std::span(text))}); }

 private:
  std::string path_;
  std::optional<FileLock> lock_;  // none of a pipe or device
};

/// The path behind symbolic links, one after the other, whether or not there is a file at the end; throws
/// std::runtime_error when they go round in a circle.
std::string behind_links(const std::string& path);

/// Whether both paths name one file that is there.
bool same_file(const std::string& a, const std::string& b);

/// The first bytes of a regular file, fewer where it is shorter; empty when it cannot be read.
std::string first_bytes(const std::string& path, std::size_t count);

}  // namespace core

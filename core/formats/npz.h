// NumPy's NPZ files: named arrays in one archive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/arrays.h"

namespace core {

/// A zip of NPY files, as numpy.savez writes it (numpy.load reads it); the same arrays give the same bytes. Throws
/// std::runtime_error where memory ends.
Bytes npz_bytes(const std::vector<std::pair<std::string, NumericArray>>& arrays);

/// An archive of NPY files, opened to be read; the members are called by their names without `.npy`.
///
/// Throws std::runtime_error "PATH: …" when it is no such archive; reading an array throws as read_npy does, the name
/// being `PATH: MEMBER`.
class NpzFile {
 public:
  explicit NpzFile(const std::string& path);
  ~NpzFile();
  NpzFile(NpzFile&&) noexcept;

  /// The arrays, in the archive's order.
  const std::vector<std::string>& names() const { return names_; }
  /// What else is in it, as `word/document.xml`: tells what an archive without arrays is.
  const std::vector<std::string>& other_members() const { return others_; }
  NumericArray read(const std::string& name, std::uint64_t byte_limit) const;

 private:
  struct Archive;
  std::string path_;
  std::unique_ptr<Archive> archive_;
  std::vector<std::string> names_, others_;
};

}  // namespace core

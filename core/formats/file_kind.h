// What a file is, by its first bytes; names tell nothing.
#pragma once

#include <string>
#include <string_view>

namespace core {

/// Files of arrays, and the rest.
enum class FileKind { npy, zip, hdf5, matlab, matlab_hdf5, idx, text, other };

struct RecognizedFile {
  FileKind kind = FileKind::other;
  std::string what;         ///< as messages name it: `an NPY file`, `a PNG picture`
  bool compressed = false;  ///< by gzip; kind and name are those of the content
};

/// Looks at the start of a regular file; throws std::runtime_error "PATH: …" when it cannot be read.
RecognizedFile recognize_file(const std::string& path);

/// What the start of a file (its first 4096 bytes or all) says.
RecognizedFile recognize_start(std::string_view start);

}  // namespace core

// Array files for tests: NPY and NPZ as a user's programs write them.
#pragma once

#include "core/files/file.h"
#include "core/formats/npy.h"
#include "core/formats/npz.h"

namespace support {

inline void write_npy(const std::string& path, const core::NumericArray& array) {
  core::replace_file(path, {core::npy_bytes(array)});
}

inline void write_npz(const std::string& path, const std::vector<std::pair<std::string, core::NumericArray>>& arrays) {
  core::replace_file(path, {core::npz_bytes(arrays)});
}

}  // namespace support

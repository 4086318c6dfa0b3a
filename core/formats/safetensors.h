// Hugging Face's safetensors: named arrays behind a JSON header.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/arrays.h"

namespace core {

/// Arrays in the order of their bytes, and texts by name (`__metadata__`).
struct Safetensors {
  std::vector<std::pair<std::string, NumericArray>> arrays;
  std::map<std::string, std::string> metadata;
};

/// The bytes of a file: eight of the header's length, the header, the arrays one after the other, little-endian. The
/// same arrays give the same bytes.
Bytes safetensors_bytes(const Safetensors& file);

/// Reads F32, F64, I64, I8 and U8 arrays. Throws std::runtime_error "PATH: …" of one line when it is no such file, is
/// cut off, has arrays that overlap, leave bytes out or its bytes, of other types, or takes more than `byte_limit`
/// bytes.
Safetensors read_safetensors(const std::string& path, std::uint64_t byte_limit);

/// Whether a file begins like one: a length and a `{`.
bool is_safetensors(const std::string& path);

}  // namespace core

// The last line of a result file: a checksum that tells damage before anything else is believed.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace results {

/// The trailer that makes `content` a sealed file when it is appended: length and 64-bit FNV-1a of the content as text.
///
/// HDF5 does not look beyond its own end of file, so other readers do not notice it.
std::string seal(std::span<const std::byte> content);

/// The content of a sealed file; throws std::runtime_error "NAME: …" when the seal is missing (truncated, foreign, or
/// written to by another program) or when the bytes are not those that were sealed.
std::span<const std::byte> unseal(std::span<const std::byte> file, const std::string& name);

/// Whether the file at this path ends in a seal, broken or not; false when it cannot be read.
bool is_sealed(const std::string& path);

}  // namespace results

// Whole files in, whole files out: a reader never sees a half-written file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "core/formats/arrays.h"

namespace core {

/// The bytes of a regular file; throws std::runtime_error "PATH: …" when it cannot be read or is longer than the limit.
Bytes read_file(const std::string& path, std::uint64_t byte_limit);

/// The text of a file, or of a pipe up to its end; throws std::runtime_error "PATH: …" when it cannot be read, is
/// longer than the limit, or is a pipe through which nothing comes for `patience_ms`.
std::string read_text(const std::string& path, std::size_t byte_limit, int patience_ms = 5000);

/// Throws std::runtime_error "PATH: not a regular file" where a directory, pipe or device stands there: opening it
/// could wait for ever. What is missing passes.
void require_regular(const std::string& path);

/// Replaces the file by the parts joined: temporary beside it, flush to disk, rename, flush the directory.
///
/// Owner, group and rights stay those of the old file as far as the system lets them.
/// After a kill or a power cut at any instant the path holds the old file or the new one, whole. Throws
/// std::runtime_error "PATH: …" (disk full, read-only, …), the old file untouched and the temporary removed.
void replace_file(const std::string& path, std::initializer_list<std::span<const std::byte>> parts);

/// Writes the parts into a pipe or device, in place. Throws std::runtime_error "PATH: …", also for a pipe that nobody
/// reads: it never waits for a reader.
void stream_file(const std::string& path, std::initializer_list<std::span<const std::byte>> parts);

/// Removes the temporaries that killed writers of `path` left; only for the one process that may write it (FileLock).
void remove_stale_temporaries(const std::string& path);

}  // namespace core

// The 64-bit hash of everything that is told apart by content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace core {

/// 64-bit FNV-1a of the bytes; goes on from `state`, so that parts can be hashed one after the other.
///
/// Any change of one byte changes the hash. Source: Fowler, Noll, Vo (draft-eastlake-fnv).
constexpr std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t state = 0xcbf29ce484222325) {
  for (const std::byte byte : bytes) state = (state ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  return state;
}

}  // namespace core

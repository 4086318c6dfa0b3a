#include "core/hash.h"

#include <catch2/catch.hpp>
#include <string_view>

namespace {
std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
}  // namespace

TEST_CASE("FNV-1a gives its published values") {
  CHECK(core::fnv1a(bytes("")) == 0xcbf29ce484222325);
  CHECK(core::fnv1a(bytes("a")) == 0xaf63dc4c8601ec8c);
  CHECK(core::fnv1a(bytes("foobar")) == 0x85944171f73967e8);
}

TEST_CASE("hashing in parts is hashing the whole") {
  CHECK(core::fnv1a(bytes("bar"), core::fnv1a(bytes("foo"))) == core::fnv1a(bytes("foobar")));
}

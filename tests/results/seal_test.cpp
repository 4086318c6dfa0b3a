#include "results/seal.h"

#include <catch2/catch.hpp>

namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }
const std::string kContent = "\x89HDF\r\n\x1a\n and so on";

}  // namespace

TEST_CASE("a sealed file gives back its content") {
  const std::string file = kContent + results::seal(bytes(kContent));
  const auto content = results::unseal(bytes(file), "f");
  CHECK(content.size() == kContent.size());
  CHECK(content.data() == bytes(file).data());
}

TEST_CASE("a seal tells a truncated, a damaged and a foreign file apart") {
  const std::string file = kContent + results::seal(bytes(kContent));
  CHECK_THROWS_WITH(results::unseal(bytes(file.substr(0, file.size() - 1)), "f"), Catch::StartsWith("f: truncated"));
  CHECK_THROWS_WITH(results::unseal(bytes(kContent), "f"), Catch::StartsWith("f: truncated"));
  CHECK_THROWS_WITH(results::unseal(bytes("plain text"), "f"), "f: not an HDF5 file: it is a text");
  CHECK_THROWS_WITH(results::unseal(bytes("\x1f\x8b\x08"), "f.gz"), "f.gz: not an HDF5 file: it is compressed by gzip");
  for (std::size_t i = 8; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    CHECK_THROWS_WITH(results::unseal(bytes(damaged), "f"),
                      Catch::StartsWith("f: damaged") || Catch::StartsWith("f: truncated"));
  }
}

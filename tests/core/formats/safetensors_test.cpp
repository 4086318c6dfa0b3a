#include "core/formats/safetensors.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace core;

namespace {

std::string bytes_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

std::string with_header(const std::string& header, const std::string& data) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 255);
  return length + header + data;
}

}  // namespace

TEST_CASE("safetensors come back as they went, and begin as the format says") {
  const support::TemporaryDirectory directory;
  const Safetensors file{{{"memory.W0", NumericArray({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6})},
                          {"label.beta", NumericArray({}, std::vector<float>{0.5f})},
                          {"counts", NumericArray({2}, std::vector<std::int64_t>{-1, 7})},
                          {"none", NumericArray({0, 4}, std::vector<double>{})}},
                         {{"__model__", "name = \"m\"\n# 50 %, \\ \t"}}};
  const std::string path = directory / "w.safetensors", text = bytes_text(safetensors_bytes(file));
  std::ofstream(path, std::ios::binary) << text;
  CHECK(is_safetensors(path));
  CHECK(text.substr(8).starts_with(
      R"({"__metadata__":{"__model__":"name = \"m\"\n# 50 %, \\ \u0009"},"memory.W0":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]})"));
  const Safetensors back = read_safetensors(path, 1 << 20);
  CHECK(back.metadata == file.metadata);
  CHECK(back.arrays == file.arrays);
  CHECK_THROWS_WITH(read_safetensors(path, 10), Catch::StartsWith(path + ": "));
}

TEST_CASE("what is no safetensors file is refused in one line") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "w.safetensors";
  const std::string deep(100000, '[');
  const std::pair<std::string, const char*> wrong[] = {
      {"", "is no safetensors file, or cut off"},
      {std::string(8, '\xff') + "{}", "is no safetensors file, or cut off"},
      {with_header("{", ""), "is no safetensors file"},
      {with_header("{\"a\":" + deep, ""), "its header is damaged"},
      {with_header(R"({"a":{"dtype":"F32"}})", ""), "its header is damaged"},
      {with_header(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", "xx"), "a has the type BF16"},
      {with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "xx"), "a lies outside the file"},
      {with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "xxxx"), "a lies outside the file"},
      {with_header(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}})", "xxxx"), "needs 12 bytes"},
      {with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", "xxxxxxxx"), "fewer numbers"},
      {with_header(
           R"({"a":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"I8","shape":[2],"data_offsets":[1,3]}})",
           "xxx"),
       "arrays that overlap"},
      {with_header(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[1,2]}})", "xx"), "bytes of no array"},
      {with_header(R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}})", "xx"), "bytes of no array"},
      {with_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "xxxx"), "negative"},
      {with_header(R"({"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,4]}})", "xxxx"), "is no safetensors file"},
  };
  for (const auto& [text, reason] : wrong) {
    std::ofstream(path, std::ios::binary) << text;
    INFO(text.substr(0, 100));
    CHECK_THROWS_WITH(read_safetensors(path, 1 << 24),
                      Catch::StartsWith(path + ": ") && Catch::Contains(reason) && !Catch::Contains("\n"));
  }
}

#include "core/formats/idx.h"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace {

const std::string kSmall(
    "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"
    "abcdefghijkl",
    28);

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

void write_compressed(const std::string& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
}

}  // namespace

TEST_CASE("IDX images are read, compressed or not") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "images";
  SECTION("plain") { write(path, kSmall); }
  SECTION("gzip") { write_compressed(path, kSmall); }
  const core::NumericArray array = core::read_idx(path, 1 << 20);
  CHECK(array.shape == std::vector<std::uint64_t>{2, 2, 3});
  CHECK(std::get<std::vector<std::uint8_t>>(array.values).front() == 'a');
  CHECK(std::get<std::vector<std::uint8_t>>(array.values).back() == 'l');
}

TEST_CASE("bad IDX files are refused in one line that names the file") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "images";
  std::string forged = kSmall;
  forged[4] = forged[8] = '\x7f';
  std::string floats = kSmall;
  floats[2] = '\x0d';
  const std::string bytes =
      GENERATE_COPY(std::string(), kSmall.substr(0, 3), kSmall.substr(0, 10), kSmall.substr(0, 27), kSmall + "x",
                    forged, floats, std::string("not an image file at all"));
  write(path, bytes);
  try {
    core::read_idx(path, 1 << 20);
    FAIL("accepted");
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    CHECK(what.starts_with(path + ": "));
    CHECK(what.find('\n') == std::string::npos);
  }
}

TEST_CASE("a truncated or damaged gzip stream is refused") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "images.gz";
  write_compressed(path, kSmall);
  std::ifstream file(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  write(path, whole.substr(0, whole.size() - 9));
  CHECK_THROWS_AS(core::read_idx(path, 1 << 20), std::runtime_error);
}

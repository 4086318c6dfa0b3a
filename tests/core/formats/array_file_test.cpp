#include "core/formats/array_file.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>

#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/write_arrays.h"

using core::ElementType;
using core::NumericArray;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;
const std::string kArrays = std::string(DAMBENCH_FIXTURES) + "/arrays/";

NumericArray read(const std::string& file, const std::string& name = "") {
  return core::read_array(kArrays + file, name, "patterns", kLimit);
}

std::vector<double> reals(const NumericArray& array) {
  return std::visit([](const auto& values) { return std::vector<double>(values.begin(), values.end()); }, array.values);
}

std::string complaint(const std::string& path, const std::string& name = "") {
  try {
    core::read_array(path, name, "patterns", kLimit);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "accepted";
}

void write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

TEST_CASE("the same numbers come out of every format") {
  const NumericArray signs = core::read_npy(kArrays + "signs.npy", kLimit);
  REQUIRE(signs.shape == std::vector<std::uint64_t>{4, 40});
  for (const char* file :
       {"signs.npy.gz", "signs.npz", "signs.csv", "signs.csv.gz", "signs.txt", "signs_v5.mat", "signs_v73.mat"}) {
    INFO(file);
    const NumericArray array = read(file);
    CHECK(array.shape == signs.shape);
    CHECK(reals(array) == reals(signs));
  }
  CHECK(reals(read("hard.h5", "lzf")) == reals(signs));
  CHECK(reals(read("hard.h5", "/lzf")) == reals(signs));
}

TEST_CASE("numbers of every type and byte order are read") {
  const std::vector<double> signs = reals(core::read_npy(kArrays + "signs.npy", kLimit));
  const core::NpzFile file(kArrays + "every_type.npz");
  CHECK(file.names().size() == 24);
  for (const std::string& name : file.names()) {
    INFO(name);
    if (name.starts_with("f16") && sizeof(long double) != 16) continue;
    std::vector<double> expected = signs;
    // What becomes of −1; beyond int64 it is clipped.
    const std::map<std::string, double> minus_one{{"u2", 65535}, {"u4", 4294967295}, {"u8", 0x1p63}};
    if (const auto found = minus_one.find(name.substr(0, 2)); found != minus_one.end())
      std::ranges::replace(expected, -1., found->second);
    const NumericArray array = file.read(name, kLimit);
    CHECK(reals(array) == expected);
    CHECK(array.shape ==
          (name.ends_with("pictures") ? std::vector<std::uint64_t>{4, 5, 8} : std::vector<std::uint64_t>{4, 40}));
  }
  for (const char* name : {"i1", "i2", "i4", "i8", "f4", "f8"}) CHECK(reals(read("every_type.mat", name)) == signs);
  std::vector<double> bits = signs;
  std::ranges::replace(bits, -1., 0.);
  CHECK(reals(read("every_type.mat", "logical")) == bits);
  CHECK(reals(read("bits.npz")) == bits);
  CHECK(reals(read("hard.h5", "bits")) == bits);
}

TEST_CASE("16-bit reals are those of IEEE 754") {
  const support::TemporaryDirectory directory;
  std::string file = "\x93NUMPY";
  const std::string header = "{'descr': '<f2', 'fortran_order': False, 'shape': (6,), }";
  file += {'\1', '\0', static_cast<char>(header.size()), '\0'};
  // 1, -2, 65504, 2^-24, 1/3 rounded, infinity
  write(directory / "half.npy", file + header + std::string("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x55\x35\x00\x7c", 12));
  CHECK(reals(core::read_npy(directory / "half.npy", kLimit)) ==
        std::vector<double>{1, -2, 65504, 0x1p-24, 0.333251953125, INFINITY});
}

TEST_CASE("what was never written in an HDF5 file is its fill value") {
  const NumericArray part = read("hard.h5", "unwritten");
  CHECK(part.shape == std::vector<std::uint64_t>{8, 40});
  const std::vector<double> values = reals(part);
  CHECK(std::vector<double>(values.begin(), values.begin() + 160) == reals(read("signs.npy")));
  CHECK(std::vector<double>(values.begin() + 160, values.end()) == std::vector<double>(160, 7));
  CHECK(reals(read("hard.h5", "never")) == std::vector<double>(15, 1.5));
  CHECK_THROWS_WITH(core::read_array(kArrays + "hard.h5", "never", "", 59), Catch::Contains("the limit is 59"));
}

TEST_CASE("a filter that is not here is named, and the cure") {
  CHECK(complaint(kArrays + "blosc.h5") ==
        kArrays +
            "blosc.h5: patterns: is compressed by the filter blosc (number 32001), which is not here; write it "
            "with gzip, as h5repack -f GZIP=4 does");
}

TEST_CASE("an array is found by name, by its usual name, or because it is the only one") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "a.npz";
  const NumericArray one({2}, std::vector<double>{1, 2}), two({2}, std::vector<double>{3, 4});
  support::write_npz(path, {{"arr_0", one}});
  CHECK(core::read_array(path, "", "patterns", kLimit) == one);
  support::write_npz(path, {{"arr_0", one}, {"patterns", two}});
  CHECK(core::read_array(path, "", "patterns", kLimit) == two);
  CHECK(core::read_array(path, "arr_0", "patterns", kLimit) == one);
  support::write_npz(path, {{"arr_0", one}, {"arr_1", two}});
  CHECK(complaint(path) == path + ": holds no array patterns, but arr_0, arr_1; name one as FILE:NAME");
  CHECK(complaint(path, "x") == path + ": holds no array x, but arr_0, arr_1");
  CHECK(complaint(kArrays + "hard.h5") ==
        kArrays +
            "hard.h5: holds no array patterns, but bits, group/unsigned, lzf, never, unwritten; name one as FILE:NAME");
  CHECK_THAT(complaint(kArrays + "every_type.mat", "z"), Catch::Contains("holds no array z, but logical, i1, i2"));
  CHECK(complaint(kArrays + "signs.npy", "x") ==
        kArrays + "signs.npy: is an NPY file, which holds one array without a name, not x");
}

TEST_CASE("a file of another kind is called what it is") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "patterns.npy";  // names tell nothing
  const auto [bytes, what] = GENERATE(table<std::string, std::string>({
      {"", "is empty"},
      {"\x80\x04\x95 pickled", "is a Python pickle"},
      {"\x89PNG\r\n\x1a\n", "is a PNG picture"},
      {"BZh91AY", "is compressed by bzip2"},
      {"<!DOCTYPE html>", "is an HTML page"},
      {"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer, not the data"},
      {"\xff\xfe"
       "1\0,\0",
       "is UTF-16 text"},
      {"{\"patterns\": [[1, -1]]}", "is JSON"},
      {std::string("\1\2\3\0", 4), "is not a known format"},
  }));
  write(path, bytes);
  const std::string answer = complaint(path);
  CHECK_THAT(answer, Catch::StartsWith(path + ": " + what));
  CHECK_THAT(answer,
             Catch::EndsWith(
                 "; accepted are NPY, NPZ, HDF5, MATLAB, IDX, and numbers as text (NPY, IDX and text also gzipped)"));
}

TEST_CASE("a compressed file of a format that is not read through gzip is named, and the cure") {
  const support::TemporaryDirectory directory;
  const auto [name, what] = GENERATE(table<std::string, std::string>({
      {"signs_v5.mat", "a MATLAB file of version 5"},
      {"signs_v73.mat", "a MATLAB file of version 7.3"},
      {"hard.h5", "an HDF5 file"},
      {"signs.npz", "a ZIP archive"},
  }));
  const std::string path = directory / (name + ".gz");
  REQUIRE(std::system(("gzip -c " + kArrays + name + " >" + path).c_str()) == 0);
  CHECK_THAT(complaint(path),
             Catch::StartsWith(path + ": is " + what + ", compressed by gzip; decompress it first (gunzip); accepted"));
}

TEST_CASE("a text that is no table of numbers is said to be a text") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "README.md";
  write(path, "AdamW with beta1 of 1\n");
  CHECK(complaint(path) == path +
                               ": line 1: 'AdamW' in column 1 is not a number (it is a text; accepted are NPY, NPZ, "
                               "HDF5, MATLAB, IDX, and numbers as text (NPY, IDX and text also gzipped))");
}

TEST_CASE("damaged files of every format are refused or read, in one line and within the limit") {
  const support::TemporaryDirectory directory;
  std::mt19937 random(Catch::rngSeed());
  for (const std::string name :
       {"signs.npz", "signs_v5.mat", "every_type.mat", "signs_v73.mat", "signs.csv", "signs.npy.gz"}) {
    INFO(name);
    std::ifstream in(kArrays + name, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    int refused = 0;
    for (int trial = 0; trial < 60; ++trial) {
      std::string bytes = whole;
      for (int flip = 0; flip < 8; ++flip) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (trial % 3 == 0) bytes.resize(random() % whole.size());
      write(directory / name, bytes);
      const std::string answer = complaint(directory / name);
      CHECK((answer == "accepted" || answer.starts_with(directory / name + ": ")));
      CHECK(answer.find('\n') == std::string::npos);
      refused += answer != "accepted";
    }
    CHECK(refused > 5);
  }
}

TEST_CASE("a directory, a pipe and a missing file are refused") {
  const support::TemporaryDirectory directory;
  CHECK(complaint(directory.path().string()) == directory.path().string() + ": not a regular file");
  CHECK(complaint(directory / "none") == directory / "none: cannot open");
  CHECK(complaint("/dev/zero") == "/dev/zero: not a regular file");
}

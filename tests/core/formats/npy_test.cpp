#include "core/formats/npy.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "tests/support/temporary_directory.h"
#include "tests/support/write_arrays.h"

using core::ElementType;
using core::NumericArray;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;

void write_bytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// A file with this dictionary in a header of format version `major`, then these values.
std::string npy(const std::string& dictionary, const std::string& values, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(major), '\0', static_cast<char>(dictionary.size()), '\0'};
  if (major > 1) bytes += std::string(2, '\0');
  return bytes + dictionary + values;
}

std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("arrays of every type and shape come back as they were written") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "array.npy";
  for (const NumericArray& array :
       {NumericArray({2, 3}, std::vector<std::int8_t>{-1, 1, 1, -1, -1, 1}),
        NumericArray({4}, std::vector<std::uint8_t>{0, 1, 255, 3}),
        NumericArray({1, 2, 1}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX}),
        NumericArray({2}, std::vector<float>{1.5f, -0.1f}), NumericArray({}, std::vector<double>{3.25}),
        NumericArray({0, 7}, std::vector<double>{})}) {
    support::write_npy(path, array);
    CHECK(core::read_npy(path, kLimit) == array);
  }
}

TEST_CASE("files that NumPy wrote are read") {
  const std::string fixtures = DAMBENCH_FIXTURES;
  const NumericArray expected({2, 3}, std::vector<std::int8_t>{1, -1, 1, -1, -1, 1});
  CHECK(core::read_npy(fixtures + "/patterns_int8.npy", kLimit) == expected);
  CHECK(core::read_npy(fixtures + "/patterns_int8_fortran.npy", kLimit) == expected);
  CHECK(core::read_npy(fixtures + "/patterns_bool_v3.npy", kLimit) ==
        NumericArray({2, 3}, std::vector<std::uint8_t>{1, 0, 1, 0, 0, 1}));
}

TEST_CASE("values in Fortran order come out in C order") {
  const support::TemporaryDirectory directory;
  // A[i][j][k] = 100 i + 10 j + k, shape (2, 3, 2), first index fastest
  std::string values;
  std::vector<std::uint8_t> expected;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) values += static_cast<char>(100 * i + 10 * j + k);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) expected.push_back(static_cast<std::uint8_t>(100 * i + 10 * j + k));
  write_bytes(directory / "f.npy", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", values, 2));
  CHECK(core::read_npy(directory / "f.npy", kLimit) == NumericArray({2, 3, 2}, expected));
}

TEST_CASE("bad files are refused in one line that names file and fault") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "bad.npy";
  const std::string good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
  const std::string sixteen(16, '\0');
  const auto [bytes, fault] = GENERATE_COPY(table<std::string, std::string>({
      {"", "not an NPY file"},
      {"some text, longer than a header", "not an NPY file"},
      {npy(good, sixteen, 4), "version"},
      {npy(good, sixteen).substr(0, 40), "truncated in its header"},
      {npy(good, std::string(15, '\0')), "truncated: shape (2) takes 16 bytes, the file holds 15"},
      {npy(good, std::string(17, '\0')), "takes 16 bytes, the file holds more"},
      {npy("{'descr': '<f3', 'fortran_order': False, 'shape': (2,), }", sixteen), "type '<f3' is not one of integers"},
      {npy("{'descr': 'f8', 'fortran_order': False, 'shape': (2,), }", sixteen), "type 'f8' is not a type of numbers"},
      {npy("{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }", sixteen), "type '<c16' holds complex numbers"},
      {npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", sixteen), "type '|O' holds Python objects"},
      {npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }", sixteen), "records of several fields"},
      {npy("{'descr': '<f8', 'fortran_order': Maybe, 'shape': (2,), }", sixteen), "True or False"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-2,), }", sixteen), "tuple of sizes"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': 2, }", sixteen), "expected '('"},
      {npy("{'descr': '<f8', 'fortran_order': False, }", sixteen), "needs descr, fortran_order and shape"},
      {npy("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", sixteen),
       "unexpected key 'descr'"},
      {npy(good + "x", sixteen), "after the dictionary"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", sixteen), "tuple of sizes"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", sixteen), "2^64"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }", sixteen), "the limit is"},
      {npy("{'descr': '<f8', 'fortran_order': False, 'shape': (100000,), }", sixteen), "truncated"},
  }));
  write_bytes(path, bytes);
  CHECK_THROWS_WITH(core::read_npy(path, kLimit), Catch::StartsWith(path + ": ") && Catch::Contains(fault));
}

TEST_CASE("missing files and directories are refused") {
  const support::TemporaryDirectory directory;
  CHECK_THROWS_WITH(core::read_npy(directory / "none.npy", kLimit), Catch::Contains("none.npy: cannot open"));
  CHECK_THROWS_WITH(core::read_npy(directory.path().string(), kLimit), Catch::Contains("not a regular file"));
}

TEST_CASE("a damaged header gives an exception or an array within the limit") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "damaged.npy";
  support::write_npy(path, NumericArray({8, 16}, std::vector<std::int8_t>(128, 1)));
  const std::string whole = read_bytes(path);
  std::mt19937 random(Catch::rngSeed());
  int refused = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    std::string bytes = whole;
    bytes[random() % 128] = static_cast<char>(random());
    if (trial % 3 == 0) bytes.resize(random() % whole.size());
    write_bytes(path, bytes);
    try {
      const NumericArray array = core::read_npy(path, 4096);
      CHECK(std::visit([](const auto& v) { return v.size(); }, array.values) <= 4096);
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

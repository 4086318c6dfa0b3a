#include "core/formats/hdf5_file.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "core/files/file.h"
#include "tests/support/temporary_directory.h"

using core::ArrayInfo;
using core::AttributeValue;
using core::ColumnValues;
using core::ElementType;
using core::Hdf5File;
using core::NumericArray;

namespace {

constexpr std::uint64_t kLimit = 1 << 28;
const std::string kFixtures = DAMBENCH_FIXTURES;

/// What a reader sees of the file that was built.
Hdf5File reopened(const Hdf5File& file) { return Hdf5File::from_bytes(file.bytes(), "test.h5"); }

}  // namespace

TEST_CASE("columns of every type come back as they were written, empty and long ones too") {
  const auto rows = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{4095}, std::size_t{40000});
  std::vector<std::int64_t> integers(rows, INT64_MIN);
  std::vector<std::uint64_t> identifiers(rows, UINT64_MAX);
  std::vector<double> reals(rows, -0.0);
  std::vector<std::string> texts(rows, "Krotov – Hopfield, ξ·σ");
  for (std::size_t i = 0; i < rows; ++i) {
    if (i % 3 == 1) integers[i] = static_cast<std::int64_t>(i);
    if (i % 3 == 1) reals[i] = std::numeric_limits<double>::infinity();
    if (i % 3 == 2) reals[i] = 1.0 / static_cast<double>(i);
    if (i % 3 == 2) texts[i] = i % 2 == 0 ? "" : std::string(i % 1000, 'x') + "\n\"";
  }
  Hdf5File file = Hdf5File::create();
  file.create_group("/g");
  for (const auto& [name, values] : std::vector<std::pair<std::string, ColumnValues>>{
           {"/g/integers", integers}, {"/g/identifiers", identifiers}, {"/g/reals", reals}, {"/g/texts", texts}}) {
    file.write_column(name, values);
    CHECK(reopened(file).read_column(name, kLimit) == values);
  }
  const auto members = reopened(file).members("/g");
  REQUIRE(members.size() == 4);
  CHECK(members.front().name == "integers");  // in the order they were created
  CHECK(members.back().name == "texts");
}

TEST_CASE("NaN survives") {
  Hdf5File file = Hdf5File::create();
  file.write_column("/x", std::vector<double>{std::nan(""), 1});
  CHECK(std::isnan(std::get<std::vector<double>>(reopened(file).read_column("/x", kLimit))[0]));
}

TEST_CASE("arrays of every type come back as they were written") {
  Hdf5File file = Hdf5File::create();
  std::vector<std::int8_t> many(300 * 1000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = i % 7 < 3 ? 1 : -1;
  const std::vector<NumericArray> arrays = {
      NumericArray({300, 1000}, many),
      NumericArray({3, 1, 2}, std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255}),
      NumericArray({2}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX}),
      NumericArray({2, 1}, std::vector<float>{1.5f, -0.1f}),
      NumericArray({}, std::vector<double>{3.25}),
      NumericArray({0, 5}, std::vector<double>{}),
  };
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const std::string name = "/array" + std::to_string(i);
    file.write_array(name, arrays[i]);
    const Hdf5File reader = reopened(file);
    CHECK(reader.array_info(name).shape == arrays[i].shape);
    CHECK(reader.array_info(name).type == arrays[i].type());
    CHECK(reader.read_array(name, kLimit) == arrays[i]);
  }
}

TEST_CASE("attributes of file, group and dataset come back; the last value counts") {
  Hdf5File file = Hdf5File::create();
  file.create_group("/g");
  file.write_column("/g/x", std::vector<double>{1});
  for (const std::string object : {"/", "/g", "/g/x"})
    for (const AttributeValue& value :
         {AttributeValue("naïve β"), AttributeValue(std::string()), AttributeValue(std::string(100000, 'y')),
          AttributeValue(std::int64_t{-5}), AttributeValue(UINT64_MAX), AttributeValue(0.1)}) {
      file.write_attribute(object, "a", value);
      CHECK(reopened(file).read_attribute(object, "a") == value);
    }
  CHECK_FALSE(reopened(file).read_attribute("/", "none").has_value());
  CHECK_THROWS_WITH(file.write_attribute("/none", "a", 1.0), Catch::Contains("/none: cannot open"));
  CHECK_THROWS_WITH(file.write_attribute("/", "a", std::string("a\0b", 3)), Catch::Contains("NUL"));
}

TEST_CASE("equal content gives equal bytes") {
  const auto build = [] {
    Hdf5File file = Hdf5File::create();
    file.write_text("/spec", "a = 1\n");
    file.write_column("/x", std::vector<double>(10000, 0.5));
    file.write_column("/t", std::vector<std::string>{"a", "b"});
    return file.bytes();
  };
  CHECK(build() == build());
}

TEST_CASE("one text is not a column and a column is not one text") {
  Hdf5File file = Hdf5File::create();
  file.write_text("/text", "α\nβ");
  file.write_column("/column", std::vector<std::string>{"a"});
  const Hdf5File reader = reopened(file);
  CHECK(reader.read_text("/text", kLimit) == "α\nβ");
  CHECK_THROWS_WITH(reader.read_text("/column", kLimit), "test.h5: /column: is not one text");
  CHECK_THROWS_WITH(reader.read_column("/text", kLimit), "test.h5: /text: shape () is not that of a column");
  CHECK_THROWS_WITH(reader.read_text("/none", kLimit), "test.h5: /none: not in the file");
  CHECK(reader.exists("/text"));
  CHECK_FALSE(reader.exists("/none"));
}

TEST_CASE("numbers that h5py wrote are read in the closest type") {
  const Hdf5File file = Hdf5File::open(kFixtures + "/foreign.h5");
  const NumericArray::Values integers = std::vector<std::int64_t>{1, -1, 1, -1, -1, 1};
  const auto read = [&](const char* name) { return file.read_array(name, kLimit).values; };
  CHECK(read("/patterns") == NumericArray::Values(std::vector<std::int8_t>{1, -1, 1, -1, -1, 1}));
  CHECK(read("/soft") == read("/patterns"));
  CHECK(read("/booleans") == NumericArray::Values(std::vector<std::uint8_t>{1, 0, 1, 0, 0, 1}));
  CHECK(read("/shorts") == integers);
  CHECK(read("/big_endian") == integers);
  // −1 is the largest number of 64 bits there, and of int64 here.
  CHECK(read("/unsigned_64") ==
        NumericArray::Values(std::vector<std::int64_t>{1, INT64_MAX, 1, INT64_MAX, INT64_MAX, 1}));
  CHECK(read("/halves") == NumericArray::Values(std::vector<float>{1, -1, 1, -1, -1, 1}));
  CHECK(file.read_attribute("/", "fixed") == AttributeValue("fixed text"));
}

TEST_CASE("what cannot be read as numbers is refused by name") {
  const Hdf5File file = Hdf5File::open(kFixtures + "/foreign.h5");
  for (const char* name : {"/complex", "/fixed_text"})
    CHECK_THROWS_WITH(file.read_array(name, kLimit),
                      Catch::StartsWith(kFixtures + "/foreign.h5: " + name + ": holds neither"));
  CHECK_THROWS_WITH(file.read_array("/nothing", kLimit), Catch::Contains("/nothing: has no values"));
  CHECK_THROWS_WITH(file.read_array("/raw_elsewhere", kLimit), Catch::Contains("other files"));
  CHECK_THROWS_WITH(file.read_column("/patterns", kLimit), Catch::Contains("shape (2, 3) is not that of a column"));
  CHECK_THROWS_WITH(file.read_attribute("/", "list"), Catch::Contains("/ attribute list: is not a single value"));
}

TEST_CASE("links that lead elsewhere are not members of a group") {
  for (const auto& member : Hdf5File::open(kFixtures + "/foreign.h5").members("/")) {
    CHECK(member.name != "soft");
    CHECK(member.name != "elsewhere");
  }
}

TEST_CASE("forged dimensions are refused before anything is allocated") {
  const Hdf5File file = Hdf5File::open(kFixtures + "/forged_dimensions.h5");
  const std::string stores = "the file stores 0 bytes";
  CHECK(file.array_info("/array").shape == std::vector<std::uint64_t>{1ull << 40, 1ull << 20});
  // Under no limit at all the file's own size decides; under a small one the limit does.
  CHECK_THROWS_WITH(file.read_column("/column", UINT64_MAX), Catch::Contains(stores));
  CHECK_THROWS_WITH(file.read_column("/texts", UINT64_MAX), Catch::Contains(stores));
  CHECK_THROWS_WITH(file.read_column("/modest", UINT64_MAX), Catch::Contains(stores));
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator ends the program where others throw
  CHECK_THROWS_WITH(file.read_array("/array", UINT64_MAX), Catch::Contains("more memory than there is"));
#endif
  CHECK_THROWS_WITH(file.read_array("/array", kLimit), Catch::Contains("the limit is"));
}

TEST_CASE("honest datasets beyond the limit are refused") {
  Hdf5File file = Hdf5File::create();
  file.write_column("/reals", std::vector<double>(10000, 1.0));
  file.write_column("/texts", std::vector<std::string>(100, std::string(10000, 'x')));
  const Hdf5File reader = reopened(file);
  CHECK_THROWS_WITH(reader.read_column("/reals", 79999),
                    Catch::Contains("/reals: 10000 values need more than the limit"));
  CHECK_NOTHROW(reader.read_column("/reals", 80000));
  CHECK_THROWS_WITH(reader.read_column("/texts", 100), Catch::Contains("/texts: 100 texts need more than the limit"));
  CHECK_THROWS_WITH(reader.read_column("/texts", 1000000), Catch::Contains("/texts: cannot read"));
  CHECK_NOTHROW(reader.read_column("/texts", 3000000));
}

TEST_CASE("what is not an HDF5 file is refused by name") {
  const support::TemporaryDirectory directory;
  core::replace_file(directory / "text", {std::as_bytes(std::span("no HDF5 here"))});
  CHECK_THROWS_WITH(Hdf5File::open(directory / "text"),
                    Catch::Contains("text: cannot be opened as an HDF5 file (file signature"));
  CHECK_THROWS_WITH(Hdf5File::open(directory / "none"), Catch::Contains("none: cannot be opened"));
  CHECK_THROWS_WITH(Hdf5File::open(directory.path().string()), Catch::Contains("not a regular file"));
  CHECK_THROWS_WITH(Hdf5File::from_bytes({}, "empty"), "empty: is empty, not an HDF5 file");
  CHECK_THROWS_WITH(Hdf5File::from_bytes(core::Bytes(100), "zeros"),
                    Catch::Contains("zeros: is not a readable HDF5 file"));
}

TEST_CASE("a truncated file is refused at every length") {
  const core::Bytes whole = core::read_file(kFixtures + "/foreign.h5", kLimit);
  for (std::size_t size = 0; size < whole.size(); size += 97)
    CHECK_THROWS_AS(
        Hdf5File::from_bytes(core::Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), "cut"),
        std::runtime_error);
}

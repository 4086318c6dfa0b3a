#include "core/formats/foreign_hdf5.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <random>

#include "core/files/file.h"
#include "tests/support/temporary_directory.h"

using core::NumericArray;
using core::read_foreign;
using core::read_foreign_array;

namespace {

constexpr std::uint64_t kLimit = 1 << 26;

core::Bytes example_bytes(const NumericArray& array) {
  core::Hdf5File file = core::Hdf5File::create();
  file.create_group("/group");
  file.write_array("/group/array", array);
  file.write_attribute("/group/array", "units", std::string("1"));
  return file.bytes();
}

}  // namespace

TEST_CASE("arrays of a foreign file come back as they are") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  const auto array =
      GENERATE(NumericArray({2, 3}, std::vector<std::int8_t>{1, -1, 1, 1, -1, -1}),
               NumericArray({40000}, std::vector<double>(40000, 0.25)), NumericArray({0, 3}, std::vector<float>{}),
               NumericArray({}, std::vector<std::int64_t>{7}));
  core::replace_file(path, {example_bytes(array)});
  CHECK(read_foreign_array(path, "/group/array", kLimit) == array);
}

TEST_CASE("a file that cannot be read is refused in the reader's words") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  core::replace_file(path, {example_bytes({{3}, std::vector<double>(3)})});
  CHECK_THROWS_WITH(read_foreign_array(path, "/none", kLimit), path + ": /none: not in the file");
  CHECK_THROWS_WITH(read_foreign_array(path, "/group/array", 8), Catch::Contains("limit"));
  CHECK_THROWS_WITH(read_foreign_array(directory / "none", "/a", kLimit), Catch::Contains("none: cannot be opened"));
}

// Sanitizers end a process that new finds no memory for.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kGreedIsAnswered = false;
#else
constexpr bool kGreedIsAnswered = true;
#endif

TEST_CASE("a crash or greed of the reader ends its own process alone") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  core::replace_file(path, {example_bytes({{3}, std::vector<double>(3)})});
  CHECK_THROWS_WITH(read_foreign(path, kLimit,
                                 [](const core::Hdf5File&) -> core::NamedArrays {
                                   std::raise(SIGSEGV);
                                   return {};
                                 }),
                    path + ": damaged: the HDF5 library could not survive reading it (Segmentation fault)");
  CHECK_THROWS_WITH(read_foreign(path, kLimit,
                                 [](const core::Hdf5File&) -> core::NamedArrays {
                                   return {{"large", NumericArray({1 << 30}, std::vector<std::uint8_t>(1 << 30))}};
                                 }),
                    Catch::Contains(kGreedIsAnswered ? "needs more than the limit of 67108864 bytes"
                                                     : "could not survive reading it"));
}

TEST_CASE("files with flipped bits are read or refused, whatever the HDF5 library makes of them") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  const core::Bytes whole = example_bytes({{300, 40}, std::vector<std::uint8_t>(12000, 1)});
  std::mt19937 random(Catch::rngSeed());
  int refused = 0;
  for (int trial = 0; trial < 150; ++trial) {
    core::Bytes damaged = whole;
    // The first kilobytes are metadata, the rest the values.
    for (int flip = 0; flip < 20; ++flip)
      damaged[random() % std::min<std::size_t>(damaged.size(), 4096)] ^= static_cast<std::byte>(1u << random() % 8);
    core::replace_file(path, {damaged});
    try {
      read_foreign_array(path, "/group/array", kLimit);
    } catch (const std::runtime_error& error) {
      CHECK_THAT(error.what(), Catch::StartsWith(path + ": "));
      ++refused;
    }
  }
  CHECK(refused > 20);
}

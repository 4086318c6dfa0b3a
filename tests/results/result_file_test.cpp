#include "results/result_file.h"

#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "core/files/file.h"
#include "core/files/file_lock.h"
#include "core/formats/hdf5_file.h"
#include "results/seal.h"
#include "tests/results/example_file.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

using results::example_file;
using results::ResultFile;
using results::same;

namespace {

constexpr std::uint64_t kLimit = 1 << 28;
const std::string kFixtures = DAMBENCH_FIXTURES;

/// These bytes as a sealed file: past the checksum, to the reader behind it.
core::Bytes sealed(core::Bytes content) {
  const std::string trailer = results::seal(content);
  const auto bytes = std::as_bytes(std::span(trailer));
  content.insert(content.end(), bytes.begin(), bytes.end());
  return content;
}

}  // namespace

TEST_CASE("a file comes back as it was written, empty and long tables too") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  for (const std::size_t rows : {0, 1, 5, 5000}) {
    results::write(path, example_file(rows));
    CHECK(same(results::read(path), example_file(rows)));
  }
  results::write(path, ResultFile{"ham", "", {}, {}});
  CHECK(same(results::read(path), ResultFile{"ham", "", {}, {}}));
}

TEST_CASE("a million rows come back, within memory the caller grants") {
  constexpr std::size_t kRows = 1000000;
  ResultFile file{"dam", "", {}, {results::empty_table(results::dam_table("batches"))}};
  for (auto& column : file.tables[0].columns)
    std::visit(
        [&]<class T>(std::vector<T>& values) {
          values.resize(kRows);
          if constexpr (std::is_arithmetic_v<T>)
            for (std::size_t i = 0; i < kRows; ++i) values[i] = static_cast<T>(i * i % 1000);
        },
        column.values);
  const core::Bytes bytes = results::serialize(file);
  CHECK(same(results::parse(bytes, "large", kLimit), file));
  CHECK_THROWS_WITH(results::parse(bytes, "large", 60 << 20),
                    Catch::StartsWith("large: /batches/") && Catch::Contains("limit"));
}

TEST_CASE("arrays come back bit for bit, and count against the memory the caller grants") {
  ResultFile file{"ham", "", {}, {results::empty_table(results::ham_table("epochs"))}, {}};
  CHECK(file.schema_version() == 1);
  const std::vector<float> weights = {1.5f, -0.f, std::numeric_limits<float>::denorm_min(), 3e38f, 0, 1};
  file.arrays.push_back({"weights", "the weights", {{2, 3}, weights}});
  file.arrays.push_back({"large", "many", {{1 << 20}, std::vector<double>(1 << 20, 0.1)}});
  CHECK(file.schema_version() == 2);
  const core::Bytes bytes = results::serialize(file);
  CHECK(bytes.size() < (8 << 20) + (1 << 16));
  const ResultFile back = results::parse(bytes, "arrays", kLimit);
  REQUIRE(back.arrays.size() == 2);
  CHECK(back.tables.size() == 1);
  CHECK(back.array("weights").long_name == "the weights");
  CHECK(back.array("weights").values == file.arrays[0].values);
  CHECK(back.array("large").values == file.arrays[1].values);
  CHECK_THROWS_WITH(back.array("none"), "no array none; there are weights, large");
  CHECK_THROWS_WITH(results::parse(bytes, "arrays", bytes.size() + (1 << 20)),
                    Catch::StartsWith("arrays: /arrays/large") && Catch::Contains("limit"));
}

TEST_CASE("tables whose columns differ in length are not written") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  results::write(path, example_file());
  ResultFile uneven = example_file();
  uneven.table("points").values<std::int64_t>("trials").push_back(1);
  CHECK_THROWS_WITH(results::write(path, uneven), Catch::StartsWith("table points: column configuration has 5 rows"));
  CHECK(same(results::read(path), example_file()));
  CHECK_THROWS_WITH(example_file().table("none"), "no table none; there are batches, points, capacity");
}

TEST_CASE("a file of schema version 1 opens") {
  const ResultFile old = results::read(kFixtures + "/result_version_1.h5");
  ResultFile expected = example_file(3);
  for (results::Table& table : expected.tables) {
    // Without the columns that were added later, and with the sources as they were named then.
    std::erase_if(table.columns, [&](const results::Column& c) { return !old.table(table.name).has(c.name); });
    for (results::Column& column : table.columns) {
      const std::string& named = old.table(table.name).column(column.name).source;
      CHECK(named.empty() == column.source.empty());
      column.source = named;
    }
  }
  CHECK(same(old, expected));
}

TEST_CASE("a file of a newer schema version is refused by its number") {
  core::Hdf5File newer = core::Hdf5File::create();
  newer.write_attribute("/", "schema_version", std::int64_t{results::kSchemaVersion + 1});
  CHECK_THROWS_WITH(results::parse(sealed(newer.bytes()), "new.h5", kLimit),
                    "new.h5: schema version 3 is newer than 2, the newest this program reads; update it");
}

TEST_CASE("files that are no result files are refused in one line with their name") {
  const support::TemporaryDirectory directory;
  const auto refused = [](const std::string& path, const std::string& why) {
    CHECK_THROWS_WITH(results::read(path),
                      Catch::StartsWith(path + ": ") && Catch::Contains(why) && !Catch::Contains("\n"));
  };
  std::ofstream(directory / "text") << "size = 32\n";
  std::ofstream(directory / "empty").flush();
  refused(directory / "text", "not an HDF5 file");
  refused(directory / "empty", "not an HDF5 file");
  refused(directory / "none.h5", "No such file");
  refused(directory.path().string(), "not a regular file");
  refused(kFixtures + "/foreign.h5", "not a dambench result file");
  core::replace_file(directory / "sealed.h5", {sealed(core::read_file(kFixtures + "/foreign.h5", kLimit))});
  refused(directory / "sealed.h5", "no schema_version");
  core::replace_file(directory / "sealed.h5", {sealed(core::Bytes(2000))});
  refused(directory / "sealed.h5", "not an HDF5 file");
  results::write(directory / "good.h5", example_file());
  CHECK_THROWS_WITH(results::read(directory / "good.h5", 1000), Catch::Contains("the limit is 1000"));
}

TEST_CASE("a truncated file is refused at every length") {
  const core::Bytes whole = results::serialize(example_file());
  for (std::size_t size = 0; size < whole.size(); size += 61) {
    const core::Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_THROWS_WITH(results::parse(cut, "cut", kLimit),
                      Catch::StartsWith("cut: truncated") || Catch::StartsWith("cut: not an HDF5"));
    // Past the seal, HDF5 itself: only padding can be missing without being missed.
    try {
      const ResultFile file = results::parse(sealed(cut), "cut", kLimit);
      CHECK(same(file, example_file()));
    } catch (const std::runtime_error& error) {
      CHECK_THAT(error.what(), Catch::StartsWith("cut: "));
    }
  }
}

TEST_CASE("a flipped bit anywhere is noticed") {
  const core::Bytes whole = results::serialize(example_file());
  std::mt19937 random(Catch::rngSeed());
  for (int trial = 0; trial < 2000; ++trial) {
    core::Bytes damaged = whole;
    damaged[random() % whole.size()] ^= static_cast<std::byte>(1u << random() % 8);
    CHECK_THROWS_AS(results::parse(damaged, "damaged", kLimit), std::runtime_error);
  }
}

TEST_CASE("tables that claim more than the file stores are refused before they are allocated") {
  core::Hdf5File forged = core::Hdf5File::from_bytes(core::read_file(kFixtures + "/forged_result.h5", kLimit), "x");
  CHECK(forged.read_attribute("/", "schema_version") == core::AttributeValue(std::int64_t{1}));
  const core::Bytes bytes = sealed(core::read_file(kFixtures + "/forged_result.h5", kLimit));
  CHECK_THROWS_WITH(results::parse(bytes, "forged", kLimit),
                    Catch::StartsWith("forged: /points/trials: claims 1099511627776 values"));
}

TEST_CASE("a writer killed at any instant leaves the old or the new file") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  const auto file_of = [](std::size_t rows) {
    ResultFile file = example_file(rows);
    file.tables.resize(1);
    return file;
  };
  const auto start = std::chrono::steady_clock::now();
  results::write(path, file_of(1));
  const auto one_write = std::chrono::steady_clock::now() - start;
  std::mt19937 random(Catch::rngSeed());
  std::uniform_real_distribution<double> instant(0, 5);  // in writes, so that kills fall into writing on any machine
  std::size_t rows_before = 1;
  int grown = 0;
  double slower = 1;  // on a busy machine too many kills come before the first write ends: they wait longer then
  for (int kill = 0; kill < 60 || (grown <= 10 && kill < 600); ++kill) {
    support::ChildProcess writer([&]() -> std::string {
      const core::FileLock lock(path);
      for (std::size_t rows = rows_before + 1;; ++rows) results::write(path, file_of(rows));
    });
    std::this_thread::sleep_for(instant(random) * slower * one_write);
    writer.kill();
    const ResultFile file = results::read(path);
    const std::size_t rows = file.table("batches").rows();
    CHECK(rows >= rows_before);
    CHECK(same(file, file_of(rows)));
    grown += rows > rows_before;
    slower = rows > rows_before ? std::max(1., slower / 2) : slower * 1.2;
    rows_before = rows;
  }
  CHECK(grown > 10);
  { const core::FileLock lock(path); }
  const std::filesystem::directory_iterator entries(directory.path());
  CHECK(std::distance(begin(entries), end(entries)) == 1);  // the next holder of the lock cleaned up
}

TEST_CASE("a write that fails leaves the old file and names the reason") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  results::write(path, example_file());
  const std::string said = support::in_child([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return "no limit";
    results::write(path, example_file(50));
    return "written";
  });
  CHECK(said == "exception: " + path + ": cannot write: File too large");
  CHECK(same(results::read(path), example_file()));
}

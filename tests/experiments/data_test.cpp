// ham data: finding, checking and fetching data sets.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "experiments/files/data_check.h"
#include "experiments/files/data_path.h"
#include "tests/support/run_program.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

namespace fs = std::filesystem;

const fs::path kFashion = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist, in packages.txt

/// Runs `ham data` where nothing but these directories can be found.
Ran ham_data(const TemporaryDirectory& home, const std::string& data, const std::string& words) {
  return run_shell("HOME=" + home.path().string() + " DAMBENCH_DATA=" + data + " " + HAM_PROGRAM + " data " + words);
}

void write_idx(const fs::path& path, std::initializer_list<int> header, std::size_t values) {
  fs::create_directories(path.parent_path());
  std::string bytes;
  for (const int number : header)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  std::ofstream(path, std::ios::binary) << bytes << std::string(values, '\3');
}

/// Two training images and one to test, all alike.
void write_small_mnist(const fs::path& folder) {
  write_idx(folder / "train-images-idx3-ubyte", {0x803, 2, 28, 28}, 2 * 784);
  write_idx(folder / "train-labels-idx1-ubyte", {0x801, 2}, 2);
  write_idx(folder / "t10k-images-idx3-ubyte", {0x803, 1, 28, 28}, 784);
  write_idx(folder / "t10k-labels-idx1-ubyte", {0x801, 1}, 1);
}

}  // namespace

TEST_CASE("files are found where they are named, else in the first data directory that has them") {
  const TemporaryDirectory first, second;
  std::ofstream(second / "images-idx3-ubyte") << "x";
  ::setenv("DAMBENCH_DATA", (first.path().string() + ":" + second.path().string()).c_str(), 1);
  const std::vector<std::string> path = experiments::data_directories("/given");
  REQUIRE(path.size() == 5);
  CHECK(path[0] == "/given");
  CHECK(path[1] == first.path());
  CHECK(path[3].ends_with("/.cache/dambench"));
  CHECK(path[4] == "/usr/share/datasets");
  CHECK(experiments::find_data_file("images-idx3-ubyte") == second / "images-idx3-ubyte");
  CHECK(experiments::find_data_file("nowhere-ubyte") == "nowhere-ubyte");
  CHECK(experiments::find_data_file("./images-idx3-ubyte") == "./images-idx3-ubyte");
  ::unsetenv("DAMBENCH_DATA");
}

TEST_CASE("the content of images has one checksum whatever their order, another for any other label or pixel") {
  const ham::Images one{1, 2, 1, {1, 2, 3, 4}, {5, 6}}, turned{1, 2, 1, {3, 4, 1, 2}, {6, 5}};
  ham::Images relabelled = one, changed = one;
  relabelled.labels = {6, 5};
  changed.pixels[3] = 5;
  CHECK(experiments::content_sha256(one) == experiments::content_sha256(turned));
  CHECK(experiments::content_sha256(one) != experiments::content_sha256(relabelled));
  CHECK(experiments::content_sha256(one) != experiments::content_sha256(changed));
}

TEST_CASE("checksums are SHA-256, of IDX files uncompressed") {
  const TemporaryDirectory directory;
  const std::string path = directory / "labels";
  write_idx(path, {0x801, 3}, 3);
  const Ran sum = run_shell("sha256sum <" + path + "; gzip -n " + path);
  CHECK(sum.out.substr(0, 64) == experiments::idx_sha256(path + ".gz", 1000));
  const Ran compressed = run_shell("sha256sum <" + path + ".gz");
  CHECK(compressed.out.substr(0, 64) == experiments::file_sha256(path + ".gz", 1000));
}

TEST_CASE("ham data says what is missing and how to get it") {
  const TemporaryDirectory home;
  const Ran ran = ham_data(home, "", "mnist cifar10");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, Catch::Contains("mnist          missing"));
  CHECK_THAT(ran.out, Catch::Contains("curl --fail --location --create-dirs --output " +
                                      (home / ".cache/dambench/mnist/train-images-idx3-ubyte.gz") + " -- https://"));
  CHECK_THAT(ran.out, Catch::Contains("tar --no-same-owner -xzf " + (home / ".cache/dambench/cifar-10-binary.tar.gz") +
                                      " -C " + (home / ".cache/dambench")));
  CHECK(ham_data(home, "", "cifar100").code == 2);
  CHECK(ham_data(home, "", "--download").code == 2);
}

TEST_CASE("ham data tells published files from others and from damaged ones") {
  const TemporaryDirectory home, data;
  write_small_mnist(data.path() / "mnist");
  Ran ran = ham_data(home, data.path().string(), "mnist");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, Catch::Contains("not ok") && Catch::Contains("2 + 1 images; train-images-idx3-ubyte is not the "
                                                                   "published file"));
  write_idx(data / "mnist/train-labels-idx1-ubyte", {0x801, 3}, 3);
  ran = ham_data(home, data.path().string(), "mnist");
  CHECK_THAT(ran.out, Catch::Contains("train-labels-idx1-ubyte: 3 labels for 2 images"));
}

TEST_CASE("ham data fetches, checks and keeps the published files, and no others") {
  REQUIRE(fs::exists(kFashion));
  const TemporaryDirectory home, mirror;
  // Found in /usr/share/datasets, nothing needs to be fetched.
  const Ran there = ham_data(home, "", "fashion-mnist --download");
  CHECK(there.code == 0);
  CHECK_THAT(there.out, Catch::Contains("ok        " + kFashion.string() + ": 60000 + 10000 images; the published"));
  CHECK_FALSE(fs::exists(home / ".cache"));
  // Another data set's files under MNIST's names are refused and removed.
  for (const fs::directory_entry& file : fs::directory_iterator(kFashion))
    fs::copy(fs::canonical(file.path()), mirror.path() / file.path().filename());
  const Ran other = ham_data(home, "", "mnist --download --mirror file://" + mirror.path().string());
  CHECK(other.code == 1);
  CHECK_THAT(other.err, Catch::Contains("instead of ba891046") && Catch::Contains("removed"));
  CHECK(fs::is_empty(home / ".cache/dambench/mnist"));
  const Ran nowhere = ham_data(home, "", "cifar10 --download --mirror file://" + mirror.path().string());
  CHECK(nowhere.code == 1);
  CHECK_THAT(nowhere.err, Catch::Contains("cifar-10-binary.tar.gz' failed"));
  CHECK(std::distance(fs::directory_iterator(home / ".cache/dambench"), fs::directory_iterator()) == 1);  // mnist
}

TEST_CASE("a download writes through no link that waits for it, and takes no address for an option") {
  const TemporaryDirectory home, mirror, elsewhere;
  for (const fs::directory_entry& file : fs::directory_iterator(kFashion))
    fs::copy(fs::canonical(file.path()), mirror.path() / file.path().filename());
  const fs::path folder = home.path() / "data/mnist", mine = elsewhere.path() / "mine";
  fs::create_directories(folder);
  std::ofstream(mine) << "mine";
  for (const char* name : {"train-images-idx3-ubyte.gz", "partial-train-images-idx3-ubyte.gz"})
    fs::create_symlink(mine, folder / name);
  for (const std::string& from : {"file://" + mirror.path().string(), "--output=" + mine.string()}) {
    INFO(from);
    const Ran ran = ham_data(home, "", "mnist --download --data-dir " + (home / "data") + " --mirror=" + from);
    CHECK(ran.code == 1);
    std::ifstream file(mine);
    CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "mine");
    CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator()) == 2);
  }
}

TEST_CASE("without a home directory data sets are still found and downloads want a folder") {
  const Ran ran = run_shell(std::string("env -u HOME ") + HAM_PROGRAM + " data fashion-mnist");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, Catch::Contains("ok"));
}

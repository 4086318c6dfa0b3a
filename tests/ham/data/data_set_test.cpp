#include "ham/data/data_set.h"
#include "tests/support/write_arrays.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"
#include "core/formats/npz.h"
#include "tests/support/temporary_directory.h"

using namespace ham;

namespace {

constexpr std::uint64_t kLimit = 1 << 24;
using Bytes = std::vector<std::uint8_t>;

void write(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string big_endian(unsigned number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

std::string idx(const std::vector<unsigned>& shape, const std::string& values) {
  std::string bytes = big_endian(0x800 + static_cast<unsigned>(shape.size()));
  for (const unsigned length : shape) bytes += big_endian(length);
  return bytes + values;
}

std::string idx_images(unsigned count) {
  std::string pixels;
  for (unsigned i = 0; i < count; ++i) pixels += std::string(784, static_cast<char>(i));
  return idx({count, 28, 28}, pixels);
}

std::string idx_labels(const std::vector<int>& labels) {
  return idx({static_cast<unsigned>(labels.size())}, {labels.begin(), labels.end()});
}

/// Three training images and two to test.
void write_mnist(const std::string& folder) {
  write(folder + "/train-images-idx3-ubyte", idx_images(3));
  write(folder + "/train-labels-idx1-ubyte", idx_labels({7, 0, 9}));
  write(folder + "/t10k-images-idx3-ubyte", idx_images(2));
  write(folder + "/t10k-labels-idx1-ubyte", idx_labels({1, 2}));
}

/// A CIFAR-10 record whose planes are `label`, `label` + 1 and `label` + 2, but for a last blue pixel of 200.
std::string record(int label) {
  std::string bytes(1, static_cast<char>(label));
  for (int plane = 0; plane < 3; ++plane) bytes += std::string(1024, static_cast<char>(label + plane));
  bytes.back() = static_cast<char>(200);
  return bytes;
}

void write_cifar(const std::string& folder) {
  for (int i = 1; i <= 5; ++i) write(folder + "/data_batch_" + std::to_string(i) + ".bin", record(i) + record(9 - i));
  write(folder + "/test_batch.bin", record(0));
}

/// What is wrong, in one line that begins with the place.
std::string complaint(const std::string& name, const std::string& directory, std::uint64_t limit = kLimit) {
  try {
    read_data_set(name, std::vector{directory}, limit);
  } catch (const std::exception& error) {
    const std::string what = error.what();
    CHECK(what.find('\n') == std::string::npos);
    return what;
  }
  return "accepted";
}

void write_hdf5(const std::string& path, const std::vector<std::pair<std::string, core::NumericArray>>& arrays) {
  core::Hdf5File file = core::Hdf5File::create();
  for (const auto& [name, array] : arrays) {
    if (const auto slash = name.find('/'); slash != std::string::npos && !file.exists(name.substr(0, slash)))
      file.create_group(name.substr(0, slash));
    file.write_array(name, array);
  }
  core::replace_file(path, {file.image()});
}

core::NumericArray labels_of(std::vector<std::int64_t> labels) { return {{labels.size()}, std::move(labels)}; }

}  // namespace

TEST_CASE("IDX data sets are read, by name, from the first directory that has them") {
  const support::TemporaryDirectory first, second;
  write_mnist(first / "fashion-mnist");
  write_mnist(second / "mnist");
  const std::vector directories = {first.path().string(), second.path().string()};
  const DataSet set = read_data_set("mnist", directories, kLimit);
  CHECK(set.name == "mnist");
  CHECK(set.classes == 10);
  CHECK(set.train.labels == std::vector{7, 0, 9});
  CHECK(set.train.image(2)[783] == 2);
  CHECK(set.test.count() == 2);
  CHECK(set.test.size() == 784);
  CHECK(set.normalization.mean == std::vector<float>{0});
  const std::vector<FoundDataSet> found = find_data_sets(directories);
  REQUIRE(found.size() == 2);
  CHECK(found[0].folder == first / "fashion-mnist");
  CHECK(found[1].missing.empty());
}

TEST_CASE("CIFAR-10 planes become pixels, batches one training set") {
  const support::TemporaryDirectory directory;
  write_cifar(directory / "cifar-10-batches-bin");
  const DataSet set = read_data_set("cifar10", std::vector{directory.path().string()}, kLimit);
  CHECK(set.train.labels == std::vector{1, 8, 2, 7, 3, 6, 4, 5, 5, 4});
  CHECK(set.train.image(3)[0] == 7);
  CHECK(set.train.image(3)[1] == 8);
  CHECK(set.train.image(3)[2] == 9);
  CHECK(set.train.image(3)[3071] == 200);
  CHECK(set.test.labels == std::vector{0});
  CHECK(set.normalization.deviation[2] == 0.2616f);
}

TEST_CASE("damaged IDX files are refused in one line that says what is wrong") {
  const support::TemporaryDirectory directory;
  const std::string root = directory.path().string(), folder = directory / "mnist";
  write_mnist(folder);
  const std::string images = folder + "/train-images-idx3-ubyte", labels = folder + "/train-labels-idx1-ubyte";
  SECTION("label out of range") {
    write(labels, idx_labels({7, 10, 9}));
    CHECK(complaint("mnist", root) == labels + ": label 10 of image 1 is not one of 0 to 9");
  }
  SECTION("another number of labels") {
    write(labels, idx_labels({7, 1}));
    CHECK(complaint("mnist", root) == labels + ": 2 labels for 3 images");
  }
  SECTION("labels in the place of images") {
    write(images, idx_labels({7, 1, 2}));
    CHECK(complaint("mnist", root) == images + ": has 1 axes (magic number 2049), images have 3 (magic number 2051)");
  }
  SECTION("images of another size") {
    write(images, idx({3, 2, 2}, std::string(12, 'x')));
    CHECK(complaint("mnist", root) == images + ": images of 2x2 pixels, mnist has 28x28");
  }
  SECTION("truncated") {
    write(images, idx_images(3).substr(0, 1000));
    CHECK(complaint("mnist", root) == images + ": truncated: shape (3, 28, 28) takes 2352 bytes, the file holds 984");
  }
  SECTION("no IDX file") {
    write(images, "<!DOCTYPE html>");
    CHECK_THAT(complaint("mnist", root), Catch::StartsWith(images + ": is no IDX file"));
  }
  SECTION("no images") {
    write(images, idx_images(0));
    CHECK(complaint("mnist", root) == images + ": holds no images");
  }
  SECTION("a file is missing") {
    std::filesystem::remove(labels);
    CHECK(complaint("mnist", root) == folder + ": lacks train-labels-idx1-ubyte of mnist");
  }
  SECTION("more than may be read") { CHECK_THAT(complaint("mnist", root, 3000), Catch::StartsWith(folder)); }
}

TEST_CASE("damaged CIFAR-10 files are refused in one line that says what is wrong") {
  const support::TemporaryDirectory directory;
  const std::string root = directory.path().string(), folder = directory / "cifar-10-batches-bin";
  write_cifar(folder);
  const std::string batch = folder + "/data_batch_3.bin";
  SECTION("truncated") {
    write(batch, record(1) + record(2).substr(0, 3000));
    CHECK(complaint("cifar10", root) ==
          batch + ": 6073 bytes are no whole number of 3073-byte records (a label and 3072 pixels)");
  }
  SECTION("empty") {
    write(batch, "");
    CHECK_THAT(complaint("cifar10", root), Catch::StartsWith(batch + ": 0 bytes"));
  }
  SECTION("mislabelled") {
    write(batch, record(1) + record(77));
    CHECK(complaint("cifar10", root) == batch + ": label 77 of image 1 is not one of 0 to 9");
  }
}

TEST_CASE("HDF5 images are read under any of the usual names, as bytes or shares, channels first or last") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "mine.h5";
  SECTION("split, colours last") {
    Bytes pixels(2 * 2 * 2 * 3);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(10 * i);
    const core::NumericArray images({2, 2, 2, 3}, pixels);
    write_hdf5(path, {{"train/images", images},
                      {"train/labels", labels_of({0, 4})},
                      {"test/images", images},
                      {"test/labels", labels_of({1, 2})}});
    const DataSet set = read_data_set(path, {}, kLimit);
    CHECK(set.classes == 5);
    CHECK(set.train.pixels == pixels);
    CHECK(set.test.labels == std::vector{1, 2});
    CHECK(set.normalization.mean[1] == Approx((10 + 40 + 70 + 100 + 130 + 160 + 190 + 220) / 8 / 255.));
  }
  SECTION("colours first") {
    const core::NumericArray images({2, 3, 1, 2}, Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    write_hdf5(
        path, {{"x_train", images}, {"y_train", labels_of({0, 1})}, {"x_test", images}, {"y_test", labels_of({1, 1})}});
    CHECK(read_data_set(path, {}, kLimit).train.pixels == Bytes{1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12});
  }
  SECTION("not split, shares") {
    std::vector<float> pixels(20 * 4, 0.5f);
    pixels[3] = 1;  // of image 0
    write_hdf5(path, {{"images", {{20, 2, 2}, pixels}}, {"labels", labels_of(std::vector<std::int64_t>(20, 1))}});
    const DataSet set = read_data_set(path, {}, kLimit);
    CHECK(set.train.count() == 18);
    CHECK(set.test.count() == 2);
    CHECK(set.train.image(1)[0] == 128);
    CHECK(std::ranges::count(set.train.pixels, 255) + std::ranges::count(set.test.pixels, 255) == 1);
  }
}

TEST_CASE("HDF5 files that are no image sets are refused in one line that says what is wrong") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "mine.h5";
  const core::NumericArray images({2, 2, 2}, Bytes(8));
  const auto refused = [&](core::NumericArray pixels, core::NumericArray labels) {
    write_hdf5(path, {{"images", std::move(pixels)}, {"labels", std::move(labels)}});
    return complaint(path, "");
  };
  CHECK(refused(images, labels_of({0, -1})) == path + ": labels: label -1 of image 1 is not one of 0 to 65535");
  CHECK(refused(images, labels_of({0})) == path + ": labels: 1 labels for 2 images");
  CHECK_THAT(refused({{8}, Bytes(8)}, labels_of({0})), Catch::StartsWith(path + ": images: has shape (8); images are"));
  CHECK_THAT(refused({{2, 2, 2}, std::vector<double>(8, 1.5)}, labels_of({0, 1})), Catch::Contains("pixel 0 is 1.5"));
  CHECK_THAT(refused(images, {{2}, std::vector<double>{0.5, 1}}),
             Catch::Contains("label 0.5 of image 0 is no whole number"));
  write_hdf5(path, {{"pictures", images}});
  CHECK_THAT(
      complaint(path, ""),
      Catch::StartsWith(path + ": holds no array train/images or train_images or x_train or images, but pictures"));
}

TEST_CASE("a data set nobody knows or has is answered with what is known and where it was looked for") {
  const support::TemporaryDirectory directory;
  CHECK(complaint("cifar100", "") ==
        "'cifar100' is no data set; accepted are mnist, fashion-mnist, cifar10 or a file (NPZ, HDF5, MATLAB)");
  CHECK(complaint("mnist", directory.path().string()) ==
        "mnist: no folder mnist or MNIST/raw in " + directory.path().string());
}

TEST_CASE("flat square images and whole-number labels of any type are read, also from NPZ") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "digits.npz";
  support::write_npz(path, {{"x_train", {{3, 784}, std::vector<double>(3 * 784, 200)}},
                            {"y_train", {{3, 1}, std::vector<double>{2, 0, 1}}},
                            {"x_test", {{1, 28, 28}, std::vector<float>(784, 0.2f)}},
                            {"y_test", {{1, 1}, std::vector<std::int64_t>{1}}}});
  const DataSet set = read_data_set(path, {}, kLimit);
  CHECK(set.train.rows == 28);
  CHECK(set.train.columns == 28);
  CHECK(set.train.labels == std::vector<int>{2, 0, 1});
  CHECK(set.train.pixels == Bytes(3 * 784, 200));
  CHECK(set.test.pixels == Bytes(784, 51));
  CHECK(set.classes == 3);
  support::write_npz(path, {{"images", {{2, 783}, Bytes(2 * 783)}}, {"labels", {{2}, Bytes(2)}}});
  CHECK_THAT(complaint(path, ""), Catch::StartsWith(path + ": images: has shape (2, 783); images are"));
}

TEST_CASE("MNIST under the dotted names that some archives unpack to") {
  const support::TemporaryDirectory directory;
  const std::string folder = directory / "mnist";
  write_mnist(folder);
  for (const std::string name : {"train-images", "train-labels", "t10k-images", "t10k-labels"}) {
    const std::string type = name.ends_with("images") ? "idx3-ubyte" : "idx1-ubyte";
    std::filesystem::rename(folder + "/" + name + "-" + type, folder + "/" + name + "." + type);
  }
  const DataSet set = read_data_set("mnist", std::vector{directory.path().string()}, kLimit);
  CHECK(set.train.labels == std::vector<int>{7, 0, 9});
  CHECK(set.test.count() == 2);
}

TEST_CASE("CIFAR-10 for Python is recognised and named") {
  const support::TemporaryDirectory directory;
  write(directory / "cifar-10-batches-py/data_batch_1", "\x80\x02}q");
  CHECK_THAT(complaint("cifar10", directory.path().string()),
             Catch::StartsWith(directory / "cifar-10-batches-py: holds the version for Python (pickles) of cifar10"));
  CHECK_THAT(complaint(directory / "cifar-10-batches-py/data_batch_1", ""),
             Catch::Contains("is a Python pickle; accepted are NPY"));
}

TEST_CASE("images sorted by class are split with a tenth of every class to test") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "sorted.h5";
  std::vector<std::int64_t> labels;
  Bytes pixels;
  for (int i = 0; i < 303; ++i) {
    labels.push_back(i / 101);
    for (int place = 0; place < 4; ++place) pixels.push_back(static_cast<std::uint8_t>(i % 101));
  }
  write_hdf5(path, {{"images", {{303, 2, 2}, pixels}}, {"labels", {{303}, labels}}});
  const DataSet set = read_data_set(path, {}, kLimit);
  CHECK(set.test.count() == 30);
  CHECK(set.train.count() == 273);
  for (int label = 0; label < 3; ++label) CHECK(std::ranges::count(set.test.labels, label) == 10);
  // Every image is in one of the two, and the same file gives the same split.
  std::vector<std::pair<int, int>> all;
  for (const Images* images : {&set.train, &set.test})
    for (long i = 0; i < images->count(); ++i) all.emplace_back(images->labels[i], images->image(i)[0]);
  std::ranges::sort(all);
  for (int i = 0; i < 303; ++i) CHECK(all[i] == std::pair(i / 101, i % 101));
  CHECK(read_data_set(path, {}, kLimit).test.pixels == set.test.pixels);
}

// Labelled images: MNIST and its relatives, CIFAR-10, and files of arrays people bring.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ham {

/// Images of one size with their labels.
struct Images {
  int rows = 0, columns = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  ///< (count, rows, columns, channels)
  std::vector<int> labels;           ///< (count), 0 … classes − 1; −1 where they are not known

  long count() const { return static_cast<long>(labels.size()); }
  /// Numbers in one image.
  long size() const { return static_cast<long>(rows) * columns * channels; }
  std::span<const std::uint8_t> image(long index) const { return std::span(pixels).subspan(index * size(), size()); }
};

/// What makes network input of pixels, channel by channel: (pixel/255 − mean)/deviation.
struct Normalization {
  std::vector<float> mean, deviation;
};

struct DataSet {
  std::string name;
  int classes = 0;
  Images train, test;
  Normalization normalization;
};

/// A data set that is known by name: where its files stand and what they hold.
struct KnownDataSet {
  enum class Format { idx, cifar };
  const char* name;  ///< `mnist`
  Format format;
  std::span<const char* const> folders;        ///< below a data directory, the usual one first
  std::span<const char* const> other_folders;  ///< where the same data stands in files that are not read
  std::span<const char* const> files;  ///< training images, training labels, test images, test labels (IDX; each may
                                       ///< end in .gz), or five training batches and a test batch (CIFAR)
  int rows, columns, channels;
  long train_count, test_count;
  std::span<const float> mean, deviation;
};

/// mnist, fashion-mnist, cifar10; all have ten classes.
std::span<const KnownDataSet> known_data_sets();

/// The row of that name; throws std::invalid_argument that lists the names.
const KnownDataSet& known_data_set(std::string_view name);

/// One place that holds the files of a known data set.
struct FoundDataSet {
  const KnownDataSet* data_set = nullptr;
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;  ///< in the order of KnownDataSet::files
  std::vector<std::string> missing;          ///< names of files that are not there
};

/// Every folder below the directories that holds at least one file of a known data set, in the order of the
/// directories. Nothing is read.
std::vector<FoundDataSet> find_data_sets(std::span<const std::string> directories);

/// The names under which a file's four arrays are looked for, or two of which a part is split off to test; the first
/// set whose first name is there is read.
const std::vector<std::vector<std::string>>& array_layouts();

/// Reads `mnist`, `fashion-mnist` or `cifar10` from the first directory that has all its files, or the file of arrays
/// (core/formats/array_file.h: NPZ, HDF5, MATLAB) that a path, anything with a `/` or a dot, names.
///
/// Its arrays: `train/images train/labels test/images test/labels`, the same with `_` for `/`, `x_train y_train x_test
/// y_test`, or only `images labels`, a tenth of which, drawn alike from every class by a fixed seed, is then the test
/// set. Images are (count, rows, columns),
/// square ones also (count, pixels), (count, rows, columns, channels) or (count, channels, rows, columns) with 1 or 3
/// channels, of whole numbers 0 to 255 or real numbers from 0 to 1. Labels are one whole number an image, of any type;
/// classes are the labels up to the greatest.
/// Normalization: one channel mean 0, deviation 1; CIFAR-10 the constants of Hoover et al. 2022; other colour images
/// are measured on the training set. Throws std::runtime_error in one line when it is not found (and where it was
/// looked for), a file is truncated, has a wrong magic number, size or count, or a label out of range, or when more
/// than `byte_limit` bytes are needed.
DataSet read_data_set(const std::string& name, std::span<const std::string> directories, std::uint64_t byte_limit);

/// Images of a file of arrays without their labels, which are −1: the array `images` or a test set's of
/// array_layouts(), or the only one. The same shapes and numbers.
Images read_images(const std::string& path, std::uint64_t byte_limit);

/// Reads a data set from the place it was found in.
DataSet read_data_set(const FoundDataSet& found, std::uint64_t byte_limit);

}  // namespace ham

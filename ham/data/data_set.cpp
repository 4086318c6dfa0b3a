#include "ham/data/data_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "core/files/file.h"
#include "core/formats/array_file.h"
#include "core/formats/idx.h"
#include "core/random.h"

namespace ham {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

// The folders by which the files are known: as unpacked here or by Debian, and as torchvision leaves them.
constexpr const char* kMnistFolders[] = {"mnist", "MNIST/raw"};
constexpr const char* kFashionFolders[] = {"fashion-mnist", "FashionMNIST/raw"};
constexpr const char* kCifarFolders[] = {"cifar-10-batches-bin"};
constexpr const char* kIdxFiles[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                     "t10k-labels-idx1-ubyte"};
constexpr const char* kCifarPickles[] = {"cifar-10-batches-py"};
constexpr const char* kCifarFiles[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                       "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
constexpr float kZero[] = {0}, kOne[] = {1};
constexpr float kCifarMean[] = {0.4914f, 0.4822f, 0.4465f}, kCifarDeviation[] = {0.2470f, 0.2435f, 0.2616f};
constexpr int kClasses = 10;

using Format = KnownDataSet::Format;
constexpr KnownDataSet kKnown[] = {
    {"mnist", Format::idx, kMnistFolders, {}, kIdxFiles, 28, 28, 1, 60000, 10000, kZero, kOne},
    {"fashion-mnist", Format::idx, kFashionFolders, {}, kIdxFiles, 28, 28, 1, 60000, 10000, kZero, kOne},
    {"cifar10", Format::cifar, kCifarFolders, kCifarPickles, kCifarFiles, 32, 32, 3, 50000, 10000, kCifarMean,
     kCifarDeviation},
};

bool is_file(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::is_regular_file(path, ignored);
}

/// `train-images.idx3-ubyte`: so archives that Windows unpacks call it.
std::string dotted(std::string name) {
  if (const std::size_t dash = name.rfind("-idx"); dash != std::string::npos) name[dash] = '.';
  return name;
}

/// The file itself, or (IDX) with a dot in its name or compressed; empty when there is none.
fs::path find_file(const fs::path& folder, const std::string& name, Format format) {
  if (format != Format::idx) return is_file(folder / name) ? folder / name : fs::path();
  for (const std::string& spelled : {name, dotted(name)})
    for (const char* ending : {"", ".gz"})
      if (const fs::path path = folder / (spelled + ending); is_file(path)) return path;
  return {};
}

FoundDataSet look_in(const fs::path& folder, const KnownDataSet& known) {
  FoundDataSet found{&known, folder, {}, {}};
  for (const char* name : known.files) {
    if (const fs::path path = find_file(folder, name, known.format); path.empty())
      found.missing.emplace_back(name);
    else
      found.files.push_back(path);
  }
  return found;
}

void check_labels(std::span<const int> labels, int classes, const std::string& file) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= classes)
      throw std::runtime_error(
          fmt::format("{}: label {} of image {} is not one of 0 to {}", file, labels[i], i, classes - 1));
}

void check_count(std::uint64_t labels, std::uint64_t images, const std::string& label_file) {
  if (labels != images)
    throw std::runtime_error(fmt::format("{}: {} labels for {} images", label_file, labels, images));
}

/// What is left of the memory the caller allows.
class Budget {
 public:
  explicit Budget(std::uint64_t bytes) : left_(bytes) {}
  std::uint64_t left() const { return left_; }
  void spend(std::uint64_t bytes) { left_ -= std::min(left_, bytes); }

 private:
  std::uint64_t left_;
};

// ---- IDX ---------------------------------------------------------------------------------------------------------

core::NumericArray read_idx(const fs::path& path, std::size_t axes, Budget& budget) {
  core::NumericArray array = core::read_idx(path.string(), budget.left());
  if (array.shape.size() != axes)
    throw std::runtime_error(fmt::format("{}: has {} axes (magic number {}), {} have {} (magic number {})",
                                         path.string(), array.shape.size(), 0x800 + array.shape.size(),
                                         axes == 3 ? "images" : "labels", axes, 0x800 + axes));
  if (array.type() != core::ElementType::uint8)
    throw std::runtime_error(path.string() + ": holds other numbers than bytes");
  budget.spend(std::get<Bytes>(array.values).size());
  return array;
}

Images read_idx_images(const KnownDataSet& known, const fs::path& image_file, const fs::path& label_file,
                       Budget& budget) {
  core::NumericArray images = read_idx(image_file, 3, budget), labels = read_idx(label_file, 1, budget);
  if (images.shape[0] == 0) throw std::runtime_error(image_file.string() + ": holds no images");
  if (images.shape[1] != static_cast<std::uint64_t>(known.rows) ||
      images.shape[2] != static_cast<std::uint64_t>(known.columns))
    throw std::runtime_error(fmt::format("{}: images of {}x{} pixels, {} has {}x{}", image_file.string(),
                                         images.shape[1], images.shape[2], known.name, known.rows, known.columns));
  check_count(labels.shape[0], images.shape[0], label_file.string());
  const Bytes& numbers = std::get<Bytes>(labels.values);
  Images read{
      known.rows, known.columns, 1, std::move(std::get<Bytes>(images.values)), {numbers.begin(), numbers.end()}};
  check_labels(read.labels, kClasses, label_file.string());
  return read;
}

// ---- CIFAR-10 ----------------------------------------------------------------------------------------------------

/// Appends a batch: records of a label and the image's colour planes.
void read_cifar_batch(const KnownDataSet& known, const fs::path& path, Budget& budget, Images& images) {
  const long plane = static_cast<long>(known.rows) * known.columns, size = images.size(), record = size + 1;
  const core::Bytes bytes = core::read_file(path.string(), budget.left());
  budget.spend(bytes.size());
  const long count = static_cast<long>(bytes.size()) / record, before = images.count();
  if (count == 0 || count * record != static_cast<long>(bytes.size()))
    throw std::runtime_error(fmt::format("{}: {} bytes are no whole number of {}-byte records (a label and {} pixels)",
                                         path.string(), bytes.size(), record, size));
  images.pixels.resize((before + count) * size);
  for (long i = 0; i < count; ++i) {
    const std::byte* from = bytes.data() + i * record;
    std::uint8_t* to = images.pixels.data() + (before + i) * size;
    images.labels.push_back(static_cast<int>(*from++));
    for (int channel = 0; channel < known.channels; ++channel)
      for (long pixel = 0; pixel < plane; ++pixel)
        to[pixel * known.channels + channel] = static_cast<std::uint8_t>(from[channel * plane + pixel]);
  }
  check_labels(std::span(images.labels).subspan(before), kClasses, path.string());
}

// ---- files of arrays ---------------------------------------------------------------------------------------------

/// Names under which people keep the four arrays, or two of which a part is split off to test.
const core::ArrayRequest kWanted{{
    {"train/images", "train/labels", "test/images", "test/labels"},
    {"train_images", "train_labels", "test_images", "test_labels"},
    {"x_train", "y_train", "x_test", "y_test"},
    {"images", "labels"},
}};

/// Pixels as bytes, from whole numbers 0 to 255 of any type or real numbers 0 to 1.
Bytes bytes_of(const core::NumericArray& array, const std::string& what) {
  return std::visit(
      [&](const auto& numbers) {
        const bool real = array.type() == core::ElementType::float32 || array.type() == core::ElementType::float64;
        const bool shares =
            real && std::ranges::all_of(numbers, [](auto number) { return number >= 0 && number <= 1; });
        Bytes bytes(numbers.size());
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          const double number = static_cast<double>(numbers[i]) * (shares ? 255 : 1);
          if (!(number >= 0 && number <= 255) || (!shares && number != std::floor(number)))
            throw std::runtime_error(fmt::format(
                "{}: pixel {} is {}; pixels are whole numbers from 0 to 255, or all real numbers from 0 to 1", what, i,
                numbers[i]));
          bytes[i] = static_cast<std::uint8_t>(std::lround(number));
        }
        return bytes;
      },
      array.values);
}

/// One whole number an image.
std::vector<int> labels_of(const core::NumericArray& array, const std::string& what) {
  if (std::ranges::count_if(array.shape, [](std::uint64_t extent) { return extent != 1; }) > 1)
    throw std::runtime_error(
        fmt::format("{}: has shape {}; labels are one whole number an image", what, core::shape_text(array.shape)));
  constexpr int kMostClasses = 1 << 16;
  std::vector<int> labels;
  std::visit(
      [&](const auto& numbers) {
        for (const auto number : numbers) {
          const auto value = static_cast<double>(number);
          if (value != std::floor(value))
            throw std::runtime_error(
                fmt::format("{}: label {} of image {} is no whole number", what, number, labels.size()));
          labels.push_back(static_cast<int>(std::clamp<double>(value, -1, kMostClasses)));
        }
      },
      array.values);
  check_labels(labels, kMostClasses, what);
  return labels;
}

/// Turns (count, channels, rows, columns) into (count, rows, columns, channels).
void move_channels_last(Images& images) {
  const long plane = static_cast<long>(images.rows) * images.columns;
  Bytes turned(images.pixels.size());
  for (std::size_t first = 0; first < turned.size(); first += images.size())
    for (int channel = 0; channel < images.channels; ++channel)
      for (long pixel = 0; pixel < plane; ++pixel)
        turned[first + pixel * images.channels + channel] = images.pixels[first + channel * plane + pixel];
  images.pixels = std::move(turned);
}

/// The side of flat square images, 0 when they are not square.
std::uint64_t square_side(std::uint64_t pixels) {
  const auto side = static_cast<std::uint64_t>(std::llround(std::sqrt(static_cast<double>(pixels))));
  return side * side == pixels ? side : 0;
}

/// Images of an array that messages call by its name; their labels are not known.
Images unlabelled_images(const std::pair<std::string, core::NumericArray>& image_array, const std::string& path) {
  const std::string what = path + (image_array.first.empty() ? "" : ": " + image_array.first);
  std::vector<std::uint64_t> shape = image_array.second.shape;
  if (shape.size() == 2)
    if (const std::uint64_t side = square_side(shape[1])) shape = {shape[0], side, side};
  const auto colours = [](std::uint64_t channels) { return channels == 1 || channels == 3; };
  const bool last = shape.size() == 4 && colours(shape[3]), first = shape.size() == 4 && colours(shape[1]) && !last;
  if (!(shape.size() == 3 || last || first) || *std::ranges::min_element(shape) == 0 ||
      *std::max_element(shape.begin() + 1, shape.end()) > 4096)
    throw std::runtime_error(
        fmt::format("{}: has shape {}; images are (count, rows, columns), square grey ones (count, pixels) or, with 1 "
                    "or 3 channels, (count, rows, columns, channels) or (count, channels, rows, columns), sides at "
                    "most 4096",
                    what, core::shape_text(shape)));
  Images images;
  images.rows = static_cast<int>(shape[first ? 2 : 1]);
  images.columns = static_cast<int>(shape[first ? 3 : 2]);
  images.channels = shape.size() == 3 ? 1 : static_cast<int>(shape[first ? 1 : 3]);
  images.pixels = bytes_of(image_array.second, what);
  if (first) move_channels_last(images);
  images.labels.assign(shape[0], -1);
  return images;
}

Images labelled_images(const std::pair<std::string, core::NumericArray>& image_array,
                       const std::pair<std::string, core::NumericArray>& label_array, const std::string& path) {
  const std::string what = path + ": " + label_array.first;
  Images images = unlabelled_images(image_array, path);
  const std::size_t count = images.labels.size();
  images.labels = labels_of(label_array.second, what);
  check_count(images.labels.size(), count, what);
  return images;
}

/// A tenth of the images, drawn by a fixed seed from every class alike: files are often sorted by class.
std::vector<bool> drawn_to_test(const std::vector<int>& labels) {
  std::map<int, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) classes[labels[i]].push_back(i);
  std::vector<bool> drawn(labels.size());
  core::Stream stream(0, 0, 0, core::Purpose::data);
  std::size_t seen = 0, taken = 0;
  for (auto& [label, images] : classes) {
    seen += images.size();
    // So many that a tenth of all classes so far is drawn, and of the last at least one where none was before.
    const std::size_t wanted = seen == labels.size() ? std::max<std::size_t>(1, seen / 10) : seen / 10;
    for (std::size_t left = images.size(); taken < wanted && left > 0; --left, ++taken) {
      std::swap(images[core::uniform_below(stream, left)], images[left - 1]);
      drawn[images[left - 1]] = true;
    }
  }
  return drawn;
}

/// The images that are (not) chosen, in their order.
Images selection(const Images& images, const std::vector<bool>& chosen, bool wanted) {
  Images some{images.rows, images.columns, images.channels, {}, {}};
  for (long i = 0; i < images.count(); ++i) {
    if (chosen[i] != wanted) continue;
    const auto pixels = images.image(i);
    some.pixels.insert(some.pixels.end(), pixels.begin(), pixels.end());
    some.labels.push_back(images.labels[i]);
  }
  return some;
}

Normalization measured(const Images& images) {
  std::vector<double> sum(images.channels), squares(images.channels);
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    const double value = images.pixels[i] / 255.;
    sum[i % images.channels] += value;
    squares[i % images.channels] += value * value;
  }
  Normalization found;
  const double count = static_cast<double>(images.pixels.size()) / images.channels;
  for (int channel = 0; channel < images.channels; ++channel) {
    const double mean = sum[channel] / count, variance = squares[channel] / count - mean * mean;
    found.mean.push_back(static_cast<float>(mean));
    found.deviation.push_back(variance > 0 ? static_cast<float>(std::sqrt(variance)) : 1);
  }
  return found;
}

DataSet read_array_file(const std::string& path, std::uint64_t byte_limit) {
  const core::NamedArrays arrays = core::read_arrays(path, kWanted, byte_limit);
  DataSet set;
  set.name = path;
  set.train = labelled_images(arrays[0], arrays[1], path);
  if (arrays.size() == 4) {
    set.test = labelled_images(arrays[2], arrays[3], path);
  } else {
    if (set.train.count() < 2)
      throw std::runtime_error(path + ": holds one image; a data set has one to train and one to test");
    const std::vector<bool> drawn = drawn_to_test(set.train.labels);
    set.test = selection(set.train, drawn, true);
    set.train = selection(set.train, drawn, false);
  }
  if (set.test.rows != set.train.rows || set.test.columns != set.train.columns ||
      set.test.channels != set.train.channels)
    throw std::runtime_error(fmt::format("{}: test images of {}x{}x{}, training images of {}x{}x{}", path,
                                         set.test.rows, set.test.columns, set.test.channels, set.train.rows,
                                         set.train.columns, set.train.channels));
  set.classes = 1 + std::max(std::ranges::max(set.train.labels), std::ranges::max(set.test.labels));
  set.normalization = set.train.channels == 1 ? Normalization{{0}, {1}} : measured(set.train);
  return set;
}

}  // namespace

const std::vector<std::vector<std::string>>& array_layouts() { return kWanted.names; }

std::span<const KnownDataSet> known_data_sets() { return kKnown; }

const KnownDataSet& known_data_set(std::string_view name) {
  std::vector<std::string_view> names;
  for (const KnownDataSet& known : kKnown) {
    if (name == known.name) return known;
    names.push_back(known.name);
  }
  throw std::invalid_argument(
      fmt::format("'{}' is no data set; accepted are {} or a file (NPZ, HDF5, MATLAB)", name, fmt::join(names, ", ")));
}

std::vector<FoundDataSet> find_data_sets(std::span<const std::string> directories) {
  std::vector<FoundDataSet> all;
  for (const std::string& directory : directories)
    for (const KnownDataSet& known : kKnown)
      for (const char* folder : known.folders)
        if (FoundDataSet found = look_in(fs::path(directory) / folder, known); !found.files.empty())
          all.push_back(std::move(found));
  return all;
}

DataSet read_data_set(const FoundDataSet& found, std::uint64_t byte_limit) {
  const KnownDataSet& known = *found.data_set;
  if (!found.missing.empty())
    throw std::runtime_error(
        fmt::format("{}: lacks {} of {}", found.folder.string(), fmt::join(found.missing, ", "), known.name));
  Budget budget(byte_limit);
  DataSet set;
  set.name = known.name;
  set.classes = kClasses;
  set.normalization.mean.assign(known.mean.begin(), known.mean.end());
  set.normalization.deviation.assign(known.deviation.begin(), known.deviation.end());
  if (known.format == Format::idx) {
    set.train = read_idx_images(known, found.files[0], found.files[1], budget);
    set.test = read_idx_images(known, found.files[2], found.files[3], budget);
    return set;
  }
  for (Images* images : {&set.train, &set.test})
    images->rows = known.rows, images->columns = known.columns, images->channels = known.channels;
  for (std::size_t i = 0; i < found.files.size(); ++i)
    read_cifar_batch(known, found.files[i], budget, i + 1 < found.files.size() ? set.train : set.test);
  return set;
}

Images read_images(const std::string& path, std::uint64_t byte_limit) {
  core::ArrayRequest request{{{"images"}}, true};
  for (const std::vector<std::string>& names : kWanted.names)
    if (names.size() == 4) request.names.push_back({names[2]});
  return unlabelled_images(core::read_arrays(path, request, byte_limit).at(0), path);
}

DataSet read_data_set(const std::string& name, std::span<const std::string> directories, std::uint64_t byte_limit) {
  if (name.find_first_of("/.") != std::string::npos) return read_array_file(name, byte_limit);
  const KnownDataSet& known = known_data_set(name);
  const std::vector<FoundDataSet> all = find_data_sets(directories);
  const auto is_ours = [&](const FoundDataSet& found) { return found.data_set == &known; };
  for (const FoundDataSet& found : all)
    if (is_ours(found) && found.missing.empty()) return read_data_set(found, byte_limit);
  // A folder that lacks a file says more than a list of directories.
  if (const auto partial = std::ranges::find_if(all, is_ours); partial != all.end())
    return read_data_set(*partial, byte_limit);
  for (const std::string& directory : directories)
    for (const char* folder : known.other_folders)
      if (std::error_code ignored; fs::is_directory(fs::path(directory) / folder, ignored))
        throw std::runtime_error(
            fmt::format("{}: holds the version for Python (pickles) of {}; the binary version is read: {}, which ham "
                        "data --download fetches",
                        (fs::path(directory) / folder).string(), name, fmt::join(known.folders, " or ")));
  throw std::runtime_error(
      fmt::format("{}: no folder {} in {}", name, fmt::join(known.folders, " or "), fmt::join(directories, ", ")));
}

}  // namespace ham

#include "experiments/files/load_array.h"

#include <fmt/core.h>

#include <span>
#include <stdexcept>
#include <utility>

#include "core/formats/foreign_hdf5.h"
#include "core/formats/idx.h"
#include "core/formats/npy.h"
#include "core/hash.h"
#include "core/numbers.h"
#include "experiments/files/data_path.h"

namespace experiments {
namespace {

bool is_npy(const std::string& path) { return path.ends_with(".npy"); }

/// The files of MNIST and its relatives are called `…-idx3-ubyte`, compressed or not.
bool is_idx(const std::string& path) { return path.find("-ubyte") != std::string::npos; }

/// Images as rows of bits: a pixel above 127 is 1.
core::NumericArray read_images(const std::string& path, std::uint64_t byte_limit) {
  core::NumericArray images = core::read_idx(path, byte_limit);
  for (std::uint8_t& pixel : std::get<std::vector<std::uint8_t>>(images.values)) pixel = pixel > 127;
  while (images.shape.size() > 2) {
    images.shape[1] *= images.shape.back();
    images.shape.pop_back();
  }
  return images;
}

core::NumericArray read_rows(const std::string& path, const std::string& dataset, std::uint64_t byte_limit) {
  if (is_idx(path)) return read_images(path, byte_limit);
  return is_npy(path) ? core::read_npy(path, byte_limit) : core::read_foreign_array(path, dataset, byte_limit);
}

/// Rows of any number type: of −1 and +1 where a −1 is among them, else of 0 and 1.
dam::Patterns packed(const core::NumericArray& array) {
  const int num_neurons = static_cast<int>(array.shape[1]);
  return std::visit(
      [&]<class T>(const std::vector<T>& values) {
        std::vector<std::int8_t> signs(values.size());
        bool signed_values = false;
        for (std::size_t i = 0; i < values.size(); ++i) {
          const auto value = static_cast<double>(values[i]);
          if (value != 1 && value != 0 && value != -1)
            throw std::invalid_argument(fmt::format("value {} at row {}, neuron {} is neither -1, +1 nor 0, 1",
                                                    core::number_text(value), i / array.shape[1], i % array.shape[1]));
          signs[i] = static_cast<std::int8_t>(value);
          signed_values = signed_values || value == -1;
        }
        if (signed_values) return dam::Patterns::from_rows(signs, num_neurons);
        return dam::Patterns::from_rows(std::vector<std::uint8_t>(signs.begin(), signs.end()), num_neurons);
      },
      array.values);
}

}  // namespace

LoadedPatterns load_patterns(const std::string& location, const std::string& dataset, std::int64_t byte_limit) {
  const std::size_t colon = is_npy(location) || is_idx(location) ? std::string::npos : location.rfind(":");
  const std::string path = find_data_file(location.substr(0, colon));
  const std::string name = colon == std::string::npos ? dataset : location.substr(colon + 1);
  const std::string what = is_npy(path) || is_idx(path) ? path : fmt::format("{}: {}", path, name);
  const core::NumericArray array = read_rows(path, name, static_cast<std::uint64_t>(byte_limit));
  if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] < 2)
    throw std::runtime_error(
        fmt::format("{}: has shape {}; patterns are rows of at least 2 neurons", what, core::shape_text(array.shape)));
  if (array.shape[1] > 1 << 20)
    throw std::runtime_error(
        fmt::format("{}: has {} neurons a row; at most {} are taken", what, array.shape[1], 1 << 20));
  try {
    LoadedPatterns loaded{packed(array), 0};
    const std::string shape = core::shape_text(array.shape);
    loaded.content = core::fnv1a(std::as_bytes(std::span(shape)));
    for (int spin = 0; spin < loaded.patterns.num_neurons(); ++spin)
      loaded.content = core::fnv1a(std::as_bytes(std::as_const(loaded.patterns).column(spin)), loaded.content);
    return loaded;
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(fmt::format("{}: {}", what, error.what()));
  }
}

}  // namespace experiments

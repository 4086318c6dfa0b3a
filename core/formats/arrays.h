// Typed arrays as they stand in files: columns of a table and dense numeric arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace core {

/// The bytes of a file.
using Bytes = std::vector<std::byte>;

/// The values of one column; text is UTF-8 without NUL.
using ColumnValues =
    std::variant<std::vector<std::int64_t>, std::vector<std::uint64_t>, std::vector<double>, std::vector<std::string>>;

/// Element types of a NumericArray, in the order of its variant.
enum class ElementType { int8, uint8, int64, float32, float64 };

/// What is known of an array before its values are read.
struct ArrayInfo {
  std::vector<std::uint64_t> shape;
  ElementType type = ElementType::float64;
};

/// A dense array in C order (the last index runs fastest); an empty shape is one number.
struct NumericArray {
  using Values = std::variant<std::vector<std::int8_t>, std::vector<std::uint8_t>, std::vector<std::int64_t>,
                              std::vector<float>, std::vector<double>>;
  std::vector<std::uint64_t> shape;
  Values values;

  /// An array of zeros.
  explicit NumericArray(const ArrayInfo& info);
  /// Takes shape and values; throws std::invalid_argument unless there is one value per place.
  NumericArray(std::vector<std::uint64_t> array_shape, Values array_values);

  ElementType type() const { return static_cast<ElementType>(values.index()); }
  bool operator==(const NumericArray&) const = default;
};

/// Bytes of one element.
std::size_t element_size(ElementType type);

/// Bytes the array's values take; throws std::runtime_error starting with `what` when that is more than `byte_limit`.
std::uint64_t checked_bytes(const ArrayInfo& info, std::uint64_t byte_limit, std::string_view what);

/// `(3, 4)`: a shape as people write it.
std::string shape_text(const std::vector<std::uint64_t>& shape);

}  // namespace core

#include "core/formats/arrays.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace core {
namespace {

/// False when the product does not fit 64 bits.
bool multiply(std::uint64_t& product, std::uint64_t factor) {
  return !__builtin_mul_overflow(product, factor, &product);
}

NumericArray::Values zeros(ElementType type, std::size_t count) {
  switch (type) {
    case ElementType::int8:
      return std::vector<std::int8_t>(count);
    case ElementType::uint8:
      return std::vector<std::uint8_t>(count);
    case ElementType::int64:
      return std::vector<std::int64_t>(count);
    case ElementType::float32:
      return std::vector<float>(count);
    case ElementType::float64:
      return std::vector<double>(count);
  }
  throw std::logic_error("element type");
}

std::size_t count(const std::vector<std::uint64_t>& shape) {
  // An empty array may claim any other extents.
  if (std::find(shape.begin(), shape.end(), 0u) != shape.end()) return 0;
  std::uint64_t product = 1;
  for (const std::uint64_t extent : shape)
    if (!multiply(product, extent)) throw std::invalid_argument("an array of shape " + shape_text(shape));
  return product;
}

}  // namespace

NumericArray::NumericArray(const ArrayInfo& info) : shape(info.shape), values(zeros(info.type, count(info.shape))) {}

NumericArray::NumericArray(std::vector<std::uint64_t> array_shape, Values array_values)
    : shape(std::move(array_shape)), values(std::move(array_values)) {
  const std::size_t size = std::visit([](const auto& v) { return v.size(); }, values);
  if (size != count(shape))
    throw std::invalid_argument(std::to_string(size) + " values do not fill an array of shape " + shape_text(shape));
}

std::size_t element_size(ElementType type) {
  constexpr std::size_t kSizes[] = {1, 1, 8, 4, 8};
  return kSizes[static_cast<std::size_t>(type)];
}

std::uint64_t checked_bytes(const ArrayInfo& info, std::uint64_t byte_limit, std::string_view what) {
  std::uint64_t bytes = element_size(info.type);
  bool fits = true;
  bool empty = false;
  for (const std::uint64_t extent : info.shape) {
    empty = empty || extent == 0;
    fits = fits && multiply(bytes, extent);
  }
  if (empty) return 0;
  if (fits && bytes <= byte_limit) return bytes;
  throw std::runtime_error(std::string(what) + " of shape " + shape_text(info.shape) + " needs " +
                           (fits ? std::to_string(bytes) : "more than 2^64") + " bytes, the limit is " +
                           std::to_string(byte_limit));
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text = "(";
  for (const std::uint64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + ")";
}

}  // namespace core

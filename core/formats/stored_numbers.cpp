#include "core/formats/stored_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace core {
namespace {

/// IEEE 754 binary16.
struct Half {
  std::uint16_t bits;
  explicit operator float() const {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float sign = (bits >> 15) != 0 ? -1.f : 1.f;
    if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
    return sign * (exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                 : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25));
  }
};

/// NumPy's longdouble where it is the x87 format in sixteen bytes.
constexpr bool kHasExtended = std::numeric_limits<long double>::digits == 64 && sizeof(long double) == 16;

template <class Stored>
Stored number_at(const std::byte* bytes, bool swapped) {
  std::array<std::byte, sizeof(Stored)> own;
  std::memcpy(own.data(), bytes, own.size());
  if (swapped) std::reverse(own.begin(), own.end());
  Stored number;
  std::memcpy(&number, own.data(), own.size());
  return number;
}

/// Decodes `count` numbers into `values`; what is beyond int64 becomes its largest value.
template <class Stored, class Value>
void decode(const std::byte* bytes, std::size_t count, bool swapped, Value* values) {
  if (!swapped && std::is_same_v<Stored, Value>) {
    std::copy_n(bytes, count * sizeof(Value), reinterpret_cast<std::byte*>(values));
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    auto number = number_at<Stored>(bytes + i * sizeof(Stored), swapped);
    if constexpr (std::is_same_v<Stored, std::uint64_t>)
      number = std::min<std::uint64_t>(number, std::numeric_limits<std::int64_t>::max());
    values[i] = static_cast<Value>(number);
  }
}

/// One row per way to store a number.
struct Decoder {
  char kind;
  std::size_t size;
  ElementType element;
  void (*decode)(const std::byte* bytes, std::size_t count, bool swapped, void* values);
};

template <class Stored, class Value>
constexpr Decoder decoder(char kind, ElementType element) {
  return {kind, sizeof(Stored), element, [](const std::byte* bytes, std::size_t count, bool swapped, void* values) {
            decode<Stored>(bytes, count, swapped, static_cast<Value*>(values));
          }};
}

constexpr Decoder kDecoders[] = {
    decoder<std::uint8_t, std::uint8_t>('b', ElementType::uint8),
    decoder<std::int8_t, std::int8_t>('i', ElementType::int8),
    decoder<std::int16_t, std::int64_t>('i', ElementType::int64),
    decoder<std::int32_t, std::int64_t>('i', ElementType::int64),
    decoder<std::int64_t, std::int64_t>('i', ElementType::int64),
    decoder<std::uint8_t, std::uint8_t>('u', ElementType::uint8),
    decoder<std::uint16_t, std::int64_t>('u', ElementType::int64),
    decoder<std::uint32_t, std::int64_t>('u', ElementType::int64),
    decoder<std::uint64_t, std::int64_t>('u', ElementType::int64),
    decoder<Half, float>('f', ElementType::float32),
    decoder<float, float>('f', ElementType::float32),
    decoder<double, double>('f', ElementType::float64),
    decoder<long double, double>('f', ElementType::float64),
};

const Decoder* find_decoder(const StoredNumber& stored) {
  const bool extended = stored.kind == 'f' && stored.size == 16;
  if (extended && (!kHasExtended || stored.big_endian)) return nullptr;
  const auto found = std::ranges::find_if(
      kDecoders, [&](const Decoder& row) { return row.kind == stored.kind && row.size == stored.size; });
  return found == std::end(kDecoders) ? nullptr : found;
}

}  // namespace

std::optional<ElementType> StoredNumber::element() const {
  const Decoder* found = find_decoder(*this);
  return found ? std::optional(found->element) : std::nullopt;
}

NumericArray read_values(ByteReader& reader, const std::vector<std::uint64_t>& shape, StoredNumber stored,
                         bool first_index_fastest, std::uint64_t byte_limit) {
  const Decoder* decoder = find_decoder(stored);
  if (decoder == nullptr) throw std::logic_error("a stored number without a decoder");
  const ArrayInfo info{shape, decoder->element};
  const std::uint64_t count =
      checked_bytes(info, byte_limit, reader.name() + ": array") / element_size(decoder->element);
  NumericArray array(ArrayInfo{{0}, decoder->element});
  const bool swapped = stored.big_endian != (std::endian::native == std::endian::big);
  constexpr std::uint64_t kStep = 1 << 17;
  Bytes raw(std::min(count, kStep) * stored.size);
  std::visit(
      [&](auto& values) {
        values.reserve(count);  // address space alone: pages are taken as values arrive
        while (values.size() < count) {
          const std::size_t before = values.size(), wanted = std::min(kStep, count - before) * stored.size;
          if (const std::size_t got = reader.read(raw.data(), wanted); got < wanted)
            throw std::runtime_error(fmt::format("{}: truncated: shape {} takes {} bytes, the file holds {}",
                                                 reader.name(), shape_text(shape), count * stored.size,
                                                 before * stored.size + got));
          values.resize(before + wanted / stored.size);
          decoder->decode(raw.data(), wanted / stored.size, swapped, values.data() + before);
        }
      },
      array.values);
  // Reading on to the end also makes zlib compare the checksum that ends a compressed file.
  if (std::byte beyond; reader.read(&beyond, 1) > 0)
    throw std::runtime_error(fmt::format("{}: shape {} takes {} bytes, the file holds more", reader.name(),
                                         shape_text(shape), count * stored.size));
  array.shape = shape;
  return first_index_fastest && shape.size() > 1 ? in_c_order(array) : array;
}

NumericArray in_c_order(const NumericArray& array) {
  const std::vector<std::uint64_t>& shape = array.shape;
  std::vector<std::uint64_t> index(shape.size(), 0);
  return {shape, std::visit(
                     [&](const auto& values) -> NumericArray::Values {
                       auto ordered = values;
                       for (auto& value : ordered) {
                         std::uint64_t source = 0;
                         for (std::size_t axis = shape.size(); axis-- > 0;) source = source * shape[axis] + index[axis];
                         value = values[source];
                         for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];)
                           index[axis] = 0;
                       }
                       return ordered;
                     },
                     array.values)};
}

}  // namespace core

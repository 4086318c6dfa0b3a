#include "core/formats/idx.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/formats/stored_numbers.h"

namespace core {
namespace {

/// The third byte of a file says how its numbers are stored.
struct TypeCode {
  std::uint8_t code;
  StoredNumber stored;
};
constexpr TypeCode kTypeCodes[] = {{0x08, {'u', 1, true}}, {0x09, {'i', 1, true}}, {0x0b, {'i', 2, true}},
                                   {0x0c, {'i', 4, true}}, {0x0d, {'f', 4, true}}, {0x0e, {'f', 8, true}}};

std::array<std::uint8_t, 4> read_four(ByteReader& reader) {
  std::array<std::uint8_t, 4> bytes{};
  if (reader.read(bytes.data(), bytes.size()) < bytes.size())
    throw std::runtime_error(reader.name() + ": truncated in its header");
  return bytes;
}

}  // namespace

NumericArray read_idx(ByteReader& reader, std::uint64_t byte_limit) {
  const std::array<std::uint8_t, 4> magic = read_four(reader);
  const auto type = std::ranges::find(kTypeCodes, magic[2], &TypeCode::code);
  if (magic[0] != 0 || magic[1] != 0 || type == std::end(kTypeCodes) || magic[3] < 1 || magic[3] > 4)
    throw std::runtime_error(fmt::format("{}: is no IDX file (begins with {:02x} {:02x} {:02x} {:02x})", reader.name(),
                                         magic[0], magic[1], magic[2], magic[3]));
  std::vector<std::uint64_t> shape;
  for (int axis = 0; axis < magic[3]; ++axis) {
    const std::array<std::uint8_t, 4> size = read_four(reader);
    shape.push_back(std::uint64_t{size[0]} << 24 | std::uint64_t{size[1]} << 16 | std::uint64_t{size[2]} << 8 |
                    size[3]);
  }
  return read_values(reader, shape, type->stored, false, byte_limit);
}

NumericArray read_idx(const std::string& path, std::uint64_t byte_limit) {
  FileReader reader(path);
  return read_idx(reader, byte_limit);
}

}  // namespace core

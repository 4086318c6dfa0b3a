#include "core/formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <boost/property_tree/json_parser.hpp>
#include <cstring>
#include <span>
#include <sstream>
#include <stdexcept>

#include "core/files/file.h"
#include "core/files/output_file.h"
#include "core/numbers.h"
#include "core/text.h"

namespace core {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers stand in files as they do in memory");

constexpr std::size_t kLengthBytes = 8, kAlignment = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit

struct NamedType {
  const char* name;
  ElementType type;
};
constexpr NamedType kTypes[] = {{"I8", ElementType::int8},
                                {"U8", ElementType::uint8},
                                {"I64", ElementType::int64},
                                {"F32", ElementType::float32},
                                {"F64", ElementType::float64}};

void append(Bytes& bytes, const void* from, std::size_t size) {
  const auto* begin = static_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), begin, begin + size);
}

std::span<const std::byte> bytes_of(const NumericArray& array) {
  return std::visit([](const auto& values) { return std::as_bytes(std::span(values)); }, array.values);
}

using Tree = boost::property_tree::ptree;

/// The parser of JSON goes down into every bracket; a header has three at most.
void refuse_depth(const std::string& text) {
  constexpr int kDeepest = 8;
  int depth = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inside = !inside;
    else if (!inside && (text[i] == '{' || text[i] == '[') && ++depth > kDeepest)
      throw std::runtime_error("is no safetensors file: its header is damaged");
    else if (!inside && (text[i] == '}' || text[i] == ']'))
      --depth;
  }
}

Tree parse_header(const std::string& text) {
  refuse_depth(text);
  std::istringstream stream(text);
  Tree tree;
  boost::property_tree::read_json(stream, tree);
  return tree;
}

std::vector<std::uint64_t> integers(const Tree& tree) {
  std::vector<std::uint64_t> result;
  for (const auto& [key, value] : tree) {
    const std::int64_t number = parse_integer(value.data(), "header");
    if (number < 0) throw std::runtime_error("has a negative number in its header");
    result.push_back(static_cast<std::uint64_t>(number));
  }
  return result;
}

using Range = std::pair<std::uint64_t, std::uint64_t>;

/// As the format wants it: one array after the other, from the first byte of the data to the last.
void require_contiguous(std::vector<Range> ranges, std::uint64_t size) {
  std::ranges::sort(ranges);
  std::uint64_t end = 0;
  for (const auto& [from, to] : ranges) {
    if (from != end) throw std::runtime_error(from < end ? "has arrays that overlap" : "has bytes of no array");
    end = to;
  }
  if (end != size) throw std::runtime_error("has bytes of no array");
}

NumericArray array_of(const std::string& name, const Tree& entry, std::span<const std::byte> data,
                      std::vector<Range>& ranges) {
  const std::string type = entry.get<std::string>("dtype");
  ArrayInfo info{integers(entry.get_child("shape")), ElementType::float32};
  bool known = false;
  for (const NamedType& each : kTypes)
    if (type == each.name) info.type = each.type, known = true;
  if (!known) throw std::runtime_error(name + " has the type " + type + "; read are I8, U8, I64, F32, F64");
  const std::vector<std::uint64_t> range = integers(entry.get_child("data_offsets"));
  if (range.size() != 2 || range[0] > range[1] || range[1] > data.size())
    throw std::runtime_error(name + " lies outside the file");
  if (checked_bytes(info, range[1] - range[0], name) != range[1] - range[0])
    throw std::runtime_error(name + " has fewer numbers than its shape");
  ranges.emplace_back(range[0], range[1]);
  NumericArray array(info);
  if (range[0] < range[1])
    std::visit([&](auto& values) { std::memcpy(values.data(), data.data() + range[0], range[1] - range[0]); },
               array.values);
  return array;
}

}  // namespace

Bytes safetensors_bytes(const Safetensors& file) {
  std::string header = "{";
  if (!file.metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [name, text] : file.metadata)
      header += (header.back() == '{' ? "" : ",") + json_quoted(name) + ":" + json_quoted(text);
    header += "}";
  }
  std::uint64_t offset = 0;
  for (const auto& [name, array] : file.arrays) {
    const std::uint64_t size = bytes_of(array).size();
    std::string shape;
    for (const std::uint64_t length : array.shape) shape += (shape.empty() ? "" : ",") + std::to_string(length);
    header += (header.size() == 1 ? "" : ",") + json_quoted(name) + ":{\"dtype\":\"" +
              kTypes[static_cast<std::size_t>(array.type())].name + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(offset + size) + "]}";
    offset += size;
  }
  header += "}";
  header.resize((header.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  Bytes bytes;
  const std::uint64_t length = header.size();
  append(bytes, &length, kLengthBytes);
  append(bytes, header.data(), header.size());
  for (const auto& [name, array] : file.arrays) append(bytes, bytes_of(array).data(), bytes_of(array).size());
  return bytes;
}

bool is_safetensors(const std::string& path) {
  const std::string begin = first_bytes(path, kLengthBytes + 1);
  if (begin.size() <= kLengthBytes || begin[kLengthBytes] != '{') return false;
  std::uint64_t length = 0;
  std::memcpy(&length, begin.data(), kLengthBytes);
  return length <= kLongestHeader;
}

Safetensors read_safetensors(const std::string& path, std::uint64_t byte_limit) {
  const Bytes bytes = read_file(path, byte_limit);
  std::uint64_t length = 0;
  if (bytes.size() >= kLengthBytes) std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length < 2 || length > kLongestHeader || length > bytes.size() - kLengthBytes)
    throw std::runtime_error(path + ": is no safetensors file, or cut off");
  Safetensors file;
  try {
    const std::string header(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
    const std::span data = std::span(bytes).subspan(kLengthBytes + length);
    std::vector<Range> ranges;
    for (const auto& [name, entry] : parse_header(header)) {
      if (name == "__metadata__")
        for (const auto& [key, value] : entry) file.metadata[key] = value.data();
      else
        file.arrays.emplace_back(name, array_of(name, entry, data, ranges));
    }
    require_contiguous(std::move(ranges), data.size());
  } catch (const boost::property_tree::ptree_error&) {
    throw std::runtime_error(path + ": is no safetensors file: its header is damaged");
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + ": " + error.what());
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(path + ": is no safetensors file: " + error.what());
  }
  return file;
}

}  // namespace core

#include "core/formats/npy.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/files/file.h"

namespace core {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY values are read as they stand");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMaxHeader = 1 << 16;
constexpr std::size_t kMaxDimensions = 32;  // NumPy's own limit
constexpr std::size_t kAlignment = 64;

struct TypeName {
  std::string_view descr;
  ElementType type;
};
// The first name of a type is the one written.
constexpr TypeName kTypes[] = {{"|i1", ElementType::int8},    {"|u1", ElementType::uint8},
                               {"<i8", ElementType::int64},   {"<f4", ElementType::float32},
                               {"<f8", ElementType::float64}, {"|b1", ElementType::uint8}};

struct Header {
  ArrayInfo info;
  bool fortran_order = false;
  std::uint64_t size = 0;  // bytes before the values
};

/// Walks the Python dictionary of a header; every step names what it wanted.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(path_ + ": bad NPY header: " + what);
  }
  bool accept(char wanted) {
    skip_blanks();
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("expected '") + wanted + "'");
  }
  std::string_view quoted() {
    skip_blanks();
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const auto end = text_.find(quote);
    if (end == std::string_view::npos) fail("unfinished text");
    return take(end, 1);
  }
  bool boolean() {
    skip_blanks();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}})
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return value;
      }
    fail("expected True or False");
  }
  std::vector<std::uint64_t> shape() {
    std::vector<std::uint64_t> extents;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::uint64_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      if (error != std::errc{}) fail("the shape is not a tuple of sizes");
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      extents.push_back(extent);
      if (extents.size() > kMaxDimensions) fail("more than 32 dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return extents;
  }
  void end() {
    skip_blanks();
    if (!text_.empty()) fail("text after the dictionary");
  }

 private:
  void skip_blanks() {
    const auto start = text_.find_first_not_of(" \n");
    text_.remove_prefix(start == std::string_view::npos ? text_.size() : start);
  }
  std::string_view take(std::size_t size, std::size_t drop) {
    const auto taken = text_.substr(0, size);
    text_.remove_prefix(size + drop);
    return taken;
  }

  std::string_view text_;
  const std::string& path_;
};

ElementType type_of(std::string_view descr, const Scanner& scanner) {
  for (const TypeName& name : kTypes)
    if (name.descr == descr) return name.type;
  scanner.fail("type '" + std::string(descr) +
               "' is not one of int8, uint8, bool, int64, float32, float64 (little-endian)");
}

void parse_dictionary(std::string_view text, const std::string& path, Header& header) {
  Scanner scanner(text, path);
  bool has_type = false;
  bool has_order = false;
  bool has_shape = false;
  scanner.expect('{');
  while (!scanner.accept('}')) {
    const std::string_view key = scanner.quoted();
    scanner.expect(':');
    if (key == "descr" && !std::exchange(has_type, true))
      header.info.type = type_of(scanner.quoted(), scanner);
    else if (key == "fortran_order" && !std::exchange(has_order, true))
      header.fortran_order = scanner.boolean();
    else if (key == "shape" && !std::exchange(has_shape, true))
      header.info.shape = scanner.shape();
    else
      scanner.fail("unexpected key '" + std::string(key) + "'");
    if (!scanner.accept(',')) {
      scanner.expect('}');
      break;
    }
  }
  scanner.end();
  if (!has_type || !has_order || !has_shape) scanner.fail("needs descr, fortran_order and shape");
}

Header read_header(std::istream& in, const std::string& path) {
  const auto fail = [&](const char* what) { throw std::runtime_error(path + ": " + what); };
  unsigned char start[12] = {};
  char* const raw = reinterpret_cast<char*>(start);
  if (!in.read(raw, 8) || std::string_view(raw, kMagic.size()) != kMagic) fail("not an NPY file");
  const unsigned major = start[6];
  if (major < 1 || major > 3 || start[7] != 0) fail("NPY format version is not 1.0, 2.0 or 3.0");
  const unsigned length_bytes = major == 1 ? 2 : 4;
  if (!in.read(raw + 8, length_bytes)) fail("truncated in its header");
  std::uint64_t length = 0;
  for (unsigned i = length_bytes; i-- > 0;) length = length << 8 | start[8 + i];
  if (length > kMaxHeader) fail("NPY header longer than 65536 bytes");
  std::string dictionary(length, '\0');
  if (!in.read(dictionary.data(), static_cast<std::streamsize>(length))) fail("truncated in its header");
  Header header;
  header.size = 8 + length_bytes + length;
  parse_dictionary(dictionary, path, header);
  return header;
}

std::ifstream open_regular(const std::string& path) {
  std::error_code ignored;  // an unreadable path fails below
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw std::runtime_error(path + ": not a regular file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": cannot open");
  return in;
}

/// Turns values whose first index runs fastest into C order.
template <class T>
std::vector<T> to_c_order(const std::vector<T>& values, const std::vector<std::uint64_t>& shape) {
  std::vector<T> ordered(values.size());
  std::vector<std::uint64_t> index(shape.size(), 0);
  for (T& value : ordered) {
    std::uint64_t source = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) source = source * shape[axis] + index[axis];
    value = values[source];
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return ordered;
}

}  // namespace

ArrayInfo npy_info(const std::string& path) {
  std::ifstream in = open_regular(path);
  return read_header(in, path).info;
}

NumericArray read_npy(const std::string& path, std::uint64_t byte_limit) {
  std::ifstream in = open_regular(path);
  const Header header = read_header(in, path);
  const std::uint64_t bytes = checked_bytes(header.info, byte_limit, path + ": array");
  const std::uint64_t stored = std::filesystem::file_size(path) - header.size;
  if (bytes != stored)
    throw std::runtime_error(path + ": " + (stored < bytes ? "truncated: " : "") + "shape " +
                             shape_text(header.info.shape) + " takes " + std::to_string(bytes) +
                             " bytes, the file holds " + std::to_string(stored));
  NumericArray array(header.info);
  std::visit(
      [&](auto& values) {
        if (!in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(bytes)))
          throw std::runtime_error(path + ": cannot read");
        if (header.fortran_order && array.shape.size() > 1) values = to_c_order(values, array.shape);
      },
      array.values);
  return array;
}

Bytes npy_bytes(const NumericArray& array) {
  std::string shape = shape_text(array.shape);
  if (array.shape.size() == 1) shape.replace(shape.size() - 1, 1, ",)");  // Python's tuple of one
  std::string_view descr;
  for (const TypeName& name : kTypes)
    if (descr.empty() && name.type == array.type()) descr = name.descr;
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape);
  constexpr std::size_t kStart = 10;
  dictionary.resize((kStart + dictionary.size() + kAlignment) / kAlignment * kAlignment - kStart, ' ');
  dictionary.back() = '\n';
  std::string header(kMagic);
  header += {'\1', '\0', static_cast<char>(dictionary.size() & 0xff), static_cast<char>(dictionary.size() >> 8)};
  header += dictionary;
  const auto start = std::as_bytes(std::span(header));
  Bytes bytes(start.begin(), start.end());
  std::visit(
      [&](const auto& values) {
        const auto content = std::as_bytes(std::span(values));
        bytes.insert(bytes.end(), content.begin(), content.end());
      },
      array.values);
  return bytes;
}

void write_npy(const std::string& path, const NumericArray& array) { replace_file(path, {npy_bytes(array)}); }

}  // namespace core

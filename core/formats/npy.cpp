#include "core/formats/npy.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/formats/stored_numbers.h"

namespace core {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY values are written as they stand");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::uint64_t kMaxHeader = 1 << 16;
constexpr std::size_t kMaxDimensions = 32;  // NumPy's own limit
constexpr std::size_t kAlignment = 64;

/// The types written, by ElementType.
constexpr std::string_view kWritten[] = {"|i1", "|u1", "<i8", "<f4", "<f8"};

/// What is stored when it is no number, by NumPy's letter.
struct OtherKind {
  char letter;
  const char* what;
};
constexpr OtherKind kOtherKinds[] = {
    {'c', "complex numbers"}, {'O', "Python objects"}, {'S', "text"},       {'U', "text"},
    {'M', "dates"},           {'m', "time spans"},     {'V', "raw records"}};

struct Header {
  std::vector<std::uint64_t> shape;
  StoredNumber stored;
  bool fortran_order = false;
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

/// `<f8`: byte order, kind, bytes.
StoredNumber stored_number(std::string_view descr, const Scanner& scanner) {
  const std::string quoted = "type '" + std::string(descr) + "' ";
  StoredNumber stored;
  const char order = descr.empty() ? ' ' : descr.front();
  if (descr.size() < 2 || std::string_view("<>|=").find(order) == std::string_view::npos)
    scanner.fail(quoted + "is not a type of numbers");
  stored.kind = descr[1];
  stored.big_endian = order == '>';
  for (const OtherKind& other : kOtherKinds)
    if (other.letter == stored.kind)
      scanner.fail(quoted + "holds " + other.what + "; accepted are integers, reals and booleans");
  const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), stored.size);
  if (error != std::errc{} || end != descr.data() + descr.size() || !stored.element())
    scanner.fail(quoted + "is not one of integers of 8 to 64 bits, reals of 16 to 64 and booleans");
  return stored;
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
    if (key == "descr" && scanner.accept('['))
      scanner.fail("holds records of several fields; accepted are integers, reals and booleans");
    if (key == "descr" && !std::exchange(has_type, true))
      header.stored = stored_number(scanner.quoted(), scanner);
    else if (key == "fortran_order" && !std::exchange(has_order, true))
      header.fortran_order = scanner.boolean();
    else if (key == "shape" && !std::exchange(has_shape, true))
      header.shape = scanner.shape();
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

Header read_header(ByteReader& reader) {
  const auto fail = [&](const char* what) { throw std::runtime_error(reader.name() + ": " + what); };
  unsigned char start[12] = {};
  char* const raw = reinterpret_cast<char*>(start);
  if (reader.read(raw, 8) < 8 || std::string_view(raw, kMagic.size()) != kMagic) fail("not an NPY file");
  const unsigned major = start[6];
  if (major < 1 || major > 3 || start[7] != 0) fail("NPY format version is not 1.0, 2.0 or 3.0");
  const unsigned length_bytes = major == 1 ? 2 : 4;
  if (reader.read(raw + 8, length_bytes) < length_bytes) fail("truncated in its header");
  std::uint64_t length = 0;
  for (unsigned i = length_bytes; i-- > 0;) length = length << 8 | start[8 + i];
  if (length > kMaxHeader) fail("NPY header longer than 65536 bytes");
  std::string dictionary(length, '\0');
  if (reader.read(dictionary.data(), length) < length) fail("truncated in its header");
  Header header;
  parse_dictionary(dictionary, reader.name(), header);
  return header;
}

}  // namespace

NumericArray read_npy(ByteReader& reader, std::uint64_t byte_limit) {
  const Header header = read_header(reader);
  return read_values(reader, header.shape, header.stored, header.fortran_order, byte_limit);
}

NumericArray read_npy(const std::string& path, std::uint64_t byte_limit) {
  FileReader reader(path);
  return read_npy(reader, byte_limit);
}

Bytes npy_bytes(const NumericArray& array) {
  std::string shape = shape_text(array.shape);
  if (array.shape.size() == 1) shape.replace(shape.size() - 1, 1, ",)");  // Python's tuple of one
  const std::string_view descr = kWritten[static_cast<std::size_t>(array.type())];
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

}  // namespace core

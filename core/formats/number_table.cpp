#include "core/formats/number_table.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace core {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf", kBlanks = " \t\r", kSeparators = ",;";

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kBlanks);
  return from == std::string_view::npos ? "" : text.substr(from, text.find_last_not_of(kBlanks) + 1 - from);
}

/// Takes the next field off the line: up to a comma or semicolon, or up to blanks.
std::string_view take_field(std::string_view& line) {
  const std::size_t end = std::min(line.find_first_of(" \t,;"), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end);
  line = trimmed(line);
  // Blanks around a separator belong to it.
  if (!line.empty() && kSeparators.find(line.front()) != std::string_view::npos) {
    const bool last = line.size() == 1;  // a separator that ends the line separates nothing
    line = last ? "" : trimmed(line.substr(1));
  }
  return field;
}

std::optional<double> number_in(std::string_view field) {
  if (field.size() > 1 && field.front() == '+' && field[1] != '-') field.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (error != std::errc{} || end != field.data() + field.size()) return std::nullopt;
  return number;
}

bool has_number(std::string_view line) {
  while (!line.empty())
    if (number_in(take_field(line))) return true;
  return false;
}

/// What can be shown of a field that is no number.
std::string shown(std::string_view field) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (const char c : field.substr(0, kMost)) text += c >= ' ' && c < 127 ? c : '?';
  return field.size() > kMost ? text + "…" : text;
}

}  // namespace

NumericArray read_number_table(ByteReader& reader, std::uint64_t byte_limit) {
  const Bytes bytes = read_rest(reader, byte_limit);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<double> values;
  std::uint64_t rows = 0, columns = 0, number = 0;
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(fmt::format("{}: line {}: {}", reader.name(), number, what));
  };
  bool names_allowed = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    line = trimmed(line.substr(0, line.find_first_of("#%")));
    if (line.empty()) continue;
    if (std::exchange(names_allowed, false) && !has_number(line)) continue;
    std::uint64_t column = 0;
    for (; !line.empty(); ++column) {
      const std::string_view field = take_field(line);
      const std::optional<double> value = number_in(field);
      if (!value) fail(fmt::format("'{}' in column {} is not a number", shown(field), column + 1));
      if (values.size() >= byte_limit / sizeof(double))
        throw std::runtime_error(
            fmt::format("{}: its numbers need more than the limit of {} bytes", reader.name(), byte_limit));
      values.push_back(*value);
    }
    if (rows++ == 0) columns = column;
    if (column != columns) fail(fmt::format("{} numbers, the lines above have {}", column, columns));
  }
  if (rows == 0) throw std::runtime_error(reader.name() + ": holds no numbers");
  return {{rows, columns}, std::move(values)};
}

}  // namespace core

#include "results/export.h"

#include <cmath>
#include <set>
#include <stdexcept>

#include "core/numbers.h"
#include "results/json.h"

namespace results {
namespace {

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string csv_value(const std::string& value) { return csv_text(value); }
std::string csv_value(double value) { return core::number_text(value); }
template <class Integer>
std::string csv_value(Integer value) {
  return std::to_string(value);
}

std::string trimmed(const std::string& text) {
  const auto start = text.find_first_not_of(" \t\r");
  if (start == std::string::npos) return "";
  return text.substr(start, text.find_last_not_of(" \t\r") + 1 - start);
}

std::string json_spec(const std::string& spec) {
  JsonObject object;
  std::set<std::string> seen;
  for (std::size_t start = 0; start < spec.size();) {
    const std::size_t end = std::min(spec.find('\n', start), spec.size());
    const std::string line = trimmed(spec.substr(start, end - start));
    start = end + 1;
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    const std::string key = trimmed(line.substr(0, equals));
    if (equals == std::string::npos || key.empty())
      throw std::runtime_error("spec line '" + line + "' is not of the form key = value");
    if (!seen.insert(key).second) throw std::runtime_error("spec gives '" + key + "' twice");
    object.add(key, json_value(trimmed(line.substr(equals + 1))));
  }
  return object.text();
}

std::string json_rows(const Table& table) {
  std::string text = "[";
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row) {
    JsonObject object;
    for (const Column& column : table.columns)
      object.add(column.name, std::visit([&](const auto& values) { return json_value(values[row]); }, column.values));
    text += (row == 0 ? "\n" : ",\n") + object.text();
  }
  return text + "]";
}

std::string json_provenance(const ResultFile& file) {
  JsonObject object;
  object.add("schema_version", json_value(file.schema_version()));
  object.add("streams", json_value(file.streams));
  core::for_each_field(file.provenance,
                       [&](const char* name, const auto& value) { object.add(name, json_value(value)); });
  return object.text();
}

}  // namespace

std::string to_csv(const Table& table) {
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    for (const Column& column : table.columns) {
      if (&column != &table.columns.front()) text += ',';
      text += cell_of(column);
    }
    text += '\n';
  };
  add_line([](const Column& column) { return csv_text(column.name); });
  for (std::size_t row = 0, rows = table.rows(); row < rows; ++row)
    add_line([&](const Column& column) {
      return std::visit([&](const auto& values) { return csv_value(values[row]); }, column.values);
    });
  return text;
}

std::string to_json(const ResultFile& file, const std::vector<std::string_view>& table_names) {
  JsonObject document;
  document.add("spec", json_spec(file.spec));
  for (const std::string_view name : table_names)
    document.add(name, file.has(name) ? json_rows(file.table(name)) : "[]");
  document.add("provenance", json_provenance(file));
  return document.text() + "\n";
}

}  // namespace results

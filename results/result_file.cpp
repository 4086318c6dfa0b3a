#include "results/result_file.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"
#include "results/seal.h"

namespace results {
namespace {

using core::Hdf5File;

constexpr const char* kRow = "row";  // the dimension every column of a table shares
constexpr const char* kArrays = "arrays";

void write_table(Hdf5File& hdf5, const Table& table) {
  const std::string group = "/" + table.name;
  const std::string scale = group + "/" + kRow;
  std::vector<std::int64_t> row_numbers(table.rows());
  for (std::size_t i = 0; i < row_numbers.size(); ++i) row_numbers[i] = static_cast<std::int64_t>(i);
  hdf5.create_group(group);
  hdf5.write_column(scale, row_numbers);
  hdf5.write_attribute(scale, "long_name", std::string("row number"));
  hdf5.write_attribute(scale, "units", std::string("1"));
  hdf5.make_scale(scale, kRow);
  for (const Column& column : table.columns) {
    const std::string path = group + "/" + column.name;
    hdf5.write_column(path, column.values);
    hdf5.write_attribute(path, "long_name", column.long_name);
    hdf5.write_attribute(path, "units", column.units);
    if (!column.source.empty()) hdf5.write_attribute(path, "source", column.source);
    hdf5.write_attribute(path, "reproducible", std::int64_t{column.reproducible});
    hdf5.attach_scale(path, scale);
  }
}

void write_arrays(Hdf5File& hdf5, const std::vector<NamedArray>& arrays) {
  const std::string group = std::string("/") + kArrays;
  if (!arrays.empty()) hdf5.create_group(group);
  for (const NamedArray& array : arrays) {
    const std::string path = group + "/" + array.name;
    hdf5.write_array(path, array.values, Hdf5File::Storage::plain);
    hdf5.write_attribute(path, "long_name", array.long_name);
  }
}

template <class T>
T attribute(const Hdf5File& hdf5, const std::string& object, const std::string& name, T missing) {
  auto value = hdf5.read_attribute(object, name);
  if (!value) return missing;
  if (auto* typed = std::get_if<T>(&*value)) return std::move(*typed);
  throw std::runtime_error(object + ": attribute " + name + " has an unexpected type");
}

std::uint64_t heap_bytes(const Column& column) {
  return std::visit(
      []<class T>(const std::vector<T>& values) {
        std::uint64_t bytes = values.size() * sizeof(T);
        if constexpr (std::is_same_v<T, std::string>)
          for (const std::string& text : values) bytes += text.size();
        return bytes;
      },
      column.values);
}

/// Reads one table and takes its memory from the bytes left.
Table read_table(const Hdf5File& hdf5, const std::string& name, std::uint64_t& bytes_left) {
  const std::string group = "/" + name;
  Table table{name, {}};
  for (const auto& member : hdf5.members(group)) {
    if (member.is_group || member.is_scale) continue;
    const std::string path = group + "/" + member.name;
    Column column{member.name,
                  attribute(hdf5, path, "long_name", std::string()),
                  attribute(hdf5, path, "units", std::string()),
                  attribute(hdf5, path, "source", std::string()),
                  hdf5.read_column(path, bytes_left),
                  attribute(hdf5, path, "reproducible", std::int64_t{1}) != 0};
    bytes_left -= std::min(bytes_left, heap_bytes(column));
    table.columns.push_back(std::move(column));
  }
  table.rows();  // throws when columns differ in length
  return table;
}

/// All but the seal.
Hdf5File content(const ResultFile& file) {
  Hdf5File hdf5 = Hdf5File::create();
  hdf5.write_attribute("/", "schema_version", file.schema_version());
  hdf5.write_attribute("/", "kind", file.kind);
  hdf5.write_attribute("/", "streams", file.streams);
  core::for_each_field(file.provenance,
                       [&](const char* name, const auto& value) { hdf5.write_attribute("/", name, value); });
  hdf5.write_text("/spec", file.spec);
  for (const Table& table : file.tables) write_table(hdf5, table);
  write_arrays(hdf5, file.arrays);
  return hdf5;
}

/// Reads the arrays and takes their memory from the bytes left.
std::vector<NamedArray> read_arrays(const Hdf5File& hdf5, std::uint64_t& bytes_left) {
  const std::string group = std::string("/") + kArrays;
  std::vector<NamedArray> arrays;
  for (const auto& member : hdf5.members(group)) {
    if (member.is_group) continue;
    const std::string path = group + "/" + member.name;
    arrays.push_back(
        {member.name, attribute(hdf5, path, "long_name", std::string()), hdf5.read_array(path, bytes_left)});
    bytes_left -= std::visit(
        [&]<class T>(const std::vector<T>& values) {
          return std::min<std::uint64_t>(bytes_left, values.size() * sizeof(T));
        },
        arrays.back().values.values);
  }
  return arrays;
}

/// The member of this name; throws std::out_of_range naming those there are.
template <class Members>
const auto& named(const Members& members, std::string_view name, const char* what) {
  std::string names;
  for (const auto& candidate : members) {
    if (candidate.name == name) return candidate;
    names += (names.empty() ? "" : ", ") + candidate.name;
  }
  throw std::out_of_range(std::string("no ") + what + " " + std::string(name) + "; there are " +
                          (names.empty() ? "none" : names));
}

ResultFile read_content(const Hdf5File& hdf5, std::uint64_t bytes_left) {
  const auto version = attribute(hdf5, "/", "schema_version", std::int64_t{0});
  if (version < 1) throw std::runtime_error("has no schema_version, not a dambench result file");
  if (version > kSchemaVersion)
    throw std::runtime_error("schema version " + std::to_string(version) + " is newer than " +
                             std::to_string(kSchemaVersion) + ", the newest this program reads; update it");
  ResultFile file;
  file.kind = attribute(hdf5, "/", "kind", std::string());
  file.streams = attribute(hdf5, "/", "streams", std::int64_t{1});
  core::for_each_field(file.provenance,
                       [&](const char* name, auto& value) { value = attribute(hdf5, "/", name, std::move(value)); });
  for (const auto& member : hdf5.members("/")) {
    if (member.is_group && member.name == kArrays)
      file.arrays = read_arrays(hdf5, bytes_left);
    else if (member.is_group)
      file.tables.push_back(read_table(hdf5, member.name, bytes_left));
    else if (member.name == "spec")
      file.spec = hdf5.read_text("/spec", bytes_left);
  }
  return file;
}

}  // namespace

bool ResultFile::has(std::string_view table_name) const {
  return std::any_of(tables.begin(), tables.end(), [&](const Table& t) { return t.name == table_name; });
}

const Table& ResultFile::table(std::string_view table_name) const { return named(tables, table_name, "table"); }

Table& ResultFile::table(std::string_view table_name) {
  return const_cast<Table&>(static_cast<const ResultFile&>(*this).table(table_name));
}

const NamedArray& ResultFile::array(std::string_view array_name) const { return named(arrays, array_name, "array"); }

NamedArray& ResultFile::array(std::string_view array_name) {
  return const_cast<NamedArray&>(static_cast<const ResultFile&>(*this).array(array_name));
}

ResultFile parse(core::Bytes bytes, const std::string& name, std::uint64_t byte_limit) {
  if (bytes.size() > byte_limit)
    throw std::runtime_error(name + ": " + std::to_string(bytes.size()) + " bytes, the limit is " +
                             std::to_string(byte_limit));
  const std::uint64_t bytes_left = byte_limit - bytes.size();
  bytes.resize(unseal(bytes, name).size());
  const Hdf5File hdf5 = Hdf5File::from_bytes(std::move(bytes), name);
  try {
    return read_content(hdf5, bytes_left);
  } catch (const std::exception& error) {
    const std::string what = error.what();
    throw std::runtime_error(what.starts_with(name + ": ") ? what : name + ": " + what);
  }
}

ResultFile read(const std::string& path, std::uint64_t byte_limit) {
  return parse(core::read_file(path, byte_limit), path, byte_limit);
}

core::Bytes serialize(const ResultFile& file) {
  core::Bytes bytes = content(file).bytes();
  const std::string trailer = seal(bytes);
  const auto trailer_bytes = std::as_bytes(std::span(trailer));
  bytes.insert(bytes.end(), trailer_bytes.begin(), trailer_bytes.end());
  return bytes;
}

void write(const std::string& path, const ResultFile& file) {
  const Hdf5File hdf5 = content(file);
  const std::span<const std::byte> image = hdf5.image();  // weights are large: nothing is copied
  const std::string trailer = seal(image);
  core::replace_file(path, {image, std::as_bytes(std::span(trailer))});
}

}  // namespace results

#include "python/src/convert.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <stdexcept>

namespace nb = nanobind;

namespace python {
namespace {

template <class T>
std::vector<T> copied(const Array& array) {
  const T* first = static_cast<const T*>(array.data());
  return {first, first + array.size()};
}

nb::object values_of(const core::ColumnValues& values) {
  return std::visit(
      [](const auto& numbers) -> nb::object {
        if constexpr (std::is_same_v<std::decay_t<decltype(numbers)>, std::vector<std::string>>)
          return nb::cast(numbers);
        else
          return numpy_array(numbers);
      },
      values);
}

}  // namespace

core::NumericArray numeric_array(const Array& array) {
  std::vector<std::uint64_t> shape;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) shape.push_back(array.shape(axis));
  const auto type = array.dtype();
  if (type == nb::dtype<std::int8_t>()) return {shape, copied<std::int8_t>(array)};
  if (type == nb::dtype<std::uint8_t>()) return {shape, copied<std::uint8_t>(array)};
  if (type == nb::dtype<std::int64_t>()) return {shape, copied<std::int64_t>(array)};
  if (type == nb::dtype<float>()) return {shape, copied<float>(array)};
  if (type == nb::dtype<double>()) return {shape, copied<double>(array)};
  throw std::invalid_argument("an array of another type than int8, uint8, int64, float32 and float64");
}

nb::object numpy_array(const core::NumericArray& array) {
  const std::vector<std::size_t> shape(array.shape.begin(), array.shape.end());
  return std::visit([&](const auto& numbers) { return numpy_array(numbers, shape); }, array.values);
}

nb::dict as_dict(const results::ResultFile& file) {
  nb::dict tables, arrays, attributes, all;
  for (const results::Table& table : file.tables) {
    nb::list columns;
    for (const results::Column& column : table.columns)
      columns.append(
          nb::make_tuple(column.name, column.long_name, column.units, column.source, values_of(column.values)));
    tables[table.name.c_str()] = columns;
  }
  for (const results::NamedArray& array : file.arrays)
    arrays[array.name.c_str()] = nb::make_tuple(array.long_name, numpy_array(array.values));
  core::for_each_field(file.provenance,
                       [&](const char* name, const auto& value) { attributes[name] = nb::cast(value); });
  attributes["streams"] = nb::cast(file.streams);
  all["kind"] = nb::cast(file.kind);
  all["spec"] = nb::cast(file.spec);
  all["attributes"] = attributes;
  all["tables"] = tables;
  all["arrays"] = arrays;
  return all;
}

}  // namespace python

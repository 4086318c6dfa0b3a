// Between NumPy's arrays and ours.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <utility>
#include <vector>

#include "core/formats/arrays.h"
#include "results/result_file.h"

namespace python {

/// An array of NumPy in C order, of one of the types that core::NumericArray holds.
using Array = nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;

/// A copy. Throws std::invalid_argument for an element type that core::NumericArray does not hold.
core::NumericArray numeric_array(const Array& array);

/// A NumPy array that owns these numbers.
template <class T>
nanobind::object numpy_array(std::vector<T> numbers, std::vector<std::size_t> shape) {
  auto* owned = new std::vector<T>(std::move(numbers));
  const nanobind::capsule owner(owned, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
  return nanobind::cast(nanobind::ndarray<nanobind::numpy, T>(owned->data(), shape.size(), shape.data(), owner));
}
template <class T>
nanobind::object numpy_array(std::vector<T> numbers) {
  const std::size_t size = numbers.size();
  return numpy_array(std::move(numbers), {size});
}
nanobind::object numpy_array(const core::NumericArray& array);

/// A result file as a dict: kind, spec, attributes (its provenance), tables {name: [(name, long_name, units, source,
/// values)]}, arrays {name: (long_name, values)}.
nanobind::dict as_dict(const results::ResultFile& file);

}  // namespace python

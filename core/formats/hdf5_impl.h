// What reading and writing HDF5 files share: the library's identifiers and errors. For core/formats/hdf5_*.cpp alone.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/formats/hdf5_file.h"

namespace core {

/// Owns one HDF5 identifier.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Closer closer_;
};

/// What the library found wrong first: the innermost entry of its error stack.
std::string hdf5_reason();

/// Makes the filters that the library lacks and we have (LZF) known to it.
void register_filters();

/// Names the first filter of a dataset that the library cannot undo, and what to do; empty when there is none.
std::string missing_filter(hid_t creation_properties);

/// The library's type of a C++ number.
template <class T>
hid_t native();
template <>
inline hid_t native<std::int8_t>() {
  return H5T_NATIVE_INT8;
}
template <>
inline hid_t native<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
inline hid_t native<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t native<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
inline hid_t native<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t native<double>() {
  return H5T_NATIVE_DOUBLE;
}

struct Hdf5File::Impl {
  std::string name;
  Bytes source;  // outlives the file opened on it
  Handle file;

  [[noreturn]] void fail(const std::string& object, const std::string& what) const {
    throw std::runtime_error(name + ": " + (object.empty() ? "" : object + ": ") + what);
  }
  template <class Id>
  Id checked(Id id, const std::string& object, const char* what) const {
    if (id < 0) fail(object, what + hdf5_reason());
    return id;
  }
  Handle handle(hid_t id, Handle::Closer closer, const std::string& object, const char* what) const {
    return {checked(id, object, what), closer};
  }

  Handle text_type() const {
    Handle type = handle(H5Tcopy(H5T_C_S1), H5Tclose, "", "cannot make a text type");
    checked(H5Tset_size(type, H5T_VARIABLE), "", "cannot make a text type");
    checked(H5Tset_cset(type, H5T_CSET_UTF8), "", "cannot make a text type");
    return type;
  }

  Handle open_dataset(const std::string& path) const {
    if (H5Lexists(file, path.c_str(), H5P_DEFAULT) <= 0) fail(path, "not in the file");
    return handle(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, path, "cannot open the dataset");
  }

  Handle open_object(const std::string& path) const {
    return handle(H5Oopen(file, path.c_str(), H5P_DEFAULT), H5Oclose, path, "cannot open");
  }

  void write(const std::string& path, hid_t type, std::size_t size, const std::vector<std::uint64_t>& shape,
             const void* values, Storage storage = Storage::deflated);
  void write_texts(const std::string& path, const std::vector<std::uint64_t>& shape,
                   const std::vector<std::string>& texts);

  std::vector<std::uint64_t> shape_of(hid_t dataset, const std::string& path) const;
  /// What may be missing of a dataset's values.
  enum class Missing { nothing, unwritten };
  /// Refuses a dataset whose values are not in this file, or that claims more of them than the file can hold; what was
  /// never written need not be there where that is allowed.
  void require_stored(hid_t dataset, const std::string& path, std::uint64_t elements, Missing allowed) const;
  /// Class, width and sign of a dataset's elements as the closest ElementType.
  ElementType element_type(hid_t dataset, const std::string& path) const;
  bool is_unsigned_64(hid_t dataset, const std::string& path) const;
  bool is_text(hid_t dataset, const std::string& path) const;
  template <class T>
  std::vector<T> read_numbers(hid_t dataset, const std::string& path, std::uint64_t count, std::uint64_t byte_limit,
                              Missing allowed = Missing::nothing) const;
  std::vector<std::string> read_texts(hid_t dataset, const std::string& path, std::uint64_t count,
                                      std::uint64_t byte_limit) const;
};

}  // namespace core

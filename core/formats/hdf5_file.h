// HDF5 files; the only door to the HDF5 library (call it from one thread at a time).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/files/guarded_read.h"
#include "core/formats/arrays.h"

namespace core {

/// What an attribute may hold.
using AttributeValue = std::variant<std::string, std::int64_t, std::uint64_t, double>;

/// One HDF5 file: being built in memory (create), or read-only (open, from_bytes).
///
/// Objects are named by their path, `/points/trials`. Every failure is a std::runtime_error of one line,
/// `FILE: OBJECT: what is wrong (HDF5's reason)`. Readers look at sizes before they allocate: what an object claims is
/// compared with the caller's byte limit and with what the file stores of it.
class Hdf5File {
 public:
  /// An empty file in memory; the disk is met only by whoever writes bytes().
  static Hdf5File create();
  /// Opens a file on disk.
  static Hdf5File open(const std::string& path);
  /// Opens the bytes of a file; messages call it `name`.
  static Hdf5File from_bytes(Bytes bytes, const std::string& name);

  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;
  ~Hdf5File();

  /// The finished file of create(), where it is built: gone with this object or its next change.
  std::span<const std::byte> image() const;
  /// A copy of it.
  Bytes bytes() const;

  void create_group(const std::string& group);
  /// A 1-D dataset; from 4096 rows on chunked, shuffled and deflated.
  void write_column(const std::string& dataset, const ColumnValues& values);
  /// A scalar text dataset.
  void write_text(const std::string& dataset, const std::string& text);
  /// A dataset of the array's shape and type; large ones as write_column, or plain (weights hardly deflate).
  enum class Storage { deflated, plain };
  void write_array(const std::string& dataset, const NumericArray& array, Storage storage = Storage::deflated);
  /// Adds or replaces an attribute of a group or dataset; `/` is the file.
  void write_attribute(const std::string& object, const std::string& name, const AttributeValue& value);
  /// Makes a 1-D dataset the dimension scale of the first dimension of others (H5DS; xarray's dimension of that name).
  void make_scale(const std::string& dataset, const std::string& name);
  void attach_scale(const std::string& dataset, const std::string& scale);

  /// A member of a group; links that lead out of the file or to other names are not members.
  struct Member {
    std::string name;
    bool is_group = false;
    bool is_scale = false;
  };
  /// The members in the order they were created (by name where the file does not say).
  std::vector<Member> members(const std::string& group) const;
  bool exists(const std::string& object) const;

  /// Whether it is a dataset of integers or floating-point numbers.
  bool holds_numbers(const std::string& dataset) const;

  /// Reads what write_column wrote; integers of any width widen to 64 bits, floats to double.
  ColumnValues read_column(const std::string& dataset, std::uint64_t byte_limit) const;
  /// Reads what write_text wrote.
  std::string read_text(const std::string& dataset, std::uint64_t byte_limit) const;
  /// Shape and type read_array will give; nothing is allocated. Wider integers than bytes give int64 (clipped to
  /// its range), booleans uint8, reals of up to 32 bits float32, wider ones float64.
  ArrayInfo array_info(const std::string& dataset) const;
  /// Where nothing was ever written (a whole dataset, or chunks of it) the values are the dataset's fill value.
  NumericArray read_array(const std::string& dataset, std::uint64_t byte_limit) const;
  /// Every array of a group (not those of groups inside it), by its name there; the limit holds for all of them.
  NamedArrays read_arrays(const std::string& group, std::uint64_t byte_limit) const;
  /// Nothing when the object has no such attribute.
  std::optional<AttributeValue> read_attribute(const std::string& object, const std::string& name) const;

 private:
  struct Impl;
  explicit Hdf5File(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace core

#include "core/formats/hdf5_file.h"

#include <hdf5.h>
#include <hdf5_hl.h>  // H5DS

#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <utility>

namespace core {
namespace {

constexpr std::uint64_t kChunkRows = 16384;
constexpr std::uint64_t kContiguousBytes = 4096 * 8;  // smaller datasets gain nothing from chunks
constexpr unsigned kDeflateLevel = 4;
constexpr std::uint64_t kBestDeflate = 1100;  // deflate never shrinks by more than 1032 : 1
constexpr std::uint64_t kAttributeBytes = 1 << 20;
constexpr std::size_t kImageIncrement = 1 << 22;

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
std::string reason() {
  std::string text;
  const auto keep_first = [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "" : " (" + text + ")";
}

/// Errors come as exceptions, so the library's own printing is off for the whole process.
void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

template <class T>
hid_t native();
template <>
hid_t native<std::int8_t>() {
  return H5T_NATIVE_INT8;
}
template <>
hid_t native<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
hid_t native<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
hid_t native<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
hid_t native<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
hid_t native<double>() {
  return H5T_NATIVE_DOUBLE;
}

/// Hands out the memory of variable-length text and refuses when a file asks for more than the limit.
class TextArena {
 public:
  explicit TextArena(std::uint64_t limit) : left_(limit) {}
  static void* allocate(std::size_t size, void* self) {
    auto& arena = *static_cast<TextArena*>(self);
    if (size > arena.left_) return nullptr;
    arena.left_ -= size;
    arena.pieces_.push_back(std::make_unique<char[]>(size));
    return arena.pieces_.back().get();
  }
  static void release(void*, void*) {}

 private:
  std::uint64_t left_;
  std::vector<std::unique_ptr<char[]>> pieces_;
};

/// Lets the library read a file's bytes where they are: nothing is copied, nothing is freed, nothing can grow.
void use_in_place(hid_t access, core::Bytes& bytes) {
  H5FD_file_image_callbacks_t in_place = {};
  in_place.image_malloc = [](size_t, H5FD_file_image_op_t, void* data) { return data; };
  in_place.image_memcpy = [](void* destination, const void*, size_t, H5FD_file_image_op_t, void*) {
    return destination;
  };
  in_place.image_realloc = [](void*, size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; };
  in_place.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
  in_place.udata_copy = [](void* data) { return data; };
  in_place.udata_free = [](void*) -> herr_t { return 0; };
  in_place.udata = bytes.data();
  H5Pset_file_image_callbacks(access, &in_place);
  H5Pset_file_image(access, bytes.data(), bytes.size());
}

std::string unique_memory_name() {
  static std::atomic<unsigned long> count = 0;
  return "memory-" + std::to_string(count++);
}

}  // namespace

struct Hdf5File::Impl {
  std::string name;
  Bytes source;  // outlives the file opened on it
  Handle file;

  [[noreturn]] void fail(const std::string& object, const std::string& what) const {
    throw std::runtime_error(name + ": " + (object.empty() ? "" : object + ": ") + what);
  }
  template <class Id>
  Id checked(Id id, const std::string& object, const char* what) const {
    if (id < 0) fail(object, what + reason());
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
             const void* values, Storage storage = Storage::deflated) {
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    const Handle space =
        handle(extents.empty() ? H5Screate(H5S_SCALAR)
                               : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
               H5Sclose, path, "cannot make its shape");
    const Handle layout = handle(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, path, "cannot make its layout");
    // Equal content gives equal bytes: no time stamps.
    checked(H5Pset_obj_track_times(layout, false), path, "cannot make its layout");
    const auto elements = static_cast<std::uint64_t>(std::max<hssize_t>(0, H5Sget_simple_extent_npoints(space)));
    if (storage == Storage::deflated && elements * size >= kContiguousBytes) {
      std::vector<hsize_t> chunk = extents;
      const hsize_t row_elements = std::max<hsize_t>(1, elements / extents[0]);
      chunk[0] = std::clamp<hsize_t>(kChunkRows / row_elements, 1, extents[0]);
      checked(H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data()), path, "cannot make its layout");
      checked(H5Pset_shuffle(layout), path, "cannot make its layout");
      checked(H5Pset_deflate(layout, kDeflateLevel), path, "cannot make its layout");
    }
    const Handle dataset = handle(H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, layout, H5P_DEFAULT),
                                  H5Dclose, path, "cannot create the dataset");
    if (elements > 0) checked(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), path, "cannot write");
  }

  void write_texts(const std::string& path, const std::vector<std::uint64_t>& shape,
                   const std::vector<std::string>& texts) {
    std::vector<const char*> pointers;
    pointers.reserve(texts.size());
    for (const std::string& text : texts) {
      if (text.find('\0') != std::string::npos) fail(path, "text with a NUL character cannot be stored");
      pointers.push_back(text.c_str());
    }
    write(path, text_type(), sizeof(char*), shape, pointers.data());
  }

  std::vector<std::uint64_t> shape_of(hid_t dataset, const std::string& path) const {
    const Handle space = handle(H5Dget_space(dataset), H5Sclose, path, "cannot read its shape");
    if (H5Sget_simple_extent_type(space) == H5S_NULL) fail(path, "has no values");
    std::vector<hsize_t> extents(
        static_cast<std::size_t>(checked(H5Sget_simple_extent_ndims(space), path, "cannot read its shape")));
    if (!extents.empty())
      checked(H5Sget_simple_extent_dims(space, extents.data(), nullptr), path, "cannot read its shape");
    return {extents.begin(), extents.end()};
  }

  /// Refuses a dataset whose values are not in this file, or that claims more of them than the file can hold.
  void require_stored(hid_t dataset, const std::string& path, std::uint64_t elements) const {
    const Handle layout = handle(H5Dget_create_plist(dataset), H5Pclose, path, "cannot read its layout");
    if (H5Pget_layout(layout) == H5D_VIRTUAL || H5Pget_external_count(layout) > 0)
      fail(path, "its values stand in other files, which is not accepted");
    const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
    const auto size = static_cast<std::uint64_t>(H5Tget_size(type));
    const std::uint64_t stored = H5Dget_storage_size(dataset);
    const std::uint64_t factor = H5Pget_nfilters(layout) > 0 ? kBestDeflate : 1;
    if (size == 0 || elements / factor > stored / size)
      fail(path, "claims " + std::to_string(elements) + " values, the file stores " + std::to_string(stored) +
                     " bytes of them");
  }

  /// Class, width and sign of a dataset's elements as the closest ElementType.
  ElementType element_type(hid_t dataset, const std::string& path) const {
    const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
    const H5T_class_t type_class = H5Tget_class(type);
    const std::size_t size = H5Tget_size(type);
    if (type_class == H5T_ENUM && size == 1) return ElementType::uint8;  // h5py's booleans
    if (type_class == H5T_FLOAT && size <= 4) return ElementType::float32;
    if (type_class == H5T_FLOAT && size == 8) return ElementType::float64;
    const bool is_signed = type_class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    if (type_class == H5T_INTEGER && size == 1) return is_signed ? ElementType::int8 : ElementType::uint8;
    if (type_class == H5T_INTEGER && (size <= 4 || (size == 8 && is_signed))) return ElementType::int64;
    fail(path, "holds neither integers (up to 32 bits, or signed 64) nor floating-point numbers (up to 64 bits)");
  }

  bool is_unsigned_64(hid_t dataset, const std::string& path) const {
    const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
    return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 8 && H5Tget_sign(type) == H5T_SGN_NONE;
  }

  bool is_text(hid_t dataset, const std::string& path) const {
    const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
    return H5Tis_variable_str(type) > 0;
  }

  template <class T>
  std::vector<T> read_numbers(hid_t dataset, const std::string& path, std::uint64_t count,
                              std::uint64_t byte_limit) const {
    require_stored(dataset, path, count);
    if (count > byte_limit / sizeof(T))
      fail(path,
           std::to_string(count) + " values need more than the limit of " + std::to_string(byte_limit) + " bytes");
    std::vector<T> values(count);
    if (count > 0)
      checked(H5Dread(dataset, native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), path, "cannot read");
    return values;
  }

  std::vector<std::string> read_texts(hid_t dataset, const std::string& path, std::uint64_t count,
                                      std::uint64_t byte_limit) const {
    require_stored(dataset, path, count);
    constexpr std::uint64_t kPerText = sizeof(char*) + sizeof(std::unique_ptr<char[]>) + sizeof(std::string);
    if (count > byte_limit / kPerText)
      fail(path, std::to_string(count) + " texts need more than the limit of " + std::to_string(byte_limit) + " bytes");
    if (count == 0) return {};
    // Twice: every text lives in the arena and in its std::string.
    TextArena arena((byte_limit - count * kPerText) / 2);
    const Handle transfer = handle(H5Pcreate(H5P_DATASET_XFER), H5Pclose, path, "cannot read");
    checked(H5Pset_vlen_mem_manager(transfer, TextArena::allocate, &arena, TextArena::release, &arena), path,
            "cannot read");
    std::vector<char*> pointers(count);
    checked(H5Dread(dataset, text_type(), H5S_ALL, H5S_ALL, transfer, pointers.data()), path, "cannot read");
    std::vector<std::string> texts;
    texts.reserve(count);
    for (const char* pointer : pointers) texts.emplace_back(pointer == nullptr ? "" : pointer);
    return texts;
  }
};

Hdf5File::Hdf5File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

Hdf5File Hdf5File::create() {
  silence();
  auto impl = std::make_unique<Impl>(Impl{"new file", {}, {-1, H5Fclose}});
  const Handle access = impl->handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "", "cannot create");
  impl->checked(H5Pset_fapl_core(access, kImageIncrement, false), "", "cannot create");
  // The oldest format that holds the content: every later reader knows it, and newer superblocks are finished
  // only when the file is closed.
  impl->checked(H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18), "", "cannot create");
  const Handle root = impl->handle(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "", "cannot create");
  impl->checked(H5Pset_link_creation_order(root, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), "", "cannot create");
  impl->file =
      impl->handle(H5Fcreate(unique_memory_name().c_str(), H5F_ACC_TRUNC, root, access), H5Fclose, "", "cannot create");
  return Hdf5File(std::move(impl));
}

Hdf5File Hdf5File::open(const std::string& path) {
  silence();
  auto impl = std::make_unique<Impl>(Impl{path, {}, {-1, H5Fclose}});
  impl->file = impl->handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "",
                            "cannot be opened as an HDF5 file");
  return Hdf5File(std::move(impl));
}

Hdf5File Hdf5File::from_bytes(Bytes bytes, const std::string& name) {
  silence();
  auto impl = std::make_unique<Impl>(Impl{name, std::move(bytes), {-1, H5Fclose}});
  if (impl->source.empty()) impl->fail("", "is empty, not an HDF5 file");
  const Handle access = impl->handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "", "cannot be opened");
  impl->checked(H5Pset_fapl_core(access, kImageIncrement, false), "", "cannot be opened");
  use_in_place(access, impl->source);
  impl->file = impl->handle(H5Fopen(unique_memory_name().c_str(), H5F_ACC_RDONLY, access), H5Fclose, "",
                            "is not a readable HDF5 file");
  return Hdf5File(std::move(impl));
}

std::span<const std::byte> Hdf5File::image() const {
  impl_->checked(H5Fflush(impl_->file, H5F_SCOPE_GLOBAL), "", "cannot be finished");
  const ssize_t size = impl_->checked(H5Fget_file_image(impl_->file, nullptr, 0), "", "cannot be finished");
  void* memory = nullptr;  // of a file in memory the driver's handle is the address of its buffer
  impl_->checked(H5Fget_vfd_handle(impl_->file, H5P_DEFAULT, &memory), "", "cannot be finished");
  return {*static_cast<const std::byte* const*>(memory), static_cast<std::size_t>(size)};
}

Bytes Hdf5File::bytes() const {
  const auto whole = image();
  return {whole.begin(), whole.end()};
}

void Hdf5File::create_group(const std::string& group) {
  const Handle layout = impl_->handle(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, group, "cannot create the group");
  impl_->checked(H5Pset_link_creation_order(layout, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED), group,
                 "cannot create the group");
  impl_->handle(H5Gcreate2(impl_->file, group.c_str(), H5P_DEFAULT, layout, H5P_DEFAULT), H5Gclose, group,
                "cannot create the group");
}

void Hdf5File::write_column(const std::string& dataset, const ColumnValues& values) {
  std::visit(
      [&]<class T>(const std::vector<T>& column) {
        if constexpr (std::is_same_v<T, std::string>)
          impl_->write_texts(dataset, {column.size()}, column);
        else
          impl_->write(dataset, native<T>(), sizeof(T), {column.size()}, column.data());
      },
      values);
}

void Hdf5File::write_text(const std::string& dataset, const std::string& text) {
  impl_->write_texts(dataset, {}, {text});
}

void Hdf5File::write_array(const std::string& dataset, const NumericArray& array, Storage storage) {
  std::visit(
      [&]<class T>(const std::vector<T>& v) {
        impl_->write(dataset, native<T>(), sizeof(T), array.shape, v.data(), storage);
      },
      array.values);
}

void Hdf5File::write_attribute(const std::string& object, const std::string& name, const AttributeValue& value) {
  const std::string what = object + " attribute " + name;
  const Handle owner = impl_->open_object(object);
  if (H5Aexists(owner, name.c_str()) > 0) impl_->checked(H5Adelete(owner, name.c_str()), what, "cannot replace");
  const Handle space = impl_->handle(H5Screate(H5S_SCALAR), H5Sclose, what, "cannot create");
  const auto write = [&](hid_t type, const void* data) {
    const Handle attribute = impl_->handle(H5Acreate2(owner, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                                           H5Aclose, what, "cannot create");
    impl_->checked(H5Awrite(attribute, type, data), what, "cannot write");
  };
  std::visit(
      [&]<class T>(const T& v) {
        if constexpr (std::is_same_v<T, std::string>) {
          if (v.find('\0') != std::string::npos) impl_->fail(what, "text with a NUL character cannot be stored");
          const char* text = v.c_str();
          write(impl_->text_type(), &text);
        } else {
          write(native<T>(), &v);
        }
      },
      value);
}

void Hdf5File::make_scale(const std::string& dataset, const std::string& name) {
  impl_->checked(H5DSset_scale(impl_->open_dataset(dataset), name.c_str()), dataset, "cannot become a dimension scale");
}

void Hdf5File::attach_scale(const std::string& dataset, const std::string& scale) {
  impl_->checked(H5DSattach_scale(impl_->open_dataset(dataset), impl_->open_dataset(scale), 0), dataset,
                 "cannot get a dimension scale");
}

std::vector<Hdf5File::Member> Hdf5File::members(const std::string& group) const {
  const Handle opened =
      impl_->handle(H5Gopen2(impl_->file, group.c_str(), H5P_DEFAULT), H5Gclose, group, "cannot open the group");
  const Handle layout = impl_->handle(H5Gget_create_plist(opened), H5Pclose, group, "cannot open the group");
  unsigned order = 0;
  impl_->checked(H5Pget_link_creation_order(layout, &order), group, "cannot open the group");
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5L_info_t* link, void* out) -> herr_t {
    if (link->type == H5L_TYPE_HARD) static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  impl_->checked(H5Literate(opened, (order & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME,
                            H5_ITER_INC, nullptr, collect, &names),
                 group, "cannot list its members");
  std::vector<Member> found;
  for (const std::string& name : names) {
    const Handle object =
        impl_->handle(H5Oopen(opened, name.c_str(), H5P_DEFAULT), H5Oclose, group + "/" + name, "cannot open");
    const H5I_type_t kind = H5Iget_type(object);
    found.push_back({name, kind == H5I_GROUP, kind == H5I_DATASET && H5DSis_scale(object) > 0});
  }
  return found;
}

bool Hdf5File::exists(const std::string& object) const {
  return H5Lexists(impl_->file, object.c_str(), H5P_DEFAULT) > 0;
}

ColumnValues Hdf5File::read_column(const std::string& dataset, std::uint64_t byte_limit) const {
  const Handle opened = impl_->open_dataset(dataset);
  const auto shape = impl_->shape_of(opened, dataset);
  if (shape.size() != 1) impl_->fail(dataset, "shape " + shape_text(shape) + " is not that of a column");
  if (impl_->is_text(opened, dataset)) return impl_->read_texts(opened, dataset, shape[0], byte_limit);
  if (impl_->is_unsigned_64(opened, dataset))
    return impl_->read_numbers<std::uint64_t>(opened, dataset, shape[0], byte_limit);
  const ElementType type = impl_->element_type(opened, dataset);
  if (type == ElementType::float32 || type == ElementType::float64)
    return impl_->read_numbers<double>(opened, dataset, shape[0], byte_limit);
  return impl_->read_numbers<std::int64_t>(opened, dataset, shape[0], byte_limit);
}

std::string Hdf5File::read_text(const std::string& dataset, std::uint64_t byte_limit) const {
  const Handle opened = impl_->open_dataset(dataset);
  if (!impl_->is_text(opened, dataset) || !impl_->shape_of(opened, dataset).empty())
    impl_->fail(dataset, "is not one text");
  return impl_->read_texts(opened, dataset, 1, byte_limit).front();
}

ArrayInfo Hdf5File::array_info(const std::string& dataset) const {
  const Handle opened = impl_->open_dataset(dataset);
  return {impl_->shape_of(opened, dataset), impl_->element_type(opened, dataset)};
}

NamedArrays Hdf5File::read_arrays(const std::string& group, std::uint64_t byte_limit) const {
  NamedArrays arrays;
  for (const Member& member : members(group)) {
    if (member.is_group) continue;
    const std::string path = group + (group.ends_with('/') ? "" : "/") + member.name;
    arrays.emplace_back(member.name, read_array(path, byte_limit));
    const NumericArray& array = arrays.back().second;
    byte_limit -= checked_bytes({array.shape, array.type()}, byte_limit, path);
  }
  return arrays;
}

NumericArray Hdf5File::read_array(const std::string& dataset, std::uint64_t byte_limit) const {
  const Handle opened = impl_->open_dataset(dataset);
  const ArrayInfo info = array_info(dataset);
  const std::uint64_t count = checked_bytes(info, byte_limit, impl_->name + ": " + dataset) / element_size(info.type);
  const auto read = [&]<class T>(T) {
    return NumericArray(info.shape, impl_->read_numbers<T>(opened, dataset, count, byte_limit));
  };
  switch (info.type) {
    case ElementType::int8:
      return read(std::int8_t{});
    case ElementType::uint8:
      return read(std::uint8_t{});
    case ElementType::int64:
      return read(std::int64_t{});
    case ElementType::float32:
      return read(float{});
    case ElementType::float64:
      return read(double{});
  }
  throw std::logic_error("element type");
}

std::optional<AttributeValue> Hdf5File::read_attribute(const std::string& object, const std::string& name) const {
  const std::string what = object + " attribute " + name;
  const Handle owner = impl_->open_object(object);
  if (H5Aexists(owner, name.c_str()) <= 0) return std::nullopt;
  const Handle attribute = impl_->handle(H5Aopen(owner, name.c_str(), H5P_DEFAULT), H5Aclose, what, "cannot open");
  const Handle space = impl_->handle(H5Aget_space(attribute), H5Sclose, what, "cannot open");
  const Handle type = impl_->handle(H5Aget_type(attribute), H5Tclose, what, "cannot open");
  if (H5Sget_simple_extent_npoints(space) != 1) impl_->fail(what, "is not a single value");
  const auto read = [&]<class T>(T value) -> AttributeValue {
    impl_->checked(H5Aread(attribute, native<T>(), &value), what, "cannot read");
    return value;
  };
  const H5T_class_t type_class = H5Tget_class(type);
  if (type_class == H5T_FLOAT) return read(double{});
  if (type_class == H5T_INTEGER)
    return H5Tget_sign(type) == H5T_SGN_NONE ? read(std::uint64_t{}) : read(std::int64_t{});
  if (type_class != H5T_STRING) impl_->fail(what, "is neither a number nor text");
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    impl_->checked(H5Aread(attribute, impl_->text_type(), &text), what, "cannot read");
    std::string value(text == nullptr ? "" : text);
    H5free_memory(text);
    return value;
  }
  const std::size_t size = H5Tget_size(type);
  if (size > kAttributeBytes) impl_->fail(what, "is too long");
  std::string value(size, '\0');
  impl_->checked(H5Aread(attribute, type, value.data()), what, "cannot read");
  value.resize(std::min(value.size(), value.find('\0')));
  return value;
}

}  // namespace core

#include <hdf5_hl.h>  // H5DS

#include <algorithm>
#include <memory>
#include <new>

#include "core/formats/hdf5_impl.h"

namespace core {
namespace {

constexpr std::uint64_t kBestDeflate = 1100;  // deflate never shrinks by more than 1032 : 1
constexpr std::uint64_t kAttributeBytes = 1 << 20;

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

}  // namespace

std::vector<std::uint64_t> Hdf5File::Impl::shape_of(hid_t dataset, const std::string& path) const {
  const Handle space = handle(H5Dget_space(dataset), H5Sclose, path, "cannot read its shape");
  if (H5Sget_simple_extent_type(space) == H5S_NULL) fail(path, "has no values");
  std::vector<hsize_t> extents(
      static_cast<std::size_t>(checked(H5Sget_simple_extent_ndims(space), path, "cannot read its shape")));
  if (!extents.empty())
    checked(H5Sget_simple_extent_dims(space, extents.data(), nullptr), path, "cannot read its shape");
  return {extents.begin(), extents.end()};
}

void Hdf5File::Impl::require_stored(hid_t dataset, const std::string& path, std::uint64_t elements,
                                    Missing allowed) const {
  const Handle layout = handle(H5Dget_create_plist(dataset), H5Pclose, path, "cannot read its layout");
  if (H5Pget_layout(layout) == H5D_VIRTUAL || H5Pget_external_count(layout) > 0)
    fail(path, "its values stand in other files, which is not accepted");
  H5D_space_status_t written = H5D_SPACE_STATUS_ALLOCATED;
  checked(H5Dget_space_status(dataset, &written), path, "cannot read its layout");
  if (allowed == Missing::unwritten && written != H5D_SPACE_STATUS_ALLOCATED) return;
  const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
  const auto size = static_cast<std::uint64_t>(H5Tget_size(type));
  const std::uint64_t stored = H5Dget_storage_size(dataset);
  const std::uint64_t factor = H5Pget_nfilters(layout) > 0 ? kBestDeflate : 1;
  if (size == 0 || elements / factor > stored / size)
    fail(path, "claims " + std::to_string(elements) + " values, the file stores " + std::to_string(stored) +
                   " bytes of them");
}

ElementType Hdf5File::Impl::element_type(hid_t dataset, const std::string& path) const {
  const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
  const H5T_class_t type_class = H5Tget_class(type);
  const std::size_t size = H5Tget_size(type);
  if (type_class == H5T_ENUM && size == 1) return ElementType::uint8;  // h5py's booleans
  if (type_class == H5T_FLOAT && size <= 4) return ElementType::float32;
  if (type_class == H5T_FLOAT) return ElementType::float64;
  const bool is_signed = type_class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
  if (type_class == H5T_INTEGER && size == 1) return is_signed ? ElementType::int8 : ElementType::uint8;
  if (type_class == H5T_INTEGER && size <= 8) return ElementType::int64;
  fail(path, "holds neither integers (up to 64 bits) nor floating-point numbers");
}

bool Hdf5File::Impl::is_unsigned_64(hid_t dataset, const std::string& path) const {
  const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
  return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 8 && H5Tget_sign(type) == H5T_SGN_NONE;
}

bool Hdf5File::Impl::is_text(hid_t dataset, const std::string& path) const {
  const Handle type = handle(H5Dget_type(dataset), H5Tclose, path, "cannot read its type");
  return H5Tis_variable_str(type) > 0;
}

template <class T>
std::vector<T> Hdf5File::Impl::read_numbers(hid_t dataset, const std::string& path, std::uint64_t count,
                                            std::uint64_t byte_limit, Missing allowed) const {
  require_stored(dataset, path, count, allowed);
  if (count > byte_limit / sizeof(T))
    fail(path, std::to_string(count) + " values need more than the limit of " + std::to_string(byte_limit) + " bytes");
  std::vector<T> values;
  try {
    values.resize(count);
  } catch (const std::bad_alloc&) {
    fail(path, std::to_string(count) + " values need more memory than there is");
  }
  if (count > 0 && H5Dread(dataset, native<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    const std::string reason = hdf5_reason();
    const Handle layout = handle(H5Dget_create_plist(dataset), H5Pclose, path, "cannot read its layout");
    const std::string filter = missing_filter(layout);
    fail(path, filter.empty() ? "cannot read" + reason : filter);
  }
  return values;
}

std::vector<std::string> Hdf5File::Impl::read_texts(hid_t dataset, const std::string& path, std::uint64_t count,
                                                    std::uint64_t byte_limit) const {
  require_stored(dataset, path, count, Missing::nothing);
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

bool Hdf5File::holds_numbers(const std::string& dataset) const {
  const Handle opened = impl_->open_dataset(dataset);
  const Handle type = impl_->handle(H5Dget_type(opened), H5Tclose, dataset, "cannot read its type");
  const H5T_class_t type_class = H5Tget_class(type);
  return type_class == H5T_INTEGER || type_class == H5T_FLOAT || type_class == H5T_ENUM;
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
    return NumericArray(info.shape,
                        impl_->read_numbers<T>(opened, dataset, count, byte_limit, Impl::Missing::unwritten));
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

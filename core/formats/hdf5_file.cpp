#include "core/formats/hdf5_file.h"

#include <hdf5_hl.h>  // H5DS

#include <algorithm>
#include <atomic>

#include "core/files/file.h"
#include "core/formats/hdf5_impl.h"

namespace core {
namespace {

constexpr std::uint64_t kChunkRows = 16384;
constexpr std::uint64_t kContiguousBytes = 4096 * 8;  // smaller datasets gain nothing from chunks
constexpr unsigned kDeflateLevel = 4;
constexpr std::size_t kImageIncrement = 1 << 22;

/// Errors come as exceptions, so the library's own printing is off for the whole process.
void prepare_library() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  register_filters();
}

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

std::string hdf5_reason() {
  std::string text;
  const auto keep_first = [](unsigned depth, const H5E_error2_t* error, void* out) -> herr_t {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "" : " (" + text + ")";
}

void Hdf5File::Impl::write(const std::string& path, hid_t type, std::size_t size,
                           const std::vector<std::uint64_t>& shape, const void* values, Storage storage) {
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
  const Handle dataset = handle(H5Dcreate2(file, path.c_str(), type, space, H5P_DEFAULT, layout, H5P_DEFAULT), H5Dclose,
                                path, "cannot create the dataset");
  if (elements > 0) checked(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), path, "cannot write");
}

void Hdf5File::Impl::write_texts(const std::string& path, const std::vector<std::uint64_t>& shape,
                                 const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) {
    if (text.find('\0') != std::string::npos) fail(path, "text with a NUL character cannot be stored");
    pointers.push_back(text.c_str());
  }
  Hdf5File::Impl::write(path, text_type(), sizeof(char*), shape, pointers.data());
}

Hdf5File::Hdf5File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

Hdf5File Hdf5File::create() {
  prepare_library();
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
  require_regular(path);
  prepare_library();
  auto impl = std::make_unique<Impl>(Impl{path, {}, {-1, H5Fclose}});
  const Handle access = impl->handle(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "", "cannot be opened");
  // A reader needs no lock, and HDF5 would not open a file on a file system that has none.
  impl->checked(H5Pset_file_locking(access, false, true), "", "cannot be opened");
  impl->file =
      impl->handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, "", "cannot be opened as an HDF5 file");
  return Hdf5File(std::move(impl));
}

Hdf5File Hdf5File::from_bytes(Bytes bytes, const std::string& name) {
  prepare_library();
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

}  // namespace core

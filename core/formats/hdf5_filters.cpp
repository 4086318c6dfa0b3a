// Filters of HDF5 datasets: LZF, which h5py offers, and the names of those that are not here.
#include <hdf5.h>
#include <lzf.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/formats/hdf5_impl.h"

namespace core {
namespace {

constexpr H5Z_filter_t kLzf = 32000;  // The HDF Group's list of registered filters

/// Decompresses a chunk; its size stands in the third of the numbers that h5py keeps with the filter.
std::size_t undo_lzf(unsigned flags, std::size_t count, const unsigned numbers[], std::size_t size,
                     std::size_t* buffer_size, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0 || count < 3 || numbers[2] == 0) return 0;
  void* chunk = std::malloc(numbers[2]);  // the library frees it
  if (chunk == nullptr) return 0;
  const std::size_t got = lzf_decompress(*buffer, static_cast<unsigned>(size), chunk, numbers[2]);
  if (got == 0) {
    std::free(chunk);
    return 0;
  }
  std::free(*buffer);
  *buffer = chunk;
  *buffer_size = numbers[2];
  return got;
}

struct FilterName {
  H5Z_filter_t number;
  const char* name;
};
constexpr FilterName kNames[] = {{H5Z_FILTER_SZIP, "szip"}, {307, "bzip2"}, {32001, "blosc"}, {32004, "lz4"},
                                 {32008, "bitshuffle"},     {32013, "zfp"}, {32015, "zstd"},  {32017, "sz"},
                                 {32026, "blosc2"}};

}  // namespace

void register_filters() {
  static constexpr H5Z_class2_t kClass = {H5Z_CLASS_T_VERS, kLzf, 0, 1, "lzf", nullptr, nullptr, undo_lzf};
  if (H5Zfilter_avail(kLzf) <= 0) H5Zregister(&kClass);
}

std::string missing_filter(hid_t creation_properties) {
  const int count = H5Pget_nfilters(creation_properties);
  for (int i = 0; i < count; ++i) {
    std::array<char, 64> name{};
    std::size_t numbers = 0;
    unsigned flags = 0, config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation_properties, static_cast<unsigned>(i), &flags, &numbers, nullptr,
                                               name.size(), name.data(), &config);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    const auto known = std::ranges::find(kNames, filter, &FilterName::number);
    const std::string called = known != std::end(kNames) ? known->name : std::string(name.data());
    return "is compressed by the filter " + (called.empty() ? "" : called + " ") + "(number " + std::to_string(filter) +
           "), which is not here; write it with gzip, as h5repack -f GZIP=4 does";
  }
  return "";
}

}  // namespace core

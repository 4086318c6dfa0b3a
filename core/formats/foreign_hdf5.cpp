#include "core/formats/foreign_hdf5.h"

namespace core {

NamedArrays read_foreign(const std::string& path, std::uint64_t byte_limit,
                         const std::function<NamedArrays(const Hdf5File&)>& read) {
  return read_guarded(path, "HDF5", byte_limit, [&] { return read(Hdf5File::open(path)); });
}

NumericArray read_foreign_array(const std::string& path, const std::string& dataset, std::uint64_t byte_limit) {
  return read_foreign(path, byte_limit,
                      [&](const Hdf5File& file) {
                        return NamedArrays{{dataset, file.read_array(dataset, byte_limit)}};
                      })
      .front()
      .second;
}

}  // namespace core

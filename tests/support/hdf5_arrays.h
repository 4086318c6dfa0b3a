// Reads every numeric dataset of a small HDF5 fixture.
#pragma once

#include <hdf5.h>

#include <map>
#include <stdexcept>
#include <string>

#include "ham/tensor.h"

namespace test {

/// Name, with the groups before it (`hn_relu/p.s0.W0`), to array.
using Arrays = std::map<std::string, ham::Tensor<double>>;

inline Arrays read_arrays(const std::string& path) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) throw std::runtime_error(path + " cannot be opened");
  Arrays arrays;
  const auto visit = [](hid_t object, const char* name, const H5O_info_t* info, void* into) -> herr_t {
    if (info->type != H5O_TYPE_DATASET) return 0;
    const hid_t data = H5Dopen2(object, name, H5P_DEFAULT), space = H5Dget_space(data);
    hsize_t lengths[H5S_MAX_RANK];
    const int rank = H5Sget_simple_extent_dims(space, lengths, nullptr);
    ham::Shape shape(lengths, lengths + rank);
    ham::Tensor<double> tensor(shape);
    H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, tensor.values.data());
    static_cast<Arrays*>(into)->emplace(name, std::move(tensor));
    H5Sclose(space);
    H5Dclose(data);
    return 0;
  };
  H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &arrays, H5O_INFO_BASIC);
  H5Fclose(file);
  return arrays;
}

}  // namespace test

#include "core/formats/matlab.h"

#include <matio.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include "core/files/byte_reader.h"
#include "core/formats/stored_numbers.h"

namespace core {
namespace {

/// How matio hands over the values of a class of arrays.
struct ClassType {
  matio_classes matlab_class;
  StoredNumber stored;
};
constexpr ClassType kClasses[] = {{MAT_C_DOUBLE, {'f', 8}}, {MAT_C_SINGLE, {'f', 4}}, {MAT_C_INT8, {'i', 1}},
                                  {MAT_C_UINT8, {'u', 1}},  {MAT_C_INT16, {'i', 2}},  {MAT_C_UINT16, {'u', 2}},
                                  {MAT_C_INT32, {'i', 4}},  {MAT_C_UINT32, {'u', 4}}, {MAT_C_INT64, {'i', 8}},
                                  {MAT_C_UINT64, {'u', 8}}};

struct CloseFile {
  void operator()(mat_t* file) const { Mat_Close(file); }
};
struct FreeVariable {
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

std::optional<StoredNumber> stored_number(const matvar_t& variable) {
  if (variable.isComplex || variable.name == nullptr) return std::nullopt;
  for (const ClassType& row : kClasses)
    if (row.matlab_class == variable.class_type) return row.stored;
  return std::nullopt;
}

NumericArray array_of(matvar_t& variable, const std::string& what, std::uint64_t byte_limit) {
  const std::optional<StoredNumber> stored = stored_number(variable);
  if (!stored || variable.rank < 0 || (variable.data == nullptr && variable.nbytes > 0))
    throw std::runtime_error(what + ": is not a full array of real numbers");
  const std::vector<std::uint64_t> shape(variable.dims, variable.dims + variable.rank);
  MemoryReader values({static_cast<const std::byte*>(variable.data), variable.nbytes}, what);
  return read_values(values, shape, *stored, true, byte_limit);
}

}  // namespace

NamedArrays read_matlab(const std::string& path, std::uint64_t byte_limit,
                        const std::function<std::vector<std::string>(const std::vector<std::string>&)>& choose) {
  return read_guarded(path, "matio", byte_limit, [&] {
    const std::unique_ptr<mat_t, CloseFile> file(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
    if (!file) throw std::runtime_error(path + ": damaged: matio cannot open it as a MAT-file");
    std::vector<std::string> names;
    while (const Variable variable{Mat_VarReadNextInfo(file.get())})
      if (stored_number(*variable)) names.emplace_back(variable->name);
    NamedArrays arrays;
    for (const std::string& name : choose(names)) {
      const std::string what = path + ": " + name;
      Mat_Rewind(file.get());
      const Variable variable{Mat_VarRead(file.get(), name.c_str())};
      if (!variable) throw std::runtime_error(what + ": not in the file, or damaged");
      arrays.emplace_back(name, array_of(*variable, what, byte_limit));
    }
    return arrays;
  });
}

}  // namespace core

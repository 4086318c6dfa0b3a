#include "experiments/files/named_arrays.h"

#include "core/formats/hdf5_file.h"
#include "core/formats/npz.h"
#include "core/provenance.h"

namespace experiments {

void write_arrays(const core::OutputFile& out, const ham::NamedArrays& arrays, const std::string& command_line) {
  if (out.path().ends_with(".npz")) {
    std::vector<std::pair<std::string, core::NumericArray>> members;
    for (const auto& [name, tensor] : arrays)
      members.emplace_back(name, core::NumericArray({tensor.shape.begin(), tensor.shape.end()}, tensor.values));
    return out.write({core::npz_bytes(members)});
  }
  core::Hdf5File file = core::Hdf5File::create();
  core::Provenance made = core::build_provenance();
  made.command_line = command_line;
  core::for_each_field(made, [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
  for (const auto& [name, tensor] : arrays)
    file.write_array("/" + name, {{tensor.shape.begin(), tensor.shape.end()}, tensor.values});
  out.write({file.image()});
}

}  // namespace experiments

#include "experiments/files/named_arrays.h"

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"
#include "core/provenance.h"
#include "experiments/command_line/run_options.h"

namespace experiments {

void write_arrays(const std::string& path, const ham::NamedArrays& arrays, const std::string& command_line) {
  core::Hdf5File file = core::Hdf5File::create();
  core::Provenance made = core::build_provenance();
  made.command_line = command_line;
  core::for_each_field(made, [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
  for (const auto& [name, tensor] : arrays)
    file.write_array("/" + name, {{tensor.shape.begin(), tensor.shape.end()}, tensor.values});
  const core::FileLock lock = lock_other_file(path);
  core::replace_file(lock.path(), {file.image()});
}

}  // namespace experiments

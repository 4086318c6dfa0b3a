// CIFAR-10 batches: read or refused in one line, never more memory than granted, every label one of ten.
#include <cstdlib>
#include <stdexcept>

#include "ham/data/data_set.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ham::KnownDataSet& known = ham::known_data_set("cifar10");
  const std::filesystem::path path = fuzz::input_file(data, size, ".bin");
  const ham::FoundDataSet found{&known, path.parent_path(), {known.files.size(), path}, {}};
  try {
    const ham::DataSet set = ham::read_data_set(found, fuzz::kByteLimit);
    for (const ham::Images* images : {&set.train, &set.test}) {
      if (images->pixels.size() != static_cast<std::size_t>(images->count() * images->size())) std::abort();
      for (const int label : images->labels)
        if (label < 0 || label >= set.classes) std::abort();
    }
  } catch (const std::runtime_error&) {
  }
  return 0;
}

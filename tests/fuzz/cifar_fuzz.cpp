// CIFAR-10 batches: read or refused in one line, never more memory than granted, every label one of ten.
#include <cstdlib>
#include <filesystem>

#include "ham/data/data_set.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::read_or_refuse(data, size, ".bin", [](const std::filesystem::path& path) {
    const ham::KnownDataSet& known = ham::known_data_set("cifar10");
    const ham::FoundDataSet found{&known, path.parent_path(), {known.files.size(), path}, {}};
    const ham::DataSet set = ham::read_data_set(found, fuzz::kByteLimit);
    for (const ham::Images* images : {&set.train, &set.test}) {
      if (images->pixels.size() != static_cast<std::size_t>(images->count() * images->size())) std::abort();
      for (const int label : images->labels)
        if (label < 0 || label >= set.classes) std::abort();
    }
  });
}

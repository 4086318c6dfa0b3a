// The result-file reader behind its checksum: well-formed HDF5 of hostile content (wrong names, types, shapes,
// versions), made from the input; and the input itself as a file.
#include <stdexcept>

#include "core/formats/hdf5_file.h"
#include "results/result_file.h"
#include "results/seal.h"

namespace {

constexpr std::uint64_t kByteLimit = 1 << 24;

/// Takes the input apart, byte by byte; zeros when it is used up.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::uint8_t> bytes_;
};

core::AttributeValue attribute(Input& input) {
  switch (input.byte() % 4) {
    case 0:
      return std::string(input.byte(), 'x');
    case 1:
      return std::int64_t{static_cast<std::int8_t>(input.byte())};
    case 2:
      return std::uint64_t{input.byte()};
    default:
      return input.byte() / 7.0;
  }
}

core::ColumnValues column(Input& input) {
  const std::size_t rows = input.byte() % 9;
  switch (input.byte() % 4) {
    case 0:
      return std::vector<std::int64_t>(rows, input.byte());
    case 1:
      return std::vector<std::uint64_t>(rows, input.byte());
    case 2:
      return std::vector<double>(rows, input.byte());
    default:
      return std::vector<std::string>(rows, std::string(input.byte(), 'y'));
  }
}

core::Bytes hostile_file(Input input) {
  constexpr const char* kGroups[] = {"/batches", "/points", "/capacity", "/arrays", "/spec"};
  constexpr const char* kNames[] = {"/row", "/configuration", "/trials", "/seconds", "/other"};
  constexpr const char* kAttributes[] = {"schema_version", "kind",  "threads", "seed",
                                         "long_name",      "units", "source",  "reproducible"};
  core::Hdf5File file = core::Hdf5File::create();
  if (input.byte() % 4 != 0) file.write_attribute("/", "schema_version", std::int64_t{1});
  while (!input.empty()) {
    try {
      const std::string group = kGroups[input.byte() % 5], object = group + kNames[input.byte() % 5];
      switch (input.byte() % 6) {
        case 0:
          file.create_group(group);
          break;
        case 1:
          file.write_column(object, column(input));
          break;
        case 2:
          file.write_text(input.byte() % 2 ? group : object, std::string(input.byte(), 'z'));
          break;
        case 3:
          file.write_array(object, core::NumericArray(core::ArrayInfo{{input.byte() % 4u, input.byte() % 4u},
                                                                      core::ElementType::int8}));
          break;
        case 4:
          file.write_attribute(input.byte() % 2 ? object : "/", kAttributes[input.byte() % 8], attribute(input));
          break;
        default:
          file.make_scale(object, "row");
      }
    } catch (const std::runtime_error&) {
      // an object that is there already, or not yet
    }
  }
  return file.bytes();
}

void read_or_refuse(const core::Bytes& bytes) {
  try {
    results::parse(bytes, "input.h5", kByteLimit);
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto raw = std::as_bytes(std::span(data, size));
  read_or_refuse({raw.begin(), raw.end()});
  core::Bytes sealed = hostile_file(Input({data, size}));
  const std::string seal = results::seal(sealed);
  const auto trailer = std::as_bytes(std::span(seal));
  sealed.insert(sealed.end(), trailer.begin(), trailer.end());
  read_or_refuse(sealed);
  return 0;
}

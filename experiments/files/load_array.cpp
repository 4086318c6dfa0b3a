#include "experiments/files/load_array.h"

#include <fmt/core.h>

#include <filesystem>
#include <span>
#include <stdexcept>
#include <utility>

#include "core/formats/array_file.h"
#include "core/formats/file_kind.h"
#include "core/hash.h"
#include "experiments/command_line/cli.h"
#include "experiments/files/data_path.h"

namespace experiments {
namespace {

constexpr dam::Threshold kHalfBright{dam::Threshold::Kind::value, 127};

/// What may be done with an array, its complaints beginning with where it stands.
template <class Use>
auto on_array(const std::string& location, const std::string& usual, std::int64_t byte_limit, Use use) {
  const auto [path, name] = locate_array(location);
  const core::NumericArray array = core::read_array(path, name, usual, static_cast<std::uint64_t>(byte_limit));
  try {
    return use(array, path);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(fmt::format("{}: {}{}", path, name.empty() ? "" : name + ": ", error.what()));
  }
}

}  // namespace

void add_threshold(Options& options) {
  options.add_options()("threshold", word("X"),
                        "grey values above it are +1, others -1: mean or median (of the row) or a number; of IDX "
                        "pictures 127");
}

dam::Threshold given_threshold(const boost::program_options::variables_map& given) {
  if (!given.contains("threshold")) return {};
  try {
    return dam::parse_threshold(given["threshold"].as<std::string>());
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--threshold: {}", error.what()));
  }
}

ArrayLocation locate_array(const std::string& location) {
  const auto is_there = [](const std::string& path) {
    std::error_code ignored;  // what cannot be looked at is not there
    return std::filesystem::exists(path, ignored);
  };
  const std::string whole = find_data_file(location);
  const std::size_t colon = location.rfind(':');
  if (colon == std::string::npos || colon == 0 || is_there(whole)) return {whole, ""};
  const std::string file = find_data_file(location.substr(0, colon));
  if (!is_there(file)) return {whole, ""};
  return {file, location.substr(colon + 1)};
}

dam::Spins load_spins(const std::string& location, const std::string& usual, std::int64_t byte_limit,
                      const SpinReading& reading, dam::Erased erased) {
  return on_array(location, usual, byte_limit, [&](const core::NumericArray& array, const std::string& path) {
    const bool pictures =
        reading.threshold.kind == dam::Threshold::Kind::none && core::recognize_file(path).kind == core::FileKind::idx;
    return dam::spins_of(array, pictures ? kHalfBright : reading.threshold, erased, reading.num_neurons);
  });
}

void load_mask(const std::string& location, std::int64_t byte_limit, dam::Spins& spins) {
  on_array(location, "mask", byte_limit,
           [&](const core::NumericArray& array, const std::string&) { dam::erase(spins, array); });
}

LoadedPatterns load_patterns(const std::string& location, const std::string& usual, std::int64_t byte_limit,
                             const SpinReading& reading) {
  const dam::Spins spins = load_spins(location, usual, byte_limit, reading, dam::Erased::refused);
  LoadedPatterns loaded{dam::patterns_of(spins), 0, spins.bits};
  const std::string shape =
      core::shape_text({static_cast<std::uint64_t>(spins.rows()), static_cast<std::uint64_t>(spins.num_neurons)});
  loaded.content = core::fnv1a(std::as_bytes(std::span(shape)));
  for (int spin = 0; spin < spins.num_neurons; ++spin)
    loaded.content = core::fnv1a(std::as_bytes(std::as_const(loaded.patterns).column(spin)), loaded.content);
  return loaded;
}

}  // namespace experiments

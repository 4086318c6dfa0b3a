#include "results/seal.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "core/formats/file_kind.h"
#include "core/hash.h"

namespace results {
namespace {

constexpr std::string_view kSealStart = "\ndambench seal: ";

}  // namespace

std::string seal(std::span<const std::byte> content) {
  return fmt::format("{}{:020} bytes, fnv1a64 {:016x}\n", kSealStart, content.size(), core::fnv1a(content));
}

std::span<const std::byte> unseal(std::span<const std::byte> file, const std::string& name) {
  constexpr std::string_view kHdf5Start = "\x89HDF\r\n\x1a\n";
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kHdf5Start))
    throw std::runtime_error(fmt::format("{}: not an HDF5 file: it is {}", name, core::recognize_start(text).what));
  const std::size_t content_size = file.size() - std::min(file.size(), seal({}).size());
  const std::string_view trailer = text.substr(content_size);
  if (!trailer.starts_with(kSealStart))
    throw std::runtime_error(name + ": truncated, or not a dambench result file (it does not end in a dambench seal)");
  const auto content = file.first(content_size);
  if (trailer != seal(content))
    throw std::runtime_error(name + ": damaged, its content does not have the checksum it was sealed with");
  return content;
}

bool is_sealed(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::string trailer = seal({});
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return false;  // a pipe would wait for a writer
  std::ifstream file(path, std::ios::binary);
  return file.seekg(-static_cast<std::streamoff>(trailer.size()), std::ios::end) &&
         file.read(trailer.data(), static_cast<std::streamsize>(trailer.size())) && trailer.starts_with(kSealStart);
}

}  // namespace results

#include "experiments/files/write_text.h"

#include <filesystem>
#include <span>

#include "core/files/file.h"

namespace experiments {

void write_text(const std::string& path, const std::string& text) {
  if (const auto directory = std::filesystem::path(path).parent_path(); !directory.empty())
    std::filesystem::create_directories(directory);
  core::replace_file(path, {std::as_bytes(std::span(text))});
}

}  // namespace experiments

#include "experiments/files/read_results.h"

#include <fmt/core.h>

#include <stdexcept>

namespace experiments {

results::ResultFile read_result(const std::string& path) {
  results::ResultFile file = results::read(path);
  if (file.nested_patterns())
    fmt::print(stderr,
               "{}: old streams: intervals too short (all K of a search shared their pattern sets; measure it again)\n",
               path);
  return file;
}

std::vector<results::NamedFile> read_results(const std::vector<std::string>& paths, const std::string& table) {
  std::vector<results::NamedFile> files;
  std::string passed_over;
  for (const std::string& path : paths) {
    try {
      results::ResultFile file = read_result(path);
      if (!table.empty() && !file.has(table)) throw std::runtime_error(fmt::format("{}: holds no {}", path, table));
      files.push_back({path, std::move(file)});
    } catch (const std::runtime_error& error) {
      if (&path == &paths.back() && files.empty()) {
        std::fputs(passed_over.c_str(), stderr);
        throw;
      }
      passed_over += fmt::format("passed over: {}\n", error.what());
    }
  }
  std::fputs(passed_over.c_str(), stderr);
  return files;
}

}  // namespace experiments

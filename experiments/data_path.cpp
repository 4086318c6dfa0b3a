#include "experiments/data_path.h"

#include <cstdlib>

namespace experiments {

std::vector<std::string> data_directories(const std::string& first) {
  std::vector<std::string> directories;
  if (!first.empty()) directories.push_back(first);
  if (const char* given = std::getenv("DAMBENCH_DATA")) directories.push_back(given);
  if (const char* home = std::getenv("HOME")) directories.push_back(std::string(home) + "/.cache/dambench");
  directories.push_back("/usr/share/datasets");
  return directories;
}

}  // namespace experiments

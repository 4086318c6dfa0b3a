#include "experiments/files/data_path.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "experiments/command_line/cli.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// ~/.cache/dambench, also where HOME is not set; empty for who has no home.
std::string own_directory() {
  std::string home = variable("HOME");
  if (home.empty())
    if (const passwd* user = getpwuid(geteuid()); user != nullptr) home = user->pw_dir;
  return home.empty() ? "" : home + "/.cache/dambench";
}

bool is_there(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::exists(path, ignored);
}

}  // namespace

std::vector<std::string> data_directories(const std::string& data_dir) {
  std::vector<std::string> directories;
  if (!data_dir.empty()) directories.push_back(data_dir);
  std::istringstream words(variable("DAMBENCH_DATA"));
  for (std::string word; std::getline(words, word, ':');)
    if (!word.empty()) directories.push_back(word);
  if (const std::string own = own_directory(); !own.empty()) directories.push_back(own);
  directories.emplace_back("/usr/share/datasets");
  return directories;
}

std::string download_directory(const std::string& data_dir) {
  if (!data_dir.empty()) return data_dir;
  std::string own = own_directory();
  if (own.empty()) throw UsageError("--data-dir: there is no home directory to download to; name a directory");
  return own;
}

std::string find_data_file(const std::string& file) {
  if (file.empty() || file.front() == '/' || file.front() == '.' || is_there(file)) return file;
  for (const std::string& directory : data_directories())
    if (const fs::path path = fs::path(directory) / file; is_there(path)) return path.string();
  return file;
}

void add_data_dir(Options& options) {
  options.add_options()("data-dir", po::value<std::string>()->default_value("", "")->value_name("DIR"),
                        "data sets are looked for here first, then in $DAMBENCH_DATA, ~/.cache/dambench, "
                        "/usr/share/datasets");
}

}  // namespace experiments

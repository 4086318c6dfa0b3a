// Runs a built program the way a shell does, for tests of what users see.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temporary_directory.h"

namespace support {

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs a shell command line; stdout and stderr are kept apart.
inline Ran run_shell(const std::string& command) {
  const TemporaryDirectory directory;
  const std::string out = directory / "out", err = directory / "err";
  const int status = std::system(("( " + command + " ) >" + out + " 2>" + err + " </dev/null").c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slurp(out), slurp(err)};
}

/// Runs a line that writes `file`, each time for half as long, until it stops before its end; false if it never does.
inline bool run_part(const std::string& line, const std::string& file) {
  for (double seconds = 0.1; seconds > 1e-3; seconds /= 2) {
    std::filesystem::remove(file);
    if (run_shell(line + " --time-limit " + std::to_string(seconds) + "s").code == 3) return true;
  }
  return false;
}

}  // namespace support

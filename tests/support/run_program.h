// Runs a built program the way a shell does, for tests of what users see.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
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

}  // namespace support

#include "analysis/drawing/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace analysis {
namespace {

/// A fresh private folder that disappears with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "dambench-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr)
      throw std::runtime_error(path_ + ": " + std::generic_category().message(errno));
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// gnuplot echoes the offending line and a caret, then complains: `"FILE" line 3: what is wrong`; without the file's
/// name. Others complain at once.
std::string first_complaint(const std::string& errors) {
  std::istringstream lines(errors);
  std::string line;
  while (std::getline(lines, line))
    if (const auto at = line.find("\" line "); line.starts_with('"') && at != std::string::npos)
      return line.substr(at + 2);
  return errors.substr(0, errors.find('\n'));
}

}  // namespace

// -d: no start-up file of the user changes what we draw.
const DrawingProgram kGnuplot{"gnuplot", "gnuplot-nox", {"-d"}};

void remove_date(std::string& pdf) {
  const auto from = pdf.find("/CreationDate");
  if (from == std::string::npos) return;
  const auto to = pdf.find(')', from);
  if (to != std::string::npos)
    std::fill(pdf.begin() + static_cast<long>(from), pdf.begin() + static_cast<long>(to) + 1, ' ');
}

std::string drawn_by(const DrawingProgram& program, const std::string& script) {
  const TemporaryFolder folder;
  std::string name = program.name, input = folder.file("script");
  const std::string output = folder.file("drawing"), errors = folder.file("errors");
  std::ofstream(input, std::ios::binary) << script;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT, 0600);
  std::vector<std::string> options = program.options;
  std::vector<char*> arguments{name.data()};
  for (std::string& option : options) arguments.push_back(option.data());
  arguments.insert(arguments.end(), {input.data(), nullptr});
  pid_t child = 0;
  const int error = posix_spawnp(&child, program.name, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT)
    throw std::runtime_error(name + " is not installed: figures need it (Debian package " + program.package + ")");
  if (error != 0) throw std::runtime_error(name + " cannot start: " + std::generic_category().message(error));

  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::string drawn = read_all(output);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || drawn.empty())
    throw std::runtime_error(name + " failed: " + first_complaint(read_all(errors)));
  return drawn;
}

}  // namespace analysis

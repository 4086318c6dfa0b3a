// The house itself: which room may include which, what core, dam and ham never do, and how full a shelf may be.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// Who may include whom, besides itself (CONTRIBUTING.md).
const std::map<std::string, std::set<std::string>> kArrows = {
    {"core", {}},
    {"dam", {"core"}},
    {"ham", {"core"}},
    {"results", {"core"}},
    {"analysis", {"core", "dam", "results"}},
    {"gpu", {"core", "dam", "ham"}},
    {"experiments", {"core", "dam", "ham", "results", "analysis", "gpu"}},
    {"python", {"core", "dam", "ham", "results", "analysis", "gpu", "experiments"}},
};

constexpr std::size_t kMostPairs = 15;
constexpr std::size_t kMostLines = 500;

struct Source {
  fs::path path;  // from the root
  std::vector<std::string> lines;
  std::string room() const { return path.begin()->string(); }
};

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    const std::set<std::string> endings{".h", ".cpp", ".cu", ".cuh"};
    std::vector<Source> found;
    for (const auto& [room, arrows] : kArrows) {
      const fs::path root = fs::path(DAMBENCH_SOURCE) / room;
      if (!fs::is_directory(root)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (!entry.is_regular_file() || !endings.contains(entry.path().extension().string())) continue;
        Source source{fs::relative(entry.path(), DAMBENCH_SOURCE), {}};
        std::ifstream in(entry.path());
        for (std::string line; std::getline(in, line);) source.lines.push_back(line);
        found.push_back(std::move(source));
      }
    }
    return found;
  }();
  return all;
}

/// "file:line: text" of every line that matches, in the rooms named; comments do not count.
std::vector<std::string> lines_matching(const std::set<std::string>& rooms, const std::regex& pattern) {
  std::vector<std::string> found;
  for (const Source& source : sources()) {
    if (!rooms.contains(source.room())) continue;
    for (std::size_t i = 0; i < source.lines.size(); ++i) {
      const std::string code = source.lines[i].substr(0, source.lines[i].find("//"));
      if (std::regex_search(code, pattern))
        found.push_back(source.path.string() + ":" + std::to_string(i + 1) + ": " + source.lines[i]);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("the rooms are there, and arrows run one way") {
  const std::regex include(R"re(^\s*#include "([a-z_]+)/)re");
  std::set<std::string> seen;
  for (const Source& source : sources()) {
    seen.insert(source.room());
    const auto& allowed = kArrows.at(source.room());
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, include)) continue;
      const std::string room = match[1];
      INFO(source.path.string() << ": " << line);
      CHECK((room == source.room() || allowed.contains(room)));
    }
  }
  for (const char* room : {"core", "dam", "ham", "results", "analysis", "experiments"}) CHECK(seen.contains(room));
}

TEST_CASE("the verbs stand alone: nothing but their own program includes them") {
  const std::regex verbs(R"re(#include "experiments/(dam|ham)/)re");
  for (const Source& source : sources())
    for (const std::string& line : source.lines)
      if (std::regex_search(line, verbs)) {
        const std::string folder = source.path.parent_path().string();
        INFO(source.path.string() << ": " << line);
        CHECK((folder == "experiments/dam" || folder == "experiments/ham"));
      }
}

TEST_CASE("core, dam and ham never print, read the environment or a clock, or own a global engine") {
  const std::regex doors(
      R"re(<iostream>|std::(cout|cerr|clog)\b|fmt::print|\bprintf\(|\bgetenv\(|(system|steady|high_resolution)_clock|random_device)re");
  for (const std::string& line : lines_matching({"core", "dam", "ham"}, doors)) FAIL_CHECK(line);
}

TEST_CASE("no shelf is a heap, and a long file says why") {
  std::map<fs::path, std::set<std::string>> stems;
  for (const Source& source : sources()) {
    stems[source.path.parent_path()].insert(source.path.stem().string());
    if (source.lines.size() <= kMostLines) continue;
    // The reason stands in the first comment, with the word "lines" or "long".
    std::string head;
    for (const std::string& line : source.lines) {
      if (!line.starts_with("//")) break;
      head += line;
    }
    INFO(source.path.string() << " has " << source.lines.size() << " lines");
    CHECK(std::regex_search(head, std::regex("\\b(lines|long)\\b")));
  }
  for (const auto& [folder, names] : stems) {
    INFO(folder.string() << " holds " << names.size() << " pairs");
    CHECK(names.size() <= kMostPairs);
  }
  CHECK(stems.size() > 20);
}

TEST_CASE("nothing but core/files and gnuplot's own folder opens files for writing") {
  const std::regex writing(
      R"re(std::ofstream|\bfopen\(|O_CREAT|O_WRONLY|O_RDWR|H5Fcreate|std::fstream|copy_file|std::filesystem::rename)re");
  for (const std::string& line :
       lines_matching({"core", "dam", "ham", "results", "analysis", "experiments"}, writing)) {
    const bool door = line.starts_with("core/files/") || line.starts_with("analysis/drawing/program.cpp") ||
                      line.find("H5Fcreate(unique_memory_name()") != std::string::npos;
    INFO(line);
    CHECK(door);
  }
}

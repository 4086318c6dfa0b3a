// Programs killed at random instants, again and again: what is left is whole, and goes on to the same numbers.
//
// DAMBENCH_KILLS sets how many kills each victim gets (`make crash`: many).
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include "tests/support/run_program.h"
#include "tests/support/same_numbers.h"

using support::check_same_numbers;
using support::TemporaryDirectory;

namespace {

using Seconds = std::chrono::duration<double>;

/// A command that writes one file; `prepare` makes what it reads. In both, OUT and DIR are replaced.
struct Victim {
  const char* name;
  const char* prepare;
  const char* command;
};

constexpr const char* kGrid = "'size=16,33 model=hopfield,dense:3 alpha=1,0.9' --beta 0.5,0.9 --precision 0.1 --quiet";
constexpr const char* kQuiet = " >/dev/null 2>&1";

// One line a victim. Saving after every batch, so that many kills fall into a write.
const Victim kVictims[] = {
    {"capacity", "", "DAM capacity --save-every 0.001s --out OUT --sweep GRID"},
    {"capacity, one shard of two", "", "DAM capacity --shard 1/2 --save-every 0.001s --out OUT --sweep GRID"},
    {"curve", "",
     "DAM curve --save-every 0.001s --size 16,48 --degree 2,3 --num-patterns 4:64:x2 --trials 640 --quiet --out OUT"},
    {"merge", "for i in 1 2 3; do DAM capacity --shard $i/3 --out DIR/$i.h5 --sweep GRID || exit 1; done",
     "DAM merge DIR/3.h5 DIR/1.h5 DIR/2.h5 -o OUT"},
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string filled(const char* text, const TemporaryDirectory& directory, const std::string& out) {
  std::string command = text;
  for (const auto& [from, to] : {std::pair<const char*, std::string>{"DAM", DAM_PROGRAM},
                                 {"GRID", kGrid},
                                 {"DIR", directory.path().string()},
                                 {"OUT", out}})
    command = replaced(command, from, to);
  return command;
}

enum class End { killed, complete, failed };

/// Starts the command and kills it after `delay`, unless it ended before.
End run_and_kill(const std::string& command, Seconds delay) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);  // kill(-1) would end everything
  if (pid == 0) {
    ::execl("/bin/sh", "sh", "-c", ("exec " + command + kQuiet).c_str(), nullptr);
    ::_exit(127);
  }
  std::this_thread::sleep_for(delay);
  ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return End::killed;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? End::complete : End::failed;
}

/// Every batch of a file is one of the whole run's, once and with the same counts.
void check_part_of(const std::string& part_path, const std::string& whole_path) {
  const results::ResultFile part = results::read(part_path), whole = results::read(whole_path);
  const results::Table &some = part.table("batches"), &all = whole.table("batches");
  const auto row_text = [](const results::Table& table, std::size_t row) {
    std::string text;
    for (const results::Column& column : table.columns)
      if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
        text += std::to_string((*integers)[row]) + " ";
      else if (const auto* ids = std::get_if<std::vector<std::uint64_t>>(&column.values))
        text += std::to_string((*ids)[row]) + " ";
    return text;
  };
  std::set<std::string> rows, seen;
  for (std::size_t row = 0; row < all.rows(); ++row) rows.insert(row_text(all, row));
  for (std::size_t row = 0; row < some.rows(); ++row) {
    CHECK(rows.contains(row_text(some, row)));
    CHECK(seen.insert(row_text(some, row)).second);
  }
}

}  // namespace

TEST_CASE("a program killed at random instants leaves whole files and goes on to the same numbers", "[crash]") {
  const char* asked = std::getenv("DAMBENCH_KILLS");
  const int wanted = asked == nullptr ? 6 : std::atoi(asked);
  REQUIRE(wanted > 0);
  std::mt19937 random(Catch::rngSeed());
  for (const Victim& victim : kVictims) {
    INFO(victim.name);
    const TemporaryDirectory directory;
    const std::string whole = directory / "whole.h5", out = directory / "out.h5";
    if (*victim.prepare) REQUIRE(support::run_shell(filled(victim.prepare, directory, out)).code == 0);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(support::run_shell(filled(victim.command, directory, whole)).code == 0);
    // From an instant before the program has begun to shortly after its end.
    std::uniform_real_distribution<double> delay(0, 1.1 * Seconds(std::chrono::steady_clock::now() - start).count());

    int kills = 0, continued = 0, kills_of_this_file = 0;
    while (kills < wanted || continued == 0) {
      const End end = run_and_kill(filled(victim.command, directory, out), Seconds(delay(random)));
      REQUIRE(end != End::failed);
      kills += end == End::killed;
      kills_of_this_file += end == End::killed;
      if (end == End::killed) {
        if (std::filesystem::exists(out)) check_part_of(out, whole);
        continue;
      }
      check_same_numbers(whole, out);
      continued += kills_of_this_file > 0;
      kills_of_this_file = 0;
      // What killed runs left beside the file is gone.
      for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
        CHECK(entry.path().extension() == ".h5");
      std::filesystem::remove(out);
    }
    WARN(victim.name << ": " << kills << " kills, " << continued << " files went on to the end after kills");
  }
}

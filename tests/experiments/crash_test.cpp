// Programs killed at random instants, again and again: what is left is whole, and goes on to the same numbers.
//
// DAMBENCH_KILLS sets how many kills each victim gets (`make crash`: many).
#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "experiments/recall/recall_file.h"
#include "tests/support/run_program.h"
#include "tests/support/same_numbers.h"
#include "tests/support/small_model.h"

using support::check_same_numbers;
using support::TemporaryDirectory;

namespace {

using Seconds = std::chrono::duration<double>;

/// Every batch (or epoch) of a file is one of the whole run's, once and with the same numbers.
void check_part_of(const std::string& part_path, const std::string& whole_path) {
  const results::ResultFile part = results::read(part_path), whole = results::read(whole_path);
  const char* primary = whole.has("batches") ? "batches" : "epochs";
  const results::Table &some = part.table(primary), &all = whole.table(primary);
  const auto row_text = [](const results::Table& table, std::size_t row) {
    std::string text;
    for (const results::Column& column : table.columns)
      if (column.reproducible)
        std::visit([&](const auto& values) { text += fmt::format("{} ", values[row]); }, column.values);
    return text;
  };
  std::set<std::string> rows, seen;
  for (std::size_t row = 0; row < all.rows(); ++row) rows.insert(row_text(all, row));
  for (std::size_t row = 0; row < some.rows(); ++row) {
    CHECK(rows.contains(row_text(some, row)));
    CHECK(seen.insert(row_text(some, row)).second);
  }
}

/// Every cue that a file of recall answers has the whole run's answer; some may have none yet.
void check_recalled_part(const std::string& part_path, const std::string& whole_path) {
  const experiments::RecallFile part = experiments::read_recall(part_path),
                                whole = experiments::read_recall(whole_path);
  CHECK(part.request == whole.request);
  REQUIRE(whole.complete());
  for (const auto& [cue, recalled] : part.rows) {
    INFO("cue " << cue);
    const experiments::Recalled& same = whole.rows.at(cue);
    CHECK(recalled.state == same.state);
    CHECK(recalled.energy_after.value == same.energy_after.value);
    CHECK(recalled.nearest_pattern == same.nearest_pattern);
    CHECK(recalled.result.passes == same.result.passes);
    CHECK(recalled.result.flips == same.result.flips);
  }
}

void check_recalled(const std::string& out, const std::string& whole) {
  check_recalled_part(out, whole);
  CHECK(experiments::read_recall(out).complete());
}

void check_bytes(const std::string& out, const std::string& whole) {
  CHECK(support::slurp(out) == support::slurp(whole));
}

using Check = void (*)(const std::string& out, const std::string& whole);

/// A command that writes one file; `prepare` makes what it reads. In both, OUT, DIR and MODEL are replaced.
struct Victim {
  const char* name;
  const char* prepare;
  const char* command;
  Check part = check_part_of;       // what a killed run leaves
  Check same = check_same_numbers;  // what a run that ends after kills leaves
  const char* ending = ".h5";
};

constexpr const char* kGrid = "'size=16,33 model=hopfield,dense:3 alpha=1,0.9' --beta 0.5,0.9 --precision 0.1 --quiet";
constexpr const char* kQuiet = " >/dev/null 2>&1";

// One line a victim. Saving after every batch, so that many kills fall into a write.
const Victim kVictims[] = {
    {"capacity", "", "DAM capacity --save-every 0.001s --out OUT --sweep GRID"},
    {"capacity, one shard of two", "", "DAM capacity --shard 1/2 --save-every 0.001s --out OUT --sweep GRID"},
    {"curve", "",
     "DAM curve --save-every 0.001s --size 16,48 --degree 2,3 --num-patterns 4:64:x2 --trials 640 --quiet --out OUT"},
    // Enough batches that merging takes longer than starting.
    {"merge",
     "for i in 1 2 3; do DAM curve --shard $i/3 --size 8,16 --degree 2 --num-patterns 1:150:+1 --trials 3200 --quiet "
     "--out DIR/$i.h5 || exit 1; done",
     "DAM merge DIR/3.h5 DIR/1.h5 DIR/2.h5 -o OUT"},
    {"ham train", "",
     "HAM train --save-every 0.001s --model MODEL --data DIGITS --batch 50 --epochs 5 --quiet --out OUT"},
    {"ham trim", "HAM train --model MODEL --data DIGITS --batch 50 --epochs 2 --quiet --out DIR/run.h5",
     "HAM trim DIR/run.h5 --out OUT"},
    {"ham eval --export-weights",
     "HAM train --model MODEL --data DIGITS --batch 50 --epochs 2 --quiet --out DIR/run.h5",
     "HAM eval DIR/run.h5 --data DIGITS --export-weights OUT", check_bytes, check_bytes, ".npz"},
    {"recall",
     "awk 'BEGIN {srand(7); for (k = 0; k < 600; ++k) {for (i = 0; i < 128; ++i) printf \"%d \", rand() < 0.5 ? -1 : "
     "1; "
     "print \"\"}}' >DIR/signs.txt",
     "DAM recall --save-every 0.001s --patterns DIR/signs.txt --cues DIR/signs.txt --quiet --out OUT",
     check_recalled_part, check_recalled},
    {"report", "DAM curve --size 16,48 --degree 2,3 --num-patterns 4:64:x2 --trials 640 --quiet --out DIR/in.h5",
     "DAM report DIR/in.h5 -o OUT", check_bytes, check_bytes, ".html"},
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string filled(const char* text, const TemporaryDirectory& inputs, const std::string& out) {
  std::string command = text;
  for (const auto& [from, to] : {std::pair<const char*, std::string>{"DAM ", DAM_PROGRAM " "},
                                 {"HAM ", HAM_PROGRAM " "},
                                 {"MODEL", support::small_model(inputs)},
                                 {"DIGITS", DAMBENCH_FIXTURES "/mnist_small.h5"},
                                 {"GRID", kGrid},
                                 {"DIR", inputs.path().string()},
                                 {"OUT", out}})
    command = replaced(command, from, to);
  return command;
}

enum class End { killed, killed_in_a_write, complete, failed };

/// Starts the command, which writes `out`, and kills it after `delay`, unless it ended before.
End run_and_kill(const std::string& command, const std::string& out, Seconds delay) {
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
  const bool half_written = std::filesystem::exists(fmt::format("{}.{}.tmp", out, pid));
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return half_written ? End::killed_in_a_write : End::killed;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? End::complete : End::failed;
}

/// Every file of a folder and what it holds.
std::map<std::string, std::string> contents(const TemporaryDirectory& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
    files[entry.path()] = support::slurp(entry.path());
  return files;
}

}  // namespace

TEST_CASE("a program killed at random instants leaves whole files and goes on to the same numbers", "[crash]") {
  const char* asked = std::getenv("DAMBENCH_KILLS");
  const int wanted = asked == nullptr ? 6 : std::atoi(asked);
  REQUIRE(wanted > 0);
  std::mt19937 random(Catch::rngSeed());
  for (const Victim& victim : kVictims) {
    INFO(victim.name);
    const TemporaryDirectory inputs, directory;
    const std::string whole = directory / ("whole" + std::string(victim.ending));
    const std::string out = directory / ("out" + std::string(victim.ending));
    if (*victim.prepare) REQUIRE(support::run_shell(filled(victim.prepare, inputs, out)).code == 0);
    filled(victim.command, inputs, out);  // writes the model
    const std::map<std::string, std::string> brought = contents(inputs);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(support::run_shell(filled(victim.command, inputs, whole)).code == 0);
    // From an instant before the program has begun to some time after its end.
    std::uniform_real_distribution<double> delay(0, 1.3 * Seconds(std::chrono::steady_clock::now() - start).count());

    int kills = 0, in_a_write = 0, finished = 0, continued = 0, kills_of_this_file = 0;
    while (kills < wanted || continued == 0) {
      const End end = run_and_kill(filled(victim.command, inputs, out), out, Seconds(delay(random)));
      REQUIRE(end != End::failed);
      if (end != End::complete) {
        ++kills, ++kills_of_this_file;
        in_a_write += end == End::killed_in_a_write;
        if (std::filesystem::exists(out)) victim.part(out, whole);
        continue;
      }
      ++finished;
      victim.same(out, whole);
      continued += kills_of_this_file > 0;
      kills_of_this_file = 0;
      CHECK(contents(directory).size() == 2);  // what killed runs left beside the file is gone
      std::filesystem::remove(out);
    }
    CHECK(contents(inputs) == brought);
    WARN(victim.name << ": " << kills << " kills, " << in_a_write << " of them while it wrote; " << finished
                     << " runs finished, " << continued << " of them after kills");
  }
}

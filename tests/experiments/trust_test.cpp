// The same numbers, however they were computed: threads, kernels, stops, merges.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "dam/fields/kernels.h"
#include "results/result_file.h"
#include "tests/support/run_program.h"
#include "tests/support/same_numbers.h"

using support::check_same_numbers;
using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

const std::string kSweep =
    " --sweep 'size=16,33 model=hopfield,dense:3 alpha=1,0.9' --sweep 'size=16 model=exponential:0.3 alpha=1'"
    " --beta 0.5,0.9 --precision 0.1 --seed 7 --quiet --out ";

/// Seconds on the reference kernel.
const std::string kLong = " --size 64 --degree 3 --alpha 0.9 --precision 0.04 --seed 3 --quiet --out ";

Ran run_dam(const std::string& words) { return run_shell(std::string(DAM_PROGRAM) + " " + words); }

std::set<std::string> statuses(const std::string& path) {
  const results::ResultFile file = results::read(path);
  const auto& words = file.table("capacity").values<std::string>("status");
  return {words.begin(), words.end()};
}

}  // namespace

TEST_CASE("threads do not change a number") {
  const TemporaryDirectory directory;
  REQUIRE(run_dam("capacity --threads 1" + kSweep + directory / "1.h5").code == 0);
  REQUIRE(run_dam("capacity --threads 2" + kSweep + directory / "2.h5").code == 0);
  REQUIRE(run_dam("capacity --threads 7" + kSweep + directory / "7.h5").code == 0);
  check_same_numbers(directory / "1.h5", directory / "2.h5");
  check_same_numbers(directory / "1.h5", directory / "7.h5");
  CHECK(results::read(directory / "1.h5").table("capacity").rows() == 18);
}

TEST_CASE("kernels do not change a number, and the file says which one ran") {
  const TemporaryDirectory directory;
  REQUIRE(run_dam("capacity --kernel reference" + kSweep + directory / "reference.h5").code == 0);
  CHECK(results::read(directory / "reference.h5").provenance.kernel == "reference");
  for (const dam::Kernel& kernel : dam::kernels()) {
    if (!kernel.available()) continue;
    const std::string path = directory / (std::string(kernel.name) + ".h5");
    if (std::string(kernel.name) != "reference")
      REQUIRE(run_dam("capacity --kernel " + std::string(kernel.name) + kSweep + path).code == 0);
    CHECK(results::read(path).provenance.kernel == kernel.name);
    check_same_numbers(directory / "reference.h5", path);
  }
}

TEST_CASE("a run stopped again and again and continued is the run that was never stopped") {
  const TemporaryDirectory directory;
  REQUIRE(run_dam("capacity" + kSweep + directory / "whole.h5").code == 0);
  const std::string path = directory / "parts.h5";
  int stops = 0, code = 3;
  // Ever longer parts: on a busy machine the first ones end before a batch does.
  for (double seconds = 0.01; code == 3 && stops < 200; seconds *= 1.1, stops += code == 3)
    code =
        run_dam("capacity --kernel reference --threads 1 --time-limit " + std::to_string(seconds) + "s" + kSweep + path)
            .code;
  CHECK(code == 0);
  CHECK(stops >= 2);
  check_same_numbers(directory / "whole.h5", path);
}

TEST_CASE("a stopped search does not wait for the theory that takes minutes; the complete one has it") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  const std::string line = std::string(DAM_PROGRAM) + " capacity --size 24 --model exponential:0.3 --alpha 0.9 " +
                           "--kernel reference --quiet --out " + path;
  const auto one_step = [&] { return results::read(path).table("capacity").values<double>("k_exact_one_step").at(0); };
  REQUIRE(support::run_part(line, path));
  CHECK(std::isnan(one_step()));
  REQUIRE(run_shell(line).code == 0);
  CHECK(one_step() > 0);
}

TEST_CASE("an interrupted run saves, says so with exit code 3, and goes on") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  const std::string command =
      "capacity --kernel reference --size 96 --degree 3 --alpha 0.9 --precision 0.02 --seed 3 --out " + path;
  const Ran ran = run_shell("timeout --preserve-status -s INT 0.7 " + std::string(DAM_PROGRAM) + " " + command);
  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Catch::Contains("run the same command to go on"));
  const auto before = results::read(path).table("batches").rows();
  CHECK(run_dam("capacity --time-limit 0.001s --kernel reference --size 96 --degree 3 --alpha 0.9 --precision 0.02 "
                "--seed 3 --quiet --out " +
                path)
            .code == 3);
  // Even the shortest limit gets on.
  CHECK(results::read(path).table("batches").rows() > before);
}

TEST_CASE("running a complete sweep again measures nothing and changes no number") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5", copy = directory / "b.h5";
  REQUIRE(run_dam("capacity" + kSweep + path).code == 0);
  std::filesystem::copy_file(path, copy);
  REQUIRE(run_dam("capacity" + kSweep + path).code == 0);
  check_same_numbers(path, copy);
}

TEST_CASE("a complete file keeps its capacities, whatever happens to the run that looks at it again") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  const std::string line = std::string(DAM_PROGRAM) + " capacity" + kSweep + path;
  REQUIRE(run_shell(line).code == 0);
  const auto capacities = results::read(path).table("capacity").rows();
  for (const char* seconds : {"0.01", "0.03", "0.05"}) {
    run_shell("timeout -s KILL " + std::string(seconds) + " " + line);
    CHECK(results::read(path).table("capacity").rows() == capacities);
  }
}

TEST_CASE("a file that went on elsewhere says where it was made, each place once") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5",
                    line = std::string(DAM_PROGRAM) + " capacity --threads 1" + kSweep + path;
  REQUIRE(support::run_part(line + " --kernel reference", path));
  REQUIRE(run_shell(line + " --kernel auto").code == 0);
  const core::Provenance made = results::read(path).provenance;
  CHECK_THAT(made.kernel, Catch::Contains("reference\n") || Catch::Contains("\nreference"));
  CHECK(std::count(made.command_line.begin(), made.command_line.end(), '\n') >= 1);
  CHECK(made.cpu.find('\n') == std::string::npos);
}

TEST_CASE("ranks do not change a number, stopped and continued too") {
  const std::string mpirun = MPIRUN;
  if (mpirun.empty()) {
    WARN("built without MPI: ranks are not tested");
    return;
  }
  const TemporaryDirectory directory;
  const auto run_ranks = [&](int ranks, const std::string& words) {
    // Open MPI leaves to the end of the process what it allocated; the same code is looked at without ranks.
    return run_shell("ASAN_OPTIONS=detect_leaks=0 " + mpirun + " --allow-run-as-root --oversubscribe -n " +
                     std::to_string(ranks) + " " + DAM_PROGRAM + " " + words);
  };
  REQUIRE(run_dam("capacity" + kSweep + directory / "whole.h5").code == 0);
  REQUIRE(run_ranks(4, "capacity" + kSweep + directory / "4.h5").code == 0);
  CHECK(results::read(directory / "4.h5").provenance.threads >= 4);
  check_same_numbers(directory / "whole.h5", directory / "4.h5");

  const std::string parts = directory / "parts.h5", limited = "capacity --kernel reference --threads 1 --time-limit ";
  REQUIRE(run_ranks(2, limited + "0.01s" + kSweep + parts).code == 3);
  REQUIRE(run_ranks(3, "capacity" + kSweep + parts).code == 0);
  check_same_numbers(directory / "whole.h5", parts);

  const Ran refused = run_ranks(3, "capacity --size 1 --degree 2");
  CHECK(refused.code == 2);
  const auto first = refused.err.find("dam: --size: 1 is below");
  CHECK(first != std::string::npos);
  CHECK(refused.err.find("dam: ", first + 1) == std::string::npos);  // rank 0 alone speaks
}

TEST_CASE("a rank that dies ends the run; its file is whole and goes on") {
  const std::string mpirun = MPIRUN;
  if (mpirun.empty()) {
    WARN("built without MPI: ranks are not tested");
    return;
  }
  const std::string dead = GENERATE("0", "2");
  CAPTURE(dead);
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5";
  // The rank kills itself half a second after it began; the slow kernel needs longer.
  const std::string command =
      DAM_PROGRAM + (" capacity --kernel reference --threads 1 --save-every 0.01s" + kLong + path);
  const Ran ran = run_shell("ASAN_OPTIONS=detect_leaks=0 " + mpirun +
                            " --allow-run-as-root --oversubscribe -n 3 sh -c 'test $OMPI_COMM_WORLD_RANK != " + dead +
                            " || (sleep 0.5; kill -9 $$) & exec \"$@\"' sh " + command);
  CHECK(ran.code != 0);
  CHECK(ran.code != 3);
  if (std::filesystem::exists(path)) CHECK(results::read(path).provenance.finished.empty());
  REQUIRE(run_dam("capacity" + kLong + path).code == 0);
  REQUIRE(run_dam("capacity" + kLong + directory / "whole.h5").code == 0);
  check_same_numbers(directory / "whole.h5", path);
}

TEST_CASE("shards merged in any order are the sweep that was never split") {
  const TemporaryDirectory directory;
  const auto [verb, sweep] = GENERATE(table<std::string, std::string>(
      {{"capacity", kSweep},
       // Memory for so few patterns that some searches end in a lower bound.
       {"capacity", " --max-memory 3k --threads 1" + kSweep},
       {"curve", " --size 16,48 --degree 2,3 --alpha 0.9 --num-patterns 4:64:x2 --trials 160 --quiet --out "}}));
  CAPTURE(sweep);
  REQUIRE(run_dam(verb + sweep + directory / "whole.h5").code == 0);
  if (sweep.find("max-memory") != std::string::npos) CHECK(statuses(directory / "whole.h5").contains("lower_bound"));
  std::string parts;
  for (const char* shard : {"3", "1", "2"}) {
    parts = directory / (std::string(shard) + ".h5 ") + parts;
    REQUIRE(run_dam(verb + " --shard " + shard + "/3" + sweep + directory / (std::string(shard) + ".h5")).code == 0);
    CHECK(results::read(directory / (std::string(shard) + ".h5")).table("batches").rows() > 0);
  }
  const Ran merge = run_dam("merge " + parts + "-o " + directory / "merged.h5");
  CHECK(merge.code == 0);
  CHECK_THAT(merge.out, !Catch::Contains("not complete"));
  check_same_numbers(directory / "whole.h5", directory / "merged.h5");
  // Again, the merged file among its parts, in another order: the same bytes.
  REQUIRE(run_dam("merge " + directory / "merged.h5 " + parts + directory / "1.h5 -o " + directory / "again.h5").code ==
          0);
  CHECK(support::slurp(directory / "again.h5") == support::slurp(directory / "merged.h5"));
  // An early merge, of one part, changes nothing about the late one; what a merge finds at its place stays.
  REQUIRE(run_dam("merge " + directory / "1.h5" + " -o " + directory / "late.h5").code == 0);
  REQUIRE(run_dam("merge " + parts + "-o " + directory / "late.h5").code == 0);
  CHECK(support::slurp(directory / "late.h5") == support::slurp(directory / "merged.h5"));
}

TEST_CASE("what a lost shard leaves is said, and the sweep on the merged file measures only that") {
  const TemporaryDirectory directory;
  REQUIRE(run_dam("capacity" + kSweep + directory / "whole.h5").code == 0);
  for (const std::string shard : {"1", "3"})
    REQUIRE(run_dam("capacity --shard " + shard + "/3" + kSweep + directory / (shard + ".h5")).code == 0);
  const std::string merged = directory / "merged.h5";
  const Ran merge = run_dam("merge " + directory / "1.h5 " + directory / "3.h5 -o " + merged);
  CHECK(merge.code == 0);
  CHECK_THAT(merge.out, Catch::Contains("not complete: run the sweep on this file to go on"));
  const results::ResultFile part = results::read(merged), whole = results::read(directory / "whole.h5");
  CHECK(part.provenance.finished.empty());
  CHECK(statuses(merged) == std::set<std::string>{"budget", "ok"});  // finished searches keep their verdict
  CHECK(part.table("batches").rows() < whole.table("batches").rows());
  REQUIRE(run_dam("capacity" + kSweep + merged).code == 0);
  check_same_numbers(directory / "whole.h5", merged);
}

TEST_CASE("merging files of different specs is refused with the difference and exit code 4") {
  const TemporaryDirectory directory;
  const std::string curve = "curve --size 16 --degree 2 --trials 32 --quiet --num-patterns ";
  REQUIRE(run_dam(curve + "2 --out " + directory / "a.h5").code == 0);
  REQUIRE(run_dam(curve + "4 --out " + directory / "b.h5").code == 0);
  const Ran ran = run_dam("merge " + directory / "a.h5 " + directory / "b.h5 -o " + directory / "all.h5");
  CHECK(ran.code == 4);
  CHECK_THAT(ran.err, Catch::Contains("- num_patterns = 2") && Catch::Contains("+ num_patterns = 4"));
  CHECK_FALSE(std::filesystem::exists(directory / "all.h5"));
}

TEST_CASE("merging a run with a part of itself gives the run") {
  const TemporaryDirectory directory;
  const std::string whole = directory / "whole.h5", part = directory / "part.h5", merged = directory / "merged.h5";
  REQUIRE(run_dam("capacity" + kSweep + whole).code == 0);
  REQUIRE(
      support::run_part(std::string(DAM_PROGRAM) + " capacity --kernel reference --threads 1" + kSweep + part, part));
  REQUIRE(run_dam("merge " + part + " " + whole + " -o " + merged).code == 0);
  check_same_numbers(whole, merged);
}

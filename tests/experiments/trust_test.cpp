// The same numbers, however they were computed: threads, kernels, stops, merges.
#include <catch2/catch.hpp>

#include "dam/kernels.h"
#include "results/result_file.h"
#include "tests/support/run_program.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

const std::string kSweep =
    " --sweep 'size=16,33 model=hopfield,dense:3 alpha=1,0.9' --sweep 'size=16 model=exponential:0.3 alpha=1'"
    " --beta 0.5,0.9 --precision 0.1 --seed 7 --quiet --out ";

Ran run_dam(const std::string& words) { return run_shell(std::string(DAM_PROGRAM) + " " + words); }

/// Every reproducible column of every table of two files is the same.
void check_same_numbers(const std::string& a_path, const std::string& b_path) {
  const results::ResultFile a = results::read(a_path), b = results::read(b_path);
  CHECK(a.spec == b.spec);
  REQUIRE(a.tables.size() == b.tables.size());
  for (const results::Table& table : a.tables)
    for (const results::Column& column : table.columns) {
      INFO(table.name << "/" << column.name);
      if (column.reproducible)
        CHECK(results::same_values(column.values, b.table(table.name).column(column.name).values));
    }
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
  while (code == 3 && ++stops < 200)
    code = run_dam("capacity --kernel reference --threads 1 --time-limit 0.1s" + kSweep + path).code;
  CHECK(code == 0);
  CHECK(stops >= 2);
  check_same_numbers(directory / "whole.h5", path);
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
  CHECK(run_dam("capacity --time-limit 0.5s --kernel reference --size 96 --degree 3 --alpha 0.9 --precision 0.02 "
                "--seed 3 --quiet --out " +
                path)
            .code == 3);
  CHECK(results::read(path).table("batches").rows() >= before);
}

TEST_CASE("running a complete sweep again measures nothing and changes no number") {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.h5", copy = directory / "b.h5";
  REQUIRE(run_dam("capacity" + kSweep + path).code == 0);
  std::filesystem::copy_file(path, copy);
  REQUIRE(run_dam("capacity" + kSweep + path).code == 0);
  check_same_numbers(path, copy);
}

TEST_CASE("merging a run with a part of itself gives the run") {
  const TemporaryDirectory directory;
  const std::string whole = directory / "whole.h5", part = directory / "part.h5", merged = directory / "merged.h5";
  REQUIRE(run_dam("capacity" + kSweep + whole).code == 0);
  REQUIRE(run_dam("capacity --kernel reference --threads 1 --time-limit 0.03s" + kSweep + part).code == 3);
  REQUIRE(run_dam("merge " + part + " " + whole + " -o " + merged).code == 0);
  check_same_numbers(whole, merged);
}

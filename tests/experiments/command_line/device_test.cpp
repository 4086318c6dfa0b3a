#include "experiments/command_line/device.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "experiments/command_line/cli.h"
#include "tests/support/run_program.h"

using support::run_shell;

TEST_CASE("a device is one of three words, and a card that is not there is missed in one line") {
  CHECK(experiments::open_device("cpu") == nullptr);
  CHECK_THROWS_AS(experiments::open_device("gpu"), experiments::UsageError);
  const std::string curve =
      std::string(DAM_PROGRAM) + " curve --size 20 --degree 2 --num-patterns 3 --trials 32 --out ";
  const support::TemporaryDirectory directory;
  const auto wrong = run_shell(curve + (directory / "a.h5") + " --device gpu");
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Catch::Contains("--device: 'gpu' is not one of cpu, cuda, auto"));
  if (gpu::num_cards() > 0) return;
  CHECK(experiments::open_device("auto") == nullptr);
  for (const std::string& line : {curve + (directory / "b.h5"), std::string(DAM_PROGRAM) + " selftest"}) {
    const auto missing = run_shell(line + " --device cuda");
    CHECK(missing.code == 2);
    CHECK(missing.out.empty());
    CHECK_THAT(missing.err, Catch::Contains("--device cuda: there is no card to use here"));
    CHECK(std::count(missing.err.begin(), missing.err.end(), '\n') == 1);
  }
}

#include "experiments/command_line/grid.h"

#include <catch2/catch.hpp>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/progress.h"

using experiments::parse_integer_grid;
using experiments::parse_probability_grid;
using experiments::UsageError;
using Grid = std::vector<std::int64_t>;

TEST_CASE("grids say what they mean") {
  CHECK(parse_integer_grid("64,128", "size", 2) == Grid{64, 128});
  CHECK(parse_integer_grid("32:256:x2", "size", 2) == Grid{32, 64, 128, 256});
  CHECK(parse_integer_grid("32:200:x2", "size", 2) == Grid{32, 64, 128});
  CHECK(parse_integer_grid("16:64:+16", "size", 2) == Grid{16, 32, 48, 64});
  CHECK(parse_integer_grid("2:9:x1.5", "size", 2) == Grid{2, 3, 5, 7});
  CHECK(parse_integer_grid("1:4:x1.1", "size", 1) == Grid{1, 2, 3, 4});
  CHECK(parse_integer_grid("8:16:x2e19", "size", 2) == Grid{8});
  CHECK(parse_integer_grid("1e6", "num-patterns", 1) == Grid{1000000});
  CHECK(parse_integer_grid("8,16:32:x2", "size", 2) == Grid{8, 16, 32});
  CHECK(parse_probability_grid("1,0.9", "alpha") == std::vector{1.0, 0.9});
}

TEST_CASE("bad grids are refused in one line that names the option") {
  const auto* text = GENERATE("", "64,", ",64", "64,32", "64,64", "1", "0", "-5", "x", "8:4:x2", "8:16", "8:16:2",
                              "8:16:x1", "2:200:x1.000000000001", "8:16:x0.5", "8:16:+0", "8:16:+-1", "8:16:xnan",
                              "8:16:x", "1:999999999999:+1", "2.5", "1e99", "99999999999999999999");
  INFO(text);
  try {
    parse_integer_grid(text, "size", 2);
    FAIL("accepted");
  } catch (const UsageError& error) {
    const std::string what = error.what();
    CHECK(what.starts_with("--size:"));
    CHECK(what.find('\n') == std::string::npos);
  }
}

TEST_CASE("probabilities outside (0, 1] are refused") {
  const auto* text = GENERATE("0", "-0.1", "1.01", "nan", "inf", "", "a", "0.5,,1");
  CHECK_THROWS_AS(parse_probability_grid(text, "alpha"), UsageError);
}

TEST_CASE("durations read like a person says them") {
  CHECK(experiments::duration_text(0.84) == "0.8 s");
  CHECK(experiments::duration_text(42) == "42 s");
  CHECK(experiments::duration_text(185) == "3 min 05 s");
  CHECK(experiments::duration_text(7620) == "2 h 07 min");
}

#include "results/spec_difference.h"

#include <catch2/catch.hpp>

TEST_CASE("specs with the same lines do not differ") {
  CHECK(results::spec_difference("", "").empty());
  CHECK(results::spec_difference("a = 1\nb = 2\n", "b = 2  \r\n\na = 1").empty());
  CHECK_NOTHROW(results::require_same_spec("x", "a = 1", "y", "a = 1\n"));
}

TEST_CASE("the difference shows the lines of each side") {
  CHECK(results::spec_difference("size = 32\nseed = 1\nalpha = 1\n", "size = 32\nseed = 2\nbeta = 0.5\n") ==
        "- seed = 1\n- alpha = 1\n+ seed = 2\n+ beta = 0.5");
  CHECK_THROWS_AS(results::require_same_spec("x.h5", "seed = 1", "y.h5", "seed = 2"), results::SpecMismatch);
  CHECK_THROWS_WITH(results::require_same_spec("x.h5", "seed = 1", "y.h5", "seed = 2"),
                    "y.h5 belongs to another spec than x.h5 (- only there, + only here):\n- seed = 1\n+ seed = 2");
}

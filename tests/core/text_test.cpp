#include "core/text.h"

#include <catch2/catch.hpp>
#include <stdexcept>

using core::shown;

TEST_CASE("text of others stays on its line and moves no cursor") {
  CHECK(shown("Hopfield, β = ½ – naïve") == "Hopfield, β = ½ – naïve");
  CHECK(shown("a\nb\tc\rd") == "a\\nb\\tc\\x0dd");
  CHECK(shown("\x1b[31mred") == "\\x1b[31mred");
  CHECK(shown(std::string("nul\0!", 5)) == "nul\\x00!");
  CHECK(shown("\x7f\xc2\x9b") == "\\x7f\\x9b");  // delete; the one-character form of ESC [
  CHECK_NOTHROW(core::require_printable("β", "name"));
  CHECK_THROWS_WITH(core::require_printable("a\ndata = b", "name"), "name 'a\\ndata = b' holds a control character");
}

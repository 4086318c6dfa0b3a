#include "core/formats/number_table.h"

#include <catch2/catch.hpp>

namespace {

core::NumericArray read(const std::string& text, std::uint64_t limit = 1 << 20) {
  core::MemoryReader reader(std::as_bytes(std::span(text)), "table");
  return core::read_number_table(reader, limit);
}

}  // namespace

TEST_CASE("rows of numbers are read, whatever stands between them") {
  const core::NumericArray expected({2, 3}, std::vector<double>{1, -1, 0.5, 2, 3e2, -4});
  for (const char* text : {"1,-1,0.5\n2,3e2,-4\n", "1 -1 0.5\n2 300 -4", "1\t-1\t0.5\r\n2\t300.0\t-4\r\n",
                           "1; -1; 0.5\n2; 300; -4\n", "  1 , -1 ,0.5 \n\n 2,300,  -4,\n",
                           "\xef\xbb\xbf"
                           "1,-1,.5\n2,300,-4",
                           "# a comment\n1 -1 0.5 % another\n+2 +3E2 -4\n", "a,b,c\n1,-1,0.5\n2,300,-4\n"})
    CHECK(read(text) == expected);
}

TEST_CASE("what is no table of numbers is refused with its line") {
  const auto refused = [](const std::string& text, const std::string& what) {
    CHECK_THROWS_WITH(read(text), "table: " + what);
  };
  refused("1,2\n3,x\n", "line 2: 'x' in column 2 is not a number");
  refused("1,,2\n", "line 1: '' in column 2 is not a number");
  refused("1,2\n\n3\n", "line 3: 1 numbers, the lines above have 2");
  refused("1 2\n3 4 5\n", "line 2: 3 numbers, the lines above have 2");
  refused("these are\nno numbers\n", "line 2: 'no' in column 1 is not a number");
  refused("# nothing\n", "holds no numbers");
  refused("1 +-2\n", "line 1: '+-2' in column 2 is not a number");
  refused("1 1e999\n", "line 1: '1e999' in column 2 is not a number");
  CHECK_THROWS_WITH(read("1 2 3 4", 31), "table: its numbers need more than the limit of 31 bytes");
}

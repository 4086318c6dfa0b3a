#include "results/export.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using results::ResultFile;
using results::Table;

namespace {

Table example() {
  return {"points",
          {{"configuration", "", "", "", std::vector<std::uint64_t>{UINT64_MAX, 2}},
           {"flips", "", "", "", std::vector<std::int64_t>{-3, 4}},
           {"load", "", "", "", std::vector<double>{0.1, std::nan("")}},
           {"model", "", "", "", std::vector<std::string>{"say \"ξ\", twice\n", "dense:3"}}}};
}

}  // namespace

TEST_CASE("CSV quotes what needs quotes and keeps every digit") {
  CHECK(results::to_csv(example()) ==
        "configuration,flips,load,model\n"
        "18446744073709551615,-3,0.1,\"say \"\"ξ\"\", twice\n\"\n"
        "2,4,nan,dense:3\n");
  CHECK(results::to_csv(Table{"none", {}}) == "\n");
}

TEST_CASE("the JSON document has spec, tables and provenance") {
  ResultFile file{"dam", "# a comment\n\nsize = 32,64\nmodel=dense:3\n", {}, {example()}};
  file.provenance.commit = "abc\t\\";
  file.provenance.threads = 2;
  const std::string json = results::to_json(file);
  CHECK_THAT(json, Catch::StartsWith(R"({"spec":{"size":"32,64","model":"dense:3"},"points":[)"));
  CHECK_THAT(json, Catch::Contains(
                       R"({"configuration":18446744073709551615,"flips":-3,"load":0.1,"model":"say \"ξ\", twice\n"})"));
  CHECK_THAT(json, Catch::Contains(R"("load":null)"));
  CHECK_THAT(json, Catch::Contains(R"("capacity":[],"provenance":{"schema_version":1,)"));
  CHECK_THAT(json, Catch::Contains(R"("commit":"abc\u0009\\")"));
  CHECK_THAT(json, Catch::Contains(R"("threads":2,)"));
  CHECK_THAT(json, Catch::EndsWith("}}\n"));
  CHECK_THAT(results::to_json(file, {"capacity"}), !Catch::Contains("points"));
}

TEST_CASE("infinities, which JSON does not have, become null") {
  const double infinity = std::numeric_limits<double>::infinity();
  const ResultFile file{"dam", "", {}, {{"points", {{"x", "", "", "", std::vector<double>{infinity, -infinity}}}}}};
  CHECK_THAT(results::to_json(file), Catch::Contains("{\"x\":null},\n{\"x\":null}"));
}

TEST_CASE("a spec that is no list of key = value is told by its line") {
  CHECK_THROWS_WITH(results::to_json({"dam", "size 32\n", {}, {}}),
                    "spec line 'size 32' is not of the form key = value");
  CHECK_THROWS_WITH(results::to_json({"dam", "a = 1\na = 2\n", {}, {}}), "spec gives 'a' twice");
}

// ham inspect: what the library computes, through files.
#include "ham/uses/inspect.h"

#include <boost/property_tree/json_parser.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "tests/support/run_program.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

const std::string kModel = DAMBENCH_FIXTURES "/conv8_max.toml", kData = DAMBENCH_FIXTURES "/ham_golden.h5";

Ran inspect(const std::string& words) { return run_shell(std::string(HAM_PROGRAM) + " inspect " + words); }

ham::NamedArrays arrays_of(const std::string& path, const std::string& group) {
  return ham::in_double(core::Hdf5File::open(path).read_arrays(group, 1 << 24));
}

}  // namespace

TEST_CASE("ham inspect writes and prints exactly the library's arrays") {
  const TemporaryDirectory directory;
  const std::string out = directory / "out.h5";
  const Ran ran = inspect("--model " + kModel + " --data " + kData + ":/conv8_max --out " + out + " --json");
  REQUIRE(ran.err == "");
  REQUIRE(ran.code == 0);

  const ham::NamedArrays expected = ham::inspect(ham::load_model(kModel), arrays_of(kData, "/conv8_max"));
  const ham::NamedArrays written = arrays_of(out, "/");
  std::istringstream text(ran.out);
  boost::property_tree::ptree document;
  read_json(text, document);
  REQUIRE(written.size() == expected.size());
  REQUIRE(document.size() == expected.size());
  for (const auto& [name, array] : expected) {
    INFO(name);
    REQUIRE(written.contains(name));
    CHECK(written.at(name).shape == array.shape);
    CHECK(written.at(name).values == array.values);
    // Names have dots, which are property_tree's own separator.
    const auto printed = document.find(name);
    REQUIRE(printed != document.not_found());
    std::vector<double> values;
    for (const auto& [key, value] : printed->second.get_child("values")) values.push_back(value.get_value<double>());
    CHECK(values == array.values);
  }
}

TEST_CASE("ham inspect refuses bad input in one line") {
  const auto refused = [](const std::string& words, int code, const std::string& reason) {
    const Ran ran = inspect(words);
    INFO(words);
    CHECK(ran.code == code);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, Catch::Contains(reason));
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') <= 2);
  };
  refused("--data " + kData, 2, "--model is missing");
  refused("--model " + kModel, 2, "--data is missing");
  refused("--model " + kModel + " --data " + kData + ":/hn_relu", 1, "array 'x.0' has shape 3x12, expected 3x8x8x1");
  refused("--model " + kModel + " --data " + kData + ":/nothing", 1, "nothing");
  refused("--model " + kData + " --data " + kData, 1, "ham_golden.h5");
}

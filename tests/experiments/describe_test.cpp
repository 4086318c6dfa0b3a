// ham describe: a model said in full, and drawn.
#include <boost/property_tree/json_parser.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "tests/support/run_program.h"

using support::Ran;
using support::run_shell;
using support::slurp;
using support::TemporaryDirectory;

namespace {

const std::string kModels = DAMBENCH_SOURCE "/experiments/models";

Ran describe(const std::string& words) { return run_shell(std::string(HAM_PROGRAM) + " describe " + words); }

}  // namespace

TEST_CASE("ham describe prints every parameter, the costs and a drawing") {
  const TemporaryDirectory directory;
  const std::string figure = directory / "graph.svg";
  const Ran ran = describe(kModels + "/energy_attn_mnist.toml --batch 25 --threads 1 --time --figure " + figure);
  REQUIRE(ran.code == 0);
  for (const char* expected : {"self.Wq         128x4x64", "image reaches it after", "tokens ○  ●        ●      2",
                               "a training step", "time of a training step"})
    CHECK_THAT(ran.out, Catch::Contains(expected));
  const std::string svg = slurp(figure);
  for (const char* expected : {"<svg", "patches", "attention", "7x7x128"}) CHECK_THAT(svg, Catch::Contains(expected));
  CHECK_THAT(svg, !Catch::Contains("<!--"));
}

TEST_CASE("ham describe as JSON") {
  const Ran ran = describe(kModels + "/hn_relu_mnist.toml --json");
  REQUIRE(ran.code == 0);
  std::istringstream text(ran.out);
  boost::property_tree::ptree document;
  read_json(text, document);
  CHECK(document.get<long>("num_parameters") == 794002);
  CHECK(document.get_child("layers").size() == 2);
  CHECK(document.get_child("layers").front().second.get<std::string>("name") == "image");
  CHECK(document.get<std::string>("step_seconds") == "null");
}

TEST_CASE("ham describe fails for a model that cannot learn, and says why") {
  const TemporaryDirectory directory;
  const std::string model = directory / "short.toml";
  std::string text = slurp(kModels + "/conv_ham_maxpool_mnist.toml");
  text.replace(text.find("depth = 7"), 9, "depth = 2");
  std::ofstream(model) << text;
  const Ran ran = describe(model);
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, Catch::Contains("error: the image 'image' takes 3 steps to reach the readout 'label'"));
  CHECK(describe("").code == 2);
  CHECK(describe(directory / "none.toml").code == 1);
}

#include "ham/inspect.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/support/hdf5_arrays.h"

using namespace ham;

namespace {

const char* const kModel = R"(
name = "golden"
layer = [{name = "l0", shape = [8, 8, 1], lagrangian = "tanh"}, {name = "l1", shape = [4, 4, 3], lagrangian = "tanh"},
         {name = "l2", shape = [1, 1, 5], lagrangian = "tanh"}, {name = "l3", shape = [4], lagrangian = "softmax"}]
synapse = [{name = "s0", kind = "convolution", connects = ["l0", "l1"], kernel = [4, 4], padding = [2, 2], pool = "max"},
           {name = "s1", kind = "convolution", connects = ["l1", "l2"], pool = "max"},
           {name = "s2", kind = "dense_hidden", connects = ["l2", "l3"], hidden = 6}]
dynamics = {depth = 5, time_step = 0.3, clamped = ["l0"], readout = "l3"}
)";

// One case of the golden file, without its name in front.
NamedArrays golden(const std::string& name) {
  NamedArrays arrays;
  for (const auto& [key, array] : test::read_arrays(DAMBENCH_FIXTURES "/ham_golden.h5"))
    if (key.starts_with(name + "/")) arrays[key.substr(name.size() + 1)] = array;
  return arrays;
}

bool is_input(const std::string& name) {
  return name.starts_with("p.") || name.starts_with("x.") || name == "img" || name == "y" || name == "meta";
}

}  // namespace

TEST_CASE("inspecting a model file reproduces every array of a golden case") {
  const NamedArrays arrays = golden("conv8_max");
  NamedArrays given;
  for (const auto& [name, array] : arrays)
    if (is_input(name) && name != "meta") given[name] = array;
  const NamedArrays result = inspect(parse_model(kModel, "golden.toml"), given);
  for (const auto& [name, expected] : arrays) {
    if (is_input(name)) continue;
    INFO(name);
    REQUIRE(result.contains(name));
    CHECK(result.at(name).shape == expected.shape);
    double scale = 0, worst = 0;
    for (long i = 0; i < expected.size(); ++i) {
      scale = std::max(scale, std::abs(expected.values[i]));
      worst = std::max(worst, std::abs(expected.values[i] - result.at(name).values[i]));
    }
    CHECK(worst <= 1e-10 * scale);
  }
}

TEST_CASE("inspection names the array that is missing or wrong") {
  const Model model = parse_model(kModel, "golden.toml");
  NamedArrays given = golden("conv8_max");
  given.erase("p.s2.W1");
  CHECK_THROWS_WITH(inspect(model, given), "array 'p.s2.W1' is missing, expected shape 4x6");
  given["p.s2.W1"] = Tensor<double>({6, 4});
  CHECK_THROWS_WITH(inspect(model, given), "array 'p.s2.W1' has shape 6x4, expected 4x6");
  given["p.s2.W1"] = Tensor<double>({4, 6});
  given["y"].values[0] = 9;
  CHECK_THROWS_WITH(inspect(model, given), "array 'y' has label 9, expected 0 to 3");
}

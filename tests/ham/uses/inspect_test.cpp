#include "ham/uses/inspect.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

using namespace ham;

namespace {

Model model() { return load_model(DAMBENCH_FIXTURES "/conv8_max.toml"); }

NamedArrays golden() {
  return in_double(core::Hdf5File::open(DAMBENCH_FIXTURES "/ham_golden.h5").read_arrays("/conv8_max", 1 << 24));
}

bool is_input(const std::string& name) {
  return name.starts_with("p.") || name.starts_with("x.") || name == "img" || name == "y" || name == "meta";
}

}  // namespace

TEST_CASE("inspecting a model file reproduces every array of a golden case") {
  const NamedArrays arrays = golden();
  NamedArrays given;
  for (const auto& [name, array] : arrays)
    if (is_input(name) && name != "meta") given[name] = array;
  const NamedArrays result = inspect(model(), given);
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
  NamedArrays given = golden();
  given.erase("p.s2.W1");
  CHECK_THROWS_WITH(inspect(model(), given), "array 'p.s2.W1' is missing, expected shape 4x6");
  given["p.s2.W1"] = Tensor<double>({6, 4});
  CHECK_THROWS_WITH(inspect(model(), given), "array 'p.s2.W1' has shape 6x4, expected 4x6");
  given["p.s2.W1"] = Tensor<double>({4, 6});
  given["y"].values[0] = 9;
  CHECK_THROWS_WITH(inspect(model(), given), "array 'y' has label 9, expected 0 to 3");
}

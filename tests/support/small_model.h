// A network for tests of programs.
#pragma once

#include <fstream>
#include <string>

#include "tests/support/temporary_directory.h"

namespace support {

/// A Hopfield network of the paper's kind for digits, small enough for seconds.
inline std::string small_hopfield(int hidden, int depth = 3) {
  return "name = \"small\"\ndynamics = {depth = " + std::to_string(depth) +
         R"(, time_step = 0.4, clamped = ["image"], readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "tanh"}, {name = "label", shape = [10], lagrangian = "softmax"}]
[[synapse]]
name = "memory"
kind = "dense_hidden"
connects = ["image", "label"]
lagrangian = "softmax"
norm = "per_block"
hidden = )" +
         std::to_string(hidden) + "\n";
}

/// Writes a model file whose training on 28x28 images takes a moment, and returns its path.
inline std::string small_model(const TemporaryDirectory& directory) {
  const std::string path = directory / "small.toml";
  std::ofstream(path) << R"(
name = "small"
dynamics = {depth = 3, time_step = 0.4, clamped = ["image"], readout = "label"}
layer = [{name = "image", shape = [784], lagrangian = "tanh"}, {name = "label", shape = [10], lagrangian = "softmax"}]
synapse = [{name = "memory", kind = "dense_hidden", connects = ["image", "label"], hidden = 40}]
)";
  return path;
}

}  // namespace support

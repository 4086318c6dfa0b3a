// Networks as TOML files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ham/network/synapses.h"
#include "ham/training/training.h"

namespace ham {

/// A network with the descent it was made for.
struct Model {
  std::string name;
  Network network;
  std::vector<std::string> clamped;
  std::vector<std::string> kinds;  ///< of the synapses, in the network's order
  Readout readout;
};

/// Reads a model file (ham/README.md has the keys). Throws std::runtime_error when the file cannot be read and
/// std::invalid_argument "FILE: WHERE: what is wrong; what is accepted" for anything in it that is unknown, missing, of
/// another type or does not fit. `norm`, when given, replaces that of every synapse with unit-norm memories.
Model load_model(const std::string& path, std::optional<UnitNorm> norm = {});

/// The same from text; `file` is the name errors begin with.
Model parse_model(std::string_view toml, const std::string& file, std::optional<UnitNorm> norm = {});

/// The text of a model file, at most a MiB; throws std::runtime_error when it is longer or cannot be read.
std::string model_text(const std::string& path);

}  // namespace ham

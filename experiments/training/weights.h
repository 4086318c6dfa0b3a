// Trained networks in files: of runs, and of weights for others, NPZ, HDF5 or safetensors.
#pragma once

#include <string>
#include <vector>

#include "core/files/output_file.h"
#include "ham/network/model_file.h"

namespace experiments {

/// A trained network as a run or an export holds it.
struct TrainedModel {
  ham::Model model;
  std::string data;    // the name of what it was trained on
  std::string images;  // its content_id (training/spec.h), empty in old files
  std::string recipe;
  std::vector<float> weights;  // in Network::parameters() order
  std::string progress;        // `26 epochs`, `28 batches of the first epoch`
  std::string toml, spec;      // of the run
};

/// Reads the `best_weights` of a run file, or another array of weights; before the first epoch has ended, the weights
/// that would be scored now are the best ones. Also reads what write_weights() wrote, whose weights have no other name.
/// Throws std::runtime_error "PATH: …" when it holds none, or only those that training begins with.
TrainedModel read_trained(const std::string& path, const std::string& array = "best_weights");

/// The weights of a file of arrays for a network it says nothing about: an array of each parameter's name and shape,
/// NPZ, HDF5 or safetensors.
TrainedModel read_weights(const std::string& path, const std::string& toml, const std::string& model_path);

/// Writes every parameter as an array of its name and shape, and the texts of model and run: NPZ, HDF5 or safetensors,
/// as the path ends. In the first two the texts are arrays of bytes, `__model__`, `__run__` and `__progress__`, in the
/// last they are metadata of these names.
void write_weights(const core::OutputFile& out, const TrainedModel& trained, const std::string& command_line);

}  // namespace experiments

// Everything a network computes at given states, as named arrays: what `ham inspect` prints and stores.
#pragma once

#include <map>
#include <span>
#include <string>

#include "core/formats/hdf5_file.h"
#include "ham/network/model_file.h"

namespace ham {

using NamedArrays = std::map<std::string, Tensor<double>>;

/// One of the arrays that inspect() takes or gives.
struct ArrayMeaning {
  const char *name, *shape, *meaning;
  bool given;  ///< taken, rather than returned
};
/// All of them, as the manual shows them.
std::span<const ArrayMeaning> array_meanings();

/// Arrays of a file in double precision; throws std::runtime_error when one has an axis too long for a shape.
NamedArrays in_double(const core::NamedArrays& arrays);

/// What inspect() takes, of a trained network and images (samples, …) with labels: parameters, `img`, `y`, and as
/// states x those at the end of the model's own descent.
NamedArrays given_of(const Model& model, std::span<const float> weights, const Tensor<float>& images,
                     std::span<const int> labels);

/// Evaluates a model in double precision.
///
/// Given: `p.NAME` for every parameter; states `x.I` of every layer I (0, 1, …), each (batch, layer shape…); and, both
/// optional, `img`, the state that the first clamped layer is held at while all other layers start at rest, and labels
/// `y`, one per sample.
/// Returned: activations `g.I`; energies `E_layer` (layers, batch), `E_syn` (connections, batch), `E` (batch);
/// `dEdg.I`; the descent from x with nothing clamped, `free.I` (depth + 1, batch, …) and `free.E`; the model's own
/// descent from img (from x without one), `run.I`, and its readout `probs`; with labels `loss` and `grad.NAME` through
/// time. Throws std::invalid_argument that names an array that is missing or of another shape.
NamedArrays inspect(const Model& model, const NamedArrays& given);

}  // namespace ham

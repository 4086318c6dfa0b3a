// The slow obvious interpreter of a Program: double precision, the whole batch at once, one instruction after the
// other.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ham/engine/program.h"

namespace ham {

/// What a training step comes to before the optimizer.
struct Gradients {
  double loss = 0;
  std::vector<double> output;      ///< the readout's activations
  std::vector<double> parameters;  ///< ∂loss/∂θ, in Network::parameters() order
  States<double> states;           ///< ∂loss/∂initial; of clamped layers where the program wants them
};

/// Interprets the instructions in their order, with an array of its own for everything: no lanes, no tiles, nothing
/// remembered between the passes, products as three loops. `rates` has dt/τ of every layer, `free` may be null. The
/// loss reads (0, batch, g) and writes ∂loss/∂g, as Loss in training.h does.
Gradients interpret(const Program& program, const Unrolled& unrolled, std::span<const double> parameters,
                    const States<double>& initial, std::span<const double> rates, const States<double>* free,
                    const std::function<double(long first, long rows, const double* g, double* g_bar)>& loss);

}  // namespace ham

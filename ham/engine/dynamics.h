// Energies, forces and descent of a network's states.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "ham/engine/engine.h"

namespace ham {

/// Energies by component: one row per layer (or connection), one column per sample.
template <class T>
struct EnergyTable {
  Tensor<T> layers;       ///< (layers, batch)
  Tensor<T> connections;  ///< (connections, batch), −F
  /// The sum over components, per sample.
  std::vector<T> total() const;
};

/// All there is to know about a network at one set of states.
template <class T>
struct Evaluation {
  States<T> activations;  ///< g
  States<T> gradients;    ///< ∂E/∂g = x − I − Σ∂F/∂g; 0 for clamped layers
  EnergyTable<T> energies;
};
template <class T>
Evaluation<T> evaluate(Engine<T>& engine, const States<T>& states);

/// Euler steps x ← x + (time_step/τ) free∘(Σ∂F/∂g + I − x).
struct Descent {
  int depth = 4;  ///< at most this many steps
  double time_step = 0.4;
  double tolerance = 0;  ///< a sample stops when all |Σ∂F/∂g + I − x| of its free neurons are at most this; 0: never
};

/// A state ran away to infinity: `layer` is the first one that is no longer finite, `step` the step after which it is
/// not (−1 where no trace was kept). Either the energy has no floor in that layer's direction or the step in time is
/// too long.
struct NotFinite : std::runtime_error {
  NotFinite(const std::string& layer_name, int at_step);
  std::string layer;
  int step;
};

/// What a descent passed through. Samples that stopped keep their last values.
template <class T>
struct Trace {
  bool keep_states = true;
  std::vector<States<T>> states;         ///< steps + 1 of them
  std::vector<EnergyTable<T>> energies;  ///< at each of them
};

/// Descends in place and returns each sample's number of steps. `free`, when given, has the states' shapes: 1 lets a
/// neuron move, 0 clamps it. A trace's energies come with the forces; only the last one takes an evaluation of its own.
/// Throws NotFinite, as respond() and flow() do, when a state it came to is not finite.
template <class T>
std::vector<int> descend(Engine<T>& engine, States<T>& states, const Descent& descent,
                         const std::type_identity_t<States<T>>* free = nullptr, Trace<T>* trace = nullptr);

/// The layer's activations at the end of a descent, (batch, layer shape…). Runs in place, and without a tolerance only
/// as far as it has a say in them: the other layers' states are not those of descend().
template <class T>
Tensor<T> respond(Engine<T>& engine, States<T>& states, const Descent& descent, int layer);

/// The true flow τ dx/dt = −∂E/∂g by adaptive Runge–Kutta (Dormand–Prince 5, Boost.Odeint).
struct Flow {
  double duration = 10;
  double absolute_error = 1e-8;
  double relative_error = 1e-8;
  int max_steps = 100000;  ///< tried ones; a std::runtime_error says how far they reached
};
/// Flows in place and returns the accepted times; the trace has one entry for each.
template <class T>
std::vector<double> flow(Engine<T>& engine, States<T>& states, const Flow& options,
                         const std::type_identity_t<States<T>>* free = nullptr, Trace<T>* trace = nullptr);

}  // namespace ham

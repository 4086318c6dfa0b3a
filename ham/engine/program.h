// What a network has to compute, written down once, apart from who computes it: the operations of an energy's descent
// and of the gradients through it, in order, each with its scope. An engine interprets it and decides nothing itself.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ham/network/network.h"

namespace ham {

/// How often something is computed: once per set of parameters, once per batch as a whole, once per lane (the share of
/// a batch that goes through the network together), or in every step of time.
enum class Per : std::uint8_t { parameters, batch, lane, step };

/// What is done to an operation of the graph or to a layer. Arrays are value + tangent; a reverse rule turns the
/// derivative `bar` of a result by an operation's output into those by its inputs.
enum class Act : std::uint8_t {
  /// layer: g = ∇L(x − b)
  activate,
  /// operation: its output
  forward,
  /// operation: reverse rule on values; what arrives at the activations are the forces Σ∂F/∂g
  pull,
  /// layer: x ← x + (dt/τ) free∘(Σ∂F/∂g + I − x)
  descend,
  /// layer: the loss at its activation, and back to its state
  lose,
  /// layer: v = (dt/τ) free∘x̄ is the tangent of g, along which the step's Hessian is taken
  retreat,
  /// operation: its output's tangent (and its value, unless it was kept)
  tangent,
  /// operation: reverse rule on values and tangents, ∂²F/∂g² v and ∂²F/∂θ∂g v
  push,
  /// layer: x̄ ← x̄ + ∇²L(x − b) (∂²F/∂g² v) − v, and the gradients of its bias and coefficients
  return_,
  /// operation: reverse rule on values, once, of what was hoisted
  reverse,
  /// clamped layer: the derivative by its β, by a forward tangent through what it feeds
  along_beta,
  /// … through the products of the whole batch
  along_beta_whole,
  /// linear map: its weights' gradient as one product over the batch and all steps of time
  outer,
  /// clamped layer: from the derivative by its activation to its state, bias and coefficients
  finish,
};

/// One line of a program. `target` is a node of the graph, or a layer.
struct Instruction {
  Act act;
  int target;
  std::uint8_t fresh = 0;  ///< bit k: the derivative by input k begins here; what the array holds is no part of it
};
using Instructions = std::vector<Instruction>;

/// Where a node's arrays stand and who needs them.
struct Slot {
  Per per = Per::parameters;
  long size = 0;            ///< numbers, per sample when scope is not parameters
  bool wanted = false;      ///< some parameter or wanted state lies below it
  bool alignment = false;   ///< it is a connection's F and nothing else
  bool swept = false;       ///< hoisted, and fed by a layer of Program::by_tangent
  bool boundary = false;    ///< hoisted, and used in every step of time
  bool remembered = false;  ///< its values in every step are kept for the reverse pass
  bool stored = false;      ///< value and tangent of every step stay until the batch is done: a factor of Act::outer
  bool bar_stored = false;  ///< the same of its bar
  bool deferred = false;    ///< a linear map whose weights' gradient is one product at the end (Act::outer)
  long offset = -1;         ///< of scope parameters: where its numbers stand; parameters come first
  long collected = -1;      ///< of scope parameters: where lanes add up its gradient; −1: they do not
};

/// One step of time, read at some layer: what can no longer have a say there is left out.
struct Step {
  Instructions forward, reverse;
  std::vector<int> still;  ///< moving layers that nothing pulls at
};

/// The steps of a descent that is read at one layer, and the way back.
struct Unrolled {
  int readout;
  std::vector<Step> steps;
  std::vector<int> runs;       ///< per node: in how many of the first steps it runs
  Instructions lane_reverse;   ///< what was hoisted out of the steps, lane by lane
  Instructions batch_reverse;  ///< what was hoisted out of the lanes
  Instructions finish;         ///< clamped layers, lane by lane; then the lanes' gradients are added
  Instructions gradients;      ///< weights' gradients that are one product, and what goes along β
  Instructions parameters_reverse;
};

struct Lowering {
  std::vector<std::string> clamped;  ///< layers whose states never change
  bool state_gradients = false;      ///< derivatives by clamped layers' states are wanted too
};

/// A network, lowered. Operations fed by parameters only run once per set of parameters, those fed by clamped layers
/// besides once per batch or lane: both are hoisted out of the steps of time, forward and backward.
struct Program {
  const Network* network;
  std::vector<bool> clamped;     ///< per layer
  std::vector<bool> by_tangent;  ///< per layer: clamped, and β is all that training can change about its activation
  std::vector<Slot> slots;       ///< per node
  long num_constants = 0;        ///< numbers of scope parameters
  long num_collected = 0;        ///< of them, those whose gradients lanes add up
  std::vector<int> packed;       ///< linear maps in every step with weights so large that packing them takes time

  Instructions parameters, batch, lane;       ///< forward, once in their scope
  Step step;                                  ///< forces on everything that moves
  Instructions lane_energies, step_energies;  ///< alignments that only energies need

  /// Throws std::invalid_argument that lists the layers when a clamped one is unknown.
  Program(const Network& network, const Lowering& lowering);
  Unrolled unroll(int layer, int steps) const;
  /// Samples of a lane: so few that what moves stays in the cache and many threads share a batch, but enough to pay for
  /// the gradients that every lane adds up.
  int lane_rows() const;
};

/// Multiplications with additions and the bytes an instruction reads and writes once, for `rows` samples of T.
struct Cost {
  double flops = 0, bytes = 0;
  Cost& operator+=(const Cost& other) {
    flops += other.flops, bytes += other.bytes;
    return *this;
  }
};
Cost cost(const Program& program, const Instruction& instruction, const Unrolled& unrolled, long rows,
          int number_bytes);
/// Of a whole training step, AdamW included.
Cost training_cost(const Program& program, const Unrolled& unrolled, long batch, int number_bytes);
/// The most memory that training takes at once, in bytes; lanes of Program::lane_rows() on so many threads.
double training_memory(const Program& program, const Unrolled& unrolled, long batch, int threads, int number_bytes);
/// One line for each instruction: scope, what it does, shape, flops, bytes; and the total of a training step.
std::string text(const Program& program, const Unrolled& unrolled, long batch);

}  // namespace ham

// Recall: update spins until a pass changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/random.h"
#include "core/stop.h"
#include "dam/fields/kernels.h"

namespace dam {

/// What happened on the way to the final state; the same for every kernel.
struct RecallResult {
  std::int64_t passes = 0;  // passes made, the last one without a flip included
  std::int64_t flips = 0;
  std::int64_t ties = 0;          // updates that found a field of exactly 0
  std::int64_t energy_rises = 0;  // flips (synchronous order: passes) after which the energy was higher
  bool converged = false;         // the last pass had no flip and, drawn with replacement, no spin wants one
  bool cycle = false;             // stopped because deterministic dynamics came back to an earlier state
  bool operator==(const RecallResult&) const = default;
};

/// Where the random numbers of one recall come from: visiting order of pass p from row p of `order`; the coin of tie
/// number u (counting updates, not ties) is bit u mod 256 of block(u / 256, 0) of `tie`.
struct RecallStreams {
  core::Stream order;
  core::Stream tie;
};

/// Called after each flip with the spin and the new state (synchronous: after the whole pass, once per flipped spin).
using FlipObserver = std::function<void(std::uint32_t spin, const State& state)>;

/// One kernel prepared for a (model, dynamics, N), with the buffers that recall needs; reusable, not shared by threads.
class Recall {
 public:
  Recall(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const Kernel& kernel,
         const core::StopToken& stop = {});
  /// With local fields of these dynamics made elsewhere.
  Recall(const Dynamics& dynamics, int num_neurons, std::unique_ptr<LocalFields> fields);

  /// From now on these spins (each once, any order) keep their values and are not visited; none frees all. Throws
  /// std::invalid_argument for a spin beyond num_neurons.
  void hold(std::span<const std::uint32_t> spins);

  /// Runs `state` to a fixed point, a repeated state or the pass cap, in place. Throws std::invalid_argument when
  /// patterns or state do not have num_neurons spins, core::Stopped when `stop` asks for it (asked every so many
  /// flips).
  ///
  /// A spin decided since the last flip keeps its decision, so that the last pass costs next to nothing. In sequential
  /// and synchronous order (unless ties toss coins) a state seen at an earlier end of a pass must come again for ever:
  /// recall then stops with `cycle`. States are compared by 64-bit Zobrist hashes.
  RecallResult operator()(const Patterns& patterns, const RecallStreams& streams, State& state,
                          const FlipObserver& observer = {}, const core::StopToken& stop = {});

 private:
  struct Run;
  bool settled(Run& run) const;
  bool fixed(const Run& run);
  void visit(const RecallStreams& streams, std::int64_t pass);
  void flip(Run& run, std::uint32_t spin);
  void asynchronous_pass(Run& run);
  void kept_pass(Run& run, std::span<const std::int64_t> supports);
  void synchronous_pass(Run& run);
  std::size_t decide_ahead(std::size_t position, double stride, bool flipped);
  bool moves(Run& run, std::uint32_t spin, std::int8_t sign, std::size_t position) const;

  Dynamics dynamics_;
  std::unique_ptr<LocalFields> fields_;
  std::vector<std::uint32_t> free_;  // the spins that are not held, ascending
  std::vector<std::uint32_t> order_;
  std::vector<std::uint64_t> draws_;
  std::vector<std::int8_t> signs_;  // by spin, at the start of a pass: kUnknown where decided before the last flip
  std::vector<std::int8_t> visit_signs_;  // by position in order_
  std::vector<std::uint32_t> block_;
  std::vector<std::int8_t> block_signs_;
  std::vector<std::uint64_t> seen_;  // hashes of the states at the ends of passes
  double stride_ = 0;                // recent number of updates from flip to flip
};

/// Bytes that a Recall holds while it is prepared and runs (N, K ≤ 2^40), the patterns not counted: ≤ 14·K + 64·N and
/// what the weights of the model take.
std::int64_t recall_memory(const core::EnergyModel& model, std::int64_t num_neurons, std::int64_t num_patterns);

/// Runs one recall with a kernel prepared for it alone; see Recall.
RecallResult recall(const Patterns& patterns, const core::EnergyModel& model, const Dynamics& dynamics,
                    const Kernel& kernel, const RecallStreams& streams, State& state,
                    const FlipObserver& observer = {});

}  // namespace dam

#include "dam/recall.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "dam/random_blocks.h"

namespace dam {
namespace {

constexpr std::int8_t kUnknown = 2;

/// The random key of "spin i is +1" in a state's Zobrist hash (the finaliser of SplitMix64).
std::uint64_t spin_key(std::uint64_t spin) {
  std::uint64_t z = (spin + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/// ⌊bound·draw/2⁶⁴⌋; its bias, below bound/2⁶⁴, is far beyond what any number of trials could show.
std::uint32_t scale_draw(std::uint64_t draw, std::uint64_t bound) {
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(draw) * bound) >> 64);
}

}  // namespace

/// One recall on its way.
struct Recall::Run {
  const RecallStreams& streams;
  State& state;
  const FlipObserver& observer;
  RecallResult result{};
  std::int64_t updates = 0;
  std::uint64_t hash = 0;

  void apply(std::uint32_t spin) {
    state[spin] = static_cast<std::int8_t>(-state[spin]);
    hash ^= spin_key(spin);
    ++result.flips;
  }
};

Recall::Recall(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const Kernel& kernel)
    : dynamics_(dynamics),
      fields_(kernel.make(model, dynamics, num_neurons)),
      order_(num_neurons),
      draws_(num_neurons),
      signs_(num_neurons),
      block_signs_(num_neurons) {
  block_.reserve(num_neurons);
  seen_.reserve(dynamics.max_passes + 1);
  std::iota(order_.begin(), order_.end(), 0u);
}

void Recall::visit(const RecallStreams& streams, std::int64_t pass) {
  const std::size_t count = order_.size();
  if (dynamics_.order == UpdateOrder::random) {
    fill_random(streams.order, pass, 1, count, count, draws_.data());
    std::iota(order_.begin(), order_.end(), 0u);
    for (std::size_t left = count; left > 1; --left)
      std::swap(order_[left - 1], order_[scale_draw(draws_[left - 1], left)]);
  } else if (dynamics_.order == UpdateOrder::replacement) {
    fill_random(streams.order, pass, 1, count, count, draws_.data());
    for (std::size_t j = 0; j < count; ++j) order_[j] = scale_draw(draws_[j], count);
  }
}

/// True when every spin is known to stay whatever the visiting order: a pass would change nothing and find no tie.
bool Recall::settled() const {
  return std::all_of(signs_.begin(), signs_.end(), [](std::int8_t sign) { return sign == 1; });
}

/// Decides the undecided among the next spins. A block of half the usual distance between flips wastes little when a
/// flip makes the rest of it worthless, and costs few calls when none comes.
void Recall::decide_ahead(std::size_t position) {
  const std::size_t grain = fields_->spins_per_decision();
  const std::size_t wanted = std::max(grain, static_cast<std::size_t>(0.5 * stride_) / grain * grain);
  block_.clear();
  for (; position < order_.size() && block_.size() < wanted; ++position) {
    const std::uint32_t spin = order_[position];
    if (signs_[spin] != kUnknown) continue;
    signs_[spin] = 0;  // taken; the decision overwrites it
    block_.push_back(spin);
  }
  fields_->decide(block_, std::span(block_signs_).first(block_.size()));
  for (std::size_t j = 0; j < block_.size(); ++j) signs_[block_[j]] = block_signs_[j];
}

bool Recall::moves(Run& run, std::uint32_t spin) {
  const std::int64_t update = run.updates++;
  if (signs_[spin] != 0) return signs_[spin] < 0;
  ++run.result.ties;
  switch (dynamics_.tie) {
    case TieRule::keep:
      return false;
    case TieRule::plus:
      return run.state[spin] < 0;
    case TieRule::minus:
      return run.state[spin] > 0;
    case TieRule::random:
      return (run.streams.tie.block(update / 256, 0)[update % 256 / 64] >> (update % 64) & 1) == (run.state[spin] < 0);
  }
  throw std::logic_error("tie rule");
}

void Recall::asynchronous_pass(Run& run) {
  std::size_t since = 0;  // updates since the last flip
  for (std::size_t position = 0; position < order_.size(); ++position, ++since) {
    const std::uint32_t spin = order_[position];
    if (signs_[spin] == kUnknown) {
      if (static_cast<double>(since) > stride_) stride_ = 2 * static_cast<double>(since);
      decide_ahead(position);
    }
    if (!moves(run, spin)) continue;
    run.apply(spin);
    run.result.energy_rises += fields_->flip({&spin, 1});
    std::fill(signs_.begin(), signs_.end(), kUnknown);
    stride_ = 0.75 * stride_ + 0.25 * static_cast<double>(since);
    since = 0;
    if (run.observer) run.observer(spin, run.state);
  }
}

void Recall::synchronous_pass(Run& run) {
  fields_->decide(order_, signs_);
  block_.clear();
  for (const std::uint32_t spin : order_)
    if (moves(run, spin)) block_.push_back(spin);
  for (const std::uint32_t spin : block_) run.apply(spin);
  if (!block_.empty()) run.result.energy_rises += fields_->flip(block_);
  if (run.observer)
    for (const std::uint32_t spin : block_) run.observer(spin, run.state);
}

RecallResult Recall::operator()(const Patterns& patterns, const RecallStreams& streams, State& state,
                                const FlipObserver& observer) {
  if (patterns.num_neurons() != static_cast<int>(order_.size()) || state.size() != order_.size())
    throw std::invalid_argument("recall of " + std::to_string(order_.size()) + " neurons got patterns of " +
                                std::to_string(patterns.num_neurons()) + " and a state of " +
                                std::to_string(state.size()));
  Run run{streams, state, observer};
  const bool synchronous = dynamics_.order == UpdateOrder::synchronous;
  const bool deterministic =
      (synchronous || dynamics_.order == UpdateOrder::sequential) && dynamics_.tie != TieRule::random;
  fields_->load(patterns, state);
  std::fill(signs_.begin(), signs_.end(), kUnknown);
  seen_.assign(1, run.hash);
  stride_ = 16;

  while (run.result.passes < dynamics_.max_passes) {
    const std::int64_t flips_before = run.result.flips;
    if (!settled()) {
      visit(streams, run.result.passes);
      synchronous ? synchronous_pass(run) : asynchronous_pass(run);
    }
    ++run.result.passes;
    if (run.result.flips == flips_before) {
      run.result.converged = true;
      break;
    }
    if (!deterministic) continue;
    if (std::find(seen_.begin(), seen_.end(), run.hash) != seen_.end()) {
      run.result.cycle = true;
      break;
    }
    seen_.push_back(run.hash);
  }
  return run.result;
}

RecallResult recall(const Patterns& patterns, const core::EnergyModel& model, const Dynamics& dynamics,
                    const Kernel& kernel, const RecallStreams& streams, State& state, const FlipObserver& observer) {
  return Recall(model, dynamics, patterns.num_neurons(), kernel)(patterns, streams, state, observer);
}

}  // namespace dam

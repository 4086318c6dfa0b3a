#include "dam/recall/recall.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#include "dam/fields/support.h"
#include "dam/states/random_blocks.h"

namespace dam {
namespace {

constexpr std::int8_t kUnknown = -2;          // below every sign
constexpr std::int64_t kBlocksUnasked = 256;  // decided
constexpr std::int64_t kFlipsUnasked = 1024;  // from one question whether to stop to the next

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
  const core::StopToken& stop;
  RecallResult result{};
  std::uint64_t hash = 0;

  void apply(std::uint32_t spin) {
    state[spin] = static_cast<std::int8_t>(-state[spin]);
    hash ^= spin_key(spin);
    ++result.flips;
  }
};

Recall::Recall(const core::EnergyModel& model, const Dynamics& dynamics, int num_neurons, const Kernel& kernel,
               const core::StopToken& stop)
    : Recall(dynamics, num_neurons, kernel.make(model, dynamics, num_neurons, stop)) {}

Recall::Recall(const Dynamics& dynamics, int num_neurons, std::unique_ptr<LocalFields> fields)
    : dynamics_(dynamics),
      fields_(std::move(fields)),
      free_(num_neurons),
      draws_(num_neurons),
      signs_(num_neurons),
      visit_signs_(num_neurons),
      block_(num_neurons),
      block_signs_(num_neurons) {
  seen_.reserve(dynamics.max_passes + 1);
  std::iota(free_.begin(), free_.end(), 0u);
  order_ = free_;
}

void Recall::hold(std::span<const std::uint32_t> spins) {
  std::vector<bool> held(signs_.size());
  for (const std::uint32_t spin : spins) {
    if (spin >= held.size())
      throw std::invalid_argument("spin " + std::to_string(spin) + " cannot be held, there are " +
                                  std::to_string(held.size()));
    held[spin] = true;
  }
  free_.clear();
  for (std::uint32_t spin = 0; spin < held.size(); ++spin)
    if (!held[spin]) free_.push_back(spin);
  order_ = free_;
}

void Recall::visit(const RecallStreams& streams, std::int64_t pass) {
  const std::size_t count = order_.size();
  if (dynamics_.order == UpdateOrder::random) {
    fill_random(streams.order, pass, 1, count, count, draws_.data());
    order_ = free_;
    for (std::size_t left = count; left > 1; --left)
      std::swap(order_[left - 1], order_[scale_draw(draws_[left - 1], left)]);
  } else if (dynamics_.order == UpdateOrder::replacement) {
    fill_random(streams.order, pass, 1, count, count, draws_.data());
    for (std::size_t j = 0; j < count; ++j) order_[j] = free_[scale_draw(draws_[j], count)];
  }
}

/// True when every spin is known to stay, whatever the visiting order; counts the ties that such a pass meets.
bool Recall::settled(Run& run) const {
  const bool keeps = dynamics_.tie == TieRule::keep && dynamics_.order != UpdateOrder::replacement;
  const auto all_stay = [&](const auto& signs) {
    const auto stays = [&](std::uint32_t spin) { return signs[spin] >= (keeps ? 0 : 1); };
    if (!std::all_of(free_.begin(), free_.end(), stays)) return false;
    run.result.ties += std::count_if(free_.begin(), free_.end(), [&](std::uint32_t spin) { return signs[spin] == 0; });
    return true;
  };
  const std::span<const std::int64_t> kept = fields_->supports();
  return kept.empty() ? all_stay(signs_) : all_stay(kept);
}

/// True when no spin wants to flip after a pass without a flip; only spins drawn with replacement can have been missed.
bool Recall::fixed(const Run& run) {
  if (dynamics_.order != UpdateOrder::replacement) return true;
  order_ = free_;
  fields_->decide(order_, std::span(visit_signs_).first(order_.size()));
  for (std::size_t j = 0; j < order_.size(); ++j) signs_[order_[j]] = visit_signs_[j];
  const auto stays = [&](std::uint32_t spin) {
    if (signs_[spin] != 0) return signs_[spin] > 0;
    return !(dynamics_.tie == TieRule::plus && run.state[spin] < 0) &&
           !(dynamics_.tie == TieRule::minus && run.state[spin] > 0);
  };
  return std::all_of(order_.begin(), order_.end(), stays);
}

/// Decides the spins at `position` and after it, and returns the position up to which it did: half the usual distance
/// between flips, so that little is wasted when a flip makes the rest worthless, and few calls are made when none
/// comes.
std::size_t Recall::decide_ahead(std::size_t position, double stride, bool flipped) {
  const std::size_t grain = fields_->spins_per_decision();
  const std::size_t wanted = std::max(grain, static_cast<std::size_t>(0.5 * stride) / grain * grain);
  const std::size_t end = std::min(order_.size(), position + wanted);
  const auto ahead = std::span(order_).subspan(position, end - position);
  const auto ahead_signs = std::span(visit_signs_).subspan(position, end - position);
  if (flipped) {
    fields_->decide(ahead, ahead_signs);
    return end;
  }
  // No flip in this pass yet: what the last pass decided after its last flip still holds.
  std::size_t count = 0;
  for (const std::uint32_t spin : ahead) {
    const bool unknown = signs_[spin] == kUnknown;
    block_[count] = spin;
    count += unknown;
    signs_[spin] = static_cast<std::int8_t>(unknown ? 0 : signs_[spin]);  // once in the block is enough
  }
  if (count > 0) fields_->decide(std::span(block_).first(count), block_signs_);
  for (std::size_t j = 0; j < count; ++j) signs_[block_[j]] = block_signs_[j];
  for (std::size_t j = 0; j < ahead.size(); ++j) ahead_signs[j] = signs_[ahead[j]];
  return end;
}

/// Whether the update of a spin whose field has this sign flips it.
bool Recall::moves(Run& run, std::uint32_t spin, std::int8_t sign, std::size_t position) const {
  if (sign != 0) return sign < 0;
  ++run.result.ties;
  const std::uint64_t update = run.result.passes * order_.size() + position;
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

void Recall::flip(Run& run, std::uint32_t spin) {
  run.apply(spin);
  if (run.result.flips % kFlipsUnasked == 0) run.stop.check();
  run.result.energy_rises += fields_->flip({&spin, 1});
  if (run.observer) run.observer(spin, run.state);
}

/// An asynchronous pass where the kernel keeps all supports: no decision has to be asked for.
void Recall::kept_pass(Run& run, std::span<const std::int64_t> supports) {
  for (std::size_t position = 0; position < order_.size(); ++position) {
    const std::uint32_t spin = order_[position];
    const std::int64_t support = supports[spin];
    if (support > 0) continue;
    if (moves(run, spin, support < 0 ? -1 : 0, position)) flip(run, spin);
  }
}

void Recall::asynchronous_pass(Run& run) {
  std::size_t decided = 0;    // visit_signs_ holds up to here
  std::size_t last_flip = 0;  // the position after it
  std::int64_t blocks = 0;    // decided in this pass
  for (std::size_t position = 0;; ++position) {
    while (position < decided && visit_signs_[position] == 1) ++position;
    if (position == order_.size()) break;
    if (position == decided) {
      if (++blocks % kBlocksUnasked == 0) run.stop.check();
      const auto since = static_cast<double>(position - last_flip);
      if (since > stride_) stride_ = 2 * since;
      decided = decide_ahead(position, stride_, last_flip > 0);
    }
    const std::uint32_t spin = order_[position];
    if (!moves(run, spin, visit_signs_[position], position)) continue;
    flip(run, spin);
    stride_ = 0.75 * stride_ + 0.25 * static_cast<double>(position - last_flip);
    last_flip = decided = position + 1;
  }
  if (last_flip == 0) return;
  std::fill(signs_.begin(), signs_.end(), kUnknown);
  for (std::size_t position = last_flip; position < order_.size(); ++position)
    signs_[order_[position]] = visit_signs_[position];
}

void Recall::synchronous_pass(Run& run) {
  fields_->decide(order_, std::span(visit_signs_).first(order_.size()));
  std::size_t count = 0;
  for (std::size_t position = 0; position < order_.size(); ++position) {
    block_[count] = order_[position];
    count += moves(run, order_[position], visit_signs_[position], position);
  }
  const auto flipped = std::span(block_).first(count);
  for (const std::uint32_t spin : flipped) run.apply(spin);
  if (count > 0) run.result.energy_rises += fields_->flip(flipped);
  if (run.observer)
    for (const std::uint32_t spin : flipped) run.observer(spin, run.state);
}

RecallResult Recall::operator()(const Patterns& patterns, const RecallStreams& streams, State& state,
                                const FlipObserver& observer, const core::StopToken& stop) {
  if (patterns.num_neurons() != static_cast<int>(signs_.size()) || state.size() != signs_.size())
    throw std::invalid_argument("recall of " + std::to_string(signs_.size()) + " neurons got patterns of " +
                                std::to_string(patterns.num_neurons()) + " and a state of " +
                                std::to_string(state.size()));
  Run run{streams, state, observer, stop};
  const bool synchronous = dynamics_.order == UpdateOrder::synchronous;
  const bool deterministic =
      (synchronous || dynamics_.order == UpdateOrder::sequential) && dynamics_.tie != TieRule::random;
  fields_->load(patterns, state);
  std::fill(signs_.begin(), signs_.end(), kUnknown);
  seen_.assign(1, run.hash);
  stride_ = 16;

  while (run.result.passes < dynamics_.max_passes) {
    stop.check();
    const std::int64_t flips_before = run.result.flips;
    if (!settled(run)) {
      visit(streams, run.result.passes);
      if (synchronous)
        synchronous_pass(run);
      else if (const auto kept = fields_->supports(); !kept.empty())
        kept_pass(run, kept);
      else
        asynchronous_pass(run);
    }
    ++run.result.passes;
    if (run.result.flips == flips_before && fixed(run)) {
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

std::int64_t recall_memory(const core::EnergyModel& model, std::int64_t num_neurons, std::int64_t num_patterns) {
  const std::int64_t plane = static_cast<std::int64_t>(column_words(num_patterns)) * 8;  // bytes of one bit per pattern
  // A byte per overlap and up to 48 weight planes (or the reference's four bytes); order and states by spin.
  return plane * (8 + 48) + 64 * num_neurons + support_memory(model, num_neurons);
}

RecallResult recall(const Patterns& patterns, const core::EnergyModel& model, const Dynamics& dynamics,
                    const Kernel& kernel, const RecallStreams& streams, State& state, const FlipObserver& observer) {
  return Recall(model, dynamics, patterns.num_neurons(), kernel)(patterns, streams, state, observer);
}

}  // namespace dam

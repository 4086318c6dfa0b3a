// Recall of one state by one block: the same decisions, in the same order, as dam/recall/recall.cpp.
//
// One thread walks through the pass as far as signs are known; a look at the patterns (look_body.h) makes the next ones
// known, a flip all of them unknown.
#pragma once

#include <cstddef>

#include "gpu/dam/look_body.h"
#include "gpu/dam/random_body.h"

namespace gpu {

template <class Block, bool kNear>
class RecallBody {
 public:
  GPU_BODY RecallBody(Block& block, const RecallTask& task, std::byte* shared)
      : block_(block),
        task_(task),
        memory_(shared_layout(task.num_neurons, task.max_outliers, kNear ? task.groups() : 0, block.warps()), shared),
        look_(block, task, memory_),
        seen_(task.seen + block.index() * (task.max_passes + 1)) {
    look_.prepare();
  }

  /// memory().plus() is the state, to be set before run() and then the final one.
  GPU_BODY const TrialMemory& memory() const { return memory_; }

  /// Runs the state in memory_.plus() to its end; `trial` numbers the streams of orders and ties.
  GPU_BODY void run(const std::uint32_t* patterns, std::int64_t trial) {
    trial_ = trial;
    begin(patterns);
    while (!memory_.control().done) {
      block_.first([&] { memory_.control().num_sites = settled() ? 0 : 1; });
      block_.sync();
      const bool walks = memory_.control().num_sites > 0;
      const std::int64_t flips_before = memory_.control().flips;
      block_.sync();
      if (walks) {
        make_order();
        walk();
      }
      if (task_.order == dam::UpdateOrder::replacement && memory_.control().flips == flips_before) know_all();
      block_.first([&] { end_pass(flips_before); });
      block_.sync();
    }
    if (memory_.control().must_compare && !memory_.control().undecided) look_.look();
  }

  GPU_BODY TrialOutcome outcome() {
    const TrialControl& c = memory_.control();
    return {c.passes, c.flips, c.ties, c.energy_rises, c.wrong_bits, c.converged, c.cycle, c.undecided};
  }

 private:
  static constexpr std::int8_t kQueued = 2;

  // ---- one trial ----

  GPU_BODY void begin(const std::uint32_t* patterns) {
    block_.first([&] {
      const std::int64_t item = memory_.control().item;
      memory_.control() = TrialControl{};
      memory_.control().item = item;
      memory_.control().stride = 16;
      memory_.control().epoch = 1;
      seen_[memory_.control().num_seen++] = 0;
    });
    block_.sync();
    block_.each([&](int thread) {
      int count = 0;
      for (int spin = thread; spin < task_.num_neurons; spin += block_.threads()) {
        memory_.stamps()[spin] = 0;
        memory_.order()[spin] = static_cast<std::uint16_t>(spin);
        count += memory_.plus()[spin];
      }
      if (count > 0) block_.fetch_add(&memory_.control().plus_count, count);
    });
    look_.begin(patterns);
    block_.sync();
  }

  // ---- passes ----

  GPU_BODY bool keeps_order() const {
    return task_.order == dam::UpdateOrder::sequential || task_.order == dam::UpdateOrder::synchronous;
  }

  /// Every spin is known to stay, whatever the order; counts the ties that such a pass meets.
  GPU_BODY bool settled() {
    TrialControl& c = memory_.control();
    const bool keeps = task_.tie == dam::TieRule::keep && task_.order != dam::UpdateOrder::replacement;
    if (c.num_known < task_.num_neurons || c.num_minus > 0 || (!keeps && c.num_zero > 0)) return false;
    c.ties += c.num_zero;
    return true;
  }

  GPU_BODY void make_order() {
    if (keeps_order()) return;
    const int count = task_.num_neurons;
    const bool permutes = task_.order == dam::UpdateOrder::random;
    block_.each([&](int thread) {
      for (int j = thread; 4 * j < count; j += block_.threads()) {
        const RandomBlock draws = random_block(task_.key, trial_, core::Purpose::order, static_cast<std::uint64_t>(j),
                                               static_cast<std::uint64_t>(memory_.control().passes));
        for (int k = 0; k < 4 && 4 * j + k < count; ++k) {
          const int place = 4 * j + k;
          const std::uint32_t draw = scale_draw(draws.words[k], permutes ? place + 1 : count);
          (permutes ? memory_.targets() : memory_.order())[place] = static_cast<std::uint16_t>(draw);
          if (permutes) memory_.order()[place] = static_cast<std::uint16_t>(place);
        }
      }
    });
    block_.sync();
    if (!permutes) return;
    block_.first([&] {
      // Eight targets are read at once: they do not wait for the swaps before them.
      for (int low = (count - 1) / 8 * 8; low >= 0; low -= 8) {
        const Words4 eight = *reinterpret_cast<const Words4*>(memory_.targets() + low);
#pragma unroll
        for (int j = 7; j >= 0; --j) {
          const int place = low + j, other = static_cast<int>(eight.words[j / 2] >> (16 * (j % 2)) & 0xffff);
          if (place >= count || place == 0) continue;
          const std::uint16_t spin = memory_.order()[place];
          memory_.order()[place] = memory_.order()[other];
          memory_.order()[other] = spin;
        }
      }
    });
    block_.sync();
  }

  /// A pass: as far as signs are known, then a look, and so on.
  GPU_BODY void walk() {
    block_.first([&] {
      memory_.control().position = memory_.control().last_flip = 0;
      memory_.control().flipped = false;
    });
    block_.sync();
    for (;;) {
      block_.first_warp([&](const auto& warp) {
        if (task_.order == dam::UpdateOrder::synchronous)
          step_synchronous(warp);
        else
          step(warp);
      });
      block_.sync();
      if (memory_.control().num_sites == 0 || memory_.control().undecided) break;
      look_.look();
      if (memory_.control().undecided) break;
    }
  }

  /// Signs of all spins, known.
  GPU_BODY void know_all() {
    for (;;) {
      block_.sync();
      block_.first_warp([&](const auto& warp) { gather_all(warp); });
      block_.sync();
      if (memory_.control().num_sites == 0 || memory_.control().undecided) break;
      look_.look();
    }
  }

  GPU_BODY void end_pass(std::int64_t flips_before) {
    TrialControl& c = memory_.control();
    ++c.passes;
    const bool quiet = c.flips == flips_before;
    if (c.undecided) {
      c.done = true;
    } else if (quiet && (task_.order != dam::UpdateOrder::replacement || all_stay())) {
      c.converged = c.done = true;
    } else if (keeps_order() && task_.tie != dam::TieRule::random) {
      for (int j = 0; j < c.num_seen; ++j)
        if (seen_[j] == c.hash) c.cycle = c.done = true;
      if (!c.done) seen_[c.num_seen++] = c.hash;
    }
    if (c.passes >= task_.max_passes) c.done = true;
  }

  GPU_BODY bool all_stay() {
    for (int spin = 0; spin < task_.num_neurons; ++spin) {
      const int sign = memory_.signs()[spin];
      if (sign < 0 || (sign == 0 && ((task_.tie == dam::TieRule::plus && !memory_.plus()[spin]) ||
                                     (task_.tie == dam::TieRule::minus && memory_.plus()[spin]))))
        return false;
    }
    return true;
  }

  /// Whether the update of a spin whose field has this sign flips it; counts a tie.
  GPU_BODY bool moves(int spin, int sign, int position) {
    if (sign != 0) return sign < 0;
    TrialControl& c = memory_.control();
    ++c.ties;
    switch (task_.tie) {
      case dam::TieRule::keep:
        return false;
      case dam::TieRule::plus:
        return !memory_.plus()[spin];
      case dam::TieRule::minus:
        return memory_.plus()[spin];
      case dam::TieRule::random: {
        const auto update = static_cast<std::uint64_t>(c.passes * task_.num_neurons + position);
        const RandomBlock coins = random_block(task_.key, trial_, core::Purpose::tie, update / 256, 0);
        return (coins.words[update % 256 / 64] >> (update % 64) & 1) == (memory_.plus()[spin] ? 0u : 1u);
      }
    }
    return false;
  }

  GPU_BODY void flip(int spin) {
    TrialControl& c = memory_.control();
    memory_.plus()[spin] ^= 1;
    c.plus_count += memory_.plus()[spin] ? 1 : -1;
    c.hash ^= spin_key(static_cast<std::uint64_t>(spin));
    ++c.flips;
    memory_.pending()[c.num_pending++] = static_cast<std::uint16_t>(spin);
    c.must_compare = task_.weights.counts_rises;
    ++c.epoch;
    c.num_known = c.num_zero = c.num_minus = 0;
  }

  GPU_BODY bool known(int spin) { return memory_.stamps()[spin] == memory_.control().epoch; }
  /// The look will make this spin known.
  GPU_BODY void queue(int slot, int spin) {
    memory_.stamps()[spin] = memory_.control().epoch;
    memory_.signs()[spin] = kQueued;
    memory_.sites()[slot] = static_cast<std::uint16_t>(spin);
  }

  /// Asynchronous: updates spins while their signs are known, then asks for the next ones'.
  template <class Warp>
  GPU_BODY void step(const Warp& warp) {
    TrialControl& c = memory_.control();
    int position = c.position;
    for (;;) {
      position = warp.find(position, task_.num_neurons, [&](int place) {
        const int spin = memory_.order()[place];
        return !known(spin) || memory_.signs()[spin] != 1;
      });
      if (position == task_.num_neurons || !known(memory_.order()[position])) break;
      warp.one([&] { update(position); });
      ++position;
    }
    warp.one([&] {
      c.position = position;
      const auto since = static_cast<float>(position - c.last_flip);
      if (since > c.stride) c.stride = 2 * since;
    });
    const int ahead = static_cast<int>(0.5f * c.stride) / kTileSites * kTileSites;
    const int wanted = ahead < kTileSites ? kTileSites : ahead > kMaxSites ? kMaxSites : ahead;
    const auto unknown = [&](int place) { return !known(memory_.order()[place]); };
    const auto take = [&](int slot, int place) { queue(slot, memory_.order()[place]); };
    // Drawn with replacement, a spin may come twice within what lanes look at together.
    int count = 0;
    if (task_.order != dam::UpdateOrder::replacement)
      count = warp.gather(position, task_.num_neurons, wanted, unknown, take);
    warp.one([&] {
      if (task_.order == dam::UpdateOrder::replacement)
        for (int place = position; place < task_.num_neurons && count < wanted; ++place)
          if (unknown(place)) take(count++, place);
      c.num_sites = count;
    });
  }

  /// The update of the spin at this place, whose sign is known and not +1.
  GPU_BODY void update(int place) {
    TrialControl& c = memory_.control();
    const int spin = memory_.order()[place];
    if (!moves(spin, memory_.signs()[spin], place)) return;
    flip(spin);
    c.stride = 0.75f * c.stride + 0.25f * static_cast<float>(place - c.last_flip);
    c.last_flip = place + 1;
  }

  /// Up to kMaxSites spins whose signs are not known.
  template <class Warp>
  GPU_BODY void gather_all(const Warp& warp) {
    const int count = warp.gather(
        0, task_.num_neurons, kMaxSites, [&](int spin) { return !known(spin); },
        [&](int slot, int spin) { queue(slot, spin); });
    warp.one([&] { memory_.control().num_sites = count; });
  }

  /// Synchronous: asks for signs until all are known, then flips all at once.
  template <class Warp>
  GPU_BODY void step_synchronous(const Warp& warp) {
    TrialControl& c = memory_.control();
    if (c.flipped) {
      warp.one([&] { c.num_sites = 0; });
      return;
    }
    gather_all(warp);
    if (c.num_sites > 0) return;
    warp.one([&] {
      c.flipped = true;
      // Nothing moves before all are decided: flip() would change what the next tie sees.
      for (int spin = 0; spin < task_.num_neurons; ++spin) {
        const int sign = memory_.signs()[spin];
        memory_.targets()[spin] = sign != 1 && moves(spin, sign, spin);
      }
      for (int spin = 0; spin < task_.num_neurons; ++spin)
        if (memory_.targets()[spin]) flip(spin);
    });
  }

  Block& block_;
  const RecallTask& task_;
  TrialMemory memory_;
  LookBody<Block, kNear> look_;
  std::uint64_t* seen_;
  std::int64_t trial_ = 0;
};

}  // namespace gpu

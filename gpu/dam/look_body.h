// A look at the patterns: which of up to 64 spins their fields support.
//
// It brings the agreements a_μ up to date, turns the weights of all patterns into 16 bit planes and multiplies the
// spins' columns by them on the tensor cores: Σ_μ x_μ q_μ = Σ_b 2^b·popcount(column & plane_b). The few patterns
// outside the window of usual agreements are added one by one. Weights of more than 15 bits have low digits, which are
// looked at only for spins that the high ones leave open.
#pragma once

#include "gpu/dam/bit_planes.h"
#include "gpu/dam/trial_memory.h"
#include "gpu/dam/work.h"
#include "gpu/device/fragments.h"

namespace gpu {

GPU_BODY std::int64_t high_digits(std::uint32_t digits) { return static_cast<std::int32_t>(digits << 17) >> 17; }
GPU_BODY std::int64_t low_digits(std::uint32_t digits) { return static_cast<std::int32_t>(digits) >> 16; }

/// `kNear`: the positions stand in shared memory, not where the task's positions point.
template <class Block, bool kNear>
class LookBody {
 public:
  GPU_BODY LookBody(Block& block, const RecallTask& task, const TrialMemory& memory)
      : block_(block),
        task_(task),
        memory_(memory),
        far_positions_(kNear ? nullptr : task.positions + block.index() * task.groups() * (kGroupPatterns / 2)) {}

  /// Once per block: brings the tables near.
  GPU_BODY void prepare() {
    const int entries = task_.num_neurons + 1;
    block_.each([&](int thread) {
      for (int a = thread; a < entries; a += block_.threads()) {
        memory_.weights()[a] = {task_.weights.digits[a], task_.weights.totals[a], task_.weights.separations[a]};
      }
    });
    block_.sync();
  }

  /// Counts the agreements of these patterns with the state in plus(); a barrier has to follow.
  GPU_BODY void begin(const std::uint32_t* patterns) {
    patterns_ = patterns;
    count_agreements();
  }

  /// Decides the spins in memory_.sites().
  GPU_BODY void look() {
    block_.first([&] {
      TrialControl& c = memory_.control();
      c.num_open = 0;
      if (c.num_pending > 0 || !c.has_sums) c.num_outliers = 0;
    });
    block_.sync();
    sum_planes<false>();
    block_.last([&] { take_sums(); });
    decide_all(false);
    if (memory_.control().num_open > 0) {
      block_.each([&](int thread) {
        if (thread >= memory_.control().num_open) return;
        memory_.sites()[thread] = memory_.open_sites()[thread];
        memory_.fields()[thread] = memory_.low_fields()[thread];
      });
      block_.sync();
      block_.first([&] { memory_.control().num_sites = memory_.control().num_open; });
      block_.sync();
      sum_planes<true>();
      decide_all(true);
    }
  }

 private:
  GPU_BODY bool bit(int spin, std::int64_t pattern) const {
    return patterns_[column_of(spin) + static_cast<std::uint32_t>(pattern / 32)] >> (pattern % 32) & 1;
  }

  /// Agreements with the state in memory_.plus(), by carry-save adders.
  ///
  /// Word r of a lane's sixteen in a group holds the agreements of patterns r and r + 16 of its word, as byte offsets
  /// into the weights; four words move together.
  GPU_BODY void count_agreements() {
    block_.each([&](int thread) {
      for (std::int64_t word = thread; word < task_.column_words; word += block_.threads()) {
        std::uint32_t slices[kMaxSlices] = {};
        for (int first = 0; first < task_.num_neurons; first += 32) {
          std::uint32_t agree[32], twos[16], fours[8], eights[4], sixteens[2];
#pragma unroll
          for (int j = 0; j < 32; ++j) {
            const int spin = first + j;
            agree[j] = 0;
            if (spin < task_.num_neurons) {
              const std::uint32_t column = patterns_[column_of(spin) + static_cast<std::uint32_t>(word)];
              agree[j] = memory_.plus()[spin] ? column : ~column;
            }
          }
          add_pairs(slices[0], agree, twos);
          add_pairs(slices[1], twos, fours);
          add_pairs(slices[2], fours, eights);
          add_pairs(slices[3], eights, sixteens);
          std::uint32_t carry = add(slices[4], sixteens[0], sixteens[1]);
#pragma unroll
          for (int b = 5; b < kMaxSlices; ++b) {
            const std::uint32_t next = slices[b] & carry;
            slices[b] ^= carry;
            carry = next;
          }
        }
        Words4* place = place_of(word / kGroupWords, static_cast<int>(word % kGroupWords));
#pragma unroll
        for (int quad = 0; quad < 4; ++quad) {
          Words4 pairs;
#pragma unroll
          for (int r = 0; r < 4; ++r) {
            pairs.words[r] = 0;
#pragma unroll
            for (int b = 0; b < kMaxSlices; ++b) pairs.words[r] |= (slices[b] >> (4 * quad + r) & 0x00010001u) << b;
            pairs.words[r] *= sizeof(WeightEntry);
          }
          place[quad * kWarp] = pairs;
        }
      }
    });
  }
  GPU_BODY Words4* place_of(std::int64_t group, int lane) {
    return reinterpret_cast<Words4*>(kNear ? memory_.positions() : far_positions_) + group * 4 * kWarp + lane;
  }

  template <int kPairs>
  GPU_BODY static void add_pairs(std::uint32_t& sum, const std::uint32_t (&in)[2 * kPairs],
                                 std::uint32_t (&carries)[kPairs]) {
#pragma unroll
    for (int j = 0; j < kPairs; ++j) carries[j] = add(sum, in[2 * j], in[2 * j + 1]);
  }
  /// sum += x + y bit by bit; returns the carries.
  GPU_BODY static std::uint32_t add(std::uint32_t& sum, std::uint32_t x, std::uint32_t y) {
    const std::uint32_t half = sum ^ x, carry = (sum & x) | (half & y);
    sum = half ^ y;
    return carry;
  }

  GPU_BODY Units separation_sum(bool& clamped) {
    const TrialControl& c = memory_.control();
    const WeightView& w = task_.weights;
    Units sum = w.separation_offset * (task_.num_patterns - c.num_outliers) + w.separation_unit * c.separation_digits;
    for (int o = 0; o < c.num_outliers; ++o) {
      const Units value = w.separation[memory_.outliers()[o].agreements];
      sum += value;
      clamped = clamped || value >= w.clamp || value <= -w.clamp;
    }
    return sum;
  }

  /// After a look: the sums without the padding, which are patterns of −1; whether the last flip raised the energy.
  GPU_BODY void take_sums() {
    TrialControl& c = memory_.control();
    const WeightView& w = task_.weights;
    c.num_known += c.num_sites;
    if (c.num_pending == 0 && c.has_sums) return;
    c.num_pending = 0;
    c.has_sums = true;
    if (c.num_outliers > task_.max_outliers) {
      c.undecided = true;
      return;
    }
    if (!w.counts_rises) return;
    bool clamped = false;
    const Units now = separation_sum(clamped);
    if (c.must_compare) {
      const Units change = now - c.separation_sum, error = w.separation_error * task_.num_patterns;
      if (clamped || c.separation_clamped || (error > 0 && change <= error && -change <= error))
        c.undecided = true;
      else
        c.energy_rises += change < 0;
      c.must_compare = false;
    }
    c.separation_sum = now;
    c.separation_clamped = clamped;
  }

  GPU_BODY void decide_all(bool with_low) {
    block_.each([&](int thread) {
      if (thread < memory_.control().num_sites) decide(thread, with_low);
    });
    block_.sync();
  }

  /// The sign of site j's support from the sums at hand; without the low digits it may be left open.
  GPU_BODY void decide(int j, bool with_low) {
    TrialControl& c = memory_.control();
    if (c.num_outliers > task_.max_outliers) return;
    const WeightView& w = task_.weights;
    const int spin = memory_.sites()[j];
    const bool plus = memory_.plus()[spin] != 0;
    std::int64_t digits = 2 * memory_.fields()[j] - c.high_sum;
    if (w.low_bits > 0) digits *= std::int64_t{1} << w.low_bits;
    if (with_low) digits += 2 * memory_.low_fields()[j] - c.low_sum;
    Units twice = w.unit * digits;
    if (!plus) twice = -twice;
    twice += w.total_offset * (task_.num_patterns - c.num_outliers) + w.total_unit * c.total_sum;
    bool clamped_up = false, clamped_down = false;
    for (int o = 0; o < c.num_outliers; ++o) {
      const Outlier outlier = memory_.outliers()[o];
      const Units agree = w.agree[outlier.agreements], disagree = w.disagree[outlier.agreements];
      const Units weight = bit(spin, outlier.pattern) == plus ? agree : disagree;
      twice += 2 * weight;
      clamped_up = clamped_up || weight >= w.clamp;
      clamped_down = clamped_down || weight <= -w.clamp;
    }
    const Units error = w.error * task_.num_patterns;
    const bool may_open = w.low_bits > 0 && !with_low;
    const Units rest = may_open ? error + w.largest_low * task_.num_patterns : error;
    const bool up = twice > rest && !clamped_down, down = twice < -rest && !clamped_up;
    if (!up && !down) {
      if (may_open && !clamped_up && !clamped_down) {
        const int slot = block_.fetch_add(&c.num_open, 1);
        memory_.open_sites()[slot] = static_cast<std::uint16_t>(spin);
        memory_.low_fields()[slot] = memory_.fields()[j];
        return;
      }
      if (error != 0 || clamped_up || clamped_down) c.undecided = true;
      block_.fetch_add(&c.num_zero, 1);
    }
    if (down) block_.fetch_add(&c.num_minus, 1);
    memory_.signs()[spin] = static_cast<std::int8_t>(up ? 1 : down ? -1 : 0);
  }

  struct Registers {
    std::uint32_t planes[16];
    std::uint32_t columns[2][8];  // the planes this lane multiplies by, by halves of the digits
    Words4 rows[2][2];            // and the patterns' words it multiplies, of two sites
    std::int32_t sums[kMaxTiles][2][4];
    std::uint32_t column;  // of the first pending flip, a group ahead
    std::int64_t digit_sum, total_sum, separation_sum;
  };

  /// Brings the agreements up to date and sums digits over all patterns: memory_.fields() of the sites from the high
  /// digits and all other sums, or memory_.low_fields() and low_sum from the low ones.
  template <bool kLow>
  GPU_BODY void sum_planes() {
    typename Block::template PerThread<Registers> registers(block_);
    const std::int64_t groups = task_.groups();
    const int tiles = (memory_.control().num_sites + kTileSites - 1) / kTileSites;
    const bool fresh = !kLow && (memory_.control().num_pending > 0 || !memory_.control().has_sums);
    if (!kLow && memory_.control().num_pending > 0)
      block_.each([&](int thread) {
        if (thread / kWarp < groups) registers[thread].column = pending_column(static_cast<std::uint32_t>(thread));
      });
    block_.share_out(groups, [&](const auto& warp, std::int64_t group) {
      warp.each([&](int thread) {
        make_planes<kLow>(static_cast<std::uint32_t>(group), thread % kWarp, fresh, registers[thread]);
      });
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        warp.each([&](int thread) {
          give_planes(thread % kWarp, half, registers[thread].planes, memory_.exchange(thread / kWarp));
        });
        warp.sync();
        warp.each([&](int thread) {
          take_planes(thread % kWarp, memory_.exchange(thread / kWarp), registers[thread].columns[half]);
        });
        warp.sync();
      }
#pragma unroll
      for (int tile = 0; tile < kMaxTiles; ++tile) {
        if (tile >= tiles) break;
        if (tile > 0)
          warp.each([&](int thread) {
            take_rows(static_cast<std::uint32_t>(group), thread % kWarp, tile, registers[thread]);
          });
#pragma unroll
        for (int k = 0; k < 4; ++k)
#pragma unroll
          for (int half = 0; half < 2; ++half)
            warp.multiply([&](int thread) -> std::int32_t(&)[4] { return registers[thread].sums[tile][half]; },
                          [&](int thread) { return fragment(registers[thread], half, k); });
      }
    });
    add_up<kLow>(registers, tiles, fresh);
  }

  GPU_BODY static BinaryFragment fragment(const Registers& r, int half, int k) {
    const int chunk = k / 2, word = 2 * (k % 2);
    return {{r.rows[0][chunk].words[word], r.rows[1][chunk].words[word], r.rows[0][chunk].words[word + 1],
             r.rows[1][chunk].words[word + 1]},
            {r.columns[half][4 * chunk + word], r.columns[half][4 * chunk + word + 1]}};
  }

  /// Where a spin's column begins, in words: fewer than 2³² in a pattern set.
  GPU_BODY std::uint32_t column_of(int spin) const {
    return static_cast<std::uint32_t>(spin) * static_cast<std::uint32_t>(task_.column_words);
  }
  GPU_BODY std::uint32_t pending_column(std::uint32_t word) const {
    return patterns_[column_of(memory_.pending()[0]) + word];
  }

  /// A lane's word of 32 patterns: flips, digits, planes; sums where the state is `fresh`.
  template <bool kLow>
  GPU_BODY void make_planes(std::uint32_t group, int lane, bool fresh, Registers& r) {
    const std::uint32_t word = group * kGroupWords + static_cast<std::uint32_t>(lane);
    Words4* place = place_of(group, lane);
    Words4 pairs[4];
#pragma unroll
    for (int quad = 0; quad < 4; ++quad) pairs[quad] = place[quad * kWarp];
    const int flips = kLow ? 0 : memory_.control().num_pending;
    if (flips > 0) {
      turn(r.column, memory_.pending()[0], pairs);
      const std::uint32_t next = word + static_cast<std::uint32_t>(block_.threads());
      if (next < static_cast<std::uint32_t>(task_.column_words)) r.column = pending_column(next);
      for (int f = 1; f < flips; ++f)
        turn(patterns_[column_of(memory_.pending()[f]) + word], memory_.pending()[f], pairs);
#pragma unroll
      for (int quad = 0; quad < 4; ++quad) place[quad * kWarp] = pairs[quad];
    }

    if (!fresh)
      look_up<kLow>(pairs, r);
    else if (task_.weights.narrow)
      look_up_all<std::int32_t>(pairs, r);
    else
      look_up_all<std::int64_t>(pairs, r);
    if (kLow || fresh) {
      std::int32_t sums[4] = {};  // four chains
#pragma unroll
      for (int j = 0; j < 16; ++j) sums[j % 4] = add_halves(r.planes[j], sums[j % 4]);
      r.digit_sum += sums[0] + sums[1] + sums[2] + sums[3];
    }
    // The first tile's patterns come from far: they are asked for before the work that hides the wait.
    take_rows(group, lane, 0, r);
    transpose_halves(r.planes);
    if (!fresh) return;
    // The halves' top bits are no signs but marks, and those below them are the signs.
    r.digit_sum += (count_ones(r.planes[15]) - count_ones(r.planes[14])) * (1 << 15);
    list_outliers(word, place, r.planes[15]);
  }

  /// 32 patterns' agreements after a flip of this spin; `column` is its bits of them.
  GPU_BODY void turn(std::uint32_t column, int spin, Words4 (&pairs)[4]) {
    constexpr std::uint32_t kStep = sizeof(WeightEntry);
    const std::uint32_t up = memory_.plus()[spin] ? column : ~column;  // agreeing from now on
#pragma unroll
    for (int j = 0; j < 16; ++j) pairs[j / 4].words[j % 4] += 2 * kStep * (up >> j & 0x00010001u) - kStep * 0x00010001u;
  }

  /// The digits of 32 patterns, two to a word.
  template <bool kLow>
  GPU_BODY void look_up(const Words4 (&pairs)[4], Registers& r) {
    // All words are asked for before the first is used.
    std::uint32_t digits[32];
#pragma unroll
    for (int j = 0; j < 32; ++j) digits[j] = constant_word(memory_.weights(), offset_of(pairs, j));
#pragma unroll
    for (int j = 0; j < 16; ++j)
      r.planes[j] =
          kLow ? upper_halves(digits[2 * j], digits[2 * j + 1]) : lower_halves(digits[2 * j], digits[2 * j + 1]);
  }

  /// The high digits too, and sums of totals and F, 32 of which fit a Sum.
  template <class Sum>
  GPU_BODY void look_up_all(const Words4 (&pairs)[4], Registers& r) {
    constexpr int kTogether = 8;  // patterns whose words are asked for before the first is used
    Sum total = 0, separation = 0;
#pragma unroll
    for (int first = 0; first < 32; first += kTogether) {
      WeightEntry entries[kTogether];
#pragma unroll
      for (int j = 0; j < kTogether; ++j) {
        const std::uint32_t offset = offset_of(pairs, first + j);
        entries[j].digits = constant_word(memory_.weights(), offset);
        entries[j].total = static_cast<std::int32_t>(constant_word(&memory_.weights()->total, offset));
        entries[j].separation = static_cast<std::int32_t>(constant_word(&memory_.weights()->separation, offset));
      }
#pragma unroll
      for (int j = 0; j < kTogether; j += 2) {
        r.planes[(first + j) / 2] = lower_halves(entries[j].digits, entries[j + 1].digits);
        total += static_cast<Sum>(entries[j].total) + entries[j + 1].total;
        separation += static_cast<Sum>(entries[j].separation) + entries[j + 1].separation;
      }
    }
    r.total_sum += total;
    r.separation_sum += separation;
  }
  /// Of pattern j/2 (even j) or j/2 + 16 (odd j) of a word.
  GPU_BODY static std::uint32_t offset_of(const Words4 (&pairs)[4], int j) {
    const std::uint32_t pair = pairs[j / 8].words[j / 2 % 4];
    return j % 2 == 0 ? pair & 0xffff : pair >> 16;
  }

  GPU_BODY void list_outliers(std::uint32_t word, const Words4* place, std::uint32_t outside) {
    const std::int64_t there = task_.num_patterns - 32 * std::int64_t{word};
    outside &= there >= 32 ? ~0u : there <= 0 ? 0u : (1u << there) - 1;
    while (outside != 0) {
      const int pattern = trailing_zeros(outside);
      outside &= outside - 1;
      const int slot = block_.fetch_add(&memory_.control().num_outliers, 1);
      if (slot >= task_.max_outliers) continue;
      const std::uint32_t pair = place[pattern % 16 / 4 * kWarp].words[pattern % 4];
      memory_.outliers()[slot] = {32 * std::int64_t{word} + pattern,
                                  static_cast<int>((pair >> (pattern & 16) & 0xffff) / sizeof(WeightEntry))};
    }
  }

  /// Words of a tile's sites g and g + 8 in the order of take_planes().
  GPU_BODY void take_rows(std::uint32_t group, int lane, int tile, Registers& r) {
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      const int j = tile * kTileSites + lane / 4 + 8 * row;
      const int spin = memory_.sites()[j < memory_.control().num_sites ? j : 0];
      const std::uint32_t* column =
          patterns_ + (column_of(spin) + group * kGroupWords + static_cast<std::uint32_t>(lane % 4 * 4));
#pragma unroll
      for (int chunk = 0; chunk < 2; ++chunk)
        r.rows[row][chunk] = *reinterpret_cast<const Words4*>(column + 16 * chunk);
    }
  }

  /// From all lanes' sums to the fields and sums of the block.
  template <bool kLow>
  GPU_BODY void add_up(typename Block::template PerThread<Registers>& registers, int tiles, bool fresh) {
    typename Block::template PerThread<std::int64_t> part(block_);
#pragma unroll
    for (int tile = 0; tile < kMaxTiles; ++tile) {
      if (tile >= tiles) break;
#pragma unroll
      for (int row = 0; row < 2; ++row) {
        block_.each([&](int thread) {
          std::int64_t field = 0;
          for (int half = 0; half < 2; ++half)
            for (int j = 0; j < 2; ++j)
              field += plane_weight<kLow>(8 * half + fragment_column(thread % kWarp, j)) *
                       registers[thread].sums[tile][half][2 * row + j];
          part[thread] = field;
        });
        block_.sum_quads(part);
        block_.each([&](int thread) {
          if (thread % 4 == 0)
            memory_.shares(thread / kWarp)[tile * kTileSites + 8 * row + thread % kWarp / 4] = part[thread];
        });
      }
    }
    const auto share = [&](int which, const auto& sum_of) {
      block_.each([&](int thread) { part[thread] = sum_of(registers[thread]); });
      block_.sum_warps(part);
      block_.each([&](int thread) {
        if (thread % kWarp == 0) memory_.shares(thread / kWarp)[kMaxSites + which] = part[thread];
      });
    };
    if (kLow || fresh) share(0, [](const Registers& r) { return r.digit_sum; });
    if (fresh) {
      share(1, [](const Registers& r) { return r.total_sum; });
      share(2, [](const Registers& r) { return r.separation_sum; });
    }
    block_.sync();
    block_.each([&](int thread) {
      const auto sum = [&](int which) {
        std::int64_t all = 0;
        for (int warp = 0; warp < block_.warps(); ++warp) all += memory_.shares(warp)[which];
        return all;
      };
      if (thread < memory_.control().num_sites) (kLow ? memory_.low_fields() : memory_.fields())[thread] = sum(thread);
      TrialControl& c = memory_.control();
      const int which = thread - kMaxSites;
      const std::int64_t padding = 32 * task_.column_words - task_.num_patterns;
      const int agreements = task_.num_neurons - c.plus_count;  // of the padding, all −1
      if (kLow) {
        if (which == 0) c.low_sum = sum(kMaxSites) - padding * low_digits(memory_.weights()[agreements].digits);
      } else if (fresh) {
        if (which == 0) c.high_sum = sum(kMaxSites) - padding * high_digits(memory_.weights()[agreements].digits);
        if (which == 1) c.total_sum = sum(kMaxSites + 1) - padding * memory_.weights()[agreements].total;
        if (which == 2) c.separation_digits = sum(kMaxSites + 2) - padding * memory_.weights()[agreements].separation;
      }
    });
    block_.sync();
  }

  template <bool kLow>
  GPU_BODY static std::int64_t plane_weight(int plane) {
    constexpr int kTop = kLow ? 15 : 14;
    const std::int64_t weight = std::int64_t{1} << plane;
    return plane < kTop ? weight : plane == kTop ? -weight : 0;
  }

  Block& block_;
  const RecallTask& task_;
  TrialMemory memory_;
  std::uint32_t* far_positions_;
  const std::uint32_t* patterns_ = nullptr;
};

}  // namespace gpu

// Whole trials on the card: a block draws a pattern set, its cues, recalls and judges them, and takes the next set.
#pragma once

#include "gpu/dam/recall_body.h"

namespace gpu {

/// Fills the columns of a pattern set from random blocks of 256 bits, `kTogether` at a time; bits beyond K are 0.
template <int kTogether, class Block, class Draw>
GPU_BODY void fill_columns(Block& block, const RecallTask& task, std::uint32_t* columns, const Draw& draw) {
  constexpr int kWords = 8 * kTogether;
  const std::int64_t pieces = task.column_words / kWords;
  block.each([&](int thread) {
    std::int64_t spin = thread / pieces, piece = thread % pieces;
    while (spin < task.num_neurons) {
      // Else the key's sums with the number of each round would fill the registers.
      const StreamKey key = {opaque(task.key.seed), opaque(task.key.configuration), task.key.num_patterns};
      RandomBlock bits[kTogether];
#pragma unroll
      for (int b = 0; b < kTogether; ++b)
        bits[b] = draw(key, static_cast<std::uint64_t>(kTogether * piece + b), static_cast<std::uint64_t>(spin));
      const std::int64_t there = task.num_patterns - 32 * kWords * piece;
      auto* place = reinterpret_cast<Words4*>(columns + spin * task.column_words + kWords * piece);
#pragma unroll
      for (int quad = 0; quad < kWords / 4; ++quad) {
        Words4 words;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          std::uint64_t word = bits[quad / 2].words[quad % 2 * 2 + half];
          const std::int64_t left = there - 128 * quad - 64 * half;
          if (left < 64) word &= left <= 0 ? 0 : (std::uint64_t{1} << left) - 1;
          words.words[2 * half] = static_cast<std::uint32_t>(word);
          words.words[2 * half + 1] = static_cast<std::uint32_t>(word >> 32);
        }
        place[quad] = words;
      }
      piece += block.threads();
      while (piece >= pieces) {
        piece -= pieces;
        ++spin;
      }
    }
  });
}

/// Draws pattern set `cluster` into columns.
template <class Block>
GPU_BODY void draw_patterns(Block& block, const ClusterBatch& batch, std::int64_t cluster, std::uint32_t* columns) {
  const RecallTask& task = batch.task;
  // Two fair blocks at a time: one alone would wait for its own rounds.
  if (batch.fair)
    fill_columns<2>(block, task, columns, [&](const StreamKey& key, std::uint64_t column, std::uint64_t row) {
      return random_block(key, static_cast<std::int64_t>(opaque(static_cast<std::uint64_t>(cluster))),
                          core::Purpose::patterns, column, row);
    });
  else
    fill_columns<1>(block, task, columns, [&](const StreamKey& key, std::uint64_t column, std::uint64_t row) {
      return bernoulli_block(key, cluster, core::Purpose::patterns, batch.digits_plus, column, row);
    });
}

/// Draws the cue of a trial from pattern `target` into plus().
template <class Block>
GPU_BODY void draw_cue(Block& block, const ClusterBatch& batch, std::int64_t trial, std::int64_t target,
                       const std::uint32_t* columns, std::uint8_t* plus) {
  const RecallTask& task = batch.task;
  block.each([&](int thread) {
    for (int first = 256 * thread; first < task.num_neurons; first += 256 * block.threads()) {
      RandomBlock kept = {{~0ull, ~0ull, ~0ull, ~0ull}};
      if (!batch.keeps_all)
        kept = bernoulli_block(task.key, trial, core::Purpose::cue, batch.digits_kept,
                               static_cast<std::uint64_t>(first / 256), 0);
      for (int spin = first; spin < first + 256 && spin < task.num_neurons; ++spin) {
        const auto keep = static_cast<std::uint32_t>(kept.words[spin % 256 / 64] >> (spin % 64) & 1);
        const std::uint32_t bit = columns[spin * task.column_words + target / 32] >> (target % 32) & 1;
        plus[spin] = static_cast<std::uint8_t>(keep == bit);
      }
    }
  });
}

/// Components of plus() that differ from pattern `target` go to control().wrong_bits.
template <class Block, bool kNear>
GPU_BODY void judge(Block& block, const RecallTask& task, std::int64_t target, const std::uint32_t* columns,
                    RecallBody<Block, kNear>& recall) {
  block.each([&](int thread) {
    int wrong = 0;
    for (int spin = thread; spin < task.num_neurons; spin += block.threads())
      wrong += (columns[spin * task.column_words + target / 32] >> (target % 32) & 1) != recall.memory().plus()[spin];
    if (wrong > 0) block.fetch_add(&recall.memory().control().wrong_bits, wrong);
  });
}

/// Takes the next item of the batch, for all threads of the block.
template <class Block, bool kNear>
GPU_BODY std::int64_t next_item(Block& block, RecallBody<Block, kNear>& recall, std::int64_t* next) {
  block.sync();
  block.first([&] { recall.memory().control().item = block.fetch_add(next, 1); });
  block.sync();
  return recall.memory().control().item;
}

/// `kNear` as for RecallBody.
template <bool kNear, class Block>
GPU_BODY void run_clusters(Block& block, const ClusterBatch& batch, std::byte* shared) {
  const RecallTask& task = batch.task;
  std::uint32_t* columns = batch.patterns + block.index() * task.num_neurons * task.column_words;
  RecallBody<Block, kNear> recall(block, task, shared);
  for (;;) {
    const std::int64_t item = next_item(block, recall, batch.next);
    if (item >= batch.count) break;
    const std::int64_t cluster = batch.clusters[item];
    draw_patterns(block, batch, cluster, columns);
    block.sync();
    for (int cue = 0; cue < batch.cues; ++cue) {
      const std::int64_t trial = cluster * batch.cues + cue, target = cue % task.num_patterns;
      draw_cue(block, batch, trial, target, columns, recall.memory().plus());
      block.sync();
      recall.run(columns, trial);
      judge(block, task, target, columns, recall);
      block.sync();
      block.first([&] { batch.outcomes[item * batch.cues + cue] = recall.outcome(); });
      block.sync();
    }
  }
}

template <bool kNear, class Block>
GPU_BODY void run_states(Block& block, const StateBatch& batch, std::byte* shared) {
  const RecallTask& task = batch.task;
  RecallBody<Block, kNear> recall(block, task, shared);
  for (;;) {
    const std::int64_t item = next_item(block, recall, batch.next);
    if (item >= batch.count) break;
    std::int8_t* state = batch.states + item * task.num_neurons;
    block.each([&](int thread) {
      for (int spin = thread; spin < task.num_neurons; spin += block.threads())
        recall.memory().plus()[spin] = state[spin] > 0;
    });
    block.sync();
    recall.run(batch.patterns, item);
    block.sync();
    block.each([&](int thread) {
      for (int spin = thread; spin < task.num_neurons; spin += block.threads())
        state[spin] = recall.memory().plus()[spin] ? 1 : -1;
    });
    block.first([&] { batch.outcomes[item] = recall.outcome(); });
  }
}

}  // namespace gpu

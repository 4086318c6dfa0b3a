// A block of threads played by one host thread, so that kernel bodies are tested without a card.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "gpu/device/body.h"
#include "gpu/device/fragments.h"

namespace gpu {

/// A warp, whose lanes work in step.
class HostWarp {
 public:
  explicit HostWarp(int first_thread) : first_(first_thread) {}

  /// phase(thread) on every thread of the warp; no barrier follows.
  template <class Phase>
  void each(const Phase& phase) const {
    for (int thread = first_; thread < first_ + kWarp; ++thread) phase(thread);
  }
  void sync() const {}

  /// C += popcount(A and B); c(thread) is the thread's part of C, fragment(thread) of A and B (fragments.h).
  template <class C, class Fragment>
  void multiply(const C& c, const Fragment& fragment) const {
    std::uint32_t rows[16][8], columns[8][8];
    for (int lane = 0; lane < kWarp; ++lane) {
      const BinaryFragment f = fragment(first_ + lane);
      for (int r = 0; r < 4; ++r) rows[lane / 4 + 8 * (r % 2)][4 * (r / 2) + lane % 4] = f.a[r];
      for (int r = 0; r < 2; ++r) columns[lane / 4][4 * r + lane % 4] = f.b[r];
    }
    for (int lane = 0; lane < kWarp; ++lane)
      for (int j = 0; j < 4; ++j)
        for (int word = 0; word < 8; ++word)
          c(first_ + lane)[j] +=
              std::popcount(rows[fragment_row(lane, j)][word] & columns[fragment_column(lane, j)][word]);
  }

  /// C += A B for 16·kRows × 8·kColumns numbers, eight inner ones. c(thread) is the thread's part of C, kRows·kColumns
  /// fragments of four (fragments.h) row by row; a(row, inner) and b(inner, column) read the factors.
  template <int kRows, int kColumns, class T, class C, class A, class B>
  void multiply_real(Precision precision, const C& c, const A& a, const B& b) const {
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < kColumns; ++j) {
        T left[16][8], right[8][8];
        for (int lane = 0; lane < kWarp; ++lane) {
          for (int r = 0; r < 4; ++r)
            left[lane / 4 + 8 * (r % 2)][lane % 4 + 4 * (r / 2)] = a(16 * i + real_row(lane, r), real_inner(lane, r));
          for (int r = 0; r < 2; ++r) right[lane % 4 + 4 * r][lane / 4] = b(real_inner_b(lane, r), 8 * j + lane / 4);
        }
        for (int lane = 0; lane < kWarp; ++lane)
          for (int e = 0; e < 4; ++e) {
            T& sum = c(first_ + lane)[4 * (i * kColumns + j) + e];
            const int row = fragment_row(lane, e), column = fragment_column(lane, e);
            for (int k = 0; k < 8; ++k) sum += product(precision, left[row][k], right[k][column]);
          }
      }
  }

  // What follows is for a warp that works as one: every lane calls it.

  /// The first i in [begin, end) that is wanted; else end.
  template <class Wanted>
  int find(int begin, int end, const Wanted& wanted) const {
    while (begin < end && !wanted(begin)) ++begin;
    return begin;
  }
  /// take(slot, i) for the first `most` i in [begin, end) that are wanted, slots counting from 0; returns how many.
  /// take() may run before a later wanted(), or after.
  template <class Wanted, class Take>
  int gather(int begin, int end, int most, const Wanted& wanted, const Take& take) const {
    int count = 0;
    for (int i = begin; i < end && count < most; ++i)
      if (wanted(i)) take(count++, i);
    return count;
  }
  /// work() on one lane, seen by all.
  template <class Work>
  void one(const Work& work) const {
    work();
  }

 private:
  static double product(Precision, double a, double b) { return a * b; }
  static float product(Precision precision, float a, float b) {
    const float big_a = rounded_tf32(a), big_b = rounded_tf32(b);
    if (precision == Precision::tf32) return big_a * big_b;
    return rounded_tf32(a - big_a) * big_b + big_a * rounded_tf32(b - big_b) + big_a * big_b;
  }

  int first_;
};

/// What a kernel body may ask of the block it runs on. A body is a sequence of phases, each the work of every thread
/// between two barriers: each() runs a phase, PerThread keeps a thread's own values from phase to phase.
///
/// CudaBlock (cuda_block.cuh) is the same on the card, where each() runs its own thread alone.
class HostBlock {
 public:
  HostBlock(int threads, std::int64_t index, std::int64_t count) : threads_(threads), index_(index), count_(count) {}

  int threads() const { return threads_; }
  int warps() const { return threads_ / kWarp; }
  std::int64_t index() const { return index_; }  // of this block in the grid
  std::int64_t count() const { return count_; }  // blocks in the grid

  /// A variable of every thread's own.
  template <class T>
  class PerThread {
   public:
    explicit PerThread(const HostBlock& block) : values_(static_cast<std::size_t>(block.threads())) {}
    T& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }
    const T& at(int thread) const { return values_[static_cast<std::size_t>(thread)]; }

   private:
    std::vector<T> values_;
  };

  /// phase(thread) on every thread; no barrier follows.
  template <class Phase>
  void each(const Phase& phase) {
    for (int thread = 0; thread < threads_; ++thread) phase(thread);
  }
  /// phase() on the first thread alone.
  template <class Phase>
  void first(const Phase& phase) {
    phase();
  }
  /// phase() on the last thread alone.
  template <class Phase>
  void last(const Phase& phase) {
    phase();
  }
  /// phase(warp) on the first warp; its lanes all run the phase's own code.
  template <class Phase>
  void first_warp(const Phase& phase) {
    phase(HostWarp(0));
  }
  void sync() {}

  /// value[thread] becomes the sum over the thread's warp, or over its quad (four neighbours).
  void sum_warps(PerThread<std::int64_t>& value) { sum_over(kWarp, value); }
  void sum_quads(PerThread<std::int64_t>& value) { sum_over(4, value); }
  /// value[thread] becomes combine(…) of all values of its warp, pairs first: one order, whatever the machine.
  template <class T, class Combine>
  void combine_warps(PerThread<T>& value, const Combine& combine) {
    for (int distance = kWarp / 2; distance > 0; distance /= 2) {
      const PerThread<T> before = value;
      for (int thread = 0; thread < threads_; ++thread)
        value[thread] = combine(before.at(thread), before.at(thread ^ distance));
    }
  }

  /// body(warp, item) for every item below count, each on one warp, in turns.
  template <class Body>
  void share_out(std::int64_t count, const Body& body) {
    for (std::int64_t item = 0; item < count; ++item) body(HostWarp(static_cast<int>(item % warps()) * kWarp), item);
  }

  /// The value before `amount` was added, on a counter that all blocks share.
  std::int64_t fetch_add(std::int64_t* counter, std::int64_t amount) { return (*counter += amount) - amount; }
  /// The same on one that the block's threads share.
  int fetch_add(int* counter, int amount) { return (*counter += amount) - amount; }

 private:
  void sum_over(int width, PerThread<std::int64_t>& value) {
    for (int first = 0; first < threads_; first += width) {
      std::int64_t sum = 0;
      for (int thread = first; thread < first + width; ++thread) sum += value[thread];
      for (int thread = first; thread < first + width; ++thread) value[thread] = sum;
    }
  }

  int threads_;
  std::int64_t index_, count_;
};

}  // namespace gpu

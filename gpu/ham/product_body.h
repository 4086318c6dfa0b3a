// Products of matrices on the tensor cores; a factor may be the patches of images, gathered as they are needed.
#pragma once

#include <cstddef>

#include "gpu/device/fragments.h"
#include "ham/kernels/kernels.h"

namespace gpu {

/// A factor: a matrix in memory, element (i, j) at i·row + j; or the patches of images, row i an output position of
/// some image, column j an element of its patch.
template <class T>
struct Source {
  const T* data = nullptr;
  long row = 0;
  bool patches = false;
  ham::Window window{};

  // Of patches: where a row's patch begins, and an element of a patch beside that.
  struct Place {
    long image;
    int y, x;
  };
  struct Element {
    int y, x;
  };
  GPU_BODY Place place(int row_index) const {
    const int positions = window.out_height * window.out_width, line = window.width * window.channels;
    const int position = row_index % positions;
    return {static_cast<long>(row_index / positions) * window.height * line,
            position / window.out_width * window.stride_height - window.padding_height,
            (position % window.out_width * window.stride_width - window.padding_width) * window.channels};
  }
  GPU_BODY Element element(int column) const {  // columns and channels of a patch are neighbours
    const int line = window.kernel_width * window.channels;
    return {column / line, column % line};
  }
  GPU_BODY T patch_at(const Place& at, const Element& element) const {
    const int line = window.width * window.channels, y = at.y + element.y, x = at.x + element.x;
    if (y < 0 || y >= window.height || x < 0 || x >= line) return T(0);
    return data[at.image + y * line + x];
  }
};

/// One term of a sum of products.
template <class T>
struct Factors {
  Source<T> a;
  bool turned = false;  ///< A is the source's transpose
  const T* b = nullptr;
  long b_row = 0, b_column = 1;  ///< element (k, j) of B at k·b_row + j·b_column
};

/// Where a factor or a result of matrix (sample, group) begins.
struct Step {
  long sample = 0, group = 0;
  GPU_BODY long to(long index, long groups) const { return index / groups * sample + index % groups * group; }
};

/// C = start + Σ_terms A B for `batches` groups of matrices, C m×n, each term's inner length k.
///
/// A block computes a tile of C. With parts > 1 the inner lengths are cut into as many ranges, and part p's sums go to
/// C + p·m·n without the start: a Reduce adds them in order.
template <class T>
struct Product {
  long m = 0, n = 0, k = 0;
  Factors<T> terms[2];
  int num_terms = 0;
  T* c = nullptr;
  const T* start = nullptr;
  long c_row = 0;
  long batches = 1, groups = 1;
  Step a_step, b_step, c_step;
  int parts = 1;
  bool large = false;  ///< tiles of 128 × 128 rather than 64 × 64
  Precision precision = Precision::full;

  // Rows and columns of a tile, inner numbers at a time, warps along the rows and along the columns.
  template <int kM, int kN, int kWarpsM, int kWarpsN>
  struct Tile {
    static constexpr int kRows = kM, kColumns = kN, kInner = 32, kAcross = kWarpsM, kAlong = kWarpsN;
    static constexpr int kThreads = kWarpsM * kWarpsN * kWarp;
    static constexpr int kWarpRows = kM / kWarpsM / 16, kWarpColumns = kN / kWarpsN / 8;  // fragments
    static constexpr int kSums = 4 * kWarpRows * kWarpColumns;
    static constexpr int kLeft = kM * kInner / kThreads, kRight = kN * kInner / kThreads;  // numbers a thread loads
    static constexpr int kLeftLine = kInner + 4, kRightLine = kN + 8;  // so that fragments are in different banks
    static constexpr std::size_t kShared = (kM * kLeftLine + kInner * kRightLine) * sizeof(T);
  };
  using Small = Tile<64, 64, 2, 2>;
  using Large = Tile<128, 128, 2, 4>;

  template <class Block>
  GPU_BODY void run(Block& block, std::byte* shared) const {
    if (large)
      gathers() ? compute<Large, true>(block, shared) : compute<Large, false>(block, shared);
    else
      gathers() ? compute<Small, true>(block, shared) : compute<Small, false>(block, shared);
  }

  /// Whether a factor is patches; a kernel of its own leaves products of matrices the registers that gathering takes.
  GPU_BODY bool gathers() const { return terms[0].a.patches || (num_terms > 1 && terms[1].a.patches); }

  template <class Shape, bool kGathers, class Block>
  GPU_BODY void compute(Block& block, std::byte* shared) const {
    struct Sums {
      T values[Shape::kSums];
    };
    struct Staged {
      T left[Shape::kLeft], right[Shape::kRight];
    };
    struct Places {
      typename Source<T>::Place rows[kGathers ? Shape::kLeft : 1];
    };
    T* const left = reinterpret_cast<T*>(shared);
    T* const right = left + Shape::kRows * Shape::kLeftLine;
    const long tiles_m = (m + Shape::kRows - 1) / Shape::kRows, tiles_n = (n + Shape::kColumns - 1) / Shape::kColumns;
    long index = block.index();
    const long row = index % tiles_m * Shape::kRows;
    index /= tiles_m;
    const long column = index % tiles_n * Shape::kColumns;
    index /= tiles_n;
    const int part = static_cast<int>(index % parts);
    const long batch = index / parts;
    const long a_at = a_step.to(batch, groups), b_at = b_step.to(batch, groups);
    const long slices = (k + Shape::kInner - 1) / Shape::kInner, all = slices * num_terms;
    const long first = all * part / parts, last = all * (part + 1) / parts;

    typename Block::template PerThread<Sums> sums(block);
    typename Block::template PerThread<Staged> staged(block);
    typename Block::template PerThread<Places> places(block);  // of the rows of patches that a thread reads
    if (kGathers && terms[0].a.patches && !terms[0].turned)
      block.each([&](int thread) {
#pragma unroll
        for (int e = 0; e < Shape::kLeft; ++e)
          places[thread].rows[kGathers ? e : 0] =
              terms[0].a.place(static_cast<int>(row) + (thread + e * Shape::kThreads) / Shape::kInner);
      });
    const auto load = [&](long slice) {
      const Factors<T>& term = terms[slice >= slices];
      const int inner = static_cast<int>((slice >= slices ? slice - slices : slice) * Shape::kInner);
      const T *const a = term.a.data + a_at, *const b = term.b + b_at;
      const int top = static_cast<int>(row), side = static_cast<int>(column), most_i = static_cast<int>(m),
                most_k = static_cast<int>(k), most_j = static_cast<int>(n);
      const int a_row = static_cast<int>(term.a.row), b_row = static_cast<int>(term.b_row),
                b_column = static_cast<int>(term.b_column);
      // Neighbouring threads read neighbouring numbers, along whichever axis they are.
      const bool a_along_k = !term.turned;
      const bool b_along_k = term.b_row == 1;
      block.each([&](int thread) {
        Staged& mine = staged[thread];
        // One index of a thread's numbers is the same for all of them: kThreads is a multiple of both lengths.
        using Element = typename Source<T>::Element;
        Element element{};
        if (kGathers && term.a.patches)
          element = term.a.element(
              static_cast<int>(term.turned ? row + thread % Shape::kRows : inner + thread % Shape::kInner));
#pragma unroll
        for (int e = 0; e < Shape::kLeft; ++e) {
          const int at = thread + e * Shape::kThreads;
          const int i = top + (a_along_k ? at / Shape::kInner : at % Shape::kRows);
          const int j = inner + (a_along_k ? at % Shape::kInner : at / Shape::kRows);
          mine.left[e] = T(0);
          if (i >= most_i || j >= most_k) continue;
          if (!kGathers || !term.a.patches)
            mine.left[e] = a[term.turned ? j * a_row + i : i * a_row + j];
          else
            mine.left[e] =
                term.a.patch_at(term.turned ? term.a.place(j) : places[thread].rows[kGathers ? e : 0], element);
        }
#pragma unroll
        for (int e = 0; e < Shape::kRight; ++e) {
          const int at = thread + e * Shape::kThreads;
          const int j = inner + (b_along_k ? at % Shape::kInner : at / Shape::kColumns);
          const int i = side + (b_along_k ? at / Shape::kInner : at % Shape::kColumns);
          mine.right[e] = j < most_k && i < most_j ? b[j * b_row + i * b_column] : T(0);
        }
      });
    };
    const auto store = [&](long slice) {
      const Factors<T>& term = terms[slice >= slices];
      const bool a_along_k = !term.turned;
      const bool b_along_k = term.b_row == 1;
      block.each([&](int thread) {
        Staged& mine = staged[thread];
#pragma unroll
        for (int e = 0; e < Shape::kLeft; ++e) {
          const int at = thread + e * Shape::kThreads;
          const int i = a_along_k ? at / Shape::kInner : at % Shape::kRows;
          const int j = a_along_k ? at % Shape::kInner : at / Shape::kRows;
          left[i * Shape::kLeftLine + j] = mine.left[e];
        }
#pragma unroll
        for (int e = 0; e < Shape::kRight; ++e) {
          const int at = thread + e * Shape::kThreads;
          const int j = b_along_k ? at % Shape::kInner : at / Shape::kColumns;
          const int i = b_along_k ? at / Shape::kInner : at % Shape::kColumns;
          right[j * Shape::kRightLine + i] = mine.right[e];
        }
      });
    };

    if (first < last) load(first);
    for (long slice = first; slice < last; ++slice) {
      block.sync();
      store(slice);
      block.sync();
      if (slice + 1 < last) load(slice + 1);
      block.share_out(block.warps(), [&](const auto& warp, long which) {
        const int w = static_cast<int>(which);
        const T* const a = left + w / Shape::kAlong * (Shape::kRows / Shape::kAcross) * Shape::kLeftLine;
        const T* const b = right + w % Shape::kAlong * (Shape::kColumns / Shape::kAlong);
#pragma unroll
        for (int inner = 0; inner < Shape::kInner; inner += 8)
          warp.template multiply_real<Shape::kWarpRows, Shape::kWarpColumns, T>(
              precision, [&](int thread) -> T* { return sums[thread].values; },
              [&](int i, int j) { return a[i * Shape::kLeftLine + inner + j]; },
              [&](int i, int j) { return b[(inner + i) * Shape::kRightLine + j]; });
      });
    }
    const bool whole = parts == 1;
    T* const to = whole ? c + c_step.to(batch, groups) : c + part * m * n;
    const T* const from = whole && start != nullptr ? start + c_step.to(batch, groups) : nullptr;
    const long line = whole ? c_row : n;
    block.each([&](int thread) {
      const int lane = thread % kWarp, w = thread / kWarp;
      const long corner_row = row + w / Shape::kAlong * (Shape::kRows / Shape::kAcross);
      const long corner_column = column + w % Shape::kAlong * (Shape::kColumns / Shape::kAlong);
#pragma unroll
      for (int e = 0; e < Shape::kSums; ++e) {
        const int fragment = e / 4;
        const long i = corner_row + 16 * (fragment / Shape::kWarpColumns) + fragment_row(lane, e % 4);
        const long j = corner_column + 8 * (fragment % Shape::kWarpColumns) + fragment_column(lane, e % 4);
        if (i >= m || j >= n) continue;
        const long at = i * line + j;
        to[at] = (from == nullptr ? T(0) : from[at]) + sums[thread].values[e];
      }
    });
  }
};

}  // namespace gpu

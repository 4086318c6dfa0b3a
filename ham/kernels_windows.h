// Convolution and pooling for ham/kernels_loops.h, under the same rules.
#pragma once

#include "ham/kernels_products.h"

namespace ham::HAM_KERNEL_SET {
namespace {

// ---- windows -----------------------------------------------------------------------------------------------------

// Calls visit(patch offset, input offset, numbers) for every part of a kernel row that lies inside the image.
template <class Visit>
void for_each_run(const Window& w, long oy, long ox, Visit visit) {
  const long x0 = ox * w.stride_width - w.padding_width;
  const long first = x0 < 0 ? -x0 : 0;
  const long last = x0 + w.kernel_width > w.width ? w.width - x0 : w.kernel_width;
  if (last <= first) return;
  for (long ky = 0; ky < w.kernel_height; ++ky) {
    const long y = oy * w.stride_height - w.padding_height + ky;
    if (y < 0 || y >= w.height) continue;
    visit((ky * w.kernel_width + first) * w.channels, (y * w.width + x0 + first) * w.channels,
          (last - first) * w.channels);
  }
}

bool padded(const Window& w) {
  return w.padding_height > 0 || w.padding_width > 0 ||
         (w.out_height - 1) * w.stride_height + w.kernel_height > w.height ||
         (w.out_width - 1) * w.stride_width + w.kernel_width > w.width;
}

template <class T>
void gather(const Window& w, long images, const T* x, T* patches) {
  if (padded(w)) std::memset(patches, 0, static_cast<std::size_t>(images * w.positions() * w.patch()) * sizeof(T));
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long oy = 0; oy < w.out_height; ++oy)
      for (long ox = 0; ox < w.out_width; ++ox, patches += w.patch())
        for_each_run(w, oy, ox, [&](long to, long from, long count) {
          std::memcpy(patches + to, x + from, static_cast<std::size_t>(count) * sizeof(T));
        });
}

template <class T>
void scatter_add(const Window& w, long images, const T* patches, T* x) {
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long oy = 0; oy < w.out_height; ++oy)
      for (long ox = 0; ox < w.out_width; ++ox, patches += w.patch())
        for_each_run(w, oy, ox, [&](long from, long to, long count) {
          for (long i = 0; i < count; ++i) x[to + i] += patches[from + i];
        });
}

// Calls visit(output offset, first input offset) for every window; offsets count from the image's own start.
template <class Visit>
void for_each_window(const Window& w, Visit visit) {
  for (long oy = 0; oy < w.out_height; ++oy)
    for (long ox = 0; ox < w.out_width; ++ox)
      visit((oy * w.out_width + ox) * w.channels,
            (oy * w.stride_height * w.width + ox * w.stride_width) * static_cast<long>(w.channels));
}

template <class T>
void larger_of(int channels, std::int32_t place, const T* __restrict x, T* __restrict largest,
               std::int32_t* __restrict pick) {
  for (std::int32_t c = 0; c < channels; ++c) {
    const bool larger = x[c] > largest[c];
    largest[c] = larger ? x[c] : largest[c];
    pick[c] = larger ? place : pick[c];
  }
}

template <class T>
void max_pool(const Window& w, long images, const T* x, T* y, std::int32_t* picks, const std::int32_t* places) {
  const long out_size = w.positions() * w.channels;
  const auto place = [&](long at) {
    return places == nullptr ? static_cast<std::int32_t>(at) : places[at / w.channels];
  };
  for (long b = 0; b < images; ++b, x += w.input_size(), y += out_size, picks += out_size)
    for_each_window(w, [&](long out, long in) {
      std::memcpy(y + out, x + in, static_cast<std::size_t>(w.channels) * sizeof(T));
      const std::int32_t corner = place(in);
      for (std::int32_t c = 0; c < w.channels; ++c) picks[out + c] = corner;
      for (int ky = 0; ky < w.kernel_height; ++ky)
        for (int kx = ky == 0; kx < w.kernel_width; ++kx) {
          const long at = in + (static_cast<long>(ky) * w.width + kx) * w.channels;
          larger_of(w.channels, place(at), x + at, y + out, picks + out);
        }
    });
}

template <class T>
void take(const Window& w, long images, const std::int32_t* picks, const T* x, T* y) {
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long cell = 0; cell < w.positions(); ++cell, y += w.channels, picks += w.channels)
      for (int c = 0; c < w.channels; ++c) y[c] = x[picks[c] + c];
}

template <class T>
void give(const Window& w, long images, const std::int32_t* picks, const T* y, T* x) {
  for (long b = 0; b < images; ++b, x += w.input_size())
    for (long cell = 0; cell < w.positions(); ++cell, y += w.channels, picks += w.channels)
      for (int c = 0; c < w.channels; ++c) x[picks[c] + c] += y[c];
}

// ---- a convolution of which one position per cell and channel is wanted ------------------------------------------

// Images with their zeros around them, and each channel's kernel as `taps` numbers in a row: its rows are lines of
// whole vectors, filled up with zeros, and a line meets one run of an image.
template <class T>
struct Bordered {
  long row, size;    // numbers of a row and of an image
  long span, line;   // numbers of a kernel row, without and with what fills it up
  long taps, block;  // `block` images stay in the first-level cache together

  explicit Bordered(const Window& w)
      : row((w.width + 2L * w.padding_width) * w.channels),
        size((w.height + 2L * w.padding_height) * row),
        span(static_cast<long>(w.kernel_width) * w.channels),
        line((span + kLanes<T> - 1) / kLanes<T> * kLanes<T>),
        taps(w.kernel_height * line),
        block(kFirstLevelBytes / (size * static_cast<long>(sizeof(T)))) {
    if (block < 1) block = 1;
  }
};

// Zeros with room for a block of images, and for what the last line reads beyond it.
template <class T>
T* empty_images(const Bordered<T>& bordered) {
  const long room = bordered.block * bordered.size + bordered.line;
  return static_cast<T*>(
      std::memset(scratch<T>(Scratch::bordered, room), 0, static_cast<std::size_t>(room) * sizeof(T)));
}

// Calls body(place in the bordered image, place in the image, numbers) for the rows of an image.
template <class T, class Body>
void for_each_row(const Window& w, const Bordered<T>& bordered, Body body) {
  const long numbers = static_cast<long>(w.width) * w.channels;
  for (long y = 0; y < w.height; ++y)
    body((y + w.padding_height) * bordered.row + static_cast<long>(w.padding_width) * w.channels, y * numbers, numbers);
}

// Calls body(images, those images with their borders, how many are before them) for blocks that are not all zeros.
template <class T, class Body>
void for_each_block(const Window& w, const Bordered<T>& bordered, long images, const T* x, Body body) {
  T* const buffer = empty_images(bordered);
  for (long first = 0; first < images; first += bordered.block) {
    const long count = images - first < bordered.block ? images - first : bordered.block;
    const T* const from = x + first * w.input_size();
    if (ConstRun<T>(from, count * w.input_size()).isZero(T(0))) continue;
    for (long b = 0; b < count; ++b)
      for_each_row(w, bordered, [&](long to, long at, long numbers) {
        std::memcpy(buffer + b * bordered.size + to, from + b * w.input_size() + at,
                    static_cast<std::size_t>(numbers) * sizeof(T));
      });
    body(count, buffer, first);
  }
}

// Room for every channel's taps.
template <class T>
T* empty_taps(const Bordered<T>& bordered, int channels) {
  const long room = channels * bordered.taps;
  return static_cast<T*>(std::memset(scratch<T>(Scratch::taps, room), 0, static_cast<std::size_t>(room) * sizeof(T)));
}

// Every channel's taps, of a kernel stored (patch, channel).
template <class T>
const T* taps_of(const Window& w, const Bordered<T>& bordered, int channels, const T* kernel) {
  T* const taps = empty_taps(bordered, channels);
  for (long ky = 0; ky < w.kernel_height; ++ky)
    turn<T, false>(bordered.span, channels, kernel + ky * bordered.span * channels, channels, taps + ky * bordered.line,
                   bordered.taps);
  return taps;
}

// Calls body.operator()<vectors>(first tap, where its number is in a patch) for pieces that make up a channel's taps.
template <int kMost, class T, class Body>
void for_each_piece(const Window& w, const Bordered<T>& bordered, Body body) {
  for (long ky = 0; ky < w.kernel_height; ++ky) {
    long at = 0;
    for (; at + kMost * kLanes<T> <= bordered.line; at += kMost * kLanes<T>)
      body.template operator()<kMost>(ky * bordered.line + at, ky * bordered.row + at);
    for (; at < bordered.line; at += kLanes<T>)
      body.template operator()<1>(ky * bordered.line + at, ky * bordered.row + at);
  }
}

// Calls body(number of a channel-0 cell, its candidate's patch_begin, the candidate's number in the output) for all
// positions that can win.
template <class Body>
void for_each_candidate(const Picked& p, Body body) {
  const Window& pool = p.pool;
  for (int oy = 0; oy < pool.out_height; ++oy)
    for (int ox = 0; ox < pool.out_width; ++ox)
      for (int ky = 0; ky < pool.kernel_height; ++ky)
        for (int kx = 0; kx < pool.kernel_width; ++kx) {
          const int y = oy * pool.stride_height + ky, x = ox * pool.stride_width + kx;
          body((oy * pool.out_width + ox) * pool.channels, p.window.patch_begin(y, x),
               (y * pool.width + x) * pool.channels);
        }
}

template <class T>
void take_picked(const Picked& p, long images, const std::int32_t* picks, const T* x, T* y) {
  const long out_size = p.pool.positions() * p.pool.channels;
  for (long b = 0; b < images; ++b, x += p.pool.input_size(), y += out_size, picks += out_size)
    for_each_candidate(p, [&](int cell, std::int32_t place, int at) {
      const std::int32_t* __restrict pick = picks + cell;
      const T* __restrict from = x + at;
      T* __restrict to = y + cell;
      for (int c = 0; c < p.pool.channels; ++c) to[c] += pick[c] == place ? from[c] : T(0);
    });
}

// Lists the cells of some images where y is not zero: where the picked patch begins, and y. Returns how many they are.
template <class T>
long list_cells(const Picked& p, const Bordered<T>& bordered, long images, int channel, const std::int32_t* picks,
                const T* y, std::int32_t* begin, T* value) {
  long count = 0;
  const long cells = p.pool.positions();
  for (long b = 0, i = channel; b < images; ++b)
    for (long cell = 0; cell < cells; ++cell, i += p.pool.channels) {
      begin[count] = static_cast<std::int32_t>(b * bordered.size) + picks[i];
      value[count] = y[i];
      count += y[i] != 0;
    }
  return count;
}

constexpr int kLongPiece = 3 * kTileVectors;

template <class T>
void correlate_picked(const Picked& p, long images, const std::int32_t* picks, const T* x, const T* kernel, T* y) {
  using V = Vector<T>;
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions();
  const T* const taps = taps_of(p.window, bordered, channels, kernel);
  V* const sums = scratch<V>(Scratch::values, bordered.block * cells);
  std::int32_t* const begin = scratch<std::int32_t>(Scratch::columns, bordered.block * cells);
  for_each_block(p.window, bordered, images, x, [&](long count, const T* image, long first) {
    for (int c = 0; c < channels; ++c) {
      const long offset = first * cells * channels + c;
      for (long i = 0; i < count * cells; ++i) {
        begin[i] = static_cast<std::int32_t>(i / cells * bordered.size) + picks[offset + i * channels];
        sums[i] = V{};
      }
      for_each_piece<kLongPiece>(p.window, bordered, [&]<int kCount>(long tap, long at) {
        V piece[kCount];
        for (int v = 0; v < kCount; ++v) piece[v] = load(taps + c * bordered.taps + tap + v * kLanes<T>);
        for (long i = 0; i < count * cells; ++i) {
          const T* const patch = image + begin[i] + at;
          V part[2] = {sums[i], V{}};
          for (int v = 0; v < kCount; ++v) part[v % 2] += piece[v] * load(patch + v * kLanes<T>);
          sums[i] = part[0] + part[1];
        }
      });
      for (long i = 0; i < count * cells; ++i) y[offset + i * channels] += total<T>(sums[i]);
    }
  });
}

template <class T>
void correlate_picked_to_kernel(const Picked& p, long images, const std::int32_t* picks, const T* x, const T* y,
                                T* kernel) {
  using V = Vector<T>;
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions();
  T* const taps = empty_taps(bordered, channels);
  std::int32_t* const begin = scratch<std::int32_t>(Scratch::columns, bordered.block * cells + 1);
  T* const value = scratch<T>(Scratch::values, bordered.block * cells + 1);
  for_each_block(p.window, bordered, images, x, [&](long count, const T* image, long first) {
    for (int c = 0; c < channels; ++c) {
      const long offset = first * cells * channels;
      const long wins = list_cells(p, bordered, count, c, picks + offset, y + offset, begin, value);
      for_each_piece<kLongPiece>(p.window, bordered, [&]<int kCount>(long tap, long at) {
        T* const to = taps + c * bordered.taps + tap;
        V sum[kCount];
        for (int v = 0; v < kCount; ++v) sum[v] = load(to + v * kLanes<T>);
        for (long i = 0; i < wins; ++i)
          for (int v = 0; v < kCount; ++v) sum[v] += value[i] * load(image + begin[i] + at + v * kLanes<T>);
        for (int v = 0; v < kCount; ++v) store(sum[v], to + v * kLanes<T>);
      });
    }
  });
  for (long ky = 0; ky < p.window.kernel_height; ++ky)
    turn<T, true>(channels, bordered.span, taps + ky * bordered.line, bordered.taps,
                  kernel + ky * bordered.span * channels, channels);
}

// The channels of one cell that won at one position: entries begin … end − 1 of a list, the patch's place.
struct Won {
  long begin, end, place;
};

template <class T>
void correlate_picked_to_image(const Picked& p, long images, const std::int32_t* picks, const T* y, const T* kernel,
                               T* x) {
  using V = Vector<T>;
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions(), of_cell = static_cast<long>(p.pool.kernel_height) * p.pool.kernel_width;
  const T* const taps = taps_of(p.window, bordered, channels, kernel);
  Won* const lists = scratch<Won>(Scratch::starts, bordered.block * cells * of_cell);
  std::int32_t* const channel = scratch<std::int32_t>(Scratch::columns, bordered.block * cells * channels + kListRoom);
  T* const value = scratch<T>(Scratch::values, bordered.block * cells * channels + kListRoom);
  for (long first = 0; first < images; first += bordered.block) {
    const long count = images - first < bordered.block ? images - first : bordered.block;
    long num_lists = 0, entries = 0;
    for (long b = 0; b < count; ++b)
      for_each_candidate(p, [&](int cell, std::int32_t place, int) {
        const long at = (first + b) * cells * channels + cell;
        const long found = list_nonzeros(y + at, picks + at, place, 0, channels, channel + entries, value + entries);
        if (found > 0) lists[num_lists++] = {entries, entries + found, b * bordered.size + place};
        entries += found;
      });
    if (num_lists == 0) continue;
    T* const image = empty_images(bordered);
    for_each_piece<kTileVectors>(p.window, bordered, [&]<int kCount>(long tap, long at) {
      for (long k = 0; k < num_lists; ++k) {
        T* const to = image + lists[k].place + at;
        V even[kCount], odd[kCount] = {};
        for (int v = 0; v < kCount; ++v) even[v] = load(to + v * kLanes<T>);
        const auto add = [&](long i, V* sum) {
          const T* const from = taps + channel[i] * bordered.taps + tap;
          for (int v = 0; v < kCount; ++v) sum[v] += value[i] * load(from + v * kLanes<T>);
        };
        long i = lists[k].begin;
        for (; i + 1 < lists[k].end; i += 2) add(i, even), add(i + 1, odd);
        if (i < lists[k].end) add(i, even);
        for (int v = 0; v < kCount; ++v) store(even[v] + odd[v], to + v * kLanes<T>);
      }
    });
    for (long b = 0; b < count; ++b)
      for_each_row(p.window, bordered, [&](long from, long at, long numbers) {
        Run<T>(x + (first + b) * p.window.input_size() + at, numbers) +=
            ConstRun<T>(image + b * bordered.size + from, numbers);
      });
  }
}

}  // namespace
}  // namespace ham::HAM_KERNEL_SET

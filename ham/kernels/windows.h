// Convolution and pooling for ham/kernels/loops.h, under the same rules.
#pragma once

#include "ham/kernels/products.h"

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
//
// Taps and images are loaded once per multiplication, so what counts is that they come from the first-level cache, and
// that no more than that is loaded or stored.
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

// Calls body.operator()<number>(first) for runs that make up `count`: as many of kMost as there are, then of its
// halves.
template <int kMost, class Body>
void for_each_few(long count, Body body, long first = 0) {
  for (; first + kMost <= count; first += kMost) body.template operator()<kMost>(first);
  if constexpr (kMost > 1) for_each_few<kMost / 2>(count, body, first);
}

// Calls body.operator()<vectors>(first tap, where its number is in a patch) for pieces that make up a channel's taps.
template <class T, class Body>
void for_each_piece(const Window& w, const Bordered<T>& bordered, Body body) {
  for (long ky = 0; ky < w.kernel_height; ++ky)
    for_each_few<4>(bordered.line / kLanes<T>, [&]<int kCount>(long vectors) {
      body.template operator()<kCount>(ky * bordered.line + vectors * kLanes<T>,
                                       ky * bordered.row + vectors * kLanes<T>);
    });
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

constexpr int kCells = 8;  // that meet a channel's taps at once

// The products of a channel's taps with the patches of some cells, each sum still spread over a vector.
template <int kCount, class T>
void multiply_patches(const Window& w, const Bordered<T>& bordered, const T* taps, const T* image,
                      const std::int32_t* begin, Vector<T>* sums) {
  using V = Vector<T>;
  constexpr int kSplit = kCells / kCount;  // few cells take several sums each: additions wait for one another
  V part[kCount][kSplit] = {};
  const T* patch[kCount];
  for (int k = 0; k < kCount; ++k) patch[k] = image + begin[k];
  for (int ky = 0; ky < w.kernel_height; ++ky, taps += bordered.line) {
    const auto add = [&](long at, int split) {
      const V tap = load(taps + at);
      for (int k = 0; k < kCount; ++k) part[k][split] += tap * load(patch[k] + at);
    };
    long at = 0;
    for (; at + kSplit * kLanes<T> <= bordered.line; at += kSplit * kLanes<T>)
      for (int split = 0; split < kSplit; ++split) add(at + split * kLanes<T>, split);
    for (; at < bordered.line; at += kLanes<T>) add(at, 0);
    for (int k = 0; k < kCount; ++k) patch[k] += bordered.row;
  }
  for (int k = 0; k < kCount; ++k) {
    sums[k] = part[k][0];
    for (int split = 1; split < kSplit; ++split) sums[k] += part[k][split];
  }
}

// A channel's taps += Σ value·patch over some cells.
template <int kCount, class T>
void add_patches(const Window& w, const Bordered<T>& bordered, const T* image, const std::int32_t* begin,
                 const T* value, T* taps) {
  using V = Vector<T>;
  V factor[kCount];
  const T* patch[kCount];
  for (int k = 0; k < kCount; ++k) factor[k] = V{} + value[k], patch[k] = image + begin[k];
  for (int ky = 0; ky < w.kernel_height; ++ky, taps += bordered.line) {
    for (long at = 0; at < bordered.line; at += kLanes<T>) {
      V sum[2] = {load(taps + at), V{}};
      for (int k = 0; k < kCount; ++k) sum[k % 2] += factor[k] * load(patch[k] + at);
      store(sum[0] + sum[1], taps + at);
    }
    for (int k = 0; k < kCount; ++k) patch[k] += bordered.row;
  }
}

// The totals of so many vectors as there are numbers in one.
template <class T>
void totals(const Vector<T>* x, T* whole) {
  namespace packets = Eigen::internal;
  using Packet = typename packets::packet_traits<T>::type;
  constexpr int kSide = kLanes<T>;
  packets::PacketBlock<Packet, kSide> block;
  for (int k = 0; k < kSide; ++k) block.packet[k] = packets::ploadu<Packet>(reinterpret_cast<const T*>(x + k));
  packets::ptranspose(block);
  for (int half = kSide / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) block.packet[k] = packets::padd(block.packet[k], block.packet[k + half]);
  packets::pstoreu(whole, block.packet[0]);
}

template <class T>
void correlate_picked(const Picked& p, long images, const std::int32_t* picks, const T* x, const T* kernel, T* y) {
  using V = Vector<T>;
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions(), most = bordered.block * cells;
  const T* const taps = taps_of(p.window, bordered, channels, kernel);
  V* const sums = static_cast<V*>(std::memset(scratch<V>(Scratch::values, most + kLanes<T>), 0,
                                              static_cast<std::size_t>(most + kLanes<T>) * sizeof(V)));
  std::int32_t* const begin = scratch<std::int32_t>(Scratch::columns, most);
  for_each_block(p.window, bordered, images, x, [&](long count, const T* image, long first) {
    for (int c = 0; c < channels; ++c) {
      const std::int32_t* const pick = picks + first * cells * channels + c;
      for (long b = 0, i = 0; b < count; ++b)
        for (long cell = 0; cell < cells; ++cell, ++i)
          begin[i] = static_cast<std::int32_t>(b * bordered.size) + pick[i * channels];
      for_each_few<kCells>(count * cells, [&]<int kCount>(long i) {
        multiply_patches<kCount>(p.window, bordered, taps + c * bordered.taps, image, begin + i, sums + i);
      });
      for (long i = 0; i < count * cells; i += kLanes<T>) {
        T whole[kLanes<T>], *const to = y + (first * cells + i) * channels + c;
        totals<T>(sums + i, whole);
        for (long k = 0; k < kLanes<T> && i + k < count * cells; ++k) to[k * channels] += whole[k];
      }
    }
  });
}

template <class T>
void correlate_picked_to_kernel(const Picked& p, long images, const std::int32_t* picks, const T* x, const T* y,
                                T* kernel) {
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions();
  T* const taps = empty_taps(bordered, channels);
  std::int32_t* const begin = scratch<std::int32_t>(Scratch::columns, bordered.block * cells + 1);
  T* const value = scratch<T>(Scratch::values, bordered.block * cells + 1);
  for_each_block(p.window, bordered, images, x, [&](long count, const T* image, long first) {
    const long offset = first * cells * channels;
    for (int c = 0; c < channels; ++c) {
      const long wins = list_cells(p, bordered, count, c, picks + offset, y + offset, begin, value);
      for_each_few<kCells>(wins, [&]<int kCount>(long i) {
        add_patches<kCount>(p.window, bordered, image, begin + i, value + i, taps + c * bordered.taps);
      });
    }
  });
  for (long ky = 0; ky < p.window.kernel_height; ++ky)
    turn<T, true>(channels, bordered.span, taps + ky * bordered.line, bordered.taps,
                  kernel + ky * bordered.span * channels, channels);
}

// The channels of one cell that won at one position: entries begin … end − 1 of a list, and the patch's place.
struct Won {
  long begin, end, place;
};

// Lists the channels of some images' cells by the position that won, where y is not zero; each list has room for all.
template <class T>
long list_winners(const Picked& p, const Bordered<T>& bordered, long images, const std::int32_t* picks, const T* y,
                  Won* lists, std::int32_t* channel, T* value) {
  const Window& pool = p.pool;
  std::int32_t* const number =  // of a position in its cell
      scratch<std::int32_t>(Scratch::picks, p.window.patch_begin(pool.kernel_height, 0));
  long num_lists = 0;
  for (long b = 0; b < images; ++b)
    for (int oy = 0; oy < pool.out_height; ++oy)
      for (int ox = 0; ox < pool.out_width; ++ox, picks += pool.channels, y += pool.channels) {
        const std::int32_t corner = p.window.patch_begin(oy * pool.stride_height, ox * pool.stride_width);
        Won* const won = lists + num_lists;
        for (int ky = 0; ky < pool.kernel_height; ++ky)
          for (int kx = 0; kx < pool.kernel_width; ++kx, ++num_lists) {
            const std::int32_t place = p.window.patch_begin(ky, kx);
            number[place] = ky * pool.kernel_width + kx;
            lists[num_lists] = {num_lists * pool.channels, num_lists * pool.channels,
                                b * bordered.size + corner + place};
          }
        for (int c = 0; c < pool.channels; ++c) {
          long& end = won[number[picks[c] - corner]].end;
          channel[end] = c;
          value[end] = y[c];
          end += y[c] != 0;
        }
      }
  return num_lists;
}

// A piece of a patch stays in registers while the channels that won there pass by, and that piece of all channels'
// taps, which lies together, in the first-level cache.
template <class T>
void correlate_picked_to_image(const Picked& p, long images, const std::int32_t* picks, const T* y, const T* kernel,
                               T* x) {
  using V = Vector<T>;
  const Bordered<T> bordered(p.window);
  const int channels = p.pool.channels;
  const long cells = p.pool.positions();
  T* const taps = empty_taps(bordered, channels);
  for_each_piece(p.window, bordered, [&]<int kCount>(long tap, long) {
    const long row = tap / bordered.line, at = tap % bordered.line, whole = kCount * kLanes<T>;
    turn<T, false>(whole < bordered.span - at ? whole : bordered.span - at, channels,
                   kernel + (row * bordered.span + at) * channels, channels, taps + tap * channels, whole);
  });
  const long most = bordered.block * cells * p.pool.kernel_height * p.pool.kernel_width;
  Won* const lists = scratch<Won>(Scratch::starts, most);
  std::int32_t* const channel = scratch<std::int32_t>(Scratch::columns, most * channels);
  T* const value = scratch<T>(Scratch::values, most * channels);
  for (long first = 0; first < images; first += bordered.block) {
    const long count = images - first < bordered.block ? images - first : bordered.block;
    const long offset = first * cells * channels;
    if (ConstRun<T>(y + offset, count * cells * channels).isZero(T(0))) continue;
    const long num_lists = list_winners(p, bordered, count, picks + offset, y + offset, lists, channel, value);
    T* const image = empty_images(bordered);
    for_each_piece(p.window, bordered, [&]<int kCount>(long tap, long at) {
      const T* const piece = taps + tap * channels;
      for (const Won* won = lists; won < lists + num_lists; ++won) {
        T* const to = image + won->place + at;
        V even[kCount], odd[kCount] = {};
        for (int v = 0; v < kCount; ++v) even[v] = load(to + v * kLanes<T>);
        const auto add = [&](long i, V* sum) {
          const T* const from = piece + channel[i] * (kCount * kLanes<T>);
          for (int v = 0; v < kCount; ++v) sum[v] += value[i] * load(from + v * kLanes<T>);
        };
        long i = won->begin;
        for (; i + 1 < won->end; i += 2) add(i, even), add(i + 1, odd);
        if (i < won->end) add(i, even);
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

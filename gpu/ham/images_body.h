// Windows over images: patches added up to images, and pooling.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gpu/device/body.h"
#include "gpu/ham/rows_body.h"

namespace gpu {

/// Calls body(oy, ox, ky, kx) for every window that the pixel (y, x) lies in, row by row of the windows.
template <class Body>
GPU_BODY void for_windows_of(const ham::Window& w, int y, int x, const Body& body) {
  const int top = y + w.padding_height, left = x + w.padding_width;
  const int first_y = top < w.kernel_height ? 0 : (top - w.kernel_height) / w.stride_height + 1;
  const int first_x = left < w.kernel_width ? 0 : (left - w.kernel_width) / w.stride_width + 1;
  for (int oy = first_y; oy < w.out_height && oy * w.stride_height <= top; ++oy)
    for (int ox = first_x; ox < w.out_width && ox * w.stride_width <= left; ++ox)
      body(oy, ox, top - oy * w.stride_height, left - ox * w.stride_width);
}

/// A pixel of some image: its numbers are (image, y, x, channel).
struct Pixel {
  long image;
  int y, x, channel;
  GPU_BODY Pixel(const ham::Window& w, long at)
      : image(static_cast<std::uint32_t>(at) / static_cast<std::uint32_t>(w.height * w.width * w.channels)) {
    const int place = static_cast<int>(at - image * (w.height * w.width * w.channels)), line = w.width * w.channels;
    y = place / line;
    x = place % line / w.channels;
    channel = place % line % w.channels;
  }
};

/// x = start + the transpose of gathering patches: every pixel adds up the places where it stands in some patch.
template <class T>
struct Fold {
  ham::Window window{};
  long images = 0;
  const T* patches = nullptr;
  const T* start = nullptr;
  T* x = nullptr;
  long count() const { return images * window.height * window.width * window.channels; }

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    const long size = static_cast<long>(window.height) * window.width * window.channels;
    const long patch = static_cast<long>(window.kernel_height) * window.kernel_width * window.channels;
    const long positions = static_cast<long>(window.out_height) * window.out_width;
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= images * size) return;
      const Pixel pixel(window, at);
      T sum = 0;
      for_windows_of(window, pixel.y, pixel.x, [&](int oy, int ox, int ky, int kx) {
        sum += patches[(pixel.image * positions + oy * window.out_width + ox) * patch +
                       (ky * window.kernel_width + kx) * window.channels + pixel.channel];
      });
      x[at] = (start == nullptr ? T(0) : start[at]) + sum;
    });
  }
};

/// What a pooling does: forward one number for each window and channel, or back to the pixels.
enum class Pooling : int { max, average, softmax };

/// y[window, channel] = start + the pool of x. Max-pooling writes the place oy·width + ox of each maximum (the first of
/// equal ones) to `picks`, or takes x there when `given`. Softmax pooling with v gives Σ share·v instead.
template <class T>
struct PoolForward {
  Pooling kind = Pooling::max;
  ham::Window window{};
  long images = 0;
  T beta = 1;
  const T* x = nullptr;
  const T* v = nullptr;
  const T* start = nullptr;
  T* y = nullptr;
  std::int32_t* picks = nullptr;
  bool given = false;
  long count() const { return images * window.positions() * window.channels; }

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    const ham::Window& w = window;
    const int cells = w.out_height * w.out_width;
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= images * cells * w.channels) return;
      const auto whole = static_cast<std::uint32_t>(at), wide = static_cast<std::uint32_t>(w.channels);
      const int channel = static_cast<int>(whole % wide), window_index = static_cast<int>(whole / wide);
      const int cell = window_index % cells;
      const long image = window_index / cells, base = image * w.height * w.width;
      const int top = cell / w.out_width * w.stride_height, left = cell % w.out_width * w.stride_width;
      const auto pixel = [&](int place) { return (base + place) * w.channels + channel; };
      const T begin = start == nullptr ? T(0) : start[at];
      if (kind == Pooling::max && given) {
        y[at] = begin + x[pixel(picks[at])];
        return;
      }
      T best = x[pixel(top * w.width + left)], sum = 0, mixed = 0;
      int pick = top * w.width + left;
      for (int ky = 0; ky < w.kernel_height; ++ky)
        for (int kx = 0; kx < w.kernel_width; ++kx) {
          const int place = (top + ky) * w.width + left + kx;
          const T number = x[pixel(place)];
          sum += number;
          if (number > best) best = number, pick = place;
        }
      if (kind == Pooling::softmax) {
        sum = 0;
        for (int ky = 0; ky < w.kernel_height; ++ky)
          for (int kx = 0; kx < w.kernel_width; ++kx) {
            const long from = pixel((top + ky) * w.width + left + kx);
            const T e = std::exp(beta * (x[from] - best));
            sum += e;
            if (v != nullptr) mixed += e * v[from];
          }
        y[at] = begin + (v != nullptr ? mixed / sum : best + std::log(sum) / beta);
        return;
      }
      if (kind == Pooling::average) {
        y[at] = begin + sum / static_cast<T>(w.kernel_height * w.kernel_width);
        return;
      }
      y[at] = begin + best;
      picks[at] = pick;
    });
  }
};

/// x[pixel] = start + Σ over the windows it lies in of its share times y. Softmax pooling (top = the pool's output, x̂ =
/// its input) with `mixed` gives the tangent of that share, β share (v − mixed) y.
template <class T>
struct PoolReverse {
  Pooling kind = Pooling::max;
  ham::Window window{};
  long images = 0;
  T beta = 1;
  const T* y = nullptr;
  const std::int32_t* picks = nullptr;
  const T* input = nullptr;
  const T* top = nullptr;
  const T* v = nullptr;
  const T* mixed = nullptr;
  const T* start = nullptr;
  T* x = nullptr;
  long count() const { return images * window.height * window.width * window.channels; }

  template <class Block>
  GPU_BODY void run(Block& block, std::byte*) const {
    const ham::Window& w = window;
    const long size = static_cast<long>(w.height) * w.width * w.channels;
    block.each([&](int thread) {
      const long at = block.index() * kRowThreads + thread;
      if (at >= images * size) return;
      const Pixel pixel(w, at);
      T sum = 0;
      for_windows_of(w, pixel.y, pixel.x, [&](int oy, int ox, int, int) {
        const long cell = ((pixel.image * w.out_height + oy) * w.out_width + ox) * w.channels + pixel.channel;
        switch (kind) {
          case Pooling::max:
            if (picks[cell] == pixel.y * w.width + pixel.x) sum += y[cell];
            return;
          case Pooling::average:
            sum += y[cell] / static_cast<T>(w.kernel_height * w.kernel_width);
            return;
          case Pooling::softmax: {
            const T share = std::exp(beta * (input[at] - top[cell]));
            sum += mixed == nullptr ? share * y[cell] : beta * share * (v[at] - mixed[cell]) * y[cell];
          }
        }
      });
      x[at] = (start == nullptr ? T(0) : start[at]) + sum;
    });
  }
};

}  // namespace gpu

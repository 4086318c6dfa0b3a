#include "ham/data/colour.h"

#include <algorithm>

namespace ham {
namespace {

/// The grey of a colour (ITU-R 601-2 luma), with 16-bit weights.
std::uint8_t grey(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + (1 << 15)) >> 16);
}

std::uint8_t mixed(int other, int pixel, float factor) {
  const float value = static_cast<float>(other) + factor * static_cast<float>(pixel - other);
  return static_cast<std::uint8_t>(std::clamp(value, 0.f, 255.f));
}

std::uint8_t mean_grey(int channels, std::span<const std::uint8_t> pixels) {
  long sum = 0;
  if (channels == 1)
    for (const std::uint8_t pixel : pixels) sum += pixel;
  else
    for (std::size_t i = 0; i < pixels.size(); i += 3) sum += grey(&pixels[i]);
  const double count = static_cast<double>(pixels.size()) / channels;
  return static_cast<std::uint8_t>(static_cast<double>(sum) / count + 0.5);
}

}  // namespace

void adjust(Colour what, double factor, int channels, std::span<std::uint8_t> pixels) {
  const auto share = static_cast<float>(factor);
  if (what == Colour::saturation) {
    if (channels != 3) return;
    for (std::size_t i = 0; i < pixels.size(); i += 3) {
      const int other = grey(&pixels[i]);
      for (int channel = 0; channel < 3; ++channel) pixels[i + channel] = mixed(other, pixels[i + channel], share);
    }
    return;
  }
  const int other = what == Colour::brightness ? 0 : mean_grey(channels, pixels);
  for (std::uint8_t& pixel : pixels) pixel = mixed(other, pixel, share);
}

}  // namespace ham

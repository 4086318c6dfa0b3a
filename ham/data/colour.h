// Brightness, contrast and saturation of 8-bit images.
#pragma once

#include <cstdint>
#include <span>

namespace ham {

/// Changes pixels (…, channels) by mixing them with black, with the mean grey, or with their own greys: 0 gives that,
/// 1 the image, more than 1 goes beyond. Bit for bit Pillow's ImageEnhance.Brightness, Contrast and Color. One channel
/// has no saturation to change.
enum class Colour { brightness, contrast, saturation };
void adjust(Colour what, double factor, int channels, std::span<std::uint8_t> pixels);

}  // namespace ham

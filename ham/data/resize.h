// Resizing of 8-bit images.
#pragma once

#include <cstdint>
#include <span>

namespace ham {

enum class Filter { bilinear, bicubic };

/// A part of an image, in pixels.
struct Box {
  int top, left, rows, columns;
};

/// Resizes a box of an image (rows, columns, channels) to out_rows × out_columns.
///
/// Bit for bit what Pillow's Image.crop(box).resize(size, filter) gives: the filter widens with the step when
/// shrinking (bicubic: a = −0.5), weights have 22 bits, and the horizontal pass is rounded to 8 bits before the
/// vertical one. The box must lie in the image.
/// Own code, because stb_image_resize 0.97 repeats edge pixels instead of leaving them out, and keeps what bicubic
/// overshoots between its passes: up to 22 of 255 from Pillow on the fixtures, and slower.
void resize(std::span<const std::uint8_t> image, int columns, int channels, const Box& box, Filter filter, int out_rows,
            int out_columns, std::span<std::uint8_t> out);

}  // namespace ham

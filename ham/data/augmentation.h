// Images as a network sees them: augmented for training, zoomed or plain for evaluation.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/random.h"
#include "ham/data/data_set.h"
#include "ham/data/resize.h"

namespace ham {

/// A random affine map about the centre, each of its numbers uniform in ± what stands here; bilinear, black beyond the
/// edges. Source: torchvision's RandomAffine.
struct Affine {
  double rotate = 0;  ///< degrees
  double shear = 0;   ///< of the columns, degrees
  double zoom = 0;    ///< enlarged by 1 ± this
  double shift = 0;   ///< share of width and of height
  bool operator==(const Affine&) const = default;
};

/// Random changes of training images, in this order; the default changes nothing.
/// Source: timm's transforms (RandomResizedCropAndInterpolation, RandomErasing) and torchvision's ColorJitter, as
/// Hoover et al. 2022 use them (Table 2).
struct Augmentation {
  /// A box of this share of the image's area and this width/height (log-uniform), resized to the image's size; ten
  /// tries, then the largest centred box whose width/height is allowed.
  std::array<double, 2> scale = {1, 1};
  std::array<double, 2> ratio = {1, 1};
  /// Resized by one of these, equally likely.
  std::array<Filter, 2> filters = {Filter::bilinear, Filter::bicubic};
  Affine affine;
  double flip = 0;  ///< probability of left for right
  /// Brightness, contrast and saturation, in random order, each by a factor uniform in 1 ± jitter (at least 0).
  double jitter = 0;
  /// Probability that a box of 1/50 to 1/3 of the area, with width/height from 0.3 to 1/0.3, becomes noise N(0, 1) of
  /// the normalized image.
  double erase = 0;
};

/// The part of an image of this size that augment() takes: its first draws from the stream.
Box draw_crop(core::Stream& stream, int rows, int columns, const Augmentation& augmentation);

/// Writes image `index`, augmented and normalized, to `out` (images.size() numbers); a function of the stream's key.
void augment(const Images& images, long index, const Normalization& normalization, const Augmentation& augmentation,
             core::Stream stream, std::span<float> out);

/// Writes the image normalized and otherwise as it is.
void plain(const Images& images, long index, const Normalization& normalization, std::span<float> out);

/// Writes the centre of the image enlarged by 1/0.875 (bicubic), normalized: timm's evaluation view.
void zoomed(const Images& images, long index, const Normalization& normalization, std::span<float> out);

}  // namespace ham

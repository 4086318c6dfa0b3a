// Images of a network as pictures of a figure.
#pragma once

#include <vector>

#include "analysis/drawing/figure.h"
#include "ham/data/data_set.h"
#include "ham/tensor.h"

namespace experiments {

/// Pixels from 0 to 1 of normalized images (samples, …), each multiplied by its gain before.
ham::Tensor<float> pixels_of(const ham::Tensor<float>& images, const ham::Normalization& normalization,
                             const std::vector<double>& gains);

/// Normalized images of pixels from 0 to 1.
ham::Tensor<float> normalized(const ham::Tensor<float>& pixels, const ham::Normalization& normalization);

/// For each image the gain at which its brightest pixel is 1: memories of unit norm give images of little contrast.
std::vector<double> full_contrast(const ham::Tensor<float>& images, const ham::Normalization& normalization);

/// Rows of pixels (samples, rows, columns, channels), one below the other, with white between the images.
analysis::Picture mosaic(const std::vector<const ham::Tensor<float>*>& rows);

}  // namespace experiments

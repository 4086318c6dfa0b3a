#include "experiments/training/pictures.h"

#include <algorithm>
#include <cmath>

namespace experiments {

ham::Tensor<float> pixels_of(const ham::Tensor<float>& images, const ham::Normalization& normalization,
                             const std::vector<double>& gains) {
  ham::Tensor<float> pixels = images;
  const std::size_t channels = normalization.mean.size(), size = images.values.size() / gains.size();
  for (std::size_t i = 0; i < pixels.values.size(); ++i) {
    const auto gain = static_cast<float>(gains[i / size]);
    const float value =
        normalization.mean[i % channels] + normalization.deviation[i % channels] * gain * pixels.values[i];
    pixels.values[i] = std::clamp(value, 0.f, 1.f);
  }
  return pixels;
}

ham::Tensor<float> normalized(const ham::Tensor<float>& pixels, const ham::Normalization& normalization) {
  ham::Tensor<float> images = pixels;
  const std::size_t channels = normalization.mean.size();
  for (std::size_t i = 0; i < images.values.size(); ++i)
    images.values[i] = (images.values[i] - normalization.mean[i % channels]) / normalization.deviation[i % channels];
  return images;
}

std::vector<double> full_contrast(const ham::Tensor<float>& images, const ham::Normalization& normalization) {
  std::vector<double> gains(images.shape.at(0), INFINITY);
  const std::size_t channels = normalization.mean.size(), size = images.values.size() / gains.size();
  for (std::size_t i = 0; i < images.values.size(); ++i)
    if (images.values[i] > 0) {
      const double room = (1 - normalization.mean[i % channels]) / normalization.deviation[i % channels];
      gains[i / size] = std::min(gains[i / size], room / images.values[i]);
    }
  for (double& gain : gains)
    if (!std::isfinite(gain)) gain = 1;
  return gains;
}

analysis::Picture mosaic(const std::vector<const ham::Tensor<float>*>& rows) {
  constexpr int kBorder = 1;
  const ham::Shape& shape = rows.at(0)->shape;
  const int samples = shape.at(0), height = shape.at(1), width = shape.at(2), channels = shape.at(3);
  analysis::Picture picture{
      static_cast<int>(rows.size()) * (height + 2 * kBorder), samples * (width + 2 * kBorder), samples, {}};
  picture.rgb.assign(3 * static_cast<std::size_t>(picture.rows) * picture.columns, 255);
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (long i = 0; i < rows[row]->size(); i += channels) {
      const long pixel = i / channels, sample = pixel / (height * width), y = pixel / width % height, x = pixel % width;
      const long at = (static_cast<long>(row) * (height + 2 * kBorder) + kBorder + y) * picture.columns +
                      sample * (width + 2 * kBorder) + kBorder + x;
      for (int colour = 0; colour < 3; ++colour)
        picture.rgb[3 * at + colour] =
            static_cast<std::uint8_t>(std::lround(255 * rows[row]->values[i + std::min(colour, channels - 1)]));
    }
  return picture;
}

}  // namespace experiments

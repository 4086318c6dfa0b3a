#include "ham/data/augmentation.h"

#include <algorithm>
#include <boost/gil.hpp>
#include <boost/gil/extension/numeric/resample.hpp>
#include <boost/gil/extension/numeric/sampler.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "ham/data/colour.h"

namespace ham {
namespace {

constexpr int kTries = 10;
constexpr std::array<double, 2> kErasedArea = {0.02, 1. / 3}, kErasedRatio = {0.3, 1 / 0.3};

double uniform(core::Stream& stream, std::array<double, 2> range) {
  return range[0] + (range[1] - range[0]) * std::ldexp(static_cast<double>(stream() >> 11), -53);
}

int position(core::Stream& stream, int room) {
  return static_cast<int>(core::uniform_below(stream, static_cast<std::uint64_t>(room) + 1));
}

/// Rows and columns of a box whose share of the area and whose width/height are drawn from these ranges.
std::array<int, 2> draw_size(core::Stream& stream, double area, std::array<double, 2> share,
                             std::array<double, 2> ratio) {
  const double target = area * uniform(stream, share);
  const double width_to_height = std::exp(uniform(stream, {std::log(ratio[0]), std::log(ratio[1])}));
  return {static_cast<int>(std::lround(std::sqrt(target / width_to_height))),
          static_cast<int>(std::lround(std::sqrt(target * width_to_height)))};
}

Box place(core::Stream& stream, int rows, int columns, std::array<int, 2> size) {
  const int top = position(stream, rows - size[0]);
  return {top, position(stream, columns - size[1]), size[0], size[1]};
}

using Map = boost::gil::matrix3x2<double>;

template <class Pixel>
void resample(const Images& images, const Map& source_of, std::span<std::uint8_t> pixels) {
  thread_local std::vector<std::uint8_t> before;
  before.assign(pixels.begin(), pixels.end());
  std::ranges::fill(pixels, std::uint8_t{0});
  const auto view = [&](auto* bytes) {
    return boost::gil::interleaved_view(images.columns, images.rows, bytes, sizeof(Pixel) * images.columns);
  };
  boost::gil::resample_pixels(view(reinterpret_cast<const Pixel*>(before.data())),
                              view(reinterpret_cast<Pixel*>(pixels.data())), source_of, boost::gil::bilinear_sampler());
}

void map(core::Stream& stream, const Affine& most, const Images& images, std::span<std::uint8_t> pixels) {
  const auto draw = [&](double range) { return uniform(stream, {-range, range}); };
  constexpr double kDegree = std::numbers::pi / 180;
  const double angle = kDegree * draw(most.rotate), shear = std::tan(kDegree * draw(most.shear));
  const double zoom = 1 + draw(most.zoom), right = images.columns * draw(most.shift),
               down = images.rows * draw(most.shift);
  // From where a pixel goes to where it is from, about the centre.
  const double x = (images.columns - 1) / 2.0, y = (images.rows - 1) / 2.0;
  const Map source_of = Map::get_translate(-x - right, -y - down) * Map::get_rotate(angle) * Map(1, 0, shear, 1, 0, 0) *
                        Map::get_scale(1 / zoom) * Map::get_translate(x, y);
  images.channels == 1 ? resample<boost::gil::gray8_pixel_t>(images, source_of, pixels)
                       : resample<boost::gil::rgb8_pixel_t>(images, source_of, pixels);
}

void flip(const Images& images, std::span<std::uint8_t> pixels) {
  const long line = static_cast<long>(images.columns) * images.channels;
  for (int row = 0; row < images.rows; ++row) {
    std::uint8_t *left = pixels.data() + row * line, *right = left + line - images.channels;
    for (; left < right; left += images.channels, right -= images.channels)
      std::swap_ranges(left, left + images.channels, right);
  }
}

void jitter(core::Stream& stream, double strength, int channels, std::span<std::uint8_t> pixels) {
  std::array<Colour, 3> order = {Colour::brightness, Colour::contrast, Colour::saturation};
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[core::uniform_below(stream, left)]);
  for (const Colour what : order)
    adjust(what, uniform(stream, {std::max(0., 1 - strength), 1 + strength}), channels, pixels);
}

void erase(core::Stream& stream, const Images& images, std::span<float> out) {
  const double area = static_cast<double>(images.rows) * images.columns;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::array<int, 2> size = draw_size(stream, area, kErasedArea, kErasedRatio);
    if (size[0] >= images.rows || size[1] >= images.columns) continue;
    const Box box = place(stream, images.rows, images.columns, size);
    boost::random::normal_distribution<float> normal;
    for (int row = box.top; row < box.top + box.rows; ++row) {
      float* line = out.data() + (static_cast<long>(row) * images.columns + box.left) * images.channels;
      std::generate_n(line, static_cast<long>(box.columns) * images.channels, [&] { return normal(stream); });
    }
    return;
  }
}

/// (pixel/255 − mean)/deviation as one product and one difference, the same for every view.
void normalize(std::span<const std::uint8_t> pixels, const Normalization& normalization, std::span<float> out) {
  const std::size_t channels = normalization.mean.size();
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const float factor = 1 / (255 * normalization.deviation[channel]);
    const float shift = normalization.mean[channel] / normalization.deviation[channel];
    for (std::size_t i = channel; i < pixels.size(); i += channels)
      out[i] = static_cast<float>(pixels[i]) * factor - shift;
  }
}

/// Room for one image of this thread.
std::span<std::uint8_t> room(long size) {
  thread_local std::vector<std::uint8_t> pixels;
  if (pixels.size() < static_cast<std::size_t>(size)) pixels.resize(size);
  return std::span(pixels).first(size);
}

}  // namespace

Box draw_crop(core::Stream& stream, int rows, int columns, const Augmentation& augmentation) {
  const double area = static_cast<double>(rows) * columns;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const std::array<int, 2> size = draw_size(stream, area, augmentation.scale, augmentation.ratio);
    if (size[0] <= rows && size[1] <= columns) return place(stream, rows, columns, size);
  }
  const double ratio = std::clamp(static_cast<double>(columns) / rows, augmentation.ratio[0], augmentation.ratio[1]);
  const int high = std::min(rows, static_cast<int>(std::lround(columns / ratio)));
  const int wide = std::min(columns, static_cast<int>(std::lround(rows * ratio)));
  return {(rows - high) / 2, (columns - wide) / 2, high, wide};
}

void augment(const Images& images, long index, const Normalization& normalization, const Augmentation& augmentation,
             core::Stream stream, std::span<float> out) {
  const std::span<std::uint8_t> pixels = room(images.size());
  const Box box = draw_crop(stream, images.rows, images.columns, augmentation);
  const Filter filter = augmentation.filters[core::uniform_below(stream, 2)];
  resize(images.image(index), images.columns, images.channels, box, filter, images.rows, images.columns, pixels);
  if (augmentation.affine != Affine{}) map(stream, augmentation.affine, images, pixels);
  if (core::bernoulli(stream, augmentation.flip)) flip(images, pixels);
  if (augmentation.jitter > 0) jitter(stream, augmentation.jitter, images.channels, pixels);
  normalize(pixels, normalization, out);
  if (core::bernoulli(stream, augmentation.erase)) erase(stream, images, out);
}

void plain(const Images& images, long index, const Normalization& normalization, std::span<float> out) {
  normalize(images.image(index), normalization, out);
}

void zoomed(const Images& images, long index, const Normalization& normalization, std::span<float> out) {
  constexpr double kShown = 0.875;
  const int rows = static_cast<int>(images.rows / kShown), columns = static_cast<int>(images.columns / kShown);
  const long line = static_cast<long>(images.columns) * images.channels;
  const std::span<std::uint8_t> both = room(static_cast<long>(rows) * columns * images.channels + images.size());
  const std::span<std::uint8_t> centre = both.first(images.size()), large = both.subspan(images.size());
  resize(images.image(index), images.columns, images.channels, {0, 0, images.rows, images.columns}, Filter::bicubic,
         rows, columns, large);
  for (int row = 0; row < images.rows; ++row) {
    const long from = static_cast<long>(row + (rows - images.rows) / 2) * columns + (columns - images.columns) / 2;
    std::copy_n(large.data() + from * images.channels, line, centre.data() + row * line);
  }
  normalize(centre, normalization, out);
}

}  // namespace ham

#include "ham/data/augmentation.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "core/formats/hdf5_file.h"
#include "ham/data/colour.h"

using namespace ham;

namespace {

constexpr std::uint64_t kLimit = 1 << 24;

std::vector<std::uint8_t> bytes(const core::Hdf5File& file, const std::string& name) {
  return std::get<std::vector<std::uint8_t>>(file.read_array(name, kLimit).values);
}

/// The rows of a table of cases.
template <class T>
std::vector<std::vector<T>> rows(const core::Hdf5File& file, const std::string& name) {
  const core::NumericArray table = file.read_array(name, kLimit);
  const auto& values = std::get<std::vector<T>>(table.values);
  std::vector<std::vector<T>> found;
  for (std::size_t i = 0; i < values.size(); i += table.shape[1])
    found.emplace_back(values.begin() + i, values.begin() + i + table.shape[1]);
  return found;
}

/// One image, all pixels of one value.
Images constant_image(int rows, int columns, int channels, std::uint8_t value) {
  return {rows, columns, channels, std::vector<std::uint8_t>(rows * columns * channels, value), {0}};
}

/// What augment() makes of the first image with the stream of this trial.
std::vector<float> augmented(const Images& images, const Augmentation& augmentation, std::uint64_t trial,
                             const Normalization& normalization = {{0}, {1}}) {
  std::vector<float> out(images.size());
  augment(images, 0, normalization, augmentation, core::Stream(Catch::rngSeed(), 0, trial, core::Purpose::data), out);
  return out;
}

/// Whether that many successes are within five standard deviations of what the probability lets expect.
bool five_sigma(long successes, long trials, double probability) {
  const double expected = probability * static_cast<double>(trials);
  return std::abs(static_cast<double>(successes) - expected) < 5 * std::sqrt(expected * (1 - probability));
}

const Normalization kColours{{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}};

}  // namespace

TEST_CASE("resizing gives Pillow's bytes: crops, enlarging, shrinking, one and three channels, both filters") {
  const auto file = core::Hdf5File::open(DAMBENCH_FIXTURES "/image_fixtures.h5");
  const std::vector<std::uint8_t> results = bytes(file, "resize/results");
  std::size_t at = 0;
  for (const std::vector<std::int64_t>& row : rows<std::int64_t>(file, "resize/cases")) {
    const int channels = static_cast<int>(row[0]), height = static_cast<int>(row[6]), width = static_cast<int>(row[7]);
    const Box box{static_cast<int>(row[1]), static_cast<int>(row[2]), static_cast<int>(row[3]),
                  static_cast<int>(row[4])};
    const std::string source = "source/" + std::to_string(channels);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(height) * width * channels);
    resize(bytes(file, source), static_cast<int>(file.array_info(source).shape[1]), channels, box,
           static_cast<Filter>(row[5]), height, width, out);
    INFO("case that ends at " << at + out.size());
    CHECK(std::equal(out.begin(), out.end(), results.begin() + static_cast<long>(at)));
    at += out.size();
  }
  CHECK(at == results.size());
}

TEST_CASE("brightness, contrast and saturation give Pillow's bytes") {
  const auto file = core::Hdf5File::open(DAMBENCH_FIXTURES "/image_fixtures.h5");
  const std::vector<std::uint8_t> results = bytes(file, "colour/results");
  std::size_t at = 0;
  for (const std::vector<double>& row : rows<double>(file, "colour/cases")) {
    const int channels = static_cast<int>(row[0]);
    std::vector<std::uint8_t> pixels = bytes(file, "source/" + std::to_string(channels));
    adjust(static_cast<Colour>(row[1]), row[2], channels, pixels);
    INFO("channels " << row[0] << " kind " << row[1] << " factor " << row[2]);
    CHECK(std::equal(pixels.begin(), pixels.end(), results.begin() + static_cast<long>(at)));
    at += pixels.size();
  }
  CHECK(at == results.size());
}

TEST_CASE("without augmentation an image is only normalized") {
  const auto file = core::Hdf5File::open(DAMBENCH_FIXTURES "/image_fixtures.h5");
  const Images images{32, 32, 3, bytes(file, "source/3"), {0}};
  std::vector<float> out(images.size());
  plain(images, 0, kColours, out);
  CHECK(augmented(images, {}, 1, kColours) == out);
  for (const std::size_t i : {0ul, 1ul, 2ul, 1500ul, 3071ul})
    CHECK(out[i] == Approx((images.pixels[i] / 255. - kColours.mean[i % 3]) / kColours.deviation[i % 3]).margin(1e-6));
}

TEST_CASE("the zoomed view is the centre of Pillow's enlarged image") {
  const auto file = core::Hdf5File::open(DAMBENCH_FIXTURES "/image_fixtures.h5");
  const std::vector<std::uint8_t> results = bytes(file, "resize/results");
  std::size_t at = 0;
  int seen = 0;
  for (const std::vector<std::int64_t>& row : rows<std::int64_t>(file, "resize/cases")) {
    const int channels = static_cast<int>(row[0]), side = static_cast<int>(row[6]);
    const int shown = channels == 1 ? 28 : 32, large = channels == 1 ? 32 : 36, border = (large - shown) / 2;
    if (side == large && row[7] == large && static_cast<Filter>(row[5]) == Filter::bicubic) {
      const Images images{shown, shown, channels, bytes(file, "source/" + std::to_string(channels)), {0}};
      std::vector<float> out(images.size());
      zoomed(images, 0,
             channels == 1 ? Normalization{{0}, {1 / 255.f}} : Normalization{{0, 0, 0}, std::vector(3, 1 / 255.f)},
             out);
      bool same = true;
      for (int y = 0; y < shown; ++y)
        for (int i = 0; i < shown * channels; ++i)
          same &= std::abs(out[y * shown * channels + i] -
                           results[at + ((y + border) * large + border) * channels + i]) < 1e-4;
      CHECK(same);
      ++seen;
    }
    at += static_cast<std::size_t>(row[6] * row[7] * channels);
  }
  CHECK(seen == 2);
}

TEST_CASE("crops have the areas, ratios and places they are drawn with") {
  constexpr int kSide = 1000, kDraws = 20000;  // large, so that whole pixels do not matter
  const Augmentation augmentation{.scale = {0.2, 1}, .ratio = {3. / 4, 4. / 3}};
  double top_share = 0, small_area = 0;
  int small = 0, wide = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    core::Stream stream(Catch::rngSeed(), 1, draw, core::Purpose::data);
    const Box box = draw_crop(stream, kSide, kSide, augmentation);
    const double area = static_cast<double>(box.rows) * box.columns / (kSide * kSide);
    const double ratio = static_cast<double>(box.columns) / box.rows;
    REQUIRE(box.top >= 0);
    REQUIRE(box.left >= 0);
    REQUIRE(box.top + box.rows <= kSide);
    REQUIRE(box.left + box.columns <= kSide);
    REQUIRE((area > 0.198 && area < 1.002));
    REQUIRE((ratio > 0.745 && ratio < 1.343));
    if (area < 0.75) {  // whatever its ratio, such a box fits: none was drawn again
      ++small;
      small_area += area;
      wide += box.columns > box.rows;
      top_share += static_cast<double>(box.top) / (kSide - box.rows);
    }
  }
  REQUIRE(small > kDraws / 2);
  // Uniform from 0.2 to 0.75, and from 0 to 1: standard deviation width/√12.
  CHECK(std::abs(small_area / small - 0.475) < 5 * 0.55 / std::sqrt(12. * small) + 1e-3);
  CHECK(std::abs(top_share / small - 0.5) < 5 / std::sqrt(12. * small));
  CHECK(five_sigma(wide, small, 0.5));
}

TEST_CASE("a crop that never fits is the largest centred one of an allowed ratio") {
  core::Stream stream(1, 2, 3, core::Purpose::data);
  const Augmentation wide{.scale = {0.9, 1}, .ratio = {2, 3}};
  const Box box = draw_crop(stream, 28, 28, wide);
  CHECK(box.rows == 14);
  CHECK(box.columns == 28);
  CHECK(box.top == 7);
  CHECK(box.left == 0);
  const Augmentation high{.scale = {0.9, 1}, .ratio = {0.25, 0.5}};
  CHECK(draw_crop(stream, 32, 32, high).columns == 16);
}

TEST_CASE("images are flipped, erased and resized by either filter as often as asked") {
  Images half = constant_image(8, 8, 1, 0);
  for (int i = 0; i < 64; ++i) half.pixels[i] = i % 8 < 4 ? 64 : 192;
  const Images grey = constant_image(28, 28, 1, 100);
  constexpr int kDraws = 10000;
  int flipped = 0, erased = 0, bilinear = 0;
  double noise = 0, squares = 0, area = 0, count = 0;
  const float background = augmented(grey, {}, 0)[0];
  for (int draw = 0; draw < kDraws; ++draw) {
    flipped += augmented(half, {.flip = 0.3}, draw)[0] > 0.5;
    // Enlarged from 5 to 8 columns the edge overshoots with bicubic only.
    const auto [low, high] = std::ranges::minmax(augmented(half, {.scale = {0.4, 0.4}}, draw));
    bilinear += low > 63.5 / 255 && high < 192.5 / 255;
    const std::vector<float> out = augmented(grey, {.erase = 0.25}, draw);
    const long changed = std::ranges::count_if(out, [&](float x) { return x != background; });
    erased += changed > 0;
    area += static_cast<double>(changed) / 784;
    for (const float x : out)
      if (x != background) noise += x, squares += x * x, ++count;
  }
  CHECK(five_sigma(flipped, kDraws, 0.3));
  CHECK(five_sigma(erased, kDraws, 0.25));
  CHECK(five_sigma(bilinear, kDraws, 0.5));
  // Uniform from 1/50 to 1/3 of the area, rounded to whole pixels; the longest boxes do not fit and are drawn again.
  CHECK(area / erased == Approx(0.171).margin(0.02));
  CHECK(std::abs(noise / count) < 5 / std::sqrt(count));
  CHECK(std::abs(squares / count - 1) < 5 * std::sqrt(2. / count));
  CHECK(count > 100000);
}

TEST_CASE("jitter changes brightness by factors in 1 ± jitter") {
  const Images grey = constant_image(4, 4, 1, 100);  // contrast leaves a constant image alone
  constexpr int kDraws = 10000;
  double sum = 0, low = 1, high = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const double value = 255. * augmented(grey, {.jitter = 0.4}, draw)[0];
    sum += value, low = std::min(low, value / 255), high = std::max(high, value / 255);
  }
  CHECK(low * 255 >= 59.99);
  CHECK(low * 255 < 61.5);
  CHECK(high * 255 <= 140.01);
  CHECK(high * 255 > 138.5);
  // Cut to whole numbers: half a step below the mean.
  CHECK(std::abs(sum / kDraws - 99.5) < 5 * 80 / std::sqrt(12. * kDraws) + 0.02);
}

TEST_CASE("an affine map turns, shears, enlarges and shifts by every amount up to the one asked for") {
  constexpr int kSide = 29, kDraws = 3000;
  constexpr double kRadian = 180 / std::numbers::pi;
  struct Moved {
    const char* what;
    Affine affine;
    double most;
    bool below;                             // a square ten pixels below the centre, or to its right
    double (*measure)(double x, double y);  // of where the square went
  };
  const Moved all[] = {
      {"rotate", {.rotate = 15}, 15, false, [](double x, double y) { return kRadian * std::atan2(y, x); }},
      {"shear", {.shear = 12}, 12, true, [](double x, double y) { return kRadian * std::atan2(x, y); }},
      {"zoom", {.zoom = 0.2}, 0.2, false, [](double x, double) { return x / 10 - 1; }},
      {"shift x", {.shift = 0.06}, 0.06, false, [](double x, double) { return (x - 10) / kSide; }},
      {"shift y", {.shift = 0.06}, 0.06, false, [](double, double y) { return y / kSide; }},
  };
  for (const auto& [what, affine, most, below, measure] : all)
    for (const int channels : {1, 3}) {
      INFO(what << ", " << channels << " channels");
      Images images = constant_image(kSide, kSide, channels, 0);
      for (int i = -1; i <= 1; ++i)
        for (int k = -1; k <= 1; ++k)
          for (int c = 0; c < channels; ++c)
            images.pixels[((14 + i + 10 * below) * kSide + 14 + k + 10 * !below) * channels + c] = 250;
      double sum = 0, squares = 0, largest = 0;
      for (int draw = 0; draw < kDraws; ++draw) {
        const std::vector<float> out = augmented(images, {.affine = affine}, draw,
                                                 {std::vector<float>(channels, 0), std::vector<float>(channels, 1)});
        double mass = 0, x = 0, y = 0;
        for (int row = 0; row < kSide; ++row)
          for (int column = 0; column < kSide; ++column) {
            const double pixel = out[(row * kSide + column) * channels + channels - 1];
            mass += pixel, x += pixel * (column - 14), y += pixel * (row - 14);
          }
        const double moved = measure(x / mass, y / mass);
        sum += moved, squares += moved * moved, largest = std::max(largest, std::abs(moved));
      }
      CHECK(largest == Approx(most).epsilon(0.05));
      CHECK(std::abs(sum / kDraws) < 5 * most / std::sqrt(3. * kDraws));
      CHECK(squares / kDraws == Approx(most * most / 3).epsilon(5 * std::sqrt(0.8 / kDraws)));
    }
}

TEST_CASE("a turned image keeps its centre, and what comes from beyond its edges is black") {
  const Images white = constant_image(28, 28, 1, 255);
  constexpr int kDraws = 2000;
  int black = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::vector<float> out = augmented(white, {.affine = {.rotate = 45}}, draw);
    REQUIRE(out[14 * 28 + 14] == Approx(1).margin(1. / 255));
    black += out[0] == 0;
  }
  // A corner, 13.5 pixels from the centre in both directions, comes from a pixel beyond the edge from this angle on.
  const double angle = (std::asin(14.5 / 13.5 / std::numbers::sqrt2) * 180 / std::numbers::pi) - 45;
  CHECK(five_sigma(black, kDraws, 1 - angle / 45));
}

TEST_CASE("an augmented image is a function of its stream alone") {
  const auto file = core::Hdf5File::open(DAMBENCH_FIXTURES "/image_fixtures.h5");
  const Images images{32, 32, 3, bytes(file, "source/3"), {0}};
  const Augmentation all{.scale = {0.2, 1},
                         .ratio = {0.75, 4. / 3},
                         .affine = {10, 5, 0.1, 0.1},
                         .flip = 0.5,
                         .jitter = 0.5,
                         .erase = 0.2};
  const std::vector<float> before = augmented(images, all, 7, kColours);
  augmented(images, all, 8, kColours);
  CHECK(augmented(images, all, 7, kColours) == before);
  CHECK(augmented(images, all, 9, kColours) != before);
}

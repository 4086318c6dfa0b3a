#include "ham/uses/retrieval.h"

#include <catch2/catch.hpp>
#include <numeric>
#include <random>

#include "ham/training/training.h"
#include "ham/uses/robustness.h"

using namespace ham;

namespace {

constexpr int kClasses = 10, kSide = 8, kPixels = kSide * kSide;

/// A memory with softmax hidden units of unit norm, as Table 1's, of small images.
Model small_model(const char* hidden) {
  return parse_model(std::string(R"(
name = "small"
layer = [{name = "image", shape = [64], lagrangian = "tanh"}, {name = "label", shape = [10], lagrangian = "softmax"}]
synapse = [{name = "memory", kind = "dense_hidden", connects = ["image", "label"], hidden = 60, )") +
                         hidden + R"(}]
dynamics = {depth = 4, time_step = 0.4, clamped = ["image"], readout = "label"}
)",
                     "small.toml");
}

/// Ten glyphs, random but fixed strokes, and noisy images of them.
struct Glyphs {
  Tensor<float> images;
  std::vector<int> labels;
  explicit Glyphs(int per_class, std::uint32_t seed) {
    std::mt19937 shapes(7), random(seed);
    std::vector<float> prototypes(kClasses * kPixels);
    for (float& pixel : prototypes) pixel = static_cast<float>(shapes() % 3 == 0);
    std::normal_distribution<float> noise(0, 0.15f);
    images = Tensor<float>({kClasses * per_class, kPixels});
    for (long i = 0; i < images.size(); ++i)
      images.values[i] = std::clamp(prototypes[i % prototypes.size()] + noise(random), 0.f, 1.f);
    for (int i = 0; i < kClasses * per_class; ++i) labels.push_back(i % kClasses);
  }
};

/// Weights after some steps of training on noisy glyphs.
std::vector<float> trained(const Model& model) {
  const Glyphs glyphs(20, 1);
  Engine<float> engine(model.network, {.clamped = model.clamped, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(3));
  Backpropagation<float> backpropagation(engine, model.readout);
  AdamW<float> optimizer(model.network.num_parameters(), {.rate = 1e-2});
  States<float> states = model.network.states<float>(static_cast<int>(glyphs.labels.size()));
  states[0].values = glyphs.images.values;
  const Loss<float> loss = smoothed_cross_entropy<float>(glyphs.labels, kClasses);
  for (int step = 0; step < 150; ++step) {
    backpropagation.run(states, loss);
    optimizer.step(engine.parameters(), backpropagation.gradient());
    engine.parameters_changed();
  }
  return {engine.parameters().begin(), engine.parameters().end()};
}

struct Memory {
  Model model = small_model(R"(lagrangian = "softmax", norm = "per_block")");
  std::vector<float> weights = trained(model);
};

const Memory& memory() {
  static const Memory made;
  return made;
}

long number_right(const std::vector<int>& told, std::span<const int> labels) {
  long right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += told[i] == labels[i];
  return right;
}

/// Images stretched so that their brightest pixel is 1, darker than 0 cut off.
Tensor<float> stretched(Tensor<float> images) {
  const long size = images.size() / images.shape[0];
  for (auto image = images.values.begin(); image != images.values.end(); image += size) {
    const float brightest = *std::max_element(image, image + size);
    std::transform(image, image + size, image, [&](float x) { return std::max(0.f, x / brightest); });
  }
  return images;
}

std::vector<int> all_labels() {
  std::vector<int> labels(kClasses);
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

}  // namespace

TEST_CASE("dreams of held labels are recognised, their energies only fall") {
  const auto& [model, weights] = memory();
  const Retrieved dreams = dream(model, weights, {.seed = Catch::rngSeed()});
  CHECK(number_right(recognise(model, weights, stretched(dreams.after_steps), 1), all_labels()) >= 9);
  CHECK(number_right(recognise(model, weights, stretched(dreams.at_rest), 1), all_labels()) >= 9);
  // By another judge: the nearest glyph.
  const Glyphs clean(1, 1);
  int nearest_right = 0;
  for (int label = 0; label < kClasses; ++label) {
    const auto likeness = [&](int glyph) {
      return std::inner_product(clean.images.values.begin() + glyph * kPixels,
                                clean.images.values.begin() + (glyph + 1) * kPixels,
                                dreams.at_rest.values.begin() + label * kPixels, 0.f);
    };
    std::vector<int> glyphs = all_labels();
    nearest_right += *std::ranges::max_element(glyphs, {}, likeness) == label;
  }
  CHECK(nearest_right >= 9);

  const long samples = dreams.energies.shape[1];
  REQUIRE(dreams.energies.shape[0] > 15);
  for (long i = samples; i < dreams.energies.size(); ++i)
    CHECK(dreams.energies.values[i] <= dreams.energies.values[i - samples] + 1e-12);
  for (const int steps : dreams.steps) CHECK((steps >= 15 && steps < 3000));
  // Far from flat: the first steps are a fall.
  for (long i = 0; i < samples; ++i) CHECK(dreams.energies.values[samples + i] < dreams.energies.values[i] - 1e-3);
}

TEST_CASE("dreams come from the labels: they differ, and depend on noise through the seed alone") {
  const auto& [model, weights] = memory();
  const Retrieved first = dream(model, weights, {.seed = 5}), again = dream(model, weights, {.seed = 5, .threads = 2});
  CHECK(first.at_rest.values == again.at_rest.values);
  CHECK(first.labels.values == again.labels.values);
  for (int label = 0; label < kClasses; ++label) CHECK(first.labels.values[label * (kClasses + 1)] > 0.999f);  // held
  CHECK(dream(model, weights, {.seed = 6}).after_steps.values != first.after_steps.values);
}

TEST_CASE("half a glyph recalls its label and the other half") {
  const auto& [model, weights] = memory();
  const Glyphs glyphs(4, 2);
  std::vector<std::uint8_t> known(kPixels, 0);
  std::fill_n(known.begin(), kPixels / 2, 1);
  const Retrieved found = complete(model, weights, glyphs.images, known, {.seed = Catch::rngSeed()});
  CHECK(number_right(largest(found.labels), glyphs.labels) >= 36);
  // What is recalled of the hidden half goes with the image, not with another of its half.
  int closer = 0;
  for (std::size_t i = 0; i < glyphs.labels.size(); ++i) {
    const auto likeness = [&](std::size_t image) {
      float sum = 0, square = 0;
      for (int k = kPixels / 2; k < kPixels; ++k) {
        const float pixel = glyphs.images.values[image * kPixels + k];
        sum += pixel * found.at_rest.values[i * kPixels + k], square += pixel * pixel;
      }
      return sum / std::sqrt(square);
    };
    closer += likeness(i) > likeness((i + 1) % glyphs.labels.size());
  }
  CHECK(closer >= 36);
}

TEST_CASE("retrieval refuses weights, masks and models that do not fit") {
  const auto& [model, weights] = memory();
  CHECK_THROWS_WITH(dream(model, std::span(weights).first(3), {}), Catch::Contains("weights"));
  const std::vector<std::uint8_t> short_mask(3);
  CHECK_THROWS_WITH(complete(model, weights, Tensor<float>({1, kPixels}), short_mask, {}), Catch::Contains("image"));
  Model free = small_model(R"(lagrangian = "relu")");
  free.clamped.clear();
  CHECK_THROWS_WITH(dream(free, weights, {}), Catch::Contains("clamps no layer"));
}

TEST_CASE("responses after n steps are those of a descent of n steps, and energies fall with depth") {
  const auto& [model, weights] = memory();
  const Glyphs glyphs(25, 3);  // more than one batch
  const Exposure shown{model, weights, glyphs.images, glyphs.labels};
  const std::vector<Response> all = responses(shown, {.depth = 12, .time_step = 0.4});
  REQUIRE(all.size() == 13);
  for (const int depth : {1, 4, 12}) {
    const Response one = response(shown, {.depth = depth, .time_step = 0.4});
    CHECK(one.correct == all[depth].correct);
    CHECK(one.energy == Approx(all[depth].energy).epsilon(1e-5));
    CHECK(all[depth].energy < all[0].energy);
  }
  CHECK(all[4].correct > 240);
  const Response rest = response(shown, {.depth = 500, .time_step = 0.4, .tolerance = 1e-4});
  CHECK(rest.energy <= all[12].energy + 1e-4);
}

TEST_CASE("noise has the deviation asked for, and grows in place") {
  const Tensor<float> none({20, 500});
  const Tensor<float> some = with_noise(none, 0.5, Catch::rngSeed()), more = with_noise(none, 1, Catch::rngSeed());
  double square = 0;
  for (long i = 0; i < some.size(); ++i) {
    square += some.values[i] * some.values[i];
    CHECK(more.values[i] == Approx(2 * some.values[i]));
  }
  CHECK(std::abs(square / 10000 / 0.25 - 1) < 5 * std::sqrt(2. / 10000));
}

#include "gpu/ham/training.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "ham/network/model_file.h"

#include "tests/support/small_model.h"

namespace gpu {
namespace {

constexpr Limits kHost = {1, 228 << 10, 228 << 10, std::int64_t{1} << 32};

const std::string kToml = support::small_hopfield(40);

ham::DataSet few_digits(long train, long test) {
  ham::DataSet data = ham::read_data_set(DAMBENCH_FIXTURES "/mnist_small.h5", {}, 1 << 28);
  for (auto& [images, count] : {std::pair{&data.train, train}, std::pair{&data.test, test}}) {
    images->pixels.resize(count * images->size());
    images->labels.resize(count);
  }
  return data;
}

ham::TrainingOptions quick(const char* recipe, int batch, long epochs) {
  ham::TrainingOptions options{ham::recipe(recipe), epochs, 7, 1};
  options.recipe.batch = batch;
  return options;
}

const ham::MakeTrainingDevice kMachine = [](const ham::Model& model, const ham::DataSet& data,
                                            const ham::TrainingOptions& options, ham::TrainingState& state) {
  return make_training(make_host_launcher(kHost), model, data, options, state);
};

ham::TrainingState trained(ham::Trainer& trainer, long most = 100) {
  while (!trainer.done()) trainer.step(most);
  return trainer.checkpoint();
}

double apart(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, square = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    square += std::pow(static_cast<double>(b[i]), 2);
  }
  return square == 0 ? std::sqrt(difference) : std::sqrt(difference / square);
}

void check_close(ham::TrainingState a, ham::TrainingState b) {
  REQUIRE(a.results.size() == b.results.size());
  CHECK(a.optimizer.steps() == b.optimizer.steps());
  CHECK(a.best_epoch == b.best_epoch);
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    CHECK(a.results[i].loss == Approx(b.results[i].loss).epsilon(1e-4));
    CHECK(a.results[i].gradient_norm == Approx(b.results[i].gradient_norm).epsilon(1e-3));
    CHECK(a.results[i].train_accuracy == Approx(b.results[i].train_accuracy).margin(0.021));
    CHECK(a.results[i].plain.loss == Approx(b.results[i].plain.loss).epsilon(1e-4));
    CHECK(a.results[i].zoomed.loss == Approx(b.results[i].zoomed.loss).epsilon(1e-4));
    CHECK(a.results[i].plain.accuracy == Approx(b.results[i].plain.accuracy).margin(0.021));
    CHECK(a.results[i].plain.batch_accuracy == Approx(b.results[i].plain.batch_accuracy).margin(0.021));
  }
  std::vector<std::vector<float>> arrays;
  a.for_each_array([&](const char*, const char*, std::vector<float>& array) { arrays.push_back(array); });
  std::size_t k = 0;
  b.for_each_array([&](const char* name, const char*, std::vector<float>& array) {
    INFO(name);
    REQUIRE(array.size() == arrays[k].size());
    CHECK(apart(arrays[k], array) <= 2e-3);  // AdamW divides small gradients by their own size
    ++k;
  });
}

void check_same(ham::TrainingState a, ham::TrainingState b) {
  std::vector<std::vector<float>> arrays;
  a.for_each_array([&](const char*, const char*, std::vector<float>& array) { arrays.push_back(array); });
  std::size_t k = 0;
  b.for_each_array([&](const char* name, const char*, std::vector<float>& array) {
    INFO(name);
    CHECK(array == arrays[k++]);
  });
  CHECK(a.results.back().loss == b.results.back().loss);
  CHECK(a.results.back().plain.loss == b.results.back().plain.loss);
}

// Blurred random images of ten classes, for a machine without files.
ham::DataSet blobs(long train, long test) {
  std::mt19937 random(5);
  ham::DataSet data{.name = "blobs", .classes = 10, .train = {28, 28, 1, {}, {}}, .test = {28, 28, 1, {}, {}}};
  data.normalization = {{0.F}, {1.F}};
  for (auto& [images, count] : {std::pair{&data.train, train}, std::pair{&data.test, test}})
    for (long i = 0; i < count; ++i) {
      const int label = static_cast<int>(random() % 10);
      images->labels.push_back(label);
      for (int pixel = 0; pixel < 784; ++pixel)
        images->pixels.push_back(pixel / 28 / 3 == label ? 200 : static_cast<std::uint8_t>(random() % 60));
    }
  return data;
}

}  // namespace

TEST_CASE("training on a card: up to rounding that of the processor, twice the same bits", "[card]") {
  if (num_cards() == 0) {
    WARN("SKIPPED: no card here");
    return;
  }
  const ham::MakeTrainingDevice card = [](const auto& model, const auto& data, const auto& options, auto& state) {
    return make_training(make_cuda_launcher(0), model, data, options, state);
  };
  const ham::Model model = ham::parse_model(kToml, "small.toml");
  const ham::DataSet data = blobs(420, 130);
  const ham::TrainingOptions options = quick("ours", 100, 3);
  ham::Trainer processor(model, data, options), once(model, data, options, {}, card);
  const ham::TrainingState there = trained(once);
  check_close(there, trained(processor));
  ham::Trainer begun(model, data, options, {}, card);
  for (int i = 0; i < 4; ++i) begun.step(2);
  ham::Trainer again(model, data, options, begun.checkpoint(), card);
  check_same(trained(again), there);
}

TEST_CASE("training on a machine is training on the processor, up to rounding") {
  const ham::Model model = ham::parse_model(kToml, "small.toml");
  const ham::DataSet data = few_digits(120, 50);
  for (const char* recipe : {"code", "ours"}) {
    const ham::TrainingOptions options = quick(recipe, 50, 2);
    ham::Trainer processor(model, data, options), machine(model, data, options, {}, kMachine);
    const ham::TrainingState there = trained(machine), here = trained(processor);
    check_close(there, here);

    // Half on one, half on the other; and stopped in the middle of an epoch.
    ham::Trainer begun(model, data, options, {}, kMachine);
    begun.step(2);
    begun.step(2);
    CHECK(begun.state().epochs == 1);
    begun.step(1);
    const ham::TrainingState half = begun.checkpoint();
    ham::Trainer elsewhere(model, data, options, half);
    check_close(trained(elsewhere), here);
    ham::Trainer again(model, data, options, half, kMachine);
    check_same(trained(again, 1), there);
  }
}

TEST_CASE("a training that is no longer finite says where, and changes nothing") {
  const ham::Model model = ham::parse_model(kToml, "small.toml");
  const ham::DataSet data = few_digits(100, 50);
  ham::TrainingOptions options = quick("code", 50, 3);
  ham::Trainer first(model, data, options, {}, kMachine);
  first.step(1);
  ham::TrainingState state = first.checkpoint();
  state.weights[5] = INFINITY;
  const ham::TrainingState before = state;
  ham::Trainer broken(model, data, options, state, kMachine);
  CHECK_THROWS_WITH(broken.step(4), Catch::Contains("epoch 1, batch 2") && Catch::Contains("the value of parameter"));
  CHECK(broken.checkpoint().optimizer.first_moment() == ham::TrainingState(before).optimizer.first_moment());
  CHECK(broken.state().batches == 1);
}

}  // namespace gpu

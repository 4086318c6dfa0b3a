#include "ham/training/trainer.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/support/small_model.h"

using namespace ham;

namespace {

// A Hopfield network of the paper's kind, small enough for seconds.
const std::string kToml = support::small_hopfield(60);

Model small_model() { return parse_model(kToml, "small.toml"); }

const DataSet& digits() {
  static const DataSet data = read_data_set(DAMBENCH_FIXTURES "/mnist_small.h5", {}, 1 << 28);
  return data;
}

// The first images only, in batches that do not fit evenly.
DataSet few_digits(long train, long test) {
  DataSet data = digits();
  for (auto& [images, count] : {std::pair{&data.train, train}, std::pair{&data.test, test}}) {
    images->pixels.resize(count * images->size());
    images->labels.resize(count);
  }
  return data;
}

TrainingOptions quick(int batch, long epochs, int threads = 1) {
  TrainingOptions options{recipe("code"), epochs, 7, threads};
  options.recipe.batch = batch;
  return options;
}

void train(Trainer& trainer) {
  while (!trainer.done()) trainer.step();
}

void check_same(TrainingState& a, TrainingState& b) {
  CHECK(a.epochs == b.epochs);
  CHECK(a.best_epoch == b.best_epoch);
  CHECK(a.optimizer.steps() == b.optimizer.steps());
  std::vector<const std::vector<float>*> arrays;
  a.for_each_array([&](const char*, const char*, const std::vector<float>& array) { arrays.push_back(&array); });
  std::size_t k = 0;
  b.for_each_array([&](const char* name, const char*, const std::vector<float>& array) {
    INFO(name);
    CHECK(array == *arrays[k++]);
  });
  REQUIRE(a.results.size() == b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    CHECK(a.results[i].loss == b.results[i].loss);
    CHECK(a.results[i].train_accuracy == b.results[i].train_accuracy);
    CHECK(a.results[i].gradient_norm == b.results[i].gradient_norm);
    CHECK(a.results[i].plain.accuracy == b.results[i].plain.accuracy);
    CHECK(a.results[i].zoomed.loss == b.results[i].zoomed.loss);
  }
}

}  // namespace

TEST_CASE("a small network trained on 2000 digits recognises more than 85 of 100 it has not seen") {
  const Model model = load_model(DAMBENCH_MODELS "/hn_relu_mnist.toml");
  TrainingOptions options = quick(100, 12, 2);
  Trainer trainer(model, digits(), options);
  train(trainer);
  const EpochResult& last = trainer.state().results.back();
  CHECK(last.plain.accuracy > 0.85);
  CHECK(last.zoomed.accuracy > 0.80);
  CHECK(last.loss < trainer.state().results.front().loss);
  CHECK(trainer.state().results.size() == 12);
}

TEST_CASE("weights are the same bit for bit for any number of threads and wherever training stopped") {
  const Model model = small_model();
  const DataSet data = few_digits(250, 60);
  TrainingOptions options = quick(60, 2);
  const bool averaging = GENERATE(false, true);
  if (averaging) {
    options.recipe.averaging = 0.9;
    options.recipe.schedule = {.cosine = true, .warm_up = 0.2};
  }
  Trainer whole(model, data, options);
  train(whole);

  options.threads = 3;
  Trainer threaded(model, data, options);
  train(threaded);
  check_same(whole.checkpoint(), threaded.checkpoint());

  TrainingState state;
  for (int stop = 0; state.epochs < 2; ++stop) {  // one batch a life
    options.threads = 1 + stop % 2;
    Trainer part(model, data, options, std::move(state));
    part.step();
    state = part.checkpoint();
  }
  check_same(whole.checkpoint(), state);
}

TEST_CASE("another seed, order or recipe gives other weights") {
  const Model model = small_model();
  const DataSet data = few_digits(120, 20);
  const auto weights = [&](const TrainingOptions& options) {
    Trainer trainer(model, data, options);
    train(trainer);
    return trainer.checkpoint().weights;
  };
  TrainingOptions options = quick(60, 1);
  const std::vector<float> first = weights(options);
  CHECK(weights(options) == first);
  options.seed = 8;
  CHECK(weights(options) != first);
  options = quick(60, 1);
  options.recipe.augmentation = "none";
  CHECK(weights(options) != first);
  options = quick(60, 1);
  options.recipe.hidden_beta = 10;
  CHECK(weights(options) != first);
}

TEST_CASE("the best epoch's weights are kept, and score as they did") {
  const Model model = small_model();
  const DataSet data = few_digits(500, 100);
  TrainingOptions options = quick(50, 6);
  options.recipe.averaging = GENERATE(0., 0.95);
  Trainer trainer(model, data, options);
  train(trainer);
  TrainingState& state = trainer.checkpoint();
  const EpochResult& best = state.results[state.best_epoch - 1];
  for (const EpochResult& result : state.results) {
    CHECK(result.plain.accuracy <= best.plain.accuracy);
    if (result.epoch < best.epoch) CHECK(result.plain.accuracy < best.plain.accuracy);
  }
  // Lanes of half a batch, as the trainer's: the loss depends on them in rounding.
  Engine<float> engine(model.network, {.clamped = model.clamped, .lane_rows = 25});
  engine.set_parameters(state.best_weights);
  const Classifier classifier(model, data);
  const Score plain = score(engine, model, classifier, data.test, data.normalization, View::plain, 50);
  CHECK(plain.accuracy == best.plain.accuracy);
  CHECK(plain.loss == best.plain.loss);
  CHECK(score(engine, model, classifier, data.test, data.normalization, View::zoomed, 50).accuracy ==
        best.zoomed.accuracy);
}

TEST_CASE("the mean of batches counts a smaller last batch as much as the others") {
  const Model model = small_model();
  const DataSet data = few_digits(100, 70);
  Engine<float> engine(model.network, {.clamped = model.clamped});
  engine.set_parameters(model.network.initial_parameters<float>(3));
  const Classifier classifier(model, data);
  const auto accuracy = [&](long first, long count) {
    Images part = data.test;
    const auto pixels = data.test.pixels.begin() + first * part.size();
    part.pixels.assign(pixels, pixels + count * part.size());
    part.labels.assign(data.test.labels.begin() + first, data.test.labels.begin() + first + count);
    return score(engine, model, classifier, part, data.normalization, View::plain, 50).accuracy;
  };
  const Score all = score(engine, model, classifier, data.test, data.normalization, View::plain, 50);
  CHECK(all.accuracy == Approx((50 * accuracy(0, 50) + 20 * accuracy(50, 20)) / 70));
  CHECK(all.batch_accuracy == Approx((accuracy(0, 50) + accuracy(50, 20)) / 2));
}

TEST_CASE("numbers that are no longer finite end training with the name of the layer or parameter") {
  const Model model = small_model();
  const DataSet data = few_digits(60, 20);
  const TrainingOptions options = quick(60, 2);
  Trainer begun(model, data, options);
  begun.step();
  // Sets every `stride`-th number of a parameter.
  const auto refusal = [&](const char* name, float value, long stride = 1) {
    const Parameter& parameter = model.network.parameter(name);
    TrainingState state = begun.checkpoint();
    for (long i = 0; i < parameter.size(); i += stride) state.weights[parameter.offset + i] = value;
    Trainer trainer(model, data, options, state);
    std::string what;
    try {
      trainer.step();
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    CHECK(trainer.checkpoint().optimizer.steps() == state.optimizer.steps());
    return what;
  };
  CHECK_THAT(refusal("memory.W1", std::numeric_limits<float>::quiet_NaN(), 100),
             Catch::StartsWith("epoch 2, batch 1: ") && Catch::Contains("parameter 'memory.W1'"));
  CHECK_THAT(refusal("label.beta", std::numeric_limits<float>::infinity()), Catch::Contains("parameter 'label.beta'"));
  // A memory of length 0 has no direction: no parameter is wrong, the label's force is.
  CHECK_THAT(refusal("memory.W1", 0, 60), Catch::Contains("layer 'label' at step 1"));
}

TEST_CASE("models, data and states that do not fit are refused by name") {
  const DataSet& data = digits();
  const Model cifar = load_model(DAMBENCH_MODELS "/hn_relu_cifar10.toml");
  CHECK_THROWS_WITH((Classifier{cifar, data}),
                    Catch::Contains("layer 'image' has shape 3072") && Catch::Contains("784 numbers an image"));
  Model free = small_model();
  free.clamped.clear();
  CHECK_THROWS_WITH((Classifier{free, data}), Catch::Contains("clamps no layer"));
  DataSet four = data;
  four.classes = 4;
  const Model model = small_model();
  CHECK_THROWS_WITH((Classifier{model, four}), Catch::Contains("layer 'label' has shape 10"));
  TrainingState other;
  other.weights.resize(5);
  CHECK_THROWS_WITH((Trainer{model, data, quick(50, 1), other}), Catch::Contains("weights are 5"));
}

#include "ham/training/training.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>

#include "ham/network/model_file.h"
#include "ham/training/trainer.h"
#include "tests/support/random_states.h"
#include "tests/support/small_model.h"

using namespace ham;

// Every allocation of this program passes here; sanitizers bring their own and are left alone.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
#define COUNTS_ALLOCATIONS 1
namespace {
std::atomic<std::size_t> largest_allocation = 0;
void seen(std::size_t bytes) {
  std::size_t largest = largest_allocation;
  while (bytes > largest && !largest_allocation.compare_exchange_weak(largest, bytes)) {
  }
}
}  // namespace
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t bytes) {
  seen(bytes);
  return __libc_malloc(bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  seen(bytes);
  return __libc_memalign(alignment, bytes);
}
}
#endif

namespace {

struct Run {
  double loss;
  std::vector<float> gradient;
};

Run run_once(const Model& model, int threads, int batch) {
  Engine<float> engine(model.network, {.clamped = model.clamped, .threads = threads, .lane_rows = 3, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(5));
  std::mt19937 random(Catch::rngSeed());
  const States<float> x = test::normal_states<float>(random, model.network, batch);
  std::vector<int> labels(batch);
  for (int& label : labels) label = static_cast<int>(random() % 10);
  Backpropagation<float> backpropagation(engine, model.readout);
  const double loss = backpropagation.run(x, smoothed_cross_entropy<float>(labels, 10));
  return {loss, {backpropagation.gradient().begin(), backpropagation.gradient().end()}};
}

Model registry(const char* name) { return load_model(std::string(DAMBENCH_MODELS "/") + name + ".toml"); }

}  // namespace

TEST_CASE("one thread and two give the same bits, ragged batches included") {
  for (const char* name : {"hn_softmax_mnist", "conv_ham_maxpool_mnist", "energy_attn_mnist"}) {
    const Model model = registry(name);
    const Run one = run_once(model, 1, 8), two = run_once(model, 2, 8);
    CHECK(one.loss == two.loss);
    CHECK(one.gradient == two.gradient);
  }
}

TEST_CASE("a shorter descent on the same engine leaves the longer one its room and its numbers") {
  const Model model = registry("conv_ham_maxpool_mnist");
  std::mt19937 random(Catch::rngSeed());
  const States<double> x = test::normal_states<double>(random, model.network, 2);
  const std::vector<int> labels = {3, 7};
  Engine<double> engine(model.network, {.clamped = model.clamped, .training = true});
  engine.set_parameters(model.network.initial_parameters<double>(5));
  Backpropagation<double> longer(engine, model.readout);
  longer.run(x, smoothed_cross_entropy<double>(labels, 10));
  const std::vector<double> before(longer.gradient().begin(), longer.gradient().end());
  Backpropagation<double> shorter(engine, {{.depth = 2, .time_step = 0.3}, model.readout.layer});
  shorter.run(x, smoothed_cross_entropy<double>(labels, 10));
  longer.run(x, smoothed_cross_entropy<double>(labels, 10));
  CHECK(std::equal(before.begin(), before.end(), longer.gradient().begin()));
}

TEST_CASE("float agrees with double to float accuracy") {
  for (const char* name : {"hn_relu_mnist", "hn_softmax_mnist", "conv_ham_avgpool_mnist"}) {
    INFO(name);
    const Model model = registry(name);
    const std::vector<int> labels = {3, 7};
    const auto parameters = model.network.initial_parameters<double>(5);
    std::mt19937 random(Catch::rngSeed());
    const States<double> x = test::normal_states<double>(random, model.network, 2);
    const auto gradient_of = [&]<class T>(T) {
      Engine<T> engine(model.network, {.clamped = model.clamped, .training = true});
      engine.set_parameters(std::vector<T>(parameters.begin(), parameters.end()));
      States<T> states;
      for (const auto& state : x) states.push_back({state.shape, {state.values.begin(), state.values.end()}});
      Backpropagation<T> backpropagation(engine, model.readout);
      backpropagation.run(states, smoothed_cross_entropy<T>(labels, 10));
      return std::vector<double>(backpropagation.gradient().begin(), backpropagation.gradient().end());
    };
    const auto single = gradient_of(0.0f), real = gradient_of(0.0);
    double difference = 0, scale = 0;
    for (std::size_t i = 0; i < real.size(); ++i) {
      difference += (single[i] - real[i]) * (single[i] - real[i]);
      scale += real[i] * real[i];
    }
    CHECK(scale > 0);
    CHECK(std::sqrt(difference / scale) < 1e-4);
  }
}

#ifdef COUNTS_ALLOCATIONS
TEST_CASE("after the first step a training step allocates nothing of a tensor's size") {
  const Model model = registry("hn_softmax_mnist");
  Engine<float> engine(model.network, {.clamped = model.clamped, .lane_rows = 20, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(1));
  Backpropagation<float> backpropagation(engine, model.readout);
  AdamW<float> optimizer(model.network.num_parameters(), {});
  std::mt19937 random(Catch::rngSeed());
  const States<float> x = test::normal_states<float>(random, model.network, 60);
  const std::vector<int> labels(60, 4);
  const Loss<float> loss = smoothed_cross_entropy<float>(labels, 10);
  const auto step = [&] {
    backpropagation.run(x, loss);
    optimizer.step(engine.parameters(), backpropagation.gradient());
    engine.parameters_changed();
  };
  step();
  largest_allocation = 0;
  step();
  INFO("largest allocation " << largest_allocation << " bytes");
  CHECK(largest_allocation < 20 * 10 * sizeof(float));  // the smallest state of a lane
  largest_allocation = 0;
  const std::vector<float> seen_by_the_counter(1 << 16);
  CHECK(largest_allocation >= (1 << 18));
}

TEST_CASE("after the first steps of a whole training no step allocates anything of a tensor's size") {
  constexpr std::size_t kTensor = 60 * 60 * sizeof(float);  // the smallest: a batch of 60 samples of 60 neurons
  DataSet data = read_data_set(DAMBENCH_FIXTURES "/mnist_small.h5", {}, 1 << 28);
  for (Images* images : {&data.train, &data.test}) {
    images->pixels.resize(500 * images->size());
    images->labels.resize(500);
  }
  const Model model = parse_model(support::small_hopfield(60), "small.toml");
  // One thread: of several, one may come to its first work, and to its scratch, at any step.
  TrainingOptions options{recipe("ours"), 3, 7, 1};
  options.recipe.batch = 60;
  Trainer trainer(model, data, options);
  std::vector<std::size_t> largest;
  while (!trainer.done()) {
    const bool scores = trainer.state().batches + 1 == trainer.batches_per_epoch();  // whose states are the images'
    largest_allocation = 0;
    trainer.step();
    if (!scores) largest.push_back(largest_allocation);
  }
  INFO("by step: " << Catch::Detail::stringify(largest));
  REQUIRE(largest.size() == 24);  // the ninth and last batch of an epoch has 20 images
  CHECK(largest[0] >= kTensor);
  for (std::size_t step = 3; step < largest.size(); ++step)  // two batches are kept ready beside the first
    CHECK(largest[step] < kTensor);
}
#endif

TEST_CASE("a small network learns") {
  Model model = registry("hn_relu_mnist");
  Engine<float> engine(model.network, {.clamped = model.clamped, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(1));
  Backpropagation<float> backpropagation(engine, model.readout);
  AdamW<float> optimizer(model.network.num_parameters(), {});
  std::mt19937 random(Catch::rngSeed());
  const States<float> x = test::normal_states<float>(random, model.network, 20);
  std::vector<int> labels(20);
  for (int i = 0; i < 20; ++i) labels[i] = i % 10;
  const Loss<float> loss = smoothed_cross_entropy<float>(labels, 10);
  const double before = backpropagation.run(x, loss);
  for (int step = 0; step < 30; ++step) {
    backpropagation.run(x, loss);
    optimizer.step(engine.parameters(), backpropagation.gradient());
    engine.parameters_changed();
  }
  CHECK(before > 2);
  CHECK(backpropagation.run(x, loss) < 0.8);  // 0.463 is the least that smoothed labels allow
}

TEST_CASE("backpropagation refuses what it cannot differentiate") {
  const Model model = registry("hn_relu_mnist");
  Engine<float> plain(model.network, {.clamped = model.clamped});
  CHECK_THROWS_WITH(Backpropagation<float>(plain, model.readout), Catch::Contains("not made for training"));
  Engine<float> engine(model.network, {.clamped = model.clamped, .training = true});
  Readout readout = model.readout;
  readout.layer = "image";
  CHECK_THROWS_WITH(Backpropagation<float>(engine, readout), Catch::Contains("clamped"));
  readout = model.readout;
  readout.descent.tolerance = 1e-3;
  CHECK_THROWS_WITH(Backpropagation<float>(engine, readout), Catch::Contains("tolerance"));
}

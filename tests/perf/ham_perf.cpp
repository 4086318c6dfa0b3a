// Milliseconds of a training step (forward, gradients through time, AdamW) of the paper's networks, batch 400, float.
// With the path of tests/perf/peers/torch_ham_timing.py as argument, the same steps in PyTorch are timed in the same
// run, before and after ours, and the goals are shown: our time as a share of PyTorch's.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ham/network/synapses.h"
#include "ham/training/training.h"

using namespace ham;

namespace {

constexpr int kBatch = 400;

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// One thread is measured in processor time, as the peer is, so that a busy machine disturbs little; two in wall time.
template <class Body>
double median_ms(int repeats, Body body, clockid_t clock = CLOCK_PROCESS_CPUTIME_ID) {
  std::vector<double> times;
  for (int i = 0; i < repeats + 2; ++i) {
    const double start = seconds(clock);
    body();
    if (i >= 2) times.push_back(1e3 * (seconds(clock) - start));
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

// Billions of operations per second of the product that dominates the Hopfield network, 400×784 by 784×1000, dense.
double product_rate() {
  std::vector<float> a(400 * 784, 1.0f), b(784 * 1000, 1.0f), c(400 * 1000);
  const double ms = median_ms(20, [&] {
    kernels<float>().multiply({400, 1000, 784, a.data(), 784, false, b.data(), 1000, false, c.data(), 1000, nullptr});
  });
  return 2e-6 * 400 * 784 * 1000 / ms;
}

// The convolution 7×7×64 → 5×5×128 where max-pooling of 2×2 picked one of four positions, and its transposes, as shares
// of the dense product's rate. Below a quarter, computing all positions would take less time.
void show_picked(double rate) {
  constexpr long kImages = 50;
  const Picked p = {{7, 7, 64, 3, 3, 1, 1, 0, 0, 5, 5}, {5, 5, 128, 2, 2, 2, 2, 0, 0, 2, 2}};
  const long wins = kImages * p.pool.positions() * p.pool.channels;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto numbers = [&](long count) {
    std::vector<float> x(count);
    for (float& number : x) number = normal(random);
    return x;
  };
  std::vector<float> x = numbers(kImages * p.window.input_size()), y = numbers(wins),
                     kernel = numbers(p.window.patch() * p.pool.channels), sum(std::max(x.size(), kernel.size()));
  std::vector<std::int32_t> picks;
  for (long b = 0; b < kImages; ++b)
    for (int cell = 0; cell < 4; ++cell)
      for (int c = 0; c < p.pool.channels; ++c)
        picks.push_back(p.window.patch_begin(cell / 2 * 2 + static_cast<int>(random() % 2),
                                             cell % 2 * 2 + static_cast<int>(random() % 2)));
  const auto show = [&](const char* name, auto body) {
    const double ms = median_ms(40, body);
    std::printf("| %s | %.2f ms | %.0f %% | > 25 %% |\n", name, ms,
                2e-4 * static_cast<double>(wins * p.window.patch()) / ms / rate);
  };
  const Kernels<float>& loops = kernels<float>();
  std::printf("\n| picked products, 50 images | 1 thread | of the dense product's rate | goal |\n|---|---|---|---|\n");
  show("convolution", [&] { loops.correlate_picked(p, kImages, picks.data(), x.data(), kernel.data(), y.data()); });
  show("to image",
       [&] { loops.correlate_picked_to_image(p, kImages, picks.data(), y.data(), kernel.data(), sum.data()); });
  show("to kernel",
       [&] { loops.correlate_picked_to_kernel(p, kImages, picks.data(), x.data(), y.data(), sum.data()); });
}

struct Model {
  const char* name;
  const char* peer;   // the line of the peer's output to compare with
  double wanted;      // times as fast as the peer, at least
  double operations;  // of the dense algorithm, hoisted; 0: not counted
  Network network;
  Readout readout;
  int repeats;
};

Network hopfield(Lagrangian lagrangian, UnitNorm norm) {
  Network network;
  network.add_layer("image", {784}, Lagrangian::tanh());
  network.add_layer("label", {10}, Lagrangian::softmax());
  network.connect({"image", "label"}, dense_hidden({.lagrangian = std::move(lagrangian), .norm = norm}));
  return network;
}

Network convolutional() {
  Network network;
  network.add_layer("image", {28, 28, 1}, Lagrangian::tanh());
  network.add_layer("low", {7, 7, 64}, Lagrangian::tanh());
  network.add_layer("high", {2, 2, 128}, Lagrangian::tanh());
  network.add_layer("label", {10}, Lagrangian::softmax());
  network.connect({"image", "low"}, convolution_synapse({.kernel_height = 4,
                                                         .kernel_width = 4,
                                                         .stride_height = 2,
                                                         .stride_width = 2,
                                                         .padding_height = 2,
                                                         .padding_width = 2,
                                                         .pooled = true,
                                                         .pooling = {}}));
  network.connect({"low", "high"}, convolution_synapse({.pooled = true, .pooling = {}}));
  network.connect({"high", "label"}, dense_hidden({}));
  return network;
}

// Three products with the image, and seven with the labels per step (two forward, five in reverse).
double hopfield_operations(int depth) { return 2.0 * kBatch * 1000 * (3 * 784 + 7 * 10 * depth); }

double step_ms(const Model& model, int threads, clockid_t clock) {
  Engine<float> engine(model.network, {.clamped = {"image"}, .threads = threads, .training = true});
  engine.set_parameters(model.network.initial_parameters<float>(1));
  Backpropagation<float> backpropagation(engine, model.readout);
  AdamW<float> optimizer(model.network.num_parameters(), {});
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform;
  States<float> initial = model.network.states<float>(kBatch);
  for (float& x : initial[0].values) x = uniform(random) < 0.2f ? uniform(random) : 0;  // as sparse as handwriting
  std::vector<int> labels(kBatch);
  for (int& label : labels) label = static_cast<int>(random() % 10);
  const Loss<float> loss = smoothed_cross_entropy<float>(labels, 10);
  return median_ms(
      model.repeats,
      [&] {
        backpropagation.run(initial, loss);
        optimizer.step(engine.parameters(), backpropagation.gradient(), threads);
        engine.parameters_changed();
      },
      clock);
}

// Lines `name milliseconds` of the peer's output; nothing where PyTorch is missing.
std::map<std::string, double> peer_ms(const std::string& script) {
  std::map<std::string, double> result;
  FILE* pipe = popen(("OPENBLAS_NUM_THREADS=1 /usr/bin/python3 " + script + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return result;
  char name[64];
  double ms = 0;
  while (std::fscanf(pipe, "%63s %lf", name, &ms) == 2) result[name] = ms;
  pclose(pipe);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Model> models;
  models.push_back({"HN ReLU, depth 4",
                    "hn_relu_naive",
                    12,
                    hopfield_operations(4),
                    hopfield(Lagrangian::relu(), UnitNorm::none),
                    {{4, 0.4}, "label"},
                    40});
  models.push_back({"HN softmax, unit norm, depth 4",
                    "hn_softmax_hoisted",
                    3,
                    hopfield_operations(4),
                    hopfield(Lagrangian::softmax(), UnitNorm::per_block),
                    {{4, 0.4}, "label"},
                    40});
  models.push_back({"conv HAM max-pool, depth 7", "conv_naive", 5, 0, convolutional(), {{7, 0.3}, "label"}, 6});

  std::printf("kernels %s, dense product 400x784x1000 %.0f GFLOP/s\n\n", kernels_in_use(), product_rate());
  std::printf(
      "| training step, batch 400 | 1 thread | PyTorch (which) | faster | goal | of the product's rate | 2 threads "
      "|\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (const Model& model : models) {
    const auto peer = [&] { return argc > 1 ? peer_ms(std::string(argv[1]) + " " + model.peer)[model.peer] : 0.0; };
    const double before = peer(), one = step_ms(model, 1, CLOCK_PROCESS_CPUTIME_ID), theirs = (before + peer()) / 2;
    const double rate = product_rate();
    const double gain = step_ms(model, 1, CLOCK_MONOTONIC) / step_ms(model, 2, CLOCK_MONOTONIC);
    std::printf("| %s | %.1f ms |", model.name, one);
    theirs > 0 ? std::printf(" %.0f ms (%s) | **%.1f×** | %.0f× |", theirs, model.peer, theirs / one, model.wanted)
               : std::printf(" - | - | %.0f× |", model.wanted);
    model.operations > 0 ? std::printf(" %.0f %% |", 1e-4 * model.operations / one / rate) : std::printf(" - |");
    std::printf(" %.2f× |\n", gain);
    std::fflush(stdout);
    if (argc > 1 && theirs == 0)
      std::fprintf(stderr, "PyTorch is missing (Debian: python3-torch): nothing to compare with\n");
  }
  show_picked(product_rate());
}

// Milliseconds of a training step (forward, gradients through time, AdamW) of the paper's networks, batch 400, float.
// With the path of tests/perf/peers/torch_ham_timing.py as argument, the same steps in PyTorch are timed in the same
// run, before and after ours, and the goals are shown: our time as a share of PyTorch's; with that of
// tests/perf/peers/jax_ham_timing.py as another one, also JAX's. Then how much of what this machine can do at most each
// network reaches, and what its tasks, timed one by one, would come to on more threads.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/parallel.h"
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
  const char* torch;  // the line of the peer's output to compare with
  const char* jax;
  double wanted;  // times as fast as PyTorch, at least
  Network network;
  Readout readout;
  int repeats;
};

Network hopfield(int inputs, int hidden, Lagrangian lagrangian, UnitNorm norm) {
  Network network;
  network.add_layer("image", {inputs}, Lagrangian::tanh());
  network.add_layer("label", {10}, Lagrangian::softmax());
  network.connect({"image", "label"},
                  dense_hidden({.hidden = hidden, .lagrangian = std::move(lagrangian), .norm = norm}));
  return network;
}

Network convolutional(const Shape& image, const Shape& low, const Shape& high) {
  Network network;
  network.add_layer("image", image, Lagrangian::tanh());
  network.add_layer("low", low, Lagrangian::tanh());
  network.add_layer("high", high, Lagrangian::tanh());
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

// A model at training on made-up images, as sparse as handwriting.
class Training {
 public:
  Training(const Model& model, int threads)
      : engine_(model.network, {.clamped = {"image"}, .threads = threads, .training = true}),
        backpropagation_(engine_, model.readout),
        optimizer_(model.network.num_parameters(), {}),
        initial_(model.network.states<float>(kBatch)),
        labels_(kBatch),
        threads_(threads) {
    engine_.set_parameters(model.network.initial_parameters<float>(1));
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform;
    for (float& x : initial_[0].values) x = uniform(random) < 0.2f ? uniform(random) : 0;
    for (int& label : labels_) label = static_cast<int>(random() % 10);
  }
  void step() {
    backpropagation_.run(initial_, smoothed_cross_entropy<float>(labels_, 10));
    optimizer_.step(engine_.parameters(), backpropagation_.gradient(), threads_);
    engine_.parameters_changed();
  }
  const Program& program() const { return engine_.program(); }

 private:
  Engine<float> engine_;
  Backpropagation<float> backpropagation_;
  AdamW<float> optimizer_;
  States<float> initial_;
  std::vector<int> labels_;
  int threads_;
};

double step_ms(const Model& model, int threads, clockid_t clock) {
  Training training(model, threads);
  return median_ms(
      model.repeats, [&] { training.step(); }, clock);
}

// ---- what the machine can do at most ----

// Billions of operations a second of a product whose factors stay in the nearest caches: what the multiply-add units
// were seen to do at most (products_perf has what they could do).
double most_flops() {
  constexpr long kRows = 100, kColumns = 128, kInner = 128;
  std::vector<float> a(kRows * kInner, 1.0f), b(kInner * kColumns, 1.0f), c(kRows * kColumns);
  const double ms = median_ms(200, [&] {
    for (int i = 0; i < 20; ++i)
      kernels<float>().multiply(
          {kRows, kColumns, kInner, a.data(), kInner, false, b.data(), kColumns, false, c.data(), kColumns, nullptr});
  });
  return 2e-6 * 20 * kRows * kColumns * kInner / ms;
}

// Billions of bytes a second that a sum over two large arrays reads and writes.
double most_bytes() {
  constexpr long kNumbers = 1 << 25;
  std::vector<float> a(kNumbers, 1.0f), b(kNumbers, 1.0f);
  const double ms = median_ms(5, [&] { kernels<float>().repeat_add({1, 1, kNumbers}, a.data(), b.data(), a.data()); });
  return 1e-6 * 3 * sizeof(float) * kNumbers / ms;
}

// ---- more threads than there are ----

// Times of the tasks of every parallel phase of a step, and of what runs between them.
class TaskTimes : public core::TaskWatcher {
 public:
  void begin_step() { at_ = phase_ = 0, last_ = seconds(CLOCK_PROCESS_CPUTIME_ID); }
  void end_step() { note(serial_, phase_); }
  void phase_begins(std::size_t count) override {
    note(serial_, phase_++);
    if (sizes_.size() < phase_) sizes_.push_back(count);
  }
  void task_ends() override { note(tasks_, at_++); }

  // Tasks go to the thread that is free first, as they do in a team; a phase ends with its last task.
  double on(int threads) const {
    double total = serial_.back();
    std::size_t next = 0;
    for (std::size_t phase = 0; phase < sizes_.size(); ++phase) {
      std::vector<double> busy(static_cast<std::size_t>(threads), 0.0);
      for (std::size_t task = 0; task < sizes_[phase]; ++task) *std::ranges::min_element(busy) += tasks_[next++];
      total += serial_[phase] + *std::ranges::max_element(busy);
    }
    return total;
  }

 private:
  // The least of all steps: what was disturbed does not count.
  void note(std::vector<double>& times, std::size_t index) {
    const double now = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (times.size() <= index) times.push_back(now - last_);
    times[index] = std::min(times[index], now - last_);
    last_ = seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  std::vector<double> serial_, tasks_;
  std::vector<std::size_t> sizes_;
  std::size_t at_ = 0, phase_ = 0;
  double last_ = 0;
};

double simulated_gain(const Model& model, int threads) {
  Training training(model, 1);
  training.step();
  TaskTimes times;
  core::watch_tasks(&times);
  for (int i = 0; i < std::min(model.repeats, 10); ++i) {
    times.begin_step();
    training.step();
    times.end_step();
  }
  core::watch_tasks(nullptr);
  return times.on(1) / times.on(threads);
}

// Lines `name milliseconds` of a peer's output; nothing where its library is missing.
double peer_ms(const std::string& command, const std::string& wanted) {
  FILE* pipe = popen((command + " " + wanted + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return 0;
  char name[64];
  double ms = 0, found = 0;
  while (std::fscanf(pipe, "%63s %lf", name, &ms) == 2)
    if (wanted == name) found = ms;
  pclose(pipe);
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  std::string torch, jax;
  for (int i = 1; i < argc; ++i) (std::strstr(argv[i], "jax") != nullptr ? jax : torch) = argv[i];
  const char* python = getenv("PYTHON") != nullptr ? getenv("PYTHON") : "/usr/bin/python3";
  std::vector<Model> models;
  models.push_back({"HN ReLU MNIST, depth 4",
                    "hn_relu_naive",
                    "hn_relu",
                    12,
                    hopfield(784, 1000, Lagrangian::relu(), UnitNorm::none),
                    {{4, 0.4}, "label"},
                    40});
  models.push_back({"HN softmax MNIST, unit norm, depth 4",
                    "hn_softmax_hoisted",
                    "hn_softmax",
                    3,
                    hopfield(784, 1000, Lagrangian::softmax(), UnitNorm::per_block),
                    {{4, 0.4}, "label"},
                    40});
  models.push_back({"conv HAM max-pool MNIST, depth 7",
                    "conv_naive",
                    "conv",
                    5,
                    convolutional({28, 28, 1}, {7, 7, 64}, {2, 2, 128}),
                    {{7, 0.3}, "label"},
                    6});
  models.push_back({"HN ReLU CIFAR-10, depth 4",
                    "",
                    "hn_cifar",
                    0,
                    hopfield(3072, 6000, Lagrangian::relu(), UnitNorm::none),
                    {{4, 0.4}, "label"},
                    5});
  models.push_back({"conv HAM max-pool CIFAR-10, depth 7",
                    "",
                    "conv_cifar",
                    0,
                    convolutional({32, 32, 3}, {8, 8, 90}, {3, 3, 180}),
                    {{7, 0.3}, "label"},
                    3});

  const double flops = most_flops(), bytes = most_bytes();
  std::printf(
      "kernels %s, dense product 400x784x1000 %.0f GFLOP/s; at most %.0f GFLOP/s and %.1f GB/s on one thread\n\n",
      kernels_in_use(), product_rate(), flops, bytes);
  std::printf(
      "| training step, batch 400 | 1 thread | GFLOP | of the most | MB | of the most | PyTorch | faster | goal "
      "| JAX | faster | 2 threads | 16 threads, simulated |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Model& model : models) {
    const auto torch_ms = [&] {
      if (torch.empty() || *model.torch == 0) return 0.0;
      return peer_ms("OPENBLAS_NUM_THREADS=1 /usr/bin/python3 " + torch, model.torch);
    };
    const auto jax_ms = [&] {
      return jax.empty() ? 0.0 : peer_ms(std::string(python) + " " + jax + " --threads 1", model.jax);
    };
    const double before = torch_ms(), jax_before = jax_ms(), one = step_ms(model, 1, CLOCK_PROCESS_CPUTIME_ID),
                 theirs = (before + torch_ms()) / 2, jaxs = (jax_before + jax_ms()) / 2;
    const double gain = step_ms(model, 1, CLOCK_MONOTONIC) / step_ms(model, 2, CLOCK_MONOTONIC);
    const Program program(model.network, {{"image"}});
    const Unrolled unrolled = program.unroll(model.network.layer_index("label"), model.readout.descent.depth);
    const Cost sum = training_cost(program, unrolled, kBatch, sizeof(float));
    std::printf("| %s | %.1f ms | %.2f | %.0f %% | %.0f | %.0f %% |", model.name, one, 1e-9 * sum.flops,
                1e-4 * sum.flops / one / flops, 1e-6 * sum.bytes, 1e-4 * sum.bytes / one / bytes);
    theirs > 0 ? std::printf(" %.0f ms (%s) | **%.1f×** | %.0f× |", theirs, model.torch, theirs / one, model.wanted)
               : std::printf(" - | - | - |");
    jaxs > 0 ? std::printf(" %.0f ms | **%.1f×** |", jaxs, jaxs / one) : std::printf(" - | - |");
    std::printf(" %.2f× | %.1f× |\n", gain, simulated_gain(model, 16));
    std::fflush(stdout);
    if (!torch.empty() && *model.torch != 0 && theirs == 0)
      std::fprintf(stderr, "PyTorch is missing (Debian: python3-torch): nothing to compare with\n");
    if (!jax.empty() && jaxs == 0) std::fprintf(stderr, "JAX is missing (pip install jax optax): skipped\n");
  }
  show_picked(product_rate());
}

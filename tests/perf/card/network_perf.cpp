// Training steps of the paper's networks on the card: first their gradients beside the processor's in double precision,
// then whole steps in one recording, then the kernels that take the time.
//
// network_perf MODELS [--json FILE] [--tf32] [--top N]
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gpu/ham/interpreter.h"
#include "ham/network/model_file.h"
#include "ham/training/training.h"

namespace {

using Clock = std::chrono::steady_clock;
using gpu::Task;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Subject {
  ham::Model model;
  ham::Program program;
  ham::Unrolled unrolled;
  std::vector<double> rates;
  int image, label;

  explicit Subject(const std::string& path)
      : model(ham::load_model(path)),
        program(model.network, {model.clamped}),
        unrolled(program.unroll(model.network.layer_index(model.readout.layer), model.readout.descent.depth)),
        image(model.network.layer_index(model.clamped.at(0))),
        label(model.network.layer_index(model.readout.layer)) {
    for (const auto& neurons : model.network.layers())
      rates.push_back(model.readout.descent.time_step / neurons.layer.time_constant);
  }
};

/// A training step with its own weights and random images.
class Step {
 public:
  Step(gpu::Launcher& launcher, const Subject& subject, long rows, gpu::Precision precision)
      : subject_(subject),
        memory_(launcher),
        constants_(subject.program, memory_),
        network_(subject.program, subject.unrolled, subject.rates, constants_,
                 {.rows = rows, .training = true, .precision = precision}, memory_),
        parameters_(subject.model.network.num_parameters()) {
    std::mt19937 random(7);
    weights_ = subject.model.network.initial_parameters<float>(3);
    memory_.put(constants_.numbers, std::span<const float>(weights_));
    const long size = ham::count(subject.model.network.layers()[subject.image].layer.shape);
    std::normal_distribution<float> normal;
    images_.resize(static_cast<std::size_t>(rows * size));
    for (float& x : images_) x = normal(random);
    memory_.put(network_.state(subject.image), std::span<const float>(images_));
    labels_.resize(static_cast<std::size_t>(rows));
    for (int& label : labels_) label = static_cast<int>(random() % 10);
    const std::vector<std::int32_t> labels(labels_.begin(), labels_.end());
    auto* const there = memory_.take<std::int32_t>(rows);
    memory_.put(there, std::span<const std::int32_t>(labels));
    auto* const losses = memory_.take<double>(rows);
    auto* const correct = memory_.take<std::int32_t>(rows);
    losses_ = losses;
    const auto add = [&](const std::vector<Task<float>>& list) {
      tasks_.insert(tasks_.end(), list.begin(), list.end());
    };
    add(network_.parameters());
    add(network_.forward());
    tasks_.push_back(gpu::CrossEntropy<float>{.rows = rows,
                                              .batch = rows,
                                              .classes = 10,
                                              .labels = there,
                                              .g = network_.output(),
                                              .g_bar = network_.output_gradient(),
                                              .losses = losses,
                                              .correct = correct,
                                              .smoothing = ham::kLabelSmoothing,
                                              .floor = ham::kLeastProbability});
    add(network_.backward());
    gradient_tasks_ = tasks_.size();
    const long squares = (parameters_ + gpu::Squares<float>::kNumbers - 1) / gpu::Squares<float>::kNumbers;
    auto* const sums = memory_.take<double>(squares);
    auto* const turn = memory_.take<std::int32_t>(1);
    auto* const rates = memory_.take<gpu::StepRates>(1);
    auto* const results = memory_.take<gpu::StepResult>(1);
    tasks_.push_back(gpu::Squares<float>{parameters_, constants_.gradient, sums});
    tasks_.push_back(gpu::Verdict{rows, squares, losses, correct, sums, turn, results});
    tasks_.push_back(gpu::AdamWStep<float>{parameters_, 0.9, 0.999, 1e-8, 1e-4, turn, rates, results,
                                           constants_.gradient, memory_.take<float>(parameters_),
                                           memory_.take<float>(parameters_), constants_.numbers, nullptr});
  }

  const std::vector<Task<float>>& tasks() const { return tasks_; }

  /// The distance of the gradient from the processor's, as a share of its length; and of the loss.
  std::pair<double, double> error() {
    for (std::size_t i = 0; i < gradient_tasks_; ++i) memory_.launcher().enqueue(tasks_[i]);
    std::vector<float> gradient(static_cast<std::size_t>(parameters_));
    memory_.get(std::span(gradient), constants_.gradient);
    std::vector<double> losses(labels_.size());
    memory_.get(std::span(losses), losses_);
    double loss = 0;
    for (const double each : losses) loss += each;
    ham::Engine<double> engine(subject_.model.network,
                               {.clamped = subject_.model.clamped, .threads = 8, .training = true});
    engine.set_parameters(std::vector<double>(weights_.begin(), weights_.end()));
    ham::Backpropagation<double> backpropagation(engine, subject_.model.readout);
    ham::States<double> states = subject_.model.network.states<double>(static_cast<int>(labels_.size()));
    std::copy(images_.begin(), images_.end(), states[subject_.image].values.begin());
    const double expected = backpropagation.run(states, ham::smoothed_cross_entropy<double>(labels_, 10));
    double difference = 0, square = 0;
    for (long i = 0; i < parameters_; ++i) {
      const double right = backpropagation.gradient()[i];
      difference += std::pow(gradient[i] - right, 2);
      square += right * right;
    }
    return {std::sqrt(difference / square), std::abs(loss - expected) / expected};
  }

 private:
  const Subject& subject_;
  gpu::Memory memory_;
  gpu::Interpreter<float>::Constants constants_;
  gpu::Interpreter<float> network_;
  long parameters_;
  std::size_t gradient_tasks_ = 0;
  std::vector<float> weights_, images_;
  std::vector<int> labels_;
  double* losses_ = nullptr;
  std::vector<Task<float>> tasks_;
};

std::string kind_of(const Task<float>& task) {
  constexpr const char* kKinds[] = {"product", "combine", "reduce",    "map",     "diagonals", "lagrangian",
                                    "fold",    "pool",    "pool back", "descend", "loss",      "squares",
                                    "adamw",   "fetch",   "quotient",  "verdict", "advance"};
  std::string text = kKinds[task.index()];
  if (const auto* p = std::get_if<gpu::Product<float>>(&task))
    text += fmt::format(" {}x{}x{}{}{}{}{}", p->m, p->n, p->k, p->num_terms > 1 ? " two terms" : "",
                        p->terms[0].a.patches ? " patches" : "", p->terms[0].turned ? " turned" : "",
                        p->parts > 1 ? fmt::format(" {} parts", p->parts)
                        : p->large   ? " large"
                                     : "");
  if (const auto* c = std::get_if<gpu::Combine<float>>(&task))
    text += fmt::format(" {}", c->repeat.outer * c->repeat.n * c->repeat.inner);
  if (const auto* r = std::get_if<gpu::Reduce<float>>(&task))
    text += fmt::format(" {}x{}x{}{}", r->repeat.outer, r->repeat.n, r->repeat.inner,
                        r->parts > 1 ? fmt::format(" {} parts", r->parts) : "");
  if (const auto* l = std::get_if<gpu::LagrangianRows<float>>(&task))
    text += fmt::format(" {}x{}x{}", l->rows, l->runs, l->n);
  return text;
}

/// Microseconds of one replay of a recording of these tasks.
double time_recording(gpu::Launcher& launcher, const std::vector<Task<float>>& tasks, double wanted) {
  launcher.begin_recording();
  for (const Task<float>& task : tasks) launcher.enqueue(task);
  const int recording = launcher.end_recording();
  launcher.replay(recording);
  launcher.finish();
  for (long count = 10;; count *= 4) {
    const auto start = Clock::now();
    for (long i = 0; i < count; ++i) launcher.replay(recording);
    launcher.finish();
    const double seconds = seconds_since(start);
    if (seconds > wanted || count > 10000) return 1e6 * seconds / static_cast<double>(count);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string json, models;
  std::size_t top = 14;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0 && i + 1 < argc)
      json = argv[++i];
    else if (std::strcmp(argv[i], "--top") == 0 && i + 1 < argc)
      top = std::stoul(argv[++i]);
    else
      models = argv[i];
  }
  if (gpu::num_cards() == 0) return fmt::print("SKIPPED: no card here\n"), 0;
  const auto launcher = gpu::make_cuda_launcher(0);
  fmt::print("{}\n", launcher->name());
  std::string document;
  for (const char* name :
       {"hn_relu_mnist", "hn_softmax_mnist", "hn_relu_cifar10", "conv_ham_maxpool_mnist", "conv_ham_maxpool_cifar10"}) {
    const Subject subject(models + "/" + name + ".toml");
    for (const auto precision : {gpu::Precision::full, gpu::Precision::tf32}) {
      const char* const word = precision == gpu::Precision::full ? "float" : "tf32";
      const bool small = subject.model.network.num_parameters() < 2'000'000;
      const auto error = Step(*launcher, subject, small ? 24 : 4, precision).error();
      Step step(*launcher, subject, 400, precision);
      const double microseconds = time_recording(*launcher, step.tasks(), 0.15);
      const double gflop = 1e-9 * ham::training_cost(subject.program, subject.unrolled, 400, 4).flops;
      fmt::print(
          "{:<26} {:<5} {:>9.1f} us a step, {:>4} kernels, {:>6.2f} TFLOP/s; gradient {:.1e} apart, loss {:.1e}\n",
          name, word, microseconds, step.tasks().size(), gflop / microseconds * 1e3, error.first, error.second);
      std::fflush(stdout);
      document += fmt::format("{}{{\"network\":\"{}\",\"precision\":\"{}\",\"microseconds\":{},\"gradient_error\":{}}}",
                              document.empty() ? "" : ",\n", name, word, microseconds, error.first);
      if (precision != gpu::Precision::full || top == 0) continue;
      std::map<std::string, std::pair<int, const Task<float>*>> kinds;
      for (const Task<float>& task : step.tasks()) {
        auto& entry = kinds[kind_of(task)];
        ++entry.first;
        entry.second = &task;
      }
      std::vector<std::pair<double, std::string>> lines;
      for (const auto& [kind, entry] : kinds) {
        const double each = time_recording(*launcher, std::vector<Task<float>>(20, *entry.second), 0.002) / 20;
        lines.emplace_back(each * entry.first, fmt::format("{:>4} x {:>7.2f} us  {}", entry.first, each, kind));
      }
      std::ranges::sort(lines, std::greater{});
      for (std::size_t i = 0; i < std::min(top, lines.size()); ++i)
        fmt::print("    {:>8.1f} us = {}\n", lines[i].first, lines[i].second);
      std::fflush(stdout);
    }
  }
  if (json.empty()) return 0;
  std::FILE* const file = std::fopen(json.c_str(), "w");
  if (file == nullptr) return 1;
  fmt::print(file, "[{}]\n", document);
  std::fclose(file);
}

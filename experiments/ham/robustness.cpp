// ham robustness: how a trained memory bears other depths and steps in time than it was trained with, and noise.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/numbers.h"
#include "core/statistics/binomial.h"
#include "experiments/command_line/grid.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/command_line/run_options.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/trained_data.h"
#include "ham/uses/retrieval.h"
#include "ham/uses/robustness.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

constexpr double kAtRest = 1e-4;  // no neuron has a larger force
constexpr int kMostSteps = 2000;

struct Measured {
  long images = 0;
  std::vector<double> time_steps, noises;
  std::vector<ham::Descent> depths;                  // under noise: one step, as trained, to rest
  std::vector<std::vector<ham::Response>> by_step;   // for each step in time, after 0, 1, … steps
  std::vector<std::vector<ham::Response>> by_noise;  // for each depth, at each noise
  ham::Response at_rest;                             // without noise
};

Measured measure(const TrainedData& subject, const Shown& sample, std::vector<double> time_steps,
                 std::vector<double> noises, int depth, std::uint64_t seed, int threads) {
  const ham::Descent trained = subject.trained.model.readout.descent;
  const ham::Descent to_rest{kMostSteps, trained.time_step, kAtRest};
  const ham::Tensor<float>& images = sample.images;
  const auto shown = [&](const ham::Tensor<float>& which) {
    return ham::Exposure{subject.trained.model, subject.trained.weights, which, sample.labels, threads};
  };
  Measured all{.images = images.shape[0],
               .time_steps = std::move(time_steps),
               .noises = std::move(noises),
               .depths = {{1, trained.time_step}, trained, to_rest}};
  for (const double time_step : all.time_steps)
    all.by_step.push_back(ham::responses(shown(images), {depth, time_step}));
  all.by_noise.resize(all.depths.size());
  for (const double noise : all.noises) {
    const ham::Tensor<float> noisy = ham::with_noise(images, noise, seed);
    for (std::size_t i = 0; i < all.depths.size(); ++i)
      all.by_noise[i].push_back(ham::response(shown(noisy), all.depths[i]));
  }
  all.at_rest = ham::response(shown(images), to_rest);
  return all;
}

double accuracy(const Measured& all, const ham::Response& response) {
  return static_cast<double>(response.correct) / static_cast<double>(all.images);
}

analysis::Coordinate accuracy_coordinate(const Measured& all, const ham::Response& response) {
  const core::Interval interval = core::wilson(static_cast<double>(response.correct), static_cast<double>(all.images));
  return {accuracy(all, response), interval.low, interval.high};
}

/// 1, 2, 4, … and the deepest.
std::vector<int> shown_depths(const Measured& all) {
  const int deepest = static_cast<int>(all.by_step.at(0).size()) - 1;
  std::vector<int> depths;
  for (int depth = 1; depth < deepest; depth *= 2) depths.push_back(depth);
  depths.push_back(deepest);
  return depths;
}

std::string depth_name(const Measured& all, std::size_t which) {
  if (which == 2) return "at rest";
  const int depth = all.depths[which].depth;
  return fmt::format("{} step{}{}", depth, depth == 1 ? "" : "s", which == 1 ? ", as trained" : "");
}

analysis::Figure figure_of(const TrainedData& subject, const Measured& all) {
  using analysis::Style;
  analysis::Figure figure;
  figure.name = "robustness";
  figure.title = "Robustness of " + subject.trained.model.name;
  figure.description = fmt::format(
      "{} trained on {}, {} test images. Accuracy with 95 % intervals and mean energy against the depth of the descent "
      "for several steps in time, and against the standard deviation of noise on the image.",
      subject.trained.model.name, subject.trained.data, all.images);
  figure.columns = 2;
  const std::vector<int> tics = shown_depths(all);
  const analysis::Axis depth{"depth (steps)", true, {tics.begin(), tics.end()}, {}},
      noise{"noise on the image (s.d.)", false, {}, {}};
  analysis::Panel depths{"accuracy against depth", depth, {"top-1 accuracy", false, {}, {}}, {}};
  analysis::Panel noises{"accuracy under noise", noise, {"top-1 accuracy with noise", false, {}, {}}, {}};
  analysis::Panel falls{"energy still to fall", depth, {"{/:Italic E} − {/:Italic E}_{rest}", true, {}, {}}, {}};
  analysis::Panel rests{"energy at rest under noise", noise, {"{/:Italic E}_{rest}", false, {}, {}}, {}};
  const double middle = (static_cast<double>(all.time_steps.size()) - 1) / 2;
  for (std::size_t i = 0; i < all.time_steps.size(); ++i) {
    const int hue = static_cast<int>(i);
    const double aside = std::pow(1.06, static_cast<double>(i) - middle);  // so that bars do not cover each other
    analysis::Series points{
        "Δ{/:Italic t} = " + core::number_text(all.time_steps[i]), {Style::Kind::points, hue, hue, 0}, {}};
    analysis::Series line{"", {Style::Kind::line, hue, 0, hue / 6}, {}};
    for (const int step : shown_depths(all))
      points.points.push_back({{step * aside}, accuracy_coordinate(all, all.by_step[i][step])});
    for (std::size_t step = 1; step < all.by_step[i].size(); ++step) {
      // Below rounding a difference says nothing.
      const double left = all.by_step[i][step].energy - all.at_rest.energy;
      const bool real = left > 1e-5 * std::max(1., std::abs(all.at_rest.energy));
      line.points.push_back({{static_cast<double>(step)}, {real ? left : NAN}});
    }
    depths.series.push_back(std::move(points));
    falls.series.push_back(std::move(line));
  }
  const double apart = 0.01 * *std::ranges::max_element(all.noises);  // so that bars do not cover each other
  for (std::size_t i = 0; i < all.depths.size(); ++i) {
    const int which = static_cast<int>(i),
              hue = i == 2 ? Style::kBlack : static_cast<int>(all.time_steps.size()) + which;
    const Style style{Style::Kind::points, hue, which, 0};
    analysis::Series points{depth_name(all, i), style, {}}, rest = points;
    for (std::size_t k = 0; k < all.noises.size(); ++k) {
      points.points.push_back({{all.noises[k] + apart * (which - 1)}, accuracy_coordinate(all, all.by_noise[i][k])});
      rest.points.push_back({{all.noises[k]}, {all.by_noise[i][k].energy}});
    }
    noises.series.push_back(std::move(points));
    if (i == 2) rests.series.push_back(std::move(rest));
  }
  figure.panels = {depths, noises, falls, rests};
  return figure;
}

/// One number of each response, (rows, columns).
template <class Number>
ham::Tensor<double> table(const std::vector<std::vector<ham::Response>>& rows, Number number) {
  ham::Tensor<double> all({static_cast<int>(rows.size()), static_cast<int>(rows.at(0).size())});
  auto at = all.values.begin();
  for (const auto& row : rows)
    for (const ham::Response& response : row) *at++ = number(response);
  return all;
}

ham::NamedArrays arrays_of(const Measured& all) {
  const auto right = [&](const ham::Response& response) { return accuracy(all, response); };
  const auto energy = [](const ham::Response& response) { return response.energy; };
  const auto row = [](const std::vector<double>& numbers) {
    return ham::Tensor<double>({static_cast<int>(numbers.size())}, numbers);
  };
  return {{"images", row({static_cast<double>(all.images)})},
          {"time_steps", row(all.time_steps)},
          {"accuracy_by_step", table(all.by_step, right)},
          {"energy_by_step", table(all.by_step, energy)},
          {"noises", row(all.noises)},
          {"accuracy_by_noise", table(all.by_noise, right)},
          {"energy_by_noise", table(all.by_noise, energy)},
          {"accuracy_at_rest", row({accuracy(all, all.at_rest)})},
          {"energy_at_rest", row({all.at_rest.energy})}};
}

void print_summary(const TrainedData& subject, const Measured& all) {
  fmt::print("{} trained on {}, {} test images\n\n{:<10}", subject.trained.model.name, subject.trained.data, all.images,
             "top-1 % at");
  const std::vector<int> depths = shown_depths(all);
  for (const int depth : depths) fmt::print(" {:>7}", fmt::format("depth {}", depth));
  fmt::print("\n");
  for (std::size_t i = 0; i < all.time_steps.size(); ++i) {
    fmt::print("{:<10}", "dt " + core::number_text(all.time_steps[i]));
    for (const int depth : depths) fmt::print(" {:>7.2f}", 100 * accuracy(all, all.by_step[i][depth]));
    fmt::print("\n");
  }
  fmt::print("at rest    {:>7.2f}\n\n{:<10}", 100 * accuracy(all, all.at_rest), "noise");
  for (std::size_t i = 0; i < all.depths.size(); ++i) fmt::print(" {:>19}", depth_name(all, i));
  fmt::print(" {:>14}\n", "energy at rest");
  for (std::size_t k = 0; k < all.noises.size(); ++k) {
    fmt::print("{:<10}", core::number_text(all.noises[k]));
    for (const auto& row : all.by_noise) fmt::print(" {:>19.2f}", 100 * accuracy(all, row[k]));
    fmt::print(" {:>14.5g}\n", all.by_noise.back()[k].energy);
  }
}

std::vector<double> numbers(const po::variables_map& given, const char* option, double lowest) {
  std::vector<double> list;
  for (const std::string& word : parse_list(given[option].as<std::string>(), option))
    list.push_back(parse_number(word, option, lowest));
  return list;
}

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  require_run(given, "robustness");
  const FindingFiles files(given, "robustness");
  const TrainedData subject = load_trained(given, "robustness");
  const std::uint64_t seed = parse_seed(given);
  const Measured all = measure(subject, sample_images(subject.data, parse_images(given), seed),
                               numbers(given, "time-steps", 1e-6), numbers(given, "noises", 0),
                               static_cast<int>(positive_integer(given, "depth")), seed, parse_threads(given));
  print_summary(subject, all);
  files.write(arrays_of(all), figure_of(subject, all), command_line);
  return kComplete;
}

Options options() {
  Options options;
  add_trained_options(options);
  auto add = options.add_options();
  add("images", word("X", "all"), "test images: all, or a random sample of so many, chosen by --seed");
  add("depth", word("X", "64"), "steps of the deepest descent");
  add("time-steps", word("X", "0.1,0.2,0.4,0.8"), "steps in time");
  add("noises", word("X", "0,0.1,0.2,0.3,0.4,0.5,0.6,0.8,1"), "standard deviations of noise on the normalized image");
  add_finding_options(options, "robustness", "accuracies and energies");
  add_kernels(options);
  return options;
}

}  // namespace

const Verb kRobustness = {
    "robustness",
    "accuracy and energy against depth, step in time and noise",
    "FILE.h5 [options]",
    "Classifies test images with other depths and steps in time than in training, and with noise on the image: after\n"
    "one step, as trained, and at rest. Mean energies say how far each descent still has to fall.\n"
    "\n"
    "  ham robustness results/hn_relu_mnist-code-1.h5 --depth 32\n",
    options,
    "file",
    run};

}  // namespace experiments

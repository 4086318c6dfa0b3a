// ham dream: what a trained network makes of a label alone, and of half an image.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/numbers.h"
#include "experiments/command_line/grid.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/command_line/run_options.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/pictures.h"
#include "experiments/training/trained_data.h"
#include "ham/uses/retrieval.h"

namespace experiments {
namespace {

namespace po = boost::program_options;
using ham::Tensor;

/// Which part of an image is given.
struct Half {
  const char* name;
  bool (*given)(double row, double column);  // from 0 to 1
};
constexpr Half kHalves[] = {{"upper", [](double row, double) { return row < 0.5; }},
                            {"lower", [](double row, double) { return row > 0.5; }},
                            {"left", [](double, double column) { return column < 0.5; }},
                            {"right", [](double, double column) { return column > 0.5; }}};

std::vector<std::uint8_t> known_part(const std::string& name, const ham::Images& images) {
  const auto half = std::ranges::find(kHalves, name, &Half::name);
  if (half == std::end(kHalves))
    throw UsageError(fmt::format("--given: '{}' is not upper, lower, left or right", name));
  std::vector<std::uint8_t> known;
  for (int row = 0; row < images.rows; ++row)
    for (int column = 0; column < images.columns; ++column)
      known.insert(known.end(), images.channels,
                   half->given((row + 0.5) / images.rows, (column + 0.5) / images.columns));
  return known;
}

/// The largest step up of each energy trace beyond rounding, 0 where it only falls.
double largest_rise(const Tensor<double>& energies) {
  constexpr double kRounding = 1e-12;
  const long samples = energies.shape[1];
  double rise = 0;
  for (long i = samples; i < energies.size(); ++i) {
    const double before = energies.values[i - samples], step = energies.values[i] - before;
    if (!(step <= kRounding * std::max(1., std::abs(before)))) rise = std::max(rise, step);
  }
  return rise;
}

long number_right(const std::vector<int>& told, const std::vector<int>& labels) {
  long right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += told[i] == labels[i];
  return right;
}

ham::Tensor<double> stored(const Tensor<float>& tensor) {
  return {tensor.shape, std::vector<double>(tensor.values.begin(), tensor.values.end())};
}

template <class Number>
ham::Tensor<double> stored(const std::vector<Number>& numbers) {
  return {{static_cast<int>(numbers.size())}, std::vector<double>(numbers.begin(), numbers.end())};
}

// ---- labels to images --------------------------------------------------------------------------------------------

struct Dreams {
  ham::Retrieved retrieved;
  Tensor<float> after_steps, at_rest;  // pixels
  std::vector<int> labels, told_after_steps, told_at_rest;
};

Dreams dream(const TrainedData& subject, const ham::RetrievalOptions& options) {
  const ham::Model& model = subject.trained.model;
  const std::vector<float>& weights = subject.trained.weights;
  const ham::Normalization& normalization = subject.data.normalization;
  Dreams dreams{.retrieved = ham::dream(model, weights, options)};
  for (int label = 0; label < subject.data.classes; ++label) dreams.labels.push_back(label);
  const auto look = [&](const Tensor<float>& found, std::vector<int>& told) {
    Tensor<float> pixels = pixels_of(found, normalization, full_contrast(found, normalization));
    told = ham::recognise(model, weights, normalized(pixels, normalization), options.threads);
    pixels.shape = {subject.data.classes, subject.data.train.rows, subject.data.train.columns,
                    subject.data.train.channels};
    return pixels;
  };
  dreams.after_steps = look(dreams.retrieved.after_steps, dreams.told_after_steps);
  dreams.at_rest = look(dreams.retrieved.at_rest, dreams.told_at_rest);
  return dreams;
}

analysis::Panel energy_panel(const Dreams& dreams, int steps) {
  analysis::Panel panel{
      "energy while a label is held", {"step", false, {}, {}}, {"energy {/:Italic E}", false, {}, {}}, {}};
  const Tensor<double>& energies = dreams.retrieved.energies;
  const int longest = *std::ranges::max_element(dreams.retrieved.steps);
  double low = INFINITY, high = -INFINITY;
  for (const int label : dreams.labels) {
    analysis::Series series{fmt::format("label {}", label), {analysis::Style::Kind::line, label, 0, label / 6}, {}};
    for (int time = 0; time <= std::min(longest, 3 * steps); ++time) {
      const double energy = energies.values[time * energies.shape[1] + label];
      series.points.push_back({{static_cast<double>(time)}, {energy}});
      low = std::min(low, energy), high = std::max(high, energy);
    }
    panel.series.push_back(std::move(series));
  }
  const auto at = static_cast<double>(steps);
  panel.series.push_back(
      {"", {analysis::Style::Kind::reference, analysis::Style::kBlack, 0, 2}, {{{at}, {low}}, {{at}, {high}}}});
  return panel;
}

// ---- halves to wholes --------------------------------------------------------------------------------------------

struct Completions {
  ham::Retrieved retrieved;
  Tensor<float> original, given, recalled;  // pixels, recalled in full contrast
  std::vector<int> labels, told;
  std::vector<double> error, blank, mean;  // root mean square over the pixels not given: of the recalled image, and
                                           // were they left blank or filled with the mean training image
};

/// The gain at which what is recalled fits the known part best.
std::vector<double> fitted_gains(const Tensor<float>& recalled, const Tensor<float>& images,
                                 const std::vector<std::uint8_t>& known) {
  std::vector<double> gains;
  for (long first = 0; first < images.size(); first += static_cast<long>(known.size())) {
    double product = 0, square = 0;
    for (std::size_t i = 0; i < known.size(); ++i)
      if (known[i]) {
        product += recalled.values[first + i] * images.values[first + i];
        square += recalled.values[first + i] * recalled.values[first + i];
      }
    gains.push_back(square > 0 ? product / square : 1);
  }
  return gains;
}

Tensor<float> mean_image(const ham::Images& images) {
  Tensor<float> mean({1, images.rows, images.columns, images.channels});
  std::vector<double> sums(images.size());
  for (std::size_t i = 0; i < images.pixels.size(); ++i) sums[i % sums.size()] += images.pixels[i];
  for (std::size_t i = 0; i < sums.size(); ++i)
    mean.values[i] = static_cast<float>(sums[i] / 255 / static_cast<double>(images.count()));
  return mean;
}

/// The distance of an image from the first of others, or from its own, over the pixels not known.
double distance(const Tensor<float>& images, long image, const Tensor<float>& others,
                const std::vector<std::uint8_t>& known) {
  const auto size = static_cast<long>(known.size());
  const long other = others.shape[0] == 1 ? 0 : image;
  double square = 0, count = 0;
  for (long i = 0; i < size; ++i)
    if (!known[i]) {
      const double difference = images.values[image * size + i] - others.values[other * size + i];
      square += difference * difference;
      ++count;
    }
  return std::sqrt(square / count);
}

Completions complete(const TrainedData& subject, const std::vector<std::uint8_t>& known, long count,
                     const ham::RetrievalOptions& options) {
  const ham::Normalization& normalization = subject.data.normalization;
  Completions all;
  const Shown sample = sample_images(subject.data, count, options.seed);
  const Tensor<float>& images = sample.images;
  all.labels = sample.labels;
  all.retrieved = ham::complete(subject.trained.model, subject.trained.weights, images, known, options);
  all.told = ham::largest(all.retrieved.labels);
  const std::vector<double> ones(all.labels.size(), 1.);
  all.original = pixels_of(images, normalization, ones);
  const Tensor<float>& found = all.retrieved.at_rest;
  all.recalled = pixels_of(found, normalization, full_contrast(found, normalization));
  const Tensor<float> fitted = pixels_of(found, normalization, fitted_gains(found, images, known));
  all.recalled.shape = all.original.shape;
  all.given = all.original;
  const auto size = known.size(), channels = normalization.mean.size();
  for (std::size_t i = 0; i < all.given.values.size(); ++i)
    if (!known[i % size]) all.given.values[i] = normalization.mean[i % channels];
  const Tensor<float> mean = mean_image(subject.data.train);
  for (long i = 0; i < images.shape[0]; ++i) {
    all.error.push_back(distance(all.original, i, fitted, known));
    all.blank.push_back(distance(all.original, i, all.given, known));
    all.mean.push_back(distance(all.original, i, mean, known));
  }
  return all;
}

double mean_of(const std::vector<double>& numbers) {
  double sum = 0;
  for (const double number : numbers) sum += number;
  return sum / static_cast<double>(numbers.size());
}

// ---- the verb ----------------------------------------------------------------------------------------------------

/// The first image of every class, in their order.
Tensor<float> one_of_each(const Tensor<float>& images, const std::vector<int>& labels, int classes) {
  Tensor<float> chosen;
  const long size = images.size() / images.shape[0];
  for (int label = 0; label < classes; ++label) {
    const auto found = std::ranges::find(labels, label);
    if (found == labels.end()) continue;
    const auto begin = images.values.begin() + (found - labels.begin()) * size;
    chosen.values.insert(chosen.values.end(), begin, begin + size);
  }
  chosen.shape = images.shape;
  chosen.shape[0] = static_cast<int>(chosen.size() / size);
  return chosen;
}

analysis::Figure figure_of(const TrainedData& subject, const Dreams& dreams, const Completions& completions,
                           const ham::RetrievalOptions& options) {
  analysis::Figure figure;
  figure.name = "dream";
  figure.title = "Retrieval from " + subject.trained.model.name;
  figure.description = fmt::format(
      "Retrieval from {} trained on {}, hidden units {} times as sharp as in training, images from noise of standard "
      "deviation {}. Energy while a label is held, with a thin line where the first row of images is taken; images of "
      "each label, stretched to full contrast; test images of which a part is given.",
      subject.trained.model.name, subject.trained.data, core::number_text(options.sharpening),
      core::number_text(options.noise));
  figure.panel_aspect = 0.3;
  figure.panels.push_back(energy_panel(dreams, options.steps));
  const auto pictures = [&](const std::string& title, const std::string& label, std::vector<std::string> rows,
                            const std::vector<const Tensor<float>*>& images) {
    analysis::Panel panel{title, {label, false, {}, {}}, {"", false, {}, std::move(rows)}, {}, mosaic(images)};
    for (int i = 0; i < panel.picture.cells; ++i) panel.x.tics.push_back(i);
    figure.panels.push_back(std::move(panel));
  };
  const auto classes = static_cast<long>(dreams.labels.size());
  pictures(fmt::format("images of a held label: {} of {} recognised", number_right(dreams.told_at_rest, dreams.labels),
                       classes),
           "held label", {fmt::format("{} steps", options.steps), "at rest"}, {&dreams.after_steps, &dreams.at_rest});
  const auto chosen = [&](const Tensor<float>& images) {
    return one_of_each(images, completions.labels, subject.data.classes);
  };
  const Tensor<float> original = chosen(completions.original), given = chosen(completions.given),
                      recalled = chosen(completions.recalled);
  pictures("test images of which a part is given", "", {"original", "given", "recalled"},
           {&original, &given, &recalled});
  figure.panels.back().x.label = "class";
  return figure;
}

ham::NamedArrays arrays_of(const Dreams& dreams, const Completions& completions) {
  return {{"dream_after_steps", stored(dreams.after_steps)},
          {"dream_at_rest", stored(dreams.at_rest)},
          {"dream_energies", dreams.retrieved.energies},
          {"dream_steps", stored(dreams.retrieved.steps)},
          {"dream_told_after_steps", stored(dreams.told_after_steps)},
          {"dream_told_at_rest", stored(dreams.told_at_rest)},
          {"completion_original", stored(completions.original)},
          {"completion_given", stored(completions.given)},
          {"completion_recalled", stored(completions.recalled)},
          {"completion_labels", stored(completions.labels)},
          {"completion_told", stored(completions.told)},
          {"completion_energies", completions.retrieved.energies},
          {"completion_error", stored(completions.error)},
          {"completion_error_blank", stored(completions.blank)},
          {"completion_error_mean_image", stored(completions.mean)}};
}

void print_summary(const TrainedData& subject, const Dreams& dreams, const Completions& completions,
                   const std::string& part) {
  const auto classes = dreams.labels.size();
  const auto [soonest, latest] = std::ranges::minmax(dreams.retrieved.steps);
  const double rise = largest_rise(dreams.retrieved.energies);
  fmt::print("{} trained on {}\n", subject.trained.model.name, subject.trained.data);
  fmt::print(
      "dreams       {} of {} labels recognised at rest, {} after the first steps; at rest after {} to {} steps\n",
      number_right(dreams.told_at_rest, dreams.labels), classes, number_right(dreams.told_after_steps, dreams.labels),
      soonest, latest);
  const auto restless = std::ranges::count_if(dreams.retrieved.steps, [](int n) { return n >= ham::kMostSteps; });
  if (restless > 0)
    fmt::print("             {} of {} were not at rest after {} steps and were taken as they were\n", restless, classes,
               ham::kMostSteps);
  if (!ham::can_be_cooled(subject.trained.model.network))
    fmt::print(
        "note         no hidden units have a beta that --sharpening could raise: it is meant for a softmax, whose "
        "units "
        "compete;\n"
        "             without one, held labels may all call up the same image\n");
  fmt::print("energies     {}\n", rise > 0 ? fmt::format("rise by up to {:.3g} in a step", rise)
                                           : std::string("fall at every step, for every label"));
  fmt::print("completions  {} part of {} test images given: {} labels right\n", part, completions.labels.size(),
             number_right(completions.told, completions.labels));
  fmt::print(
      "             error of the rest {:.4f} (root mean square of pixels from 0 to 1); left blank {:.4f}, mean "
      "training image {:.4f}\n",
      mean_of(completions.error), mean_of(completions.blank), mean_of(completions.mean));
}

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  require_run(given, "dream");
  const FindingFiles files(given, "dream");
  const TrainedData subject = load_trained(given, "dream");
  ham::RetrievalOptions options;
  options.noise = parse_number(given["noise"].as<std::string>(), "noise", 0);
  options.sharpening = parse_number(given["sharpening"].as<std::string>(), "sharpening", 0);
  options.steps = static_cast<int>(positive_integer(given, "steps"));
  options.seed = parse_seed(given);
  options.threads = parse_threads(given);
  const long images = parse_images(given);
  const std::string part = given["given"].as<std::string>();
  const std::vector<std::uint8_t> known = known_part(part, subject.data.test);
  const Dreams dreams = dream(subject, options);
  const Completions completions = complete(subject, known, images, options);
  print_summary(subject, dreams, completions, part);
  files.write(arrays_of(dreams, completions), figure_of(subject, dreams, completions, options), command_line);
  return kComplete;
}

Options options() {
  Options options;
  add_trained_options(options);
  auto add = options.add_options();
  add("noise", word("X", "0.01"), "standard deviation of the image neurons to begin with");
  add("sharpening", word("X", "10"),
      "factor on the beta of hidden units: how much colder their softmax is than in training");
  add("steps", word("X", "15"), "after which the images are looked at first");
  add("given", word("X", "upper"), "part of a test image that is given: upper, lower, left, right");
  add("images", word("X", "100"), "test images to complete: all, or a random sample of so many, chosen by --seed");
  add_finding_options(options, "dream", "images, energies, labels, errors");
  add_kernels(options);
  return options;
}

}  // namespace

const Verb kDream = {
    "dream",
    "images from labels, whole images from halves",
    "FILE.h5 [options]",
    "Holds the label layer at each class in turn and lets the image layer descend from noise, with the softmax of the\n"
    "hidden units colder than in training: for --steps steps, then to rest. Images are stretched to full contrast, as\n"
    "memories of unit norm have little, and then shown to the network as it was trained. The same for test images of\n"
    "which a part is held. For the error over the rest, what is recalled is scaled to fit the part that is held.\n"
    "\n"
    "  ham dream results/hn_softmax_mnist-code-1.h5\n",
    options,
    "file",
    run};

}  // namespace experiments

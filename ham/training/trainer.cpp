#include "ham/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/parallel.h"

namespace ham {
namespace {

/// The model's network with the recipe's starting point.
std::vector<float> starting_weights(const Network& network, const Recipe& recipe, std::uint64_t seed) {
  std::vector<float> weights = network.initial_parameters<float>(seed);
  for (const Parameter& parameter : network.parameters())
    if (recipe.hidden_beta > 0 && parameter.name.ends_with(".beta_hid"))
      std::fill_n(weights.begin() + parameter.offset, parameter.size(), static_cast<float>(recipe.hidden_beta));
  return weights;
}

/// Rows of probabilities whose largest is the label's.
long count_correct(const Tensor<float>& probabilities, std::span<const int> labels) {
  const long classes = probabilities.size() / static_cast<long>(labels.size());
  long correct = 0;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto begin = probabilities.values.begin() + static_cast<long>(row) * classes;
    correct += std::max_element(begin, begin + classes) - begin == labels[row];
  }
  return correct;
}

/// States at rest for `rows` samples, unless they have that many already; in the memory they had for more.
void set_rows(const Network& network, long rows, States<float>& states) {
  if (states.empty()) states = network.states<float>(static_cast<int>(rows));
  for (Tensor<float>& layer : states) {
    if (layer.shape[0] == rows) continue;
    layer.shape[0] = static_cast<int>(rows);
    layer.values.assign(count(layer.shape), 0.f);
  }
}

Shape layer_shape(const Network& network, int layer) { return network.layers()[layer].layer.shape; }

bool all_finite(std::span<const float> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
}

}  // namespace

Classifier::Classifier(const Model& model, const DataSet& data)
    : label(model.network.layer_index(model.readout.layer)), classes(data.classes) {
  if (model.clamped.empty())
    throw std::invalid_argument(model.name + ": clamps no layer, so there is none to show images to");
  image = model.network.layer_index(model.clamped[0]);
  const auto require = [&](int layer, long size, const char* what) {
    const Shape shape = layer_shape(model.network, layer);
    if (count(shape) != size)
      throw std::invalid_argument(fmt::format("{}: layer '{}' has shape {}, {} has {} {}", model.name,
                                              model.network.layers()[layer].layer.name, text(shape), data.name, size,
                                              what));
  };
  require(image, data.train.size(), "numbers an image");
  require(label, data.classes, "classes");
}

Score score(Engine<float>& engine, const Model& model, const Classifier& classifier, const Images& images,
            const Normalization& normalization, View view, int batch) {
  Score sum;
  States<float> states;
  for (long first = 0; first < images.count(); first += batch) {
    const long rows = std::min<long>(batch, images.count() - first), size = images.size();
    states = model.network.states<float>(static_cast<int>(rows));
    core::parallel_for(rows, engine.options().threads, [&](std::size_t row, int) {
      const std::span<float> out(states[classifier.image].values.data() + static_cast<long>(row) * size, size);
      (view == View::plain ? plain : zoomed)(images, first + static_cast<long>(row), normalization, out);
    });
    const Tensor<float> g = respond(engine, states, model.readout.descent, classifier.label);
    const std::span labels(images.labels.data() + first, rows);
    std::vector<float> unused(g.values.size());
    const double share = static_cast<double>(rows) / static_cast<double>(images.count());
    const double accuracy = static_cast<double>(count_correct(g, labels)) / static_cast<double>(rows);
    sum.loss +=
        share * smoothed_cross_entropy<float>(labels, classifier.classes)(0, rows, g.values.data(), unused.data());
    sum.accuracy += share * accuracy;
    sum.batch_accuracy += accuracy / static_cast<double>((images.count() + batch - 1) / batch);
  }
  return sum;
}

void explain_not_finite(const Model& model, std::span<const float> weights, std::span<const float> gradient,
                        const States<float>& batch, const TrainingState& state, double loss) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(
        fmt::format("epoch {}, batch {}: {} not finite (loss {}); a smaller learning rate may help", state.epochs + 1,
                    state.batches + 1, what, loss));
  };
  const auto check = [&](std::span<const float> numbers, const char* what) {
    for (const Parameter& parameter : model.network.parameters())
      if (!all_finite(numbers.subspan(parameter.offset, parameter.size())))
        fail(fmt::format("{} of parameter '{}' is", what, parameter.name));
  };
  check(weights, "the value");
  Engine<float> engine(model.network, {.clamped = model.clamped});
  engine.set_parameters(weights);
  Trace<float> trace;
  States<float> states = batch;
  try {
    descend(engine, states, model.readout.descent, nullptr, &trace);
  } catch (const NotFinite& ran_away) {
    fail(fmt::format("layer '{}' at step {} of the descent is", ran_away.layer, ran_away.step));
  }
  check(gradient, "the gradient");
  fail("the loss is");
  std::abort();
}

BatchStream training_batches(const Model& model, const DataSet& data, const TrainingOptions& options,
                             const TrainingState& state) {
  const long batch = options.recipe.batch, in_epoch = (data.train.count() + batch - 1) / batch;
  return BatchStream(data.train, data.normalization,
                     {.batch = batch,
                      .seed = options.seed,
                      .augmentation = augmentation(options.recipe, data.train.channels),
                      .workers = options.threads,
                      .shape = layer_shape(model.network, Classifier(model, data).image)},
                     state.epochs * in_epoch + state.batches);
}

// ---- the processor -----------------------------------------------------------------------------------------------

namespace {

class Processor final : public TrainingDevice {
 public:
  Processor(const Model& model, const DataSet& data, const TrainingOptions& options, TrainingState& state)
      : model_(model),
        data_(data),
        options_(options),
        classifier_(model, data),
        state_(state),
        engine_(model.network, {.clamped = model.clamped, .threads = options.threads, .training = true}),
        backpropagation_(engine_, model.readout),
        stream_(training_batches(model, data, options, state)) {
    engine_.set_parameters(state_.weights);
    squares_.resize(core::num_chunks(state_.weights.size()));
  }

  std::string name() const override { return "cpu"; }
  std::string kernel() const override { return kernels_in_use(); }
  long steps_at_once() const override { return 1; }

  std::vector<Outcome> run(std::span<const Step> steps) override {
    std::vector<Outcome> outcomes;
    for (const Step& step : steps) {
      const long in_epoch = step.batch % stream_.batches_per_epoch() * options_.recipe.batch;
      set_rows(model_.network, std::min<long>(options_.recipe.batch, data_.train.count() - in_epoch), batch_);
      stream_.next(batch_[classifier_.image], labels_);
      Outcome outcome;
      outcome.loss = loss_ = backpropagation_.run(batch_, smoothed_cross_entropy<float>(labels_, classifier_.classes));
      outcome.gradient_norm = gradient_norm();
      if (!std::isfinite(outcome.loss) || !std::isfinite(outcome.gradient_norm)) return outcomes;
      outcome.correct = count_correct(backpropagation_.output(), labels_);
      state_.optimizer.options().rate = step.rate;
      state_.optimizer.step(engine_.parameters(), backpropagation_.gradient(), options_.threads,
                            state_.averaged_weights, step.share);
      engine_.parameters_changed();
      outcomes.push_back(outcome);
    }
    return outcomes;
  }

  Score score(View view, bool averaged) override {
    store();  // keeps the weights that training goes on from
    if (averaged) engine_.set_parameters(state_.averaged_weights);
    const Score result =
        ham::score(engine_, model_, classifier_, data_.test, data_.normalization, view, options_.recipe.batch);
    if (averaged) engine_.set_parameters(state_.weights);
    return result;
  }
  void keep_best(bool averaged) override {
    store();
    state_.best_weights = averaged ? state_.averaged_weights : state_.weights;
  }
  void store() override { state_.weights.assign(engine_.parameters().begin(), engine_.parameters().end()); }

  [[noreturn]] void explain() override {
    explain_not_finite(model_, engine_.parameters(), backpropagation_.gradient(), batch_, state_, loss_);
  }

 private:
  double gradient_norm() {
    const std::span<const float> gradient = backpropagation_.gradient();
    core::for_each_chunk(
        gradient.size(), options_.threads, [&](std::size_t chunk, std::size_t first, std::size_t size) {
          squares_[chunk] = 0;
          const float* part = gradient.data() + first;
          kernels<float>().multiply_sum_add({1, static_cast<long>(size), 1}, part, part, &squares_[chunk]);
        });
    double sum = 0;
    for (const float part : squares_) sum += part;
    return std::sqrt(sum);
  }

  const Model& model_;
  const DataSet& data_;
  TrainingOptions options_;
  Classifier classifier_;
  TrainingState& state_;
  Engine<float> engine_;
  Backpropagation<float> backpropagation_;
  BatchStream stream_;
  States<float> batch_;
  std::vector<int> labels_;
  std::vector<float> squares_;  // sums over the gradient's chunks
  double loss_ = 0;
};

}  // namespace

std::unique_ptr<TrainingDevice> make_processor(const Model& model, const DataSet& data, const TrainingOptions& options,
                                               TrainingState& state) {
  return std::make_unique<Processor>(model, data, options, state);
}

// ---- the trainer -------------------------------------------------------------------------------------------------

Trainer::Trainer(const Model& model, const DataSet& data, const TrainingOptions& options, TrainingState state,
                 const MakeTrainingDevice& make_device)
    : model_(model),
      data_(data),
      options_(options),
      state_(std::move(state)),
      batches_per_epoch_((data.train.count() + options.recipe.batch - 1) / options.recipe.batch) {
  const auto parameters = static_cast<std::size_t>(model.network.num_parameters());
  if (state_.weights.empty()) {
    state_.weights = starting_weights(model.network, options.recipe, options.seed);
    state_.optimizer = AdamW<float>(static_cast<long>(parameters), {});
    if (options.recipe.averaging > 0) state_.averaged_weights = state_.weights;
    state_.best_weights = state_.weights;
  }
  state_.optimizer.options() = options.recipe.optimizer;
  state_.for_each_array([&](const char* name, const char*, const std::vector<float>& array) {
    const bool none = name == std::string_view("averaged_weights") && options.recipe.averaging == 0;
    if (array.size() != (none ? 0 : parameters))
      throw std::invalid_argument(
          fmt::format("{}: {} are {}, the network has {} parameters", model.name, name, array.size(), parameters));
  });
  device_ = make_device(model, data, options_, state_);
}

long Trainer::step(long most) {
  if (done()) throw std::logic_error("training is done");
  const Recipe& recipe = options_.recipe;
  std::vector<TrainingDevice::Step> steps;
  for (long batch = state_.batches; batch < batches_per_epoch_ && std::ssize(steps) < most; ++batch) {
    const long taken = state_.optimizer.steps() + std::ssize(steps);
    // A short memory at first, so that the starting weights are soon forgotten.
    const auto next = static_cast<double>(taken + 1);
    steps.push_back({state_.epochs * batches_per_epoch_ + batch,
                     recipe.optimizer.rate * recipe.schedule.share(taken, options_.epochs * batches_per_epoch_),
                     1 - std::min(recipe.averaging, next / (next + 10))});
  }
  const std::vector<TrainingDevice::Outcome> outcomes = device_->run(steps);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const long rows = std::min<long>(recipe.batch, data_.train.count() - state_.batches * recipe.batch);
    state_.loss_sum += outcomes[i].loss * static_cast<double>(rows);
    state_.gradient_norm_sum += outcomes[i].gradient_norm;
    state_.correct += outcomes[i].correct;
    state_.optimizer.options().rate = steps[i].rate;
    ++state_.batches;
  }
  if (outcomes.size() < steps.size()) device_->explain();
  if (state_.batches == batches_per_epoch_) finish_epoch();
  return std::ssize(outcomes);
}

void Trainer::finish_epoch() {
  const auto images = static_cast<double>(data_.train.count());
  EpochResult result{.epoch = ++state_.epochs,
                     .learning_rate = state_.optimizer.options().rate,
                     .loss = state_.loss_sum / images,
                     .train_accuracy = static_cast<double>(state_.correct) / images,
                     .gradient_norm = state_.gradient_norm_sum / static_cast<double>(state_.batches)};
  const bool averaged = options_.recipe.averaging > 0;
  result.plain = device_->score(View::plain, averaged);
  result.zoomed = device_->score(View::zoomed, averaged);
  const auto best = [](const EpochResult& a, const EpochResult& b) { return a.plain.accuracy < b.plain.accuracy; };
  const auto before = std::max_element(state_.results.begin(), state_.results.end(), best);
  if (before == state_.results.end() || best(*before, result)) {
    state_.best_epoch = result.epoch;
    device_->keep_best(averaged);
  }
  state_.results.push_back(result);
  state_.batches = state_.correct = 0;
  state_.loss_sum = state_.gradient_norm_sum = 0;
}

TrainingState& Trainer::checkpoint() {
  device_->store();
  return state_;
}

}  // namespace ham

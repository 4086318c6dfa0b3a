#include "gpu/ham/training.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "ham/data/batch_stream.h"

namespace gpu {
namespace {

std::vector<double> rates_of(const ham::Model& model) {
  std::vector<double> rates;
  for (const auto& neurons : model.network.layers())
    rates.push_back(model.readout.descent.time_step / neurons.layer.time_constant);
  return rates;
}

ham::Unrolled unroll(const ham::Program& program, const ham::Model& model) {
  return program.unroll(model.network.layer_index(model.readout.layer), model.readout.descent.depth);
}

template <class T>
void put(const Memory& memory, T* there, const std::vector<T>& here) {
  memory.put(there, std::span<const T>(here));
}
template <class T>
std::vector<T> got(const Memory& memory, const T* there, long count) {
  std::vector<T> here(static_cast<std::size_t>(count));
  memory.get(std::span(here), there);
  return here;
}

void copy(Launcher& launcher, const float* from, float* to, long count) {
  launcher.enqueue(Task<float>(Combine<float>{{1, 1, count}, from, {}, 0, to}));
}

}  // namespace

// ---- scores ------------------------------------------------------------------------------------------------------

Scoring::Scoring(Memory& memory, const ham::Model& model, const ham::Images& images,
                 const ham::Normalization& normalization, int batch, Precision precision)
    : memory_(memory),
      model_(model),
      images_(images),
      normalization_(normalization),
      batch_(batch),
      image_(model.network.layer_index(model.clamped.at(0))),
      classes_(static_cast<int>(
          ham::count(model.network.layers()[model.network.layer_index(model.readout.layer)].layer.shape))),
      program_(model.network, {model.clamped}),
      unrolled_(unroll(program_, model)),
      constants_(program_, memory),
      labels_(memory.take<std::int32_t>(images.count())),
      correct_(memory.take<std::int32_t>(images.count())),
      turn_(memory.take<std::int32_t>(1)),
      losses_(memory.take<double>(images.count())) {
  put(memory_, labels_, std::vector<std::int32_t>(images.labels.begin(), images.labels.end()));
  const long whole = images.count() / batch, rest = images.count() % batch;
  if (whole > 0) pieces_.push_back({0, batch, whole, nullptr});
  if (rest > 0) pieces_.push_back({whole * batch, rest, 1, nullptr});
  for (Piece& piece : pieces_)
    piece.interpreter = std::make_unique<Interpreter<float>>(
        program_, unrolled_, rates_of(model), constants_, Passes{.rows = piece.rows, .precision = precision}, memory);
}

const float* Scoring::shown(int view) {
  if (shown_[view] != nullptr) return shown_[view];
  const long size = images_.size();
  std::vector<float> numbers(static_cast<std::size_t>(images_.count() * size));
  core::parallel_for(images_.count(), core::hardware_threads(), [&](std::size_t image, int) {
    const std::span<float> out(numbers.data() + static_cast<long>(image) * size, size);
    (view == 0 ? ham::plain : ham::zoomed)(images_, static_cast<long>(image), normalization_, out);
  });
  shown_[view] = memory_.take<float>(images_.count() * size);
  put(memory_, shown_[view], numbers);
  return shown_[view];
}

void Scoring::record(Piece& piece, int view) {
  Launcher& launcher = memory_.launcher();
  Interpreter<float>& network = *piece.interpreter;
  const float* const images = shown(view) + piece.first * images_.size();
  launcher.begin_recording();
  const auto add = [&](const auto& task) { launcher.enqueue(Task<float>(task)); };
  for (std::size_t i = 0; i < program_.clamped.size(); ++i) {
    const int layer = static_cast<int>(i);
    const long size = piece.rows * ham::count(model_.network.layers()[i].layer.shape);
    if (layer == image_)
      add(Fetch<float>{size, images, turn_, network.state(layer)});
    else
      add(Combine<float>{{1, 1, size}, nullptr, {}, 0, network.state(layer)});
  }
  run(launcher, network.forward());
  add(CrossEntropy<float>{.rows = piece.rows,
                          .classes = classes_,
                          .labels = labels_ + piece.first,
                          .g = network.output(),
                          .losses = losses_ + piece.first,
                          .correct = correct_ + piece.first,
                          .smoothing = ham::kLabelSmoothing,
                          .floor = ham::kLeastProbability,
                          .turn = turn_});
  add(Advance{turn_});
  piece.recordings[view] = launcher.end_recording();
}

ham::Score Scoring::score(const float* weights, ham::View view) {
  Launcher& launcher = memory_.launcher();
  const int which = view == ham::View::plain ? 0 : 1;
  copy(launcher, weights, constants_.numbers, model_.network.num_parameters());
  run(launcher, pieces_.front().interpreter->parameters());
  for (Piece& piece : pieces_) {
    if (piece.recordings[which] < 0) record(piece, which);
    put(memory_, turn_, {0});
    for (long turn = 0; turn < piece.count; ++turn) launcher.replay(piece.recordings[which]);
  }
  const std::vector<double> losses = got(memory_, losses_, images_.count());
  const std::vector<std::int32_t> correct = got(memory_, correct_, images_.count());
  ham::Score sum;
  const auto images = static_cast<double>(images_.count());
  const long batches = (images_.count() + batch_ - 1) / batch_;
  for (long first = 0; first < images_.count(); first += batch_) {
    const long rows = std::min<long>(batch_, images_.count() - first);
    long right = 0;
    for (long row = first; row < first + rows; ++row) right += correct[row], sum.loss += losses[row] / images;
    sum.accuracy += static_cast<double>(right) / images;
    sum.batch_accuracy += static_cast<double>(right) / static_cast<double>(rows * batches);
  }
  return sum;
}

// ---- training ----------------------------------------------------------------------------------------------------

namespace {

class Training final : public ham::TrainingDevice {
 public:
  Training(std::unique_ptr<Launcher> launcher, const ham::Model& model, const ham::DataSet& data,
           const ham::TrainingOptions& options, ham::TrainingState& state, Precision precision)
      : launcher_(std::move(launcher)),
        memory_(*launcher_),
        model_(model),
        data_(data),
        options_(options),
        classifier_(model, data),
        state_(state),
        precision_(precision),
        parameters_(model.network.num_parameters()),
        program_(model.network, {model.clamped}),
        unrolled_(unroll(program_, model)),
        constants_(program_, memory_),
        scoring_(memory_, model, data.test, data.normalization, options.recipe.batch, precision),
        stream_(ham::training_batches(model, data, options, state)) {
    const auto taken = [&](const std::vector<float>& numbers) -> float* {
      if (numbers.empty()) return nullptr;
      float* const there = memory_.take<float>(static_cast<long>(numbers.size()));
      put(memory_, there, numbers);
      return there;
    };
    put(memory_, constants_.numbers, state.weights);
    first_ = taken(state.optimizer.first_moment());
    second_ = taken(state.optimizer.second_moment());
    average_ = taken(state.averaged_weights);
    best_ = taken(state.best_weights);
    labels_ = memory_.take<std::int32_t>(options.recipe.batch);
    correct_ = memory_.take<std::int32_t>(options.recipe.batch);
    losses_ = memory_.take<double>(options.recipe.batch);
    squares_ = memory_.take<double>(num_squares());
    turn_ = memory_.take<std::int32_t>(1);
    step_rates_ = memory_.take<StepRates>(kAtOnce);
    results_ = memory_.take<StepResult>(kAtOnce);
  }

  std::string name() const override { return launcher_->name(); }
  std::string kernel() const override { return precision_ == Precision::full ? "cuda float" : "cuda tf32"; }
  long steps_at_once() const override { return kAtOnce; }

  std::vector<Outcome> run(std::span<const Step> steps) override {
    std::vector<Outcome> outcomes;
    while (outcomes.size() < steps.size()) {
      const std::span<const Step> now =
          steps.subspan(outcomes.size()).first(std::min<std::size_t>(kAtOnce, steps.size() - outcomes.size()));
      std::vector<StepRates> rates;
      const ham::AdamWOptions& adamw = options_.recipe.optimizer;
      for (const Step& step : now) {
        const auto count = static_cast<double>(state_.optimizer.steps() + std::ssize(rates) + 1);
        rates.push_back({step.rate, 1 - std::pow(adamw.beta1, count), 1 - std::pow(adamw.beta2, count), step.share});
      }
      put(memory_, step_rates_, rates);
      put(memory_, turn_, {0});
      for (const Step& step : now) replay(step);
      for (const StepResult& result : got(memory_, results_, std::ssize(now))) {
        loss_ = result.loss;
        if (result.finite == 0) return outcomes;
        outcomes.push_back({result.loss, result.gradient_norm, result.correct});
        ++state_.optimizer.steps();
      }
    }
    return outcomes;
  }

  ham::Score score(ham::View view, bool averaged) override {
    return scoring_.score(averaged ? average_ : constants_.numbers, view);
  }
  void keep_best(bool averaged) override {
    copy(*launcher_, averaged ? average_ : constants_.numbers, best_, parameters_);
  }
  void store() override {
    const auto take = [&](const float* there, std::vector<float>& here) {
      if (there != nullptr) here = got(memory_, there, parameters_);
    };
    take(constants_.numbers, state_.weights);
    take(average_, state_.averaged_weights);
    take(best_, state_.best_weights);
    take(first_, state_.optimizer.first_moment());
    take(second_, state_.optimizer.second_moment());
  }

  [[noreturn]] void explain() override {
    const long rows = last_->rows();
    ham::States<float> batch = model_.network.states<float>(static_cast<int>(rows));
    memory_.get(std::span(batch[classifier_.image].values), last_->state(classifier_.image));
    explain_not_finite(model_, got(memory_, constants_.numbers, parameters_),
                       got(memory_, constants_.gradient, parameters_), batch, state_, loss_);
  }

 private:
  static constexpr long kAtOnce = 64;
  long num_squares() const { return (parameters_ + Squares<float>::kNumbers - 1) / Squares<float>::kNumbers; }

  struct Recorded {
    std::unique_ptr<Interpreter<float>> interpreter;
    int recording = -1;
  };

  void replay(const Step& step) {
    const long in_epoch = step.batch % stream_.batches_per_epoch() * options_.recipe.batch;
    const long rows = std::min<long>(options_.recipe.batch, data_.train.count() - in_epoch);
    Recorded& recorded = recorded_[rows];
    if (recorded.interpreter == nullptr) record(recorded, rows);
    last_ = recorded.interpreter.get();
    images_.shape = model_.network.layers()[classifier_.image].layer.shape;
    images_.shape.insert(images_.shape.begin(), static_cast<int>(rows));
    stream_.next(images_, numbers_);
    memory_.put(last_->state(classifier_.image), std::span<const float>(images_.values));
    put(memory_, labels_, std::vector<std::int32_t>(numbers_.begin(), numbers_.end()));
    launcher_->replay(recorded.recording);
  }

  void record(Recorded& recorded, long rows) {
    recorded.interpreter =
        std::make_unique<Interpreter<float>>(program_, unrolled_, rates_of(model_), constants_,
                                             Passes{.rows = rows, .training = true, .precision = precision_}, memory_);
    Interpreter<float>& network = *recorded.interpreter;
    const ham::AdamWOptions& adamw = options_.recipe.optimizer;
    const auto add = [&](const auto& task) { launcher_->enqueue(Task<float>(task)); };
    launcher_->begin_recording();
    gpu::run(*launcher_, network.parameters());
    gpu::run(*launcher_, network.forward());
    add(CrossEntropy<float>{.rows = rows,
                            .batch = rows,
                            .classes = classifier_.classes,
                            .labels = labels_,
                            .g = network.output(),
                            .g_bar = network.output_gradient(),
                            .losses = losses_,
                            .correct = correct_,
                            .smoothing = ham::kLabelSmoothing,
                            .floor = ham::kLeastProbability});
    gpu::run(*launcher_, network.backward());
    add(Squares<float>{parameters_, constants_.gradient, squares_});
    add(Verdict{rows, num_squares(), losses_, correct_, squares_, turn_, results_});
    add(AdamWStep<float>{parameters_, adamw.beta1, adamw.beta2, adamw.epsilon, adamw.weight_decay, turn_, step_rates_,
                         results_, constants_.gradient, first_, second_, constants_.numbers, average_});
    add(Advance{turn_});
    recorded.recording = launcher_->end_recording();
  }

  std::unique_ptr<Launcher> launcher_;
  Memory memory_;
  const ham::Model& model_;
  const ham::DataSet& data_;
  ham::TrainingOptions options_;
  ham::Classifier classifier_;
  ham::TrainingState& state_;
  Precision precision_;
  long parameters_;
  ham::Program program_;
  ham::Unrolled unrolled_;
  Interpreter<float>::Constants constants_;
  Scoring scoring_;
  ham::BatchStream stream_;
  std::map<long, Recorded> recorded_;  // by samples
  Interpreter<float>* last_ = nullptr;
  ham::Tensor<float> images_;
  std::vector<int> numbers_;
  float *first_, *second_, *average_, *best_;
  std::int32_t *labels_, *correct_, *turn_;
  double *losses_, *squares_;
  StepRates* step_rates_;
  StepResult* results_;
  double loss_ = 0;
};

}  // namespace

std::unique_ptr<ham::TrainingDevice> make_training(std::unique_ptr<Launcher> launcher, const ham::Model& model,
                                                   const ham::DataSet& data, const ham::TrainingOptions& options,
                                                   ham::TrainingState& state, Precision precision) {
  return std::make_unique<Training>(std::move(launcher), model, data, options, state, precision);
}

}  // namespace gpu

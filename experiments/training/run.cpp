#include "experiments/training/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <limits>

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"
#include "core/formats/npz.h"
#include "core/provenance.h"
#include "experiments/command_line/cli.h"
#include "experiments/files/outputs.h"
#include "experiments/sweep/table_rows.h"
#include "results/export.h"
#include "results/merge.h"
#include "results/schema.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

constexpr double kShareOfSaving = 0.05;  // of the time, at most
constexpr long kWatched = 100;           // batches of the beginning in which the loss should fall

using results::ResultFile;
using results::Table;

Table epochs_table(const std::vector<ham::EpochResult>& epochs, const std::vector<double>& seconds) {
  Table table = results::empty_table(results::ham_table("epochs"));
  for (const ham::EpochResult& epoch : epochs) {
    push_integer(table, "epoch", epoch.epoch);
    push_real(table, "learning_rate", epoch.learning_rate);
    push_real(table, "loss", epoch.loss);
    push_real(table, "train_accuracy", epoch.train_accuracy);
    push_real(table, "gradient_norm", epoch.gradient_norm);
    push_real(table, "test_loss", epoch.plain.loss);
    push_real(table, "test_accuracy", epoch.plain.accuracy);
    push_real(table, "test_accuracy_zoomed", epoch.zoomed.accuracy);
  }
  table.values<double>("seconds") = seconds;
  return table;
}

std::vector<ham::EpochResult> read_epochs(const Table& table) {
  std::vector<ham::EpochResult> epochs(table.rows());
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const auto real = [&](const char* column) { return table.values<double>(column)[i]; };
    epochs[i] = {.epoch = table.values<std::int64_t>("epoch")[i],
                 .learning_rate = real("learning_rate"),
                 .loss = real("loss"),
                 .train_accuracy = real("train_accuracy"),
                 .gradient_norm = real("gradient_norm"),
                 .plain = {.loss = real("test_loss"), .accuracy = real("test_accuracy")},
                 .zoomed = {.accuracy = real("test_accuracy_zoomed")}};
  }
  return epochs;
}

Table parameters_table(const ham::Network& network) {
  Table table = results::empty_table(results::ham_table("parameters"));
  for (const ham::Parameter& parameter : network.parameters()) {
    push_text(table, "name", parameter.name);
    push_text(table, "shape", ham::text(parameter.shape));
    push_integer(table, "offset", parameter.offset);
    push_integer(table, "size", parameter.size());
  }
  return table;
}

Table model_table(const TrainingSpec& spec) {
  Table table = results::empty_table(results::ham_table("model"));
  push_text(table, "name", spec.model.name);
  push_text(table, "toml", spec.toml);
  return table;
}

Table training_table(ham::TrainingState& state, double seconds) {
  Table table = results::empty_table(results::ham_table("training"));
  push_integer(table, "epochs", state.epochs);
  push_integer(table, "batches", state.batches);
  push_integer(table, "steps", state.optimizer.steps());
  push_real(table, "loss_sum", state.loss_sum);
  push_integer(table, "correct", state.correct);
  push_real(table, "gradient_norm_sum", state.gradient_norm_sum);
  push_integer(table, "version", state.version);
  push_integer(table, "best_epoch", state.best_epoch);
  push_real(table, "seconds", seconds);
  return table;
}

std::vector<float> take_floats(ResultFile& file, const std::string& name) {
  auto* values = std::get_if<std::vector<float>>(&file.array(name).values.values);
  if (values == nullptr) throw std::runtime_error("array " + name + " does not hold 32-bit reals");
  return std::move(*values);
}

/// Moves the arrays out of the file.
ham::TrainingState take_state(ResultFile& file) {
  ham::TrainingState state;
  if (!file.has("training")) return state;
  const Table& table = file.table("training");
  const auto integer = [&](const char* column) { return table.values<std::int64_t>(column).at(0); };
  state.version = table.has("version") ? integer("version") : 1;
  state.epochs = integer("epochs");
  state.batches = integer("batches");
  state.optimizer.steps() = integer("steps");
  state.loss_sum = table.values<double>("loss_sum").at(0);
  state.correct = integer("correct");
  state.gradient_norm_sum = table.values<double>("gradient_norm_sum").at(0);
  state.best_epoch = integer("best_epoch");
  state.results = read_epochs(file.table("epochs"));
  state.for_each_array(
      [&](const char* name, const char*, std::vector<float>& array) { array = take_floats(file, name); });
  file.arrays.clear();
  return state;
}

ResultFile begin_or_read(const TrainingSpec& spec, const RunOptions& options, Progress& progress) {
  if (!std::filesystem::exists(options.out)) return {"ham", spec.text, {}, {}};
  ResultFile file = results::read(options.out);
  if (file.kind == "ham" && file.has("model") && !file.has("training"))
    throw results::SpecMismatch(
        fmt::format("{}: is a trimmed copy, training cannot go on from it; choose another --out", options.out));
  if (file.kind != "ham" || !file.has("training"))
    throw results::SpecMismatch(fmt::format("{}: is no training run; choose another --out", options.out));
  results::require_same_spec(options.out, file.spec, "the command line", spec.text, "; choose another --out");
  const Table& training = file.table("training");
  const std::int64_t version = training.has("version") ? training.values<std::int64_t>("version").at(0) : 1;
  if (version != ham::TrainingState::kVersion && training.values<std::int64_t>("epochs").at(0) < spec.options.epochs)
    throw results::SpecMismatch(fmt::format(
        "{}: was trained by version {} of the engine, which rounds otherwise than this one ({}); its weights "
        "can be used, but training cannot go on from it: choose another --out",
        options.out, version, ham::TrainingState::kVersion));
  progress.say(fmt::format("continuing {}: {} epochs are there", options.out, file.table("epochs").rows()));
  return file;
}

/// The spec, unless training it takes more memory than there may be.
const TrainingSpec& fitting(const TrainingSpec& spec, const RunOptions& options, const NetworkDevice& device) {
  if (device.card()) return spec;  // its own memory says so
  const ham::Program program(spec.model.network, {spec.model.clamped});
  const ham::Readout& readout = spec.model.readout;
  const ham::Unrolled unrolled = program.unroll(spec.model.network.layer_index(readout.layer), readout.descent.depth);
  const double bytes =
      ham::training_memory(program, unrolled, spec.options.recipe.batch, options.threads, sizeof(float));
  if (options.max_memory > 0 && bytes > static_cast<double>(options.max_memory))
    throw UsageError(
        fmt::format("{}: training in batches of {} on {} threads takes {:.0f} MB, {:.0f} MB may be used "
                    "(--max-memory); a smaller --batch takes less",
                    spec.model.name, spec.options.recipe.batch, options.threads, 1e-6 * bytes,
                    1e-6 * static_cast<double>(options.max_memory)));
  return spec;
}

/// The options with the place that links lead to.
RunOptions placed(RunOptions options, const std::string& path) {
  options.out = path;
  return options;
}

}  // namespace

TrainingRun::TrainingRun(const TrainingSpec& spec, const RunOptions& options, const NetworkDevice& device,
                         const std::string& command_line, Progress& progress)
    : spec_(fitting(spec, options, device)),
      out_(open_result(options.out, options.inputs)),
      options_(placed(options, out_.path())),
      progress_(progress),
      file_(begin_or_read(spec, options_, progress)),
      seconds_(file_.has("epochs") ? file_.table("epochs").values<double>("seconds") : std::vector<double>{}),
      seconds_in_epoch_(file_.has("training") ? file_.table("training").values<double>("seconds").at(0) : 0),
      trainer_(spec.model, *spec.data, spec.options, take_state(file_), device.training()) {
  const bool begun = file_.has("training");
  const core::Provenance before = file_.provenance;
  file_.provenance = core::build_provenance();
  file_.provenance.kernel = trainer_.device().kernel();
  file_.provenance.device = trainer_.device().name();
  file_.provenance.threads = options.threads;
  file_.provenance.seed = spec.options.seed;
  file_.provenance.command_line = command_line;
  file_.provenance.started = utc_now();
  if (!begun) return;
  if (before.kernel != file_.provenance.kernel)
    progress.say(
        fmt::format("{}: begun with kernels {}, goes on with {}: not the weights of an uninterrupted run, by "
                    "rounding",
                    options.out, before.kernel, file_.provenance.kernel));
  file_.provenance = results::unite(before, file_.provenance);
}

bool TrainingRun::run() {
  for (const std::string& warning : spec_.warnings) progress_.say("warning: " + warning);
  const double begun = progress_.elapsed();
  double last = begun;
  double images_done = 0;
  if (trainer_.done() || out_of_patience()) save();
  write_log();
  while (!trainer_.done() && !out_of_patience()) {
    images_done += static_cast<double>(spec_.options.recipe.batch * trainer_.step(steps_now()));
    const double now = progress_.elapsed();
    seconds_in_epoch_ += now - last;
    last = now;
    watch_loss();
    if (trainer_.state().batches == 0) {
      seconds_.push_back(seconds_in_epoch_);
      seconds_in_epoch_ = 0;
      write_log();
    }
    if (trainer_.done() || out_of_patience() ||
        now - saved_at_ > std::max(options_.save_every, save_took_ / kShareOfSaving))
      save();
    progress_.update(progress_line(images_done / (now - begun)));
    // Asked after a step, so that even the shortest time limit gets on.
    if (!trainer_.done() && !out_of_patience() &&
        (stop_requested() || (options_.time_limit > 0 && now >= options_.time_limit))) {
      save();
      return false;
    }
  }
  return true;
}

void TrainingRun::log_to(core::OutputFile log) { log_.emplace(std::move(log)); }

void TrainingRun::write_log() const {
  if (log_) log_->write(results::to_csv(epochs_table(trainer_.state().results, seconds_)));
}

bool TrainingRun::out_of_patience() const {
  const ham::TrainingState& state = trainer_.state();
  return patience_ > 0 && state.batches == 0 && state.epochs - state.best_epoch >= patience_ && state.best_epoch > 0;
}

/// A card takes many steps at one stroke, but for the first ones, which are watched.
long TrainingRun::steps_now() const {
  const ham::TrainingState& state = trainer_.state();
  return state.epochs == 0 && state.batches < kWatched ? 1 : trainer_.device().steps_at_once();
}

/// Says when the first hundred batches (or those of a shorter epoch) taught nothing: their last tenth loses as much as
/// the untrained network, which knows no better than chance.
void TrainingRun::watch_loss() {
  constexpr double kFallen = 0.999;
  const ham::TrainingState& state = trainer_.state();
  if (state.epochs > 0) return;
  const long watched = std::min(kWatched, trainer_.batches_per_epoch() - 1), tenth = watched / 10;
  const auto images = [&](long batches) { return static_cast<double>(batches * spec_.options.recipe.batch); };
  if (state.batches == 1) first_loss_ = state.loss_sum / images(1);
  if (state.batches == watched - tenth) loss_sum_before_ = state.loss_sum;
  if (tenth == 0 || state.batches != watched || first_loss_ == 0 || loss_sum_before_ == 0) return;  // begun elsewhere
  const double late = (state.loss_sum - loss_sum_before_) / images(tenth);
  if (late > kFallen * first_loss_)
    progress_.say(fmt::format(
        "warning: the loss has not fallen in the first {} batches ({:.4f} at first, {:.4f} now): the network is at "
        "chance; a smaller --rate or --time-step may help",
        watched, first_loss_, late));
}

void TrainingRun::save() {
  const double begun = progress_.elapsed();
  ham::TrainingState& state = trainer_.checkpoint();
  file_.provenance.finished = trainer_.done() ? utc_now() : "";
  file_.tables = {epochs_table(state.results, seconds_), parameters_table(spec_.model.network), model_table(spec_),
                  training_table(state, seconds_in_epoch_)};
  // The arrays are large: they are lent to the file for the time of writing.
  state.for_each_array([&](const char* name, const char* meaning, std::vector<float>& array) {
    const std::uint64_t size = array.size();
    file_.arrays.push_back({name, meaning, core::NumericArray({size}, std::move(array))});
  });
  results::write(options_.out, file_);
  state.for_each_array(
      [&](const char* name, const char*, std::vector<float>& array) { array = take_floats(file_, name); });
  file_.arrays.clear();
  saved_at_ = progress_.elapsed();
  save_took_ = saved_at_ - begun;
}

std::string TrainingRun::progress_line(double images_per_second) const {
  const ham::TrainingState& state = trainer_.state();
  const long per_epoch = trainer_.batches_per_epoch();
  const auto images = static_cast<double>(state.batches * spec_.options.recipe.batch);
  std::string line = fmt::format("{} {} seed {} | epoch {}/{}", spec_.model.name, spec_.options.recipe.name,
                                 spec_.options.seed, state.epochs, spec_.options.epochs);
  if (state.batches > 0)
    line += fmt::format(" + {}/{} | loss {:.4f}, right {:.2f} %", state.batches, per_epoch, state.loss_sum / images,
                        100 * static_cast<double>(state.correct) / images);
  if (!state.results.empty()) {
    const ham::EpochResult &last = state.results.back(), &best = state.results[state.best_epoch - 1];
    line += fmt::format(" | test {:.2f} %, zoomed {:.2f} %, best {:.2f} % (epoch {})", 100 * last.plain.accuracy,
                        100 * last.zoomed.accuracy, 100 * best.plain.accuracy, best.epoch);
  }
  const long batches_left = (spec_.options.epochs - state.epochs) * per_epoch - state.batches;
  const double images_left = static_cast<double>(batches_left) * spec_.options.recipe.batch;
  return line +
         fmt::format(" | {:.0f} images/s | {} left", images_per_second, duration_text(images_left / images_per_second));
}

TrainingSummary summary_of(const ResultFile& file, long epochs) {
  TrainingSummary summary{.model = file.table("model").values<std::string>("name").at(0),
                          .data = spec_value(file.spec, "data"),
                          .recipe = spec_value(file.spec, "recipe"),
                          .seed = file.provenance.seed};
  if (file.has("training")) summary.batches = file.table("training").values<std::int64_t>("batches").at(0);
  for (const std::int64_t size : file.table("parameters").values<std::int64_t>("size")) summary.parameters += size;
  std::vector<ham::EpochResult> all = read_epochs(file.table("epochs"));
  all.resize(std::min(all.size(), static_cast<std::size_t>(epochs)));
  summary.epochs = static_cast<long>(all.size());
  summary.best = summary.best_zoomed = summary.last = summary.last_zoomed = std::numeric_limits<double>::quiet_NaN();
  for (const ham::EpochResult& epoch : all) {
    if (!(epoch.plain.accuracy <= summary.best)) summary.best = epoch.plain.accuracy, summary.best_epoch = epoch.epoch;
    if (!(epoch.zoomed.accuracy <= summary.best_zoomed)) summary.best_zoomed = epoch.zoomed.accuracy;
    summary.last = epoch.plain.accuracy;
    summary.last_zoomed = epoch.zoomed.accuracy;
    summary.seconds += file.table("epochs").values<double>("seconds")[epoch.epoch - 1];
  }
  if (summary.batches > 0 && summary.epochs < epochs)
    summary.seconds += file.table("training").values<double>("seconds").at(0);
  return summary;
}

namespace {

ResultFile read_run(const std::string& path) {
  ResultFile file = results::read(path);
  if (file.kind != "ham" || !file.has("model"))
    throw std::runtime_error(path + ": is no training run; `ham train` makes them");
  return file;
}

}  // namespace

results::ResultFile trimmed(const std::string& path, bool keep_weights) {
  ResultFile file = read_run(path);
  std::erase_if(file.tables, [](const Table& table) { return table.name == "training"; });
  std::erase_if(file.arrays,
                [&](const results::NamedArray& array) { return !keep_weights || array.name != "best_weights"; });
  return file;
}

}  // namespace experiments

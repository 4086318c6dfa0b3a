#include "gpu/dam/clusters.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "core/parallel.h"
#include "dam/fields/kernels.h"
#include "dam/states/patterns.h"
#include "gpu/dam/trial_memory.h"
#include "gpu/dam/weights.h"
#include "gpu/dam/work.h"

namespace gpu {
namespace {

constexpr int kThreadsThere = 512;                            // that a multiprocessor holds, of 128 registers each
constexpr std::size_t kReserved = 1024;                       // shared memory that the system takes of each block
constexpr int kMaxPasses = 1 << 16;                           // their hashes are kept
constexpr std::int64_t kMaxPatterns = std::int64_t{1} << 30;  // their popcounts fit 32 bits
constexpr std::int64_t kMaxWords = std::int64_t{1} << 32;     // of a pattern set: its indices
constexpr std::int64_t kWorthwhile = 1 << 17;                 // interactions a pass, N·K
constexpr double kMemoryShare = 0.8;                          // of what is free

std::int64_t num_groups(std::int64_t num_patterns) { return (num_patterns + kGroupPatterns - 1) / kGroupPatterns; }
/// One in 10⁵ of independent patterns lies outside the window; few patterns leave room for other kinds.
int max_outliers(std::int64_t num_patterns) {
  return num_patterns <= 50'000 ? 256 : static_cast<int>(64 + num_patterns / 50'000);
}
std::int64_t column_words(std::int64_t num_patterns) { return num_groups(num_patterns) * kGroupWords; }

/// 2⁶⁴·p, as dam/states/patterns.cpp takes it; p < 1.
std::uint64_t binary_digits(double p) {
  return p >= 1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(std::ldexp(p, 64));
}

/// The kinds of patterns that the card draws. The overlaps of others spread far: the processor is better at them.
bool drawn_there(const dam::PatternSource& source) {
  return source.kind == dam::PatternKind::iid || (source.kind == dam::PatternKind::biased && source.parameter < 1);
}

dam::RecallResult result_of(const TrialOutcome& trial) {
  return {trial.passes, trial.flips, trial.ties, trial.energy_rises, trial.converged, trial.cycle};
}

/// The mean agreements of a state with all patterns.
int mean_agreements(const dam::Patterns& patterns, const dam::State& state) {
  std::int64_t sum = 0;
  for (int spin = 0; spin < patterns.num_neurons(); ++spin) {
    std::int64_t plus = 0;
    for (const std::uint64_t word : patterns.column(spin)) plus += std::popcount(word);
    sum += state[static_cast<std::size_t>(spin)] > 0 ? plus : patterns.num_patterns() - plus;
  }
  return static_cast<int>(sum / std::max<std::int64_t>(1, patterns.num_patterns()));
}

/// Work that the processor has to do once more, on all threads.
void redo(std::size_t count, const std::function<void(std::size_t)>& work) {
  core::parallel_for(count, core::hardware_threads(), [&](std::size_t which, int) { work(which); });
}

}  // namespace

bool worth_a_card(const dam::Configuration& configuration, std::int64_t num_patterns) {
  return configuration.num_neurons * num_patterns >= kWorthwhile;
}

int usual_agreements(const dam::Configuration& configuration) {
  const int neurons = configuration.num_neurons;
  if (configuration.patterns.kind != dam::PatternKind::biased) return neurons / 2;
  const double mean = 2 * configuration.patterns.parameter - 1;
  return static_cast<int>(std::lround(0.5 * neurons * (1 + mean * mean)));
}

/// Memory on the machine that grows as it has to.
class Clusters::Buffer {
 public:
  explicit Buffer(Launcher& launcher) : launcher_(launcher) {}
  ~Buffer() { clear(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void clear() {
    if (memory_ != nullptr) launcher_.release(memory_);
    memory_ = nullptr;
    size_ = 0;
  }
  template <class T>
  T* reserve(std::size_t count) {
    if (count * sizeof(T) > size_) {
      clear();
      memory_ = launcher_.allocate(count * sizeof(T));
      size_ = count * sizeof(T);
    }
    return static_cast<T*>(memory_);
  }
  std::size_t size() const { return size_; }

 private:
  Launcher& launcher_;
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

/// The weights of one (model, dynamics, N), here and on the machine.
struct Clusters::Tables {
  core::EnergyModel model;
  dam::Dynamics dynamics;
  int num_neurons, centre;
  Weights weights;
  Buffer memory;
  WeightView there;

  bool are_of(const core::EnergyModel& m, const dam::Dynamics& d, int neurons, int middle) const {
    return model == m && dynamics == d && num_neurons == neurons && centre == middle;
  }
  Tables(const core::EnergyModel& m, const dam::Dynamics& d, int neurons, int middle, Launcher& launcher)
      : model(m),
        dynamics(d),
        num_neurons(neurons),
        centre(middle),
        weights(dam::Support(m, d, neurons), middle),
        memory(launcher),
        there(weights.view()) {
    const std::size_t entries = neurons + 1;
    auto* place = memory.reserve<std::byte>(entries * (3 * sizeof(Units) + 12));
    const auto put = [&](const auto& values, auto& pointer) {
      const std::size_t bytes = entries * sizeof(values[0]);
      launcher.put(place, values.data(), bytes);
      pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(place);
      place += bytes;
    };
    put(weights.agree, there.agree);
    put(weights.disagree, there.disagree);
    put(weights.separation, there.separation);
    put(weights.digits, there.digits);
    put(weights.totals, there.totals);
    put(weights.separations, there.separations);
  }
};

/// How many blocks of what shape, and whether their positions stand in shared memory.
struct Clusters::Plan {
  Shape shape;
  bool near = false;
};

Clusters::Clusters(std::unique_ptr<Launcher> launcher) : launcher_(std::move(launcher)), limits_(launcher_->limits()) {
  for (auto* buffer : {&patterns_, &positions_, &seen_, &clusters_, &states_, &outcomes_, &next_})
    *buffer = std::make_unique<Buffer>(*launcher_);
}
Clusters::~Clusters() = default;

/// As many threads as a multiprocessor holds, in blocks of as many as there are groups to share; positions near if half
/// of those threads can have theirs there.
Clusters::Plan Clusters::plan_for(int num_neurons, std::int64_t num_patterns, int max_passes, std::size_t items,
                                  bool draws) const {
  const std::int64_t groups = num_groups(num_patterns);
  Plan best;
  int most = 0;
  for (const bool near : {true, false}) {
    if (!near && most >= kThreadsThere / 2) break;
    for (const int threads : {kThreadsThere, kThreadsThere / 2, kThreadsThere / 4}) {
      if (threads > kThreadsThere / 4 && threads / kWarp > groups) continue;
      const std::size_t bytes =
          shared_layout(num_neurons, max_outliers(num_patterns), near ? groups : 0, threads / kWarp).bytes;
      if (bytes > limits_.shared_per_block) continue;
      const int beside = static_cast<int>(
          std::min<std::size_t>(kThreadsThere / threads, limits_.shared_per_multiprocessor / (bytes + kReserved)));
      if (beside * threads < most) continue;
      most = beside * threads;
      best.near = near;
      best.shape = {.blocks = beside * limits_.multiprocessors, .threads = threads, .shared_bytes = bytes};
    }
  }
  if (most == 0) best.shape.blocks = 0;
  // A block's patterns, far positions and hashes share the memory that is free.
  const double slot = 4.0 * static_cast<double>(draws ? column_words(num_patterns) * num_neurons : 0) +
                      (best.near ? 0.0 : 2.0 * kGroupPatterns * static_cast<double>(groups)) + 8.0 * (max_passes + 1);
  const double slots = std::min(kMemoryShare * static_cast<double>(limits_.memory) / slot, 1e6);
  best.shape.blocks =
      std::min({best.shape.blocks, static_cast<int>(slots), static_cast<int>(std::min<std::size_t>(items, 1 << 20))});
  return best;
}

bool Clusters::fits(const dam::Configuration& configuration, std::int64_t num_patterns) const {
  const int neurons = configuration.num_neurons, max_passes = configuration.dynamics.max_passes;
  return drawn_there(configuration.patterns) && neurons <= kMaxNeurons && max_passes <= kMaxPasses &&
         num_patterns >= 1 && num_patterns <= kMaxPatterns && column_words(num_patterns) * neurons < kMaxWords &&
         configuration.cues >= 1 && plan_for(neurons, num_patterns, max_passes, 1, true).shape.blocks >= 1;
}

bool Clusters::takes(const dam::Configuration& configuration, std::int64_t num_patterns) const {
  return worth_a_card(configuration, num_patterns) && fits(configuration, num_patterns);
}

/// What both kinds of batches have in common.
RecallTask Clusters::task(const core::EnergyModel& model, const dam::Dynamics& dynamics, int num_neurons,
                          std::int64_t num_patterns, int centre, const Plan& plan) {
  if (!tables_ || !tables_->are_of(model, dynamics, num_neurons, centre))
    tables_ = std::make_unique<Tables>(model, dynamics, num_neurons, centre, *launcher_);
  RecallTask task;
  task.weights = tables_->there;
  task.num_neurons = num_neurons;
  task.num_patterns = num_patterns;
  task.column_words = column_words(num_patterns);
  task.order = dynamics.order;
  task.tie = dynamics.tie;
  task.max_passes = dynamics.max_passes;
  task.max_outliers = max_outliers(num_patterns);
  const auto blocks = static_cast<std::size_t>(plan.shape.blocks);
  if (!plan.near)
    task.positions = positions_->reserve<std::uint32_t>(blocks * static_cast<std::size_t>(num_groups(num_patterns)) *
                                                        (kGroupPatterns / 2));
  task.seen = seen_->reserve<std::uint64_t>(blocks * static_cast<std::size_t>(dynamics.max_passes + 1));
  return task;
}

/// Columns of 64-bit words become columns of whole groups.
std::uint32_t* Clusters::upload(const dam::Patterns& patterns, std::int64_t words) {
  std::vector<std::uint32_t> columns(static_cast<std::size_t>(words * patterns.num_neurons()));
  for (int spin = 0; spin < patterns.num_neurons(); ++spin) {
    const auto column = patterns.column(spin);
    for (std::int64_t word = 0; word < std::min<std::int64_t>(words, 2 * column.size()); ++word)
      columns[static_cast<std::size_t>(spin * words + word)] =
          static_cast<std::uint32_t>(column[static_cast<std::size_t>(word / 2)] >> (word % 2 * 32));
  }
  auto* there = patterns_->reserve<std::uint32_t>(columns.size());
  launcher_->put(there, columns.data(), columns.size() * sizeof(std::uint32_t));
  return there;
}

template <class Batch>
std::vector<TrialOutcome> Clusters::run_batch(Batch& batch, std::size_t items, std::size_t trials, const Plan& plan) {
  batch.count = static_cast<std::int64_t>(items);
  batch.outcomes = outcomes_->reserve<TrialOutcome>(trials);
  batch.next = next_->reserve<std::int64_t>(1);
  const std::int64_t first = 0;
  launcher_->put(batch.next, &first, sizeof first);
  launcher_->run(batch, plan.shape);
  std::vector<TrialOutcome> found(trials);
  launcher_->get(found.data(), batch.outcomes, trials * sizeof(TrialOutcome));
  trials_ += static_cast<std::int64_t>(trials);
  return found;
}

std::vector<dam::TrialCounts> Clusters::run(const dam::Configuration& configuration, std::int64_t num_patterns,
                                            std::span<const std::int64_t> clusters) {
  if (!fits(configuration, num_patterns)) throw std::invalid_argument("trials that the card cannot run");
  const std::size_t cues = static_cast<std::size_t>(configuration.cues), count = clusters.size();
  const Plan plan = plan_for(configuration.num_neurons, num_patterns, configuration.dynamics.max_passes, count, true);
  ClusterBatch batch;
  batch.task = task(configuration.model, configuration.dynamics, configuration.num_neurons, num_patterns,
                    usual_agreements(configuration), plan);
  batch.task.key = {configuration.seed, dam::configuration_id(configuration), static_cast<std::uint64_t>(num_patterns)};
  batch.fair = configuration.patterns.kind == dam::PatternKind::iid;
  batch.digits_plus = binary_digits(configuration.patterns.parameter);
  batch.digits_kept = binary_digits(configuration.alpha);
  batch.keeps_all = configuration.alpha >= 1;
  batch.cues = configuration.cues;
  batch.patterns = patterns_->reserve<std::uint32_t>(
      static_cast<std::size_t>(batch.task.column_words * configuration.num_neurons * plan.shape.blocks));
  batch.clusters = clusters_->reserve<std::int64_t>(count);
  launcher_->put(batch.clusters, clusters.data(), count * sizeof(std::int64_t));
  const std::vector<TrialOutcome> trials = run_batch(batch, count, count * cues, plan);

  std::vector<dam::TrialCounts> all(count);
  std::vector<std::size_t> undecided;
  for (std::size_t i = 0; i < count; ++i) {
    const auto own = std::span(trials).subspan(i * cues, cues);
    if (std::ranges::any_of(own, &TrialOutcome::undecided)) {
      undecided.push_back(i);
      continue;
    }
    all[i].clusters = 1;
    for (const TrialOutcome& trial : own) dam::add_trial(configuration, result_of(trial), trial.wrong_bits, all[i]);
    all[i].successes_squared = all[i].successes * all[i].successes;
  }
  redone_ += static_cast<std::int64_t>(undecided.size() * cues);
  redo(undecided.size(), [&](std::size_t which) {
    dam::TrialWorkspace workspace;
    const std::size_t i = undecided[which];
    all[i] = dam::run_cluster(configuration, num_patterns, clusters[i], dam::find_kernel("auto"), workspace);
  });
  return all;
}

std::vector<dam::RecallResult> Clusters::recall(const core::EnergyModel& model, const dam::Dynamics& dynamics,
                                                const dam::Patterns& patterns, std::uint64_t seed,
                                                std::span<dam::State> states) {
  const int neurons = patterns.num_neurons();
  const std::size_t count = states.size(), spins = static_cast<std::size_t>(neurons);
  if (count == 0) return {};
  const Plan plan = plan_for(neurons, patterns.num_patterns(), dynamics.max_passes, count, false);
  StateBatch batch;
  batch.task = task(model, dynamics, neurons, patterns.num_patterns(), mean_agreements(patterns, states[0]), plan);
  batch.task.key = {seed, 0, 0};
  batch.patterns = upload(patterns, batch.task.column_words);
  std::vector<std::int8_t> rows;
  for (const dam::State& state : states) rows.insert(rows.end(), state.begin(), state.end());
  batch.states = states_->reserve<std::int8_t>(rows.size());
  launcher_->put(batch.states, rows.data(), rows.size());
  const std::vector<TrialOutcome> trials = run_batch(batch, count, count, plan);
  launcher_->get(rows.data(), batch.states, rows.size());

  std::vector<dam::RecallResult> results(count);
  std::vector<std::size_t> undecided;
  for (std::size_t i = 0; i < count; ++i) {
    if (trials[i].undecided) {
      undecided.push_back(i);
      continue;
    }
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i * spins), spins, states[i].begin());
    results[i] = result_of(trials[i]);
  }
  redone_ += static_cast<std::int64_t>(undecided.size());
  redo(undecided.size(), [&](std::size_t which) {
    const std::size_t i = undecided[which];
    const dam::RecallStreams streams{{seed, 0, i, core::Purpose::order}, {seed, 0, i, core::Purpose::tie}};
    results[i] = dam::recall(patterns, model, dynamics, dam::find_kernel("auto"), streams, states[i]);
  });
  return results;
}

}  // namespace gpu

#include "gpu/dam/clusters.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "dam/fields/kernels.h"
#include "dam/states/patterns.h"
#include "gpu/dam/trial_memory.h"
#include "gpu/dam/weights.h"

namespace gpu {
namespace {

constexpr int kMaxPasses = 1 << 16;            // their hashes are kept
constexpr std::int64_t kWorthwhile = 1 << 20;  // interactions a pass, N·K
constexpr double kMemoryShare = 0.8;           // of what is free
constexpr std::int64_t kMaxWords = 1ll << 31;  // of a pattern set: offsets in it fit 32 bits
constexpr std::size_t kReserved = 1024;        // shared memory that the system takes of each block

std::int64_t column_words(std::int64_t num_patterns) {
  return (num_patterns + kGroupPatterns - 1) / kGroupPatterns * kGroupWords;
}

/// 2⁶⁴·p, as dam/states/patterns.cpp takes it; p < 1.
std::uint64_t binary_digits(double p) {
  return p >= 1 ? ~std::uint64_t{0} : static_cast<std::uint64_t>(std::ldexp(p, 64));
}

/// The kinds of patterns that the card draws itself; the others are drawn here and sent.
bool drawn_there(const dam::PatternSource& source) {
  return source.kind == dam::PatternKind::iid || (source.kind == dam::PatternKind::biased && source.parameter < 1);
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
  std::int64_t slot_bytes = 0;  // global memory a block needs
};

Clusters::Clusters(std::unique_ptr<Launcher> launcher)
    : launcher_(std::move(launcher)),
      limits_(launcher_->limits()),
      patterns_(std::make_unique<Buffer>(*launcher_)),
      positions_(std::make_unique<Buffer>(*launcher_)),
      seen_(std::make_unique<Buffer>(*launcher_)),
      small_(std::make_unique<Buffer>(*launcher_)) {}
Clusters::~Clusters() = default;

Clusters::Plan Clusters::plan(int num_neurons, std::int64_t num_patterns, int max_passes, std::int64_t items,
                              bool draws) const {
  const std::int64_t words = column_words(num_patterns), groups = words / kGroupWords;
  // As many threads as there are groups to share, then as many blocks as fit beside each other; 512 threads of 128
  // registers fill a multiprocessor.
  Plan best;
  int best_threads = 0;
  for (const bool near : {true, false})
    for (const int threads : {512, 256, 128}) {
      if (threads > 128 && threads / kWarp > groups) continue;
      const std::size_t bytes = shared_layout(num_neurons, near ? groups : 0, threads / kWarp).bytes;
      if (bytes > limits_.shared_per_block) continue;
      const auto beside = std::min<std::int64_t>(
          512 / threads, static_cast<std::int64_t>(limits_.shared_per_multiprocessor / (bytes + kReserved)));
      const int busy = static_cast<int>(beside) * threads;
      if (busy < best_threads || (near ? false : best.near && best_threads >= 256)) continue;
      best_threads = busy;
      best.near = near;
      best.shape = {
          .blocks = static_cast<int>(beside) * limits_.multiprocessors, .threads = threads, .shared_bytes = bytes};
      best.slot_bytes = (near ? 0 : words * kGroupPatterns / kGroupWords * 2) + 8 * (max_passes + 1) +
                        (draws ? words * 4 * num_neurons : 0);
    }
  if (best_threads == 0) return best;
  const double memory = kMemoryShare * static_cast<double>(limits_.memory);
  const auto slots = static_cast<std::int64_t>(memory / static_cast<double>(best.slot_bytes));
  best.shape.blocks = static_cast<int>(std::min<std::int64_t>({best.shape.blocks, slots, items}));
  return best;
}

bool Clusters::fits(const dam::Configuration& configuration, std::int64_t num_patterns) const {
  const int neurons = configuration.num_neurons;
  if (neurons > kMaxNeurons || configuration.dynamics.max_passes > kMaxPasses || num_patterns < 1 ||
      num_patterns > std::int64_t{1} << 31 || column_words(num_patterns) * neurons > kMaxWords)
    return false;
  return plan(neurons, num_patterns, configuration.dynamics.max_passes, 1 << 20, true).shape.blocks >= 1 &&
         plan(neurons, num_patterns, configuration.dynamics.max_passes, 1 << 20, true).shape.shared_bytes > 0;
}

bool Clusters::takes(const dam::Configuration& configuration, std::int64_t num_patterns) const {
  return worth_a_card(configuration, num_patterns) && fits(configuration, num_patterns);
}

const Clusters::Tables& Clusters::tables(const core::EnergyModel& model, const dam::Dynamics& dynamics, int num_neurons,
                                         int centre) {
  if (!tables_ || tables_->model != model || tables_->dynamics != dynamics || tables_->num_neurons != num_neurons ||
      tables_->centre != centre)
    tables_ = std::make_unique<Tables>(model, dynamics, num_neurons, centre, *launcher_);
  return *tables_;
}

/// Columns of 64-bit words become columns of whole groups.
void Clusters::upload(const dam::Patterns& patterns, std::int64_t words, std::uint32_t* there) {
  std::vector<std::uint32_t> columns(static_cast<std::size_t>(words * patterns.num_neurons()));
  for (int spin = 0; spin < patterns.num_neurons(); ++spin) {
    const auto column = patterns.column(spin);
    for (std::size_t word = 0; word < column.size(); ++word)
      for (int half = 0; half < 2; ++half)
        if (const std::size_t at = 2 * word + half; at < static_cast<std::size_t>(words))
          columns[spin * words + at] = static_cast<std::uint32_t>(column[word] >> (32 * half));
  }
  launcher_->put(there, columns.data(), columns.size() * 4);
}

std::vector<dam::TrialCounts> Clusters::run(const dam::Configuration& configuration, std::int64_t num_patterns,
                                            std::span<const std::int64_t> clusters, const dam::Patterns* bank) {
  const std::uint64_t id = dam::configuration_id(configuration);
  const int neurons = configuration.num_neurons, cues = configuration.cues;
  const bool draws = drawn_there(configuration.patterns);
  std::vector<dam::TrialCounts> all;
  // Patterns that are sent share the card's memory with nothing but themselves.
  const std::int64_t words = column_words(num_patterns), set_words = words * neurons;
  const std::int64_t at_once =
      draws ? static_cast<std::int64_t>(clusters.size())
            : std::max<std::int64_t>(
                  1, static_cast<std::int64_t>(0.5 * static_cast<double>(limits_.memory)) / (4 * set_words));
  for (std::size_t first = 0; first < clusters.size(); first += static_cast<std::size_t>(at_once)) {
    const auto part = clusters.subspan(first, std::min<std::size_t>(at_once, clusters.size() - first));
    const auto count = static_cast<std::int64_t>(part.size());
    const Plan shape = plan(neurons, num_patterns, configuration.dynamics.max_passes, count, draws);
    const std::int64_t blocks = shape.shape.blocks;
    ClusterBatch batch;
    batch.task.weights =
        tables(configuration.model, configuration.dynamics, neurons, usual_agreements(configuration)).there;
    batch.task.num_neurons = neurons;
    batch.task.num_patterns = num_patterns;
    batch.task.column_words = words;
    batch.task.order = configuration.dynamics.order;
    batch.task.tie = configuration.dynamics.tie;
    batch.task.max_passes = configuration.dynamics.max_passes;
    batch.task.key = {configuration.seed, id, static_cast<std::uint64_t>(num_patterns)};
    batch.draws = draws;
    batch.fair = configuration.patterns.kind == dam::PatternKind::iid;
    batch.digits_plus = binary_digits(configuration.patterns.parameter);
    batch.digits_kept = binary_digits(configuration.alpha);
    batch.keeps_all = configuration.alpha >= 1;
    batch.cues = cues;
    batch.count = count;
    batch.patterns = patterns_->reserve<std::uint32_t>(static_cast<std::size_t>(set_words * (draws ? blocks : count)));
    if (!draws)
      for (std::int64_t item = 0; item < count; ++item) {
        dam::Patterns drawn;
        dam::draw_patterns(configuration, id, num_patterns, part[static_cast<std::size_t>(item)], bank, drawn);
        upload(drawn, words, batch.patterns + item * set_words);
      }
    if (!shape.near)
      batch.positions = positions_->reserve<std::uint32_t>(
          static_cast<std::size_t>(blocks * words * (kGroupPatterns / 2 / kGroupWords)));
    batch.seen = seen_->reserve<std::uint64_t>(static_cast<std::size_t>(blocks * (batch.task.max_passes + 1)));

    const std::size_t outcomes = static_cast<std::size_t>(count * cues);
    auto* place = small_->reserve<std::byte>(outcomes * sizeof(TrialOutcome) + (part.size() + 1) * 8);
    batch.outcomes = reinterpret_cast<TrialOutcome*>(place);
    batch.next = reinterpret_cast<std::int64_t*>(place + outcomes * sizeof(TrialOutcome));
    batch.clusters = batch.next + 1;
    std::vector<std::int64_t> numbers(1, 0);
    numbers.insert(numbers.end(), part.begin(), part.end());
    launcher_->put(batch.next, numbers.data(), numbers.size() * 8);
    launcher_->run(batch, shape.shape);
    std::vector<TrialOutcome> found(outcomes);
    launcher_->get(found.data(), batch.outcomes, outcomes * sizeof(TrialOutcome));

    for (std::int64_t item = 0; item < count; ++item) {
      const auto trials =
          std::span(found).subspan(static_cast<std::size_t>(item * cues), static_cast<std::size_t>(cues));
      trials_ += cues;
      if (std::ranges::any_of(trials, &TrialOutcome::undecided)) {
        redone_ += cues;
        all.push_back(dam::run_cluster(configuration, num_patterns, part[static_cast<std::size_t>(item)],
                                       dam::find_kernel("auto"), workspace_, bank));
        continue;
      }
      dam::TrialCounts counts;
      counts.clusters = 1;
      for (const TrialOutcome& trial : trials)
        dam::add_trial(configuration,
                       {trial.passes, trial.flips, trial.ties, trial.energy_rises, trial.converged, trial.cycle},
                       trial.wrong_bits, counts);
      counts.successes_squared = counts.successes * counts.successes;
      all.push_back(counts);
    }
  }
  return all;
}

std::vector<dam::RecallResult> Clusters::recall(const core::EnergyModel& model, const dam::Dynamics& dynamics,
                                                const dam::Patterns& patterns, std::uint64_t seed,
                                                std::span<dam::State> states) {
  const int neurons = patterns.num_neurons();
  const auto count = static_cast<std::int64_t>(states.size());
  const Plan shape = plan(neurons, patterns.num_patterns(), dynamics.max_passes, count, false);
  const std::int64_t blocks = shape.shape.blocks, words = column_words(patterns.num_patterns());
  StateBatch batch;
  batch.task.weights = tables(model, dynamics, neurons, neurons / 2).there;
  batch.task.num_neurons = neurons;
  batch.task.num_patterns = patterns.num_patterns();
  batch.task.column_words = words;
  batch.task.order = dynamics.order;
  batch.task.tie = dynamics.tie;
  batch.task.max_passes = dynamics.max_passes;
  batch.task.key = {seed, 0, 0};
  batch.count = count;
  auto* columns = patterns_->reserve<std::uint32_t>(static_cast<std::size_t>(words * neurons));
  upload(patterns, words, columns);
  batch.patterns = columns;
  if (!shape.near)
    batch.positions = positions_->reserve<std::uint32_t>(
        static_cast<std::size_t>(blocks * words * (kGroupPatterns / 2 / kGroupWords)));
  batch.seen = seen_->reserve<std::uint64_t>(static_cast<std::size_t>(blocks * (dynamics.max_passes + 1)));
  const std::size_t result_bytes = states.size() * sizeof(TrialOutcome);
  auto* place = small_->reserve<std::byte>(result_bytes + 8 + states.size() * static_cast<std::size_t>(neurons));
  batch.outcomes = reinterpret_cast<TrialOutcome*>(place);
  batch.next = reinterpret_cast<std::int64_t*>(place + result_bytes);
  batch.states = reinterpret_cast<std::int8_t*>(place + result_bytes + 8);
  const std::int64_t zero = 0;
  launcher_->put(batch.next, &zero, 8);
  std::vector<std::int8_t> rows;
  for (const dam::State& state : states) rows.insert(rows.end(), state.begin(), state.end());
  launcher_->put(batch.states, rows.data(), rows.size());
  launcher_->run(batch, shape.shape);
  std::vector<TrialOutcome> found(states.size());
  launcher_->get(found.data(), batch.outcomes, result_bytes);
  launcher_->get(rows.data(), batch.states, rows.size());

  std::vector<dam::RecallResult> results;
  std::optional<dam::Recall> redo;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const TrialOutcome& trial = found[i];
    ++trials_;
    if (trial.undecided) {
      ++redone_;
      if (!redo) redo.emplace(model, dynamics, neurons, dam::find_kernel("auto"));
      const dam::RecallStreams streams{{seed, 0, i, core::Purpose::order}, {seed, 0, i, core::Purpose::tie}};
      results.push_back((*redo)(patterns, streams, states[i]));
      continue;
    }
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i) * neurons, neurons, states[i].begin());
    results.push_back({trial.passes, trial.flips, trial.ties, trial.energy_rises, trial.converged, trial.cycle});
  }
  return results;
}

}  // namespace gpu

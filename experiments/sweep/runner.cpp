#include "experiments/sweep/runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>

#include "core/parallel.h"
#include "core/provenance.h"
#include "dam/fields/kernels.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/device.h"
#include "experiments/files/outputs.h"
#include "experiments/summaries/summary.h"
#include "experiments/sweep/tables.h"
#include "results/export.h"
#include "results/merge.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

struct PendingBatch {
  BatchKey key;
  std::size_t configuration = 0;
  double expected_seconds = 0;  // of one pattern set
  bool on_card = false;
  std::int64_t left = kClustersPerBatch;
  BatchRecord record;
};

/// Tickets that threads take in turn.
struct Tickets {
  std::atomic<std::int64_t> next;
  std::int64_t end;
  bool left() const { return next < end; }
};

/// Seconds of one thread a pattern set takes, as measured or expected.
double cost(const SweepSpec& spec, const BatchStore& store, std::size_t configuration, std::int64_t num_patterns,
            bool on_card) {
  const dam::Configuration& c = spec.configurations[configuration];
  const BatchRecord measured = store.sum(configuration_id(c), num_patterns);
  if (measured.counts.clusters > 0) return measured.seconds / static_cast<double>(measured.counts.clusters);
  constexpr double kThreadsOfCard = 200;  // that do as much
  return expected_trial_seconds(c, num_patterns) * c.cues / (on_card ? kThreadsOfCard : 1);
}

BatchKey key_of(const SweepSpec& spec, const BatchRequest& request) {
  return {configuration_id(spec.configurations[request.configuration]), request.num_patterns, request.batch};
}

}  // namespace

double expected_trial_seconds(const dam::Configuration& configuration, std::int64_t num_patterns) {
  constexpr double kSecondsPerInteraction = 1e-10, kPasses = 3, kSecondsPerSpin = 2e-8;
  const double spins = kPasses * configuration.num_neurons;
  return spins * (kSecondsPerSpin + kSecondsPerInteraction * static_cast<double>(num_patterns));
}

std::vector<BatchRequest> batches_of(const std::vector<PointRequest>& requests) {
  std::vector<BatchRequest> batches;
  for (const PointRequest& request : requests)
    for (std::int64_t batch = 0; batch < request.batches; ++batch)
      batches.push_back({request.configuration, request.num_patterns, batch});
  return batches;
}

std::vector<BatchRequest> batches_of(const std::vector<PointRequest>& requests, const SweepSpec& spec,
                                     const Shard& shard) {
  const std::vector<BatchRequest> all = batches_of(requests);
  std::vector<double> costs;
  for (const BatchRequest& request : all) {
    const dam::Configuration& configuration = spec.configurations[request.configuration];
    costs.push_back(expected_trial_seconds(configuration, request.num_patterns) * configuration.cues);
  }
  std::vector<BatchRequest> own;
  for (const std::size_t item : items_of(shard, costs)) own.push_back(all[item]);
  return own;
}

std::vector<PointRequest> curve_requests(const SweepSpec& spec) {
  std::vector<PointRequest> requests;
  for (std::size_t i = 0; i < spec.configurations.size(); ++i) {
    const std::int64_t batch_trials = kClustersPerBatch * spec.configurations[i].cues;
    for (const std::int64_t num_patterns : spec.num_patterns)
      requests.push_back({i, num_patterns, (spec.trials + batch_trials - 1) / batch_trials});
  }
  return requests;
}

bool holds_all(const BatchStore& store, const SweepSpec& spec, const std::vector<BatchRequest>& requests) {
  return std::all_of(requests.begin(), requests.end(),
                     [&](const BatchRequest& request) { return store.contains(key_of(spec, request)); });
}

namespace {

bool belongs_to(const std::string& path, const SweepSpec& spec) {
  try {
    const results::ResultFile file = results::read(path);
    return file.streams == core::kStreamVersion && results::spec_difference(file.spec, spec.text).empty();
  } catch (const std::runtime_error&) {
    return false;
  }
}

/// The file that was asked for; of default names the first that is free or holds this sweep: capacity.h5,
/// capacity-2.h5, …
std::string output_of(const SweepSpec& spec, const RunOptions& options) {
  if (options.out_is_given) return options.out;
  const std::filesystem::path first = options.out;
  std::string path = options.out;
  for (int number = 2; std::filesystem::exists(path) && !belongs_to(path, spec); ++number)
    path = (first.parent_path() / fmt::format("{}-{}{}", first.stem().string(), number, first.extension().string()))
               .string();
  return path;
}

}  // namespace

Runner::Runner(const SweepSpec& spec, const RunOptions& options, Crew& crew, const std::string& command_line)
    : spec_(spec),
      crew_(crew),
      options_(options),
      kernel_(dam::find_kernel(options.kernel)),
      card_(open_device(options.device, options.rank_here + options.shard.index - 1)),
      out_(open_result(output_of(spec, options), options.inputs)),
      progress_(options.quiet, options.show),
      stopping_(options.time_limit, options.begun),
      workspaces_(options.threads) {
  file_.kind = "dam";
  file_.spec = spec.text;
  for (const std::string& why : spec.left_out) progress_.say("left out: " + why);
  if (!options.out_is_given && out_.path() != options.out)
    progress_.say(fmt::format("{} holds another sweep; this one is {} (--out names it)", options.out, out_.path()));
  options_.out = out_.path();
  if (std::filesystem::exists(options_.out)) {
    const results::ResultFile old = results::read(options_.out);
    if (old.kind != file_.kind)
      throw results::SpecMismatch(fmt::format("{}: is a file of '{}'; choose another --out", options_.out, old.kind));
    results::require_same_streams(options_.out, old.streams, "this program", file_.streams, "; choose another --out");
    results::require_same_spec(options_.out, old.spec, "the command line", spec.text, "; choose another --out");
    store_ = BatchStore::from_table(old.table("batches"));
    if (store_.size() > 0)
      progress_.say(fmt::format("continuing {}: {} batches are there", options_.out, store_.size()));
    made_before_ = old.provenance;
  }
  file_.provenance = core::build_provenance();
  file_.provenance.kernel = kernel_.name;
  if (card_) file_.provenance.device = card_->name();
  file_.provenance.threads = crew.threads();
  file_.provenance.seed = spec.seed;
  file_.provenance.command_line = command_line;
  file_.provenance.started = utc_now();
  if (made_before_) file_.provenance = results::unite(*made_before_, file_.provenance);
  // A file that cannot be written is better known now than after the first batch; one that is there stays as it is.
  if (!made_before_) save(false);
}

void Runner::save(bool complete, const results::Table* capacity) {
  file_.provenance.finished = complete ? utc_now() : "";
  file_.tables = {store_.table(), points_table(spec_, store_)};
  if (capacity) file_.tables.push_back(*capacity);
  results::write(options_.out, file_);
  saved_at_ = progress_.elapsed();
}

bool Runner::measure(const std::vector<BatchRequest>& requests, const std::string& headline, double later) {
  std::vector<PendingBatch> pending;
  double todo = 0;
  // A card's seconds weigh as much as all threads', by whose number what is left is divided.
  const auto weight = [&](const PendingBatch& batch) {
    return batch.expected_seconds * kClustersPerBatch * (batch.on_card ? crew_.threads() : 1);
  };
  std::map<std::pair<std::size_t, std::int64_t>, PendingBatch>
      points;  // costs are found once a point, not once a batch
  for (const BatchRequest& request : requests) {
    const BatchKey key = key_of(spec_, request);
    if (store_.contains(key)) continue;
    const auto [point, fresh] = points.try_emplace({request.configuration, request.num_patterns});
    PendingBatch& batch = point->second;
    if (fresh) {
      const dam::Configuration& configuration = spec_.configurations[request.configuration];
      batch.configuration = request.configuration;
      batch.on_card = card_ ? card_->takes(configuration, request.num_patterns)
                            : crew_.has_cards() && gpu::worth_a_card(configuration, request.num_patterns);
      batch.expected_seconds = cost(spec_, store_, request.configuration, request.num_patterns, batch.on_card);
    }
    batch.key = key;
    pending.push_back(batch);
    todo += weight(batch);
  }
  // The dearest first, so that nobody is left with much work when the others have none.
  std::stable_sort(pending.begin(), pending.end(), [](const auto& a, const auto& b) {
    return std::tie(a.on_card, a.expected_seconds) > std::tie(b.on_card, b.expected_seconds);
  });
  const auto batch_of = [&](std::int64_t ticket) -> PendingBatch& {
    return pending[static_cast<std::size_t>(ticket / kClustersPerBatch)];
  };

  const auto for_cards = std::count_if(pending.begin(), pending.end(), [](const auto& batch) { return batch.on_card; });
  Tickets card_tickets{0, for_cards * kClustersPerBatch};
  Tickets tickets{card_tickets.end, static_cast<std::int64_t>(pending.size()) * kClustersPerBatch};
  std::atomic<bool> stopped = false;
  const auto task_of = [&](std::int64_t ticket) {
    const PendingBatch& batch = batch_of(ticket);
    return Task{ticket, static_cast<std::int64_t>(batch.configuration), batch.key.num_patterns,
                batch.key.batch * kClustersPerBatch + ticket % kClustersPerBatch, batch.on_card};
  };
  const auto next = [&](Tickets& from) -> std::optional<Task> {
    if (stopping()) stopped = true;
    if (stopped) return std::nullopt;
    const std::int64_t ticket = from.next++;
    if (ticket >= from.end) return std::nullopt;
    return task_of(ticket);
  };
  std::mutex card_hand;  // tasks of a card are taken together
  const auto next_for_card = [&] {
    const std::lock_guard hold(card_hand);
    std::vector<Task> tasks;
    while (card_tickets.left()) {
      const Task upcoming = task_of(card_tickets.next);
      if (!tasks.empty() && !same_point(tasks.front(), upcoming)) break;
      if (!tasks.empty() && static_cast<std::int64_t>(tasks.size()) >=
                                tasks_at_once(spec_.configurations[static_cast<std::size_t>(upcoming.configuration)],
                                              upcoming.num_patterns))
        break;
      const auto task = next(card_tickets);
      if (!task) break;
      tasks.push_back(*task);
    }
    return tasks;
  };

  // Threads mostly finish parts of different batches: many locks, so that they seldom wait for each other.
  constexpr std::size_t kLocks = 64;
  std::array<std::mutex, kLocks> batch_locks;
  std::mutex keeper;
  std::size_t done = 0;
  const auto finish = [&](const TaskResult& result) {
    PendingBatch& batch = batch_of(result.ticket);
    {
      const std::lock_guard hold(batch_locks[static_cast<std::size_t>(result.ticket / kClustersPerBatch) % kLocks]);
      batch.record.counts += result.counts;
      batch.record.seconds += result.seconds;
      if (--batch.left > 0) return;
    }
    const BatchRecord& record = batch.record;
    const std::lock_guard hold(keeper);
    store_.add(batch.key, record);
    stopping_.tell_done();
    todo = std::max(0.0, todo - weight(batch));
    ++done;
    const dam::Configuration& configuration = spec_.configurations[batch.configuration];
    progress_.update(
        fmt::format("{} | batch {}/{} | N={} {} K={} p={:.2f} | {} left", headline, done, pending.size(),
                    configuration.num_neurons, configuration.model.text(), batch.key.num_patterns,
                    static_cast<double>(record.counts.successes) / static_cast<double>(record.counts.trials),
                    duration_text((todo + later) / crew_.threads())));
    if (progress_.elapsed() - saved_at_ > options_.save_every) save(false);
  };

  const auto offer = [&]() -> std::optional<Crew::Offer> {
    const auto task = next(tickets);
    if (!task) return std::nullopt;
    return Crew::Offer{*task, batch_of(task->ticket).expected_seconds};
  };
  const auto serve_crew = [&] {
    while (!stopped && (tickets.left() || card_tickets.left() || crew_.outstanding() > 0)) {
      if (!crew_.exchange(offer, next_for_card, finish)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (crew_.stop_requested()) stopped = true;
    }
  };
  const core::StopToken token = stopping_.token();
  const auto own_share = [&](dam::TrialWorkspace& workspace) {
    while (const auto task = next(tickets)) {
      prepare(*task, spec_, kernel_, workspace, token);
      stopping_.tell_prepared();
      finish(perform(*task, spec_, kernel_, workspace, token));
    }
  };
  const auto feed_card = [&] {
    for (auto tasks = next_for_card(); !tasks.empty(); tasks = next_for_card())
      for (const TaskResult& result : perform(tasks, spec_, *card_)) finish(result);
  };

  // One more thread than compute for the ranks to serve, one for the card to feed; a failure of one ends all.
  std::vector<std::function<void()>> jobs;
  if (!crew_.empty()) jobs.emplace_back(serve_crew);
  if (card_) jobs.emplace_back(feed_card);
  for (dam::TrialWorkspace& workspace : workspaces_) jobs.emplace_back([&] { own_share(workspace); });
  core::parallel_for(jobs.size(), static_cast<int>(jobs.size()), [&](std::size_t index, int) {
    try {
      jobs[index]();
    } catch (const core::Stopped&) {
      stopped = true;
    } catch (...) {
      stopped = true;
      throw;
    }
  });
  return !stopped;
}

void require_memory(const RunOptions& options, const dam::Configuration& configuration, std::int64_t num_patterns) {
  const std::int64_t needed = dam::trial_memory(configuration, num_patterns);
  if (needed > options.max_memory / options.threads)
    throw UsageError(fmt::format(
        "N = {}, K = {} needs {} of memory on each of {} threads, {} is available (--max-memory, --threads)",
        configuration.num_neurons, num_patterns, bytes_text(needed), options.threads, bytes_text(options.max_memory)));
}

std::int64_t memory_bound(const RunOptions& options, const dam::Configuration& configuration) {
  require_memory(options, configuration, 1);
  std::int64_t low = 1, high = std::int64_t{1} << 40;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (dam::trial_memory(configuration, middle) <= options.max_memory / options.threads ? low : high) = middle;
  }
  return low;
}

int report_run(Runner& runner, const RunOptions& options, bool complete) {
  runner.progress().say(fmt::format("{} in {}: {}", complete ? "complete" : "stopped early",
                                    duration_text(runner.progress().elapsed()), options.out));
  if (!complete)
    runner.progress().say(runner.prepared()
                              ? "run the same command to go on"
                              : "it ended while it prepared its work: with a longer --time-limit the same "
                                "command goes on");
  std::fputs((options.json ? results::to_json(runner.file()) : terminal_summary(runner.path(), runner.file())).c_str(),
             stdout);
  return complete ? kComplete : kStoppedEarly;
}

}  // namespace experiments

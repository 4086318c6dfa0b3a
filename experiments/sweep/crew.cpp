#include "experiments/sweep/crew.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "core/parallel.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/device.h"

namespace experiments {
namespace {

// Hello, failure, results, stop and bye come to rank 0; tasks and home go to the others.
enum Kind : int { kHello, kFailure, kResults, kStop, kBye, kTasks, kHome };

struct Hello {
  std::int64_t threads = 1;
  std::int64_t memory_per_thread = 0;
  std::int64_t has_card = 0;
};

// A look for messages costs some tens of microseconds.
constexpr auto kTick = std::chrono::milliseconds(3);
// Long against a tick, short against a round of a search.
constexpr double kSecondsAhead = 0.05;

template <class T>
std::span<const std::byte> as_content(const std::vector<T>& items) {
  return std::as_bytes(std::span(items));
}

template <class T>
std::vector<T> items_in(const Message& message) {
  std::vector<T> items(message.content.size() / sizeof(T));
  if (!items.empty()) std::memcpy(items.data(), message.content.data(), items.size() * sizeof(T));
  return items;
}

std::string text_in(const Message& message) {
  return {reinterpret_cast<const char*>(message.content.data()), message.content.size()};
}

/// A follower's tasks and results, between its threads and the one that speaks to rank 0.
class Bench {
 public:
  void put(const std::vector<Task>& tasks) {
    const std::lock_guard hold(mutex_);
    for (const Task& task : tasks) (task.on_card ? card_tasks_ : tasks_).push_back(task);
    more_.notify_all();
  }
  /// Waits for a task; nothing once the bench is closed.
  std::optional<Task> take() {
    std::unique_lock hold(mutex_);
    more_.wait(hold, [&] { return closed_ || !tasks_.empty(); });
    if (closed_) return std::nullopt;
    const Task task = tasks_.front();
    tasks_.pop_front();
    return task;
  }
  /// Waits for tasks of a card, and takes all that are of one point; none once the bench is closed.
  std::vector<Task> take_for_card() {
    std::unique_lock hold(mutex_);
    more_.wait(hold, [&] { return closed_ || !card_tasks_.empty(); });
    std::vector<Task> taken;
    while (!closed_ && !card_tasks_.empty() && (taken.empty() || same_point(taken.front(), card_tasks_.front()))) {
      taken.push_back(card_tasks_.front());
      card_tasks_.pop_front();
    }
    return taken;
  }
  void add(const TaskResult& result) {
    const std::lock_guard hold(mutex_);
    results_.push_back(result);
  }
  std::vector<TaskResult> collect() {
    const std::lock_guard hold(mutex_);
    return std::exchange(results_, {});
  }
  void close() {
    const std::lock_guard hold(mutex_);
    closed_ = true;
    more_.notify_all();
  }
  bool closed() const { return closed_; }
  void fail(const std::string& why) {
    const std::lock_guard hold(mutex_);
    failure_ = why;
  }
  std::optional<std::string> failure() {
    const std::lock_guard hold(mutex_);
    return std::exchange(failure_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Task> tasks_, card_tasks_;
  std::vector<TaskResult> results_;
  std::optional<std::string> failure_;
  std::atomic<bool> closed_ = false;
};

void send_text(Team& team, Kind kind, const std::string& text) { team.send(0, kind, std::as_bytes(std::span(text))); }

/// Carries messages until rank 0 sends everyone home.
void carry_messages(Team& team, Bench& bench) {
  bool told_stop = false;
  while (true) {
    if (const auto failure = bench.failure()) send_text(team, kFailure, *failure);
    if (!told_stop && stop_requested()) send_text(team, kStop, ""), told_stop = true;
    if (const auto results = bench.collect(); !results.empty()) team.send(0, kResults, as_content(results));
    const auto message = team.receive();
    if (!message) {
      std::this_thread::sleep_for(kTick);
      continue;
    }
    if (message->kind == kHome) break;
    bench.put(items_in<Task>(*message));
  }
  send_text(team, kBye, "");
}

void perform_tasks(const SweepSpec& spec, const dam::Kernel& kernel, gpu::Clusters* card, Bench& bench) {
  try {
    if (card != nullptr) {
      for (auto tasks = bench.take_for_card(); !tasks.empty(); tasks = bench.take_for_card())
        for (const TaskResult& result : perform(tasks, spec, *card)) bench.add(result);
      return;
    }
    dam::TrialWorkspace workspace;
    const core::StopToken stop([&] { return stop_requested() || bench.closed(); });
    while (const auto task = bench.take()) bench.add(perform(*task, spec, kernel, workspace, stop));
  } catch (const core::Stopped&) {  // rank 0 has sent everyone home, or will when it hears of the signal
  } catch (const std::bad_alloc&) {
    bench.fail("out of memory");
  } catch (const std::exception& error) {
    bench.fail(error.what());
  }
}

}  // namespace

Crew::~Crew() {
  for (int rank = 1; rank < team_.size(); ++rank) team_.send(rank, kHome, {});
  // What was sent before the bye is taken too: nobody may leave with a message that nobody takes.
  for (int here = team_.size() - 1; here > 0;) {
    const auto message = team_.receive();
    if (!message) std::this_thread::sleep_for(kTick);
    if (message && message->kind == kBye) --here;
  }
}

void Crew::gather(RunOptions& options) {
  threads_ = options.threads;
  ranks_.resize(static_cast<std::size_t>(team_.size() - 1));
  std::int64_t memory_per_thread = options.max_memory / options.threads;
  for (std::size_t missing = ranks_.size(); missing > 0;) {
    const auto message = team_.receive();
    if (!message) {
      std::this_thread::sleep_for(kTick);
      continue;
    }
    if (message->kind != kHello) {
      take_in(*message, {});
      continue;
    }
    const Hello hello = items_in<Hello>(*message).front();
    Rank& rank = ranks_[static_cast<std::size_t>(message->from - 1)];
    rank.threads = static_cast<int>(hello.threads);
    rank.has_card = hello.has_card != 0;
    threads_ += static_cast<int>(hello.threads);
    memory_per_thread = std::min(memory_per_thread, hello.memory_per_thread);
    --missing;
  }
  options.max_memory = memory_per_thread * options.threads;
}

void Crew::take_in(const Message& message, const std::function<void(const TaskResult&)>& done) {
  if (message.kind == kFailure) throw std::runtime_error(fmt::format("rank {}: {}", message.from, text_in(message)));
  if (message.kind == kStop) stop_requested_ = true;
  if (message.kind != kResults) return;
  Rank& rank = ranks_[static_cast<std::size_t>(message.from - 1)];
  for (const TaskResult& result : items_in<TaskResult>(message)) {
    if (rank.ahead_of_card.erase(result.ticket) > 0) {
      done(result);
      continue;
    }
    const auto task = rank.ahead.find(result.ticket);
    rank.seconds_ahead -= task->second;
    rank.ahead.erase(task);
    done(result);
  }
}

bool Crew::supply(int rank, const std::function<std::optional<Offer>()>& next) {
  Rank& receiver = ranks_[static_cast<std::size_t>(rank - 1)];
  const auto threads = static_cast<std::size_t>(receiver.threads);
  std::vector<Task> tasks;
  while (receiver.ahead.size() < threads || receiver.seconds_ahead < kSecondsAhead * receiver.threads) {
    const auto offer = next();
    if (!offer) break;
    tasks.push_back(offer->task);
    receiver.ahead.emplace(offer->task.ticket, offer->seconds);
    receiver.seconds_ahead += offer->seconds;
  }
  if (!tasks.empty()) team_.send(rank, kTasks, as_content(tasks));
  return !tasks.empty();
}

bool Crew::supply_card(int rank, const std::function<std::vector<Task>()>& next_for_card) {
  Rank& receiver = ranks_[static_cast<std::size_t>(rank - 1)];
  if (!receiver.has_card || !receiver.ahead_of_card.empty()) return false;
  const std::vector<Task> tasks = next_for_card();
  for (const Task& task : tasks) receiver.ahead_of_card.insert(task.ticket);
  if (!tasks.empty()) team_.send(rank, kTasks, as_content(tasks));
  return !tasks.empty();
}

bool Crew::exchange(const std::function<std::optional<Offer>()>& next,
                    const std::function<std::vector<Task>()>& next_for_card,
                    const std::function<void(const TaskResult&)>& done) {
  bool busy = false;
  while (const auto message = team_.receive()) take_in(*message, done), busy = true;
  for (int rank = 1; rank < team_.size(); ++rank) {
    busy = supply_card(rank, next_for_card) || busy;
    busy = supply(rank, next) || busy;
  }
  return busy;
}

bool Crew::has_cards() const {
  return std::any_of(ranks_.begin(), ranks_.end(), [](const Rank& rank) { return rank.has_card; });
}

std::int64_t Crew::outstanding() const {
  std::size_t tasks = 0;
  for (const Rank& rank : ranks_) tasks += rank.ahead.size() + rank.ahead_of_card.size();
  return static_cast<std::int64_t>(tasks);
}

int follow(Team& team, const std::string& verb, const boost::program_options::variables_map& given) {
  Bench bench;
  try {
    const SweepSpec spec = parse_sweep(verb, given);
    const RunOptions options = parse_run_options(given, "", team.threads_here(), team.ranks_here());
    const dam::Kernel& kernel = dam::find_kernel(options.kernel);
    const auto card = open_device(options.device, team.rank_here());
    const std::vector<Hello> hello = {{options.threads, options.max_memory / options.threads, card != nullptr}};
    team.send(0, kHello, as_content(hello));
    // Not one of the workers: messages must move even where only one thread is granted to them.
    const std::jthread workers([&] {
      const int hands = options.threads + (card ? 1 : 0);
      core::parallel_for(static_cast<std::size_t>(hands), hands, [&](std::size_t index, int) {
        perform_tasks(spec, kernel, index == 0 ? card.get() : nullptr, bench);
      });
    });
    const struct Closer {
      Bench& bench;
      ~Closer() { bench.close(); }
    } closer{bench};
    carry_messages(team, bench);
  } catch (const std::exception& error) {
    bench.fail(error.what());
    carry_messages(team, bench);
  }
  return kComplete;
}

}  // namespace experiments

// The other ranks of a run as rank 0 sees them, and what they do.
//
// Rank 0 plans, stores and writes; the others only perform tasks. Each rank but 0 has some work ahead of it, so that
// its threads never wait for a message, and little enough that all ranks end together.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "experiments/sweep/team.h"
#include "experiments/sweep/work.h"

namespace experiments {

/// Rank 0's side; for a team of one there is nobody and nothing happens.
class Crew {
 public:
  explicit Crew(Team& team) : team_(team) {}
  /// Sends everyone home and waits until all have understood.
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Waits until every rank has read the same command line as rank 0; lowers max_memory to what the rank with the least
  /// memory per thread allows. Throws std::runtime_error with the rank's words when one cannot take part.
  void gather(RunOptions& options);

  /// No rank but 0 is there.
  bool empty() const { return ranks_.empty(); }
  /// A rank besides this one has a card.
  bool has_cards() const;
  /// Threads of all ranks.
  int threads() const { return threads_; }
  /// A rank was asked to stop.
  bool stop_requested() const { return stop_requested_; }

  /// A task and the seconds it is expected to take.
  struct Offer {
    Task task;
    double seconds = 0;
  };
  /// Takes in what came (`done` once per result), then gives tasks from `next` (nothing: none left) to the ranks that
  /// have little ahead of them, and tasks from `next_for_card` to cards that have none; false when there was nothing to
  /// do. Throws std::runtime_error when a rank failed.
  bool exchange(const std::function<std::optional<Offer>()>& next,
                const std::function<std::vector<Task>()>& next_for_card,
                const std::function<void(const TaskResult&)>& done);
  /// Tasks given whose results have not come.
  std::int64_t outstanding() const;

 private:
  struct Rank {
    int threads = 1;
    bool has_card = false;
    std::set<std::int64_t> ahead_of_card;            // tickets
    std::unordered_map<std::int64_t, double> ahead;  // expected seconds by ticket
    double seconds_ahead = 0;
  };
  void take_in(const Message& message, const std::function<void(const TaskResult&)>& done);
  bool supply(int rank, const std::function<std::optional<Offer>()>& next);
  bool supply_card(int rank, const std::function<std::vector<Task>()>& next_for_card);

  Team& team_;
  std::vector<Rank> ranks_;  // rank r stands at r − 1
  int threads_ = 1;
  bool stop_requested_ = false;
};

/// All that a rank other than 0 does: reads the command line of the verb, performs tasks, leaves when sent home. What
/// goes wrong is rank 0's to tell the user; the exit code is that of a complete run.
int follow(Team& team, const std::string& verb, const boost::program_options::variables_map& given);

}  // namespace experiments

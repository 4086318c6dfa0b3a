// The processes of one run: one alone, or the ranks that mpirun started. The only door to MPI.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace experiments {

/// Words between ranks: `kind` is the receiver's to understand.
struct Message {
  int from = 0;
  int kind = 0;
  std::vector<std::byte> content;
};

/// Membership in the run's team; one object per process, used by one thread at a time.
///
/// Construction and destruction wait for all ranks. Without MPI in the build, or when no MPI launcher started the
/// process, the team is this process alone.
class Team {
 public:
  /// Throws UsageError when mpirun started several processes of a build without MPI.
  Team();
  ~Team();

  /// 0 leads: it plans, writes the file and speaks to the user.
  int rank() const;
  int size() const;
  bool leads() const { return rank() == 0; }
  /// Ranks on this machine, and this rank's fair share of its hardware threads, at least 1.
  int ranks_here() const;
  int threads_here() const;
  /// This rank among those on this machine, from 0: which card is its.
  int rank_here() const;

  /// Sends without waiting for the receiver; messages between two ranks arrive in order.
  void send(int to, int kind, std::span<const std::byte> content);
  /// The next message from anyone, if one has come.
  std::optional<Message> receive();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace experiments

// What this process may take of the machine: memory and processors, as the system and its control groups grant them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace experiments {

/// Limits of the control groups (version 1 or 2) that a process is in, the tightest from its own group up to the root;
/// nothing where there is none.
struct GroupLimits {
  std::optional<std::int64_t> memory;  // bytes still to be had: the limit less what is used and cannot be dropped
  std::optional<double> processors;    // of time per time
};

/// Reads them: `groups` is the text of /proc/self/cgroup, `mount` stands for /sys/fs/cgroup.
GroupLimits read_group_limits(const std::string& groups, const std::string& mount);

/// Bytes this process may still take: the smallest of free memory, its resource limit and its groups' limits.
std::int64_t available_memory();

/// Threads worth starting: processors of the affinity mask (and OMP_NUM_THREADS), at most its groups' quota rounded up.
int available_threads();

}  // namespace experiments

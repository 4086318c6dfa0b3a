#include "experiments/command_line/machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "core/parallel.h"

namespace experiments {
namespace {

namespace fs = std::filesystem;

/// The number after `key` in a file of lines `key number`; of a file that is one number, with the key "".
std::optional<std::int64_t> number_in(const fs::path& file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    std::istringstream rest(line.substr(key.size()));
    std::int64_t number = 0;
    if (rest >> number) return number;
  }
  return std::nullopt;
}

template <class T>
void lower(std::optional<T>& limit, std::optional<T> other) {
  if (other && (!limit || *other < *limit)) limit = other;
}

/// What a group's files are called in the two versions.
struct MemoryFiles {
  const char *limit, *used, *droppable;  // the last a key of memory.stat
};
constexpr MemoryFiles kMemory[] = {{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "},
                                   {"memory.max", "memory.current", "inactive_file "}};

std::optional<std::int64_t> memory_left(const fs::path& group, const MemoryFiles& names) {
  const auto limit = number_in(group / names.limit, "");
  if (!limit || *limit >= std::int64_t{1} << 60) return std::nullopt;  // version 1 says "no limit" with a huge number
  const std::int64_t used = number_in(group / names.used, "").value_or(0),
                     droppable = number_in(group / "memory.stat", names.droppable).value_or(0);
  return std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, used - droppable));
}

std::optional<double> quota(const fs::path& group) {
  double quota = 0, period = 0;
  if (std::ifstream both(group / "cpu.max"); both >> quota >> period) {  // "max 100000" does not begin with a number
  } else {
    quota = static_cast<double>(number_in(group / "cpu.cfs_quota_us", "").value_or(-1));
    period = static_cast<double>(number_in(group / "cpu.cfs_period_us", "").value_or(0));
  }
  if (quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

/// Calls visit(directory) for a group and those above it, up to the mount; a container may see its own group as the
/// mount while /proc names it as the host does, so that the mount is always visited.
template <class Visit>
void for_each_group(const fs::path& mount, const std::string& group, const Visit& visit) {
  visit(mount);
  fs::path directory = mount;
  for (const fs::path& part : fs::path(group).relative_path()) {
    if (part == "..") return;
    visit(directory /= part);
  }
}

}  // namespace

GroupLimits read_group_limits(const std::string& groups, const std::string& mount) {
  GroupLimits limits;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {  // number:controllers:path
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                      path = line.substr(second + 1);
    const auto controls = [&](const char* name) { return controllers.find(name) != std::string::npos; };
    const bool second_version = controllers == ",,";
    if (second_version || controls(",memory,"))
      for_each_group(second_version ? fs::path(mount) : fs::path(mount) / "memory", path,
                     [&](const fs::path& group) { lower(limits.memory, memory_left(group, kMemory[second_version])); });
    if (second_version || controls(",cpu,"))
      for (const char* name : {"", "cpu", "cpu,cpuacct"}) {
        if (second_version != (*name == 0)) continue;
        for_each_group(fs::path(mount) / name, path,
                       [&](const fs::path& group) { lower(limits.processors, quota(group)); });
      }
  }
  return limits;
}

namespace {

GroupLimits own_limits() {
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream groups;
  groups << file.rdbuf();
  return read_group_limits(groups.str(), "/sys/fs/cgroup");
}

}  // namespace

std::int64_t available_memory() {
  std::int64_t bytes = number_in("/proc/meminfo", "MemAvailable:").value_or(std::int64_t{4} << 20) * 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    bytes =
        std::min(bytes, std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) -
                                                      1024 * number_in("/proc/self/status", "VmSize:").value_or(0)));
  return std::min(bytes, own_limits().memory.value_or(bytes));
}

int available_threads() {
  const int threads = core::hardware_threads();
  const auto processors = own_limits().processors;
  return processors ? std::clamp(static_cast<int>(std::ceil(*processors)), 1, threads) : threads;
}

}  // namespace experiments

#include "experiments/command_line/machine.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace experiments;

namespace {

void put(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("limits of control groups of version 2 are the tightest from the own group to the root") {
  const support::TemporaryDirectory directory;
  const std::filesystem::path mount = directory.path();
  put(mount / "job/memory.max", "1000000\n");
  put(mount / "job/memory.current", "400000\n");
  put(mount / "job/memory.stat", "anon 300000\ninactive_file 90000\nfile 100000\n");
  put(mount / "job/step/memory.max", "max\n");
  put(mount / "job/cpu.max", "max 100000\n");
  put(mount / "job/step/cpu.max", "150000 100000\n");
  const GroupLimits limits = read_group_limits("0::/job/step\n", mount);
  CHECK(limits.memory == 1000000 - (400000 - 90000));
  REQUIRE(limits.processors);
  CHECK(*limits.processors == Approx(1.5));

  // A container whose own group is the mount, under the name the host knows it by.
  put(mount / "memory.max", "700000\n");
  put(mount / "memory.current", "800000\n");
  CHECK(read_group_limits("0::/../elsewhere\n", mount).memory == 0);
}

TEST_CASE("limits of control groups of version 1") {
  const support::TemporaryDirectory directory;
  const std::filesystem::path mount = directory.path();
  put(mount / "memory/memory.limit_in_bytes", "9223372036854771712\n");  // no limit
  put(mount / "memory/job/memory.limit_in_bytes", "5000000\n");
  put(mount / "memory/job/memory.usage_in_bytes", "1000000\n");
  put(mount / "cpu/job/cpu.cfs_quota_us", "50000\n");
  put(mount / "cpu/job/cpu.cfs_period_us", "100000\n");
  put(mount / "cpu/cpu.cfs_quota_us", "-1\n");
  put(mount / "cpu/cpu.cfs_period_us", "100000\n");
  const GroupLimits limits = read_group_limits("4:memory:/job\n2:cpuacct:/\n1:cpu,cpuacct:/job\n0::/\n", mount);
  CHECK(limits.memory == 4000000);
  REQUIRE(limits.processors);
  CHECK(*limits.processors == Approx(0.5));
}

TEST_CASE("without groups, or with groups that limit nothing, there is no limit") {
  const support::TemporaryDirectory directory;
  for (const char* groups : {"", "0::/\n", "nonsense\n", "4:memory:/a\n1:cpu:/b\n"}) {
    const GroupLimits limits = read_group_limits(groups, directory.path());
    CHECK_FALSE(limits.memory);
    CHECK_FALSE(limits.processors);
  }
  CHECK(available_memory() > 0);
  CHECK(available_threads() >= 1);
}

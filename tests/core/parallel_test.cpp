#include "core/parallel.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/support/child_process.h"

TEST_CASE("every index runs once, on a thread of the team") {
  for (const int threads : {1, 2, 3, 8})
    for (const std::size_t count : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(count);
      std::atomic<int> foreign = 0;
      for (int call = 0; call < 200; ++call)
        core::parallel_for(count, threads, [&](std::size_t index, int thread) {
          ++runs[index];
          foreign += thread < 0 || thread >= threads;
        });
      INFO(count << " indices on " << threads << " threads");
      CHECK(foreign == 0);
      for (const std::atomic<int>& each : runs) CHECK(each == 200);
    }
}

TEST_CASE("two bodies at once have two threads") {
  std::atomic<int> clashes = 0;
  std::vector<std::atomic<int>> busy(4);
  for (int call = 0; call < 500; ++call)
    core::parallel_for(16, 4, [&](std::size_t, int thread) {
      clashes += busy[thread]++ != 0;
      std::this_thread::yield();
      --busy[thread];
    });
  CHECK(clashes == 0);
}

TEST_CASE("the first exception of a body arrives, and the team goes on") {
  for (int call = 0; call < 50; ++call) {
    CHECK_THROWS_WITH(core::parallel_for(100, 4,
                                         [](std::size_t index, int) {
                                           if (index == 50) throw std::runtime_error("fifty");
                                         }),
                      "fifty");
    std::atomic<int> runs = 0;
    core::parallel_for(10, 4, [&](std::size_t, int) { ++runs; });
    CHECK(runs == 10);
  }
}

TEST_CASE("a call from a body, and calls of several threads at once, run all the same") {
  std::atomic<int> inner = 0;
  core::parallel_for(6, 3, [&](std::size_t, int) {
    core::parallel_for(5, 3, [&](std::size_t, int thread) { inner += thread == 0; });
  });
  CHECK(inner == 30);
  std::atomic<int> runs = 0;
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 4; ++caller)
      callers.emplace_back([&] {
        for (int call = 0; call < 100; ++call) core::parallel_for(10, 3, [&](std::size_t, int) { ++runs; });
      });
  }
  CHECK(runs == 4000);
}

#ifndef __SANITIZE_THREAD__  // which cannot follow a fork of several threads
TEST_CASE("where the system gives no threads the work is done all the same") {
  const std::string said = support::in_child_without_root([] {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_NPROC, &none) != 0) return std::string("no limit");
    bool refused = false;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) {
      refused = true;
    }
    if (!refused) return std::string("threads are given");
    std::atomic<int> runs = 0;
    for (int call = 0; call < 3; ++call) core::parallel_for(100, 8, [&](std::size_t, int) { ++runs; });
    return std::to_string(runs);
  });
  CHECK(said == "300");
}

TEST_CASE("a forked process has no team, and computes and ends without one") {
  core::parallel_for(10, 4, [](std::size_t, int) {});
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> runs = 0;
    core::parallel_for(10, 4, [&](std::size_t, int) { ++runs; });
    _exit(runs == 10 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
#endif

#include "core/files/file_lock.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <climits>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

using core::FileLock;

namespace {

std::string lock_and_release(const std::string& path) {
  const FileLock lock(path);
  return "locked";
}

}  // namespace

TEST_CASE("a second process is refused with the holder's process id") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";  // need not exist
  {
    const FileLock lock(path);
    CHECK(support::in_child([&] { return lock_and_release(path); }) ==
          "exception: " + path + ": is being written by process " + std::to_string(::getpid()));
    CHECK(support::in_child([&] { return lock_and_release(directory / "other.h5"); }) == "locked");
  }
  CHECK(support::in_child([&] { return lock_and_release(path); }) == "locked");
  CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("the lock of a killed process is no obstacle, and its temporaries go") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  support::ChildProcess holder([&]() -> std::string {
    const FileLock lock(path);
    std::ofstream(path + "." + std::to_string(::getpid()) + ".tmp") << "half a file";
    std::ofstream(directory / "ready") << "x";
    std::this_thread::sleep_for(std::chrono::minutes(5));
    return "";
  });
  while (!std::filesystem::exists(directory / "ready")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK_THROWS_WITH(FileLock(path), Catch::EndsWith("process " + std::to_string(holder.pid())));
  const std::string temporary = path + "." + std::to_string(holder.pid()) + ".tmp";
  CHECK(std::filesystem::exists(temporary));
  holder.kill();
  CHECK(std::filesystem::exists(path + ".lock"));
  CHECK_NOTHROW(FileLock(path));
  CHECK_FALSE(std::filesystem::exists(temporary));
}

TEST_CASE("of many processes at once exactly one holds the lock") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  const auto compete = [&]() -> std::string {
    int taken = 0;
    for (int attempt = 0; attempt < 300; ++attempt) try {
        const FileLock lock(path);
        // Exclusive creation fails if another process is inside, too.
        std::FILE* inside = std::fopen((path + ".inside").c_str(), "wx");
        if (inside == nullptr) return "two holders";
        std::fclose(inside);
        std::filesystem::remove(path + ".inside");
        ++taken;
      } catch (const std::runtime_error&) {
      }
    return taken > 0 ? "fair" : "never held";
  };
  support::ChildProcess a(compete);
  support::ChildProcess b(compete);
  support::ChildProcess c(compete);
  CHECK(a.result() != "two holders");
  CHECK(b.result() != "two holders");
  CHECK(c.result() != "two holders");
}

TEST_CASE("paths that can never be written are refused before anything is measured") {
  const support::TemporaryDirectory directory;
  CHECK_THROWS_WITH(FileLock(directory.path().string()), Catch::Contains("not a regular file"));
  CHECK_THROWS_WITH(FileLock(directory / "none/out.h5"), Catch::Contains("cannot create its lock file"));
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0555));
  CHECK_THAT(support::in_child_without_root([&] { return lock_and_release(directory / "out.h5"); }),
             Catch::Contains("Permission denied"));
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
}

TEST_CASE("a file that its owner made read-only, and a name too long for what stands beside it, are refused") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5";
  std::ofstream(path) << "kept";
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0777));
  std::filesystem::permissions(path, std::filesystem::perms(0444));
  CHECK_THAT(support::in_child_without_root([&] { return lock_and_release(path); }),
             Catch::EndsWith("out.h5: cannot be written: Permission denied"));
  const std::string longest(NAME_MAX - 12, 'a');
  CHECK_NOTHROW(FileLock(directory / longest));
  CHECK_THROWS_WITH(FileLock(directory / (longest + "a")), Catch::Contains("its name has more than 243 bytes"));
}

TEST_CASE("a file system without locks is told of in a line, and written to; other failures are failures") {
  const support::TemporaryDirectory directory;
  const std::string path = directory / "out.h5", temporary = path + ".12.tmp";
  static std::string told;
  FileLock::tell_unheld([](const std::string& line) { told += line + "\n"; });
  constexpr FileLock::LockCall kWithout[] = {[](int) { return errno = ENOLCK, -1; },
                                             [](int) { return errno = ENOSYS, -1; },
                                             [](int) { return errno = EOPNOTSUPP, -1; }};
  for (const FileLock::LockCall call : kWithout) {
    told.clear();
    std::ofstream(temporary) << "a living writer's";
    {
      const FileLock lock(path, call);
      CHECK_FALSE(lock.held());
      CHECK(lock.path() == path);
    }
    CHECK_THAT(told, Catch::StartsWith(path + ": this file system has no locks"));
    CHECK(std::count(told.begin(), told.end(), '\n') == 1);
    CHECK(std::filesystem::exists(temporary));
    CHECK_FALSE(std::filesystem::exists(path + ".lock"));
  }
  told.clear();
  CHECK_THROWS_WITH(FileLock(path, [](int) { return errno = EIO, -1; }), Catch::Contains("cannot lock"));
  CHECK(FileLock(path).held());
  CHECK(told.empty());
  FileLock::tell_unheld(nullptr);
}

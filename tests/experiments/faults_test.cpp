// What a user's machine can do to a run: one clear line, exit code 1, the file as it was; and the run goes on later.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/support/run_program.h"
#include "tests/support/same_numbers.h"

using support::Ran;
using support::run_shell;
using support::TemporaryDirectory;

namespace {

const std::string kSweep = " capacity --sweep 'size=16,33 model=hopfield,dense:3 alpha=1,0.9' --precision 0.1 --quiet";

/// A shell line that meets the fault on $FILE, a stopped run, with $RUN, the command that would go on with it.
struct Fault {
  const char* name;
  const char* needs;  // a shell line that succeeds where the fault can be made
  const char* line;
  int code;
  const char* answer;  // in the one line on stderr; none when empty
};

const Fault kFaults[] = {
    {"full disk", "unshare -m true",
     "unshare -m sh -c 'mkdir $DIR/disk && cd $DIR/disk && mount -t tmpfs -o size=2m none . && cd . && cp $FILE . && "
     "head -c $(($(df --output=avail -B1 . | tail -1) - 8192)) /dev/zero >other; $RUN --out $DIR/disk/a.h5; code=$?; "
     "cp a.h5 $FILE; exit $code'",
     1, "disk/a.h5: cannot write: No space left on device"},
    {"file size limit", "true", "ulimit -f 8; $RUN --out $FILE", 1, "a.h5: cannot write: File too large"},
    {"read-only directory", "setpriv --reuid=65534 --regid=65534 --clear-groups true",
     "chmod 555 $DIR; setpriv --reuid=65534 --regid=65534 --clear-groups $RUN --out $FILE; code=$?; chmod 755 $DIR; "
     "exit $code",
     1, "a.h5: cannot create its lock file"},
    {"another process writes the file", "true",
     "cp $FILE $FILE.before; $RUN --kernel reference --threads 1 --out $FILE & first=$!; "
     "until [ -s $FILE.lock ]; do kill -0 $first || exit 9; done; kill -STOP $first; $RUN --out $FILE; code=$?; "
     "kill -KILL $first; wait $first 2>/dev/null; mv $FILE.before $FILE; echo holder $first; exit $code",
     1, "a.h5: is being written by process "},
    {"out of memory", "ulimit -v 200000; $DAM --version",
     "(ulimit -v 200000; exec $DAM curve --size 64 --degree 3 --num-patterns 40000000 --trials 32 --max-memory 100G "
     "--threads 1 --quiet --out $DIR/b.h5); code=$?; $DAM status $DIR/b.h5 >$DIR/status && exit $code",
     1, "dam: out of memory; lower --max-memory, --threads or the number of patterns"},
    {"no space for standard output", "true", "$RUN --out $DIR/b.h5 >/dev/full", 1, "standard output cannot be written"},
    {"no space for more than a buffer of it", "true",
     "$DAM curve --size 8 --degree 2 --num-patterns 1:200:+1 --trials 32 --quiet --out $DIR/b.h5 >$DIR/table && "
     "[ $(wc -c <$DIR/table) -gt 8192 ] && $DAM export $DIR/b.h5 --format json >/dev/full",
     1, "standard output cannot be written"},
    {"no space for standard error either", "true", "$RUN --out /nonexistent/b.h5 2>/dev/full", 1, ""},
    {"stale temporaries and a dead holder's lock", "true",
     "echo 4194304 >$FILE.lock; echo x >$FILE.12.tmp; $RUN --time-limit 0.001s --out $FILE && exit 9; code=$?; "
     "[ ! -e $FILE.12.tmp ] && [ ! -e $FILE.lock ] && exit $code",
     3, ""},
    {"clock set back and far ahead", "faketime 2001-01-01 $DAM --version",
     "export FAKETIME_DONT_FAKE_MONOTONIC=1; faketime '2001-01-01' $RUN --time-limit 0.001s --out $FILE; [ $? = 3 ] && "
     "faketime -f '+40y x1000' $RUN --time-limit 0.001s --out $FILE",
     3, ""},
};

}  // namespace

TEST_CASE("a fault is answered in one line, the file stays whole, and the run goes on when the fault is gone") {
  const TemporaryDirectory origin;
  const std::string dam = DAM_PROGRAM, whole = origin / "whole.h5", stopped = origin / "a.h5";
  REQUIRE(run_shell(dam + kSweep + " --out " + whole).code == 0);
  REQUIRE(support::run_part(dam + kSweep + " --kernel reference --threads 1 --out " + stopped, stopped));
  for (const Fault& fault : kFaults) {
    INFO(fault.name);
    if (run_shell("DAM=" + dam + "; " + fault.needs).code != 0) {
      WARN(fault.name << ": cannot be made here");
      continue;
    }
    const TemporaryDirectory directory;
    const std::string file = directory / "a.h5";
    std::filesystem::copy_file(stopped, file);
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    std::ofstream(directory / "run") << "exec " << dam << kSweep << " \"$@\"\n";
    const Ran ran = run_shell("export DAM=" + dam + " DIR=" + directory.path().string() + " FILE=" + file +
                              "; export RUN=\"sh " + directory / "run" + "\"; " + fault.line);
    CAPTURE(ran.out, ran.err);
    CHECK(ran.code == fault.code);
    if (*fault.answer) {
      CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
      CHECK_THAT(ran.err, Catch::Contains(fault.answer));
    }
    if (const auto holder = ran.out.find("holder "); holder != std::string::npos)
      CHECK_THAT(ran.err, Catch::EndsWith("process " + ran.out.substr(holder + 7)));
    const bool untouched = support::slurp(file) == support::slurp(stopped);
    if (fault.code == 1) CHECK(untouched);
    REQUIRE(run_shell(dam + kSweep + " --out " + file).code == 0);
    support::check_same_numbers(whole, file);
  }
}

TEST_CASE("a time limit, a signal and the memory limit hold while the work is prepared") {
  // Integers of some thousand bits for every overlap: minutes of preparation.
  const TemporaryDirectory directory;
  const std::string dam = DAM_PROGRAM, out = " --out " + directory / "a.h5",
                    line = dam + " curve --size 50000 --degree 1000 --num-patterns 10 --threads 1" + out;
  const auto seconds = [](const std::string& command, Ran& ran) {
    const auto begun = std::chrono::steady_clock::now();
    ran = run_shell(command);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  Ran ran;
  CHECK(seconds(line + " --time-limit 1s", ran) < 20);
  INFO(ran.err);
  CHECK(ran.code == 3);
  CHECK_THAT(ran.err, Catch::Contains("with a longer --time-limit"));
  CHECK(seconds(line + " & sleep 1; kill -TERM $!; wait $!", ran) < 20);
  CHECK(ran.code == 3);
  ran = run_shell(line + " --max-memory 500M");
  CHECK(ran.code == 2);
  CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
  CHECK_THAT(ran.err, Catch::Contains("GB of memory on each of 1 threads, 0.5 GB is available"));
}

TEST_CASE("SIGHUP saves like SIGTERM, unless it is to be ignored") {
  const TemporaryDirectory directory;
  const std::string file = directory / "a.h5", line = std::string(DAM_PROGRAM) + kSweep +
                                                      " --kernel reference --threads 1 --save-every 0.01s --out " +
                                                      file;
  const Ran ran =
      run_shell(line + " & until [ -s " + file + " ]; do kill -0 $! || exit 9; done; kill -HUP $!; wait $!");
  CHECK(ran.code == 3);
  CHECK(results::read(file).provenance.finished.empty());
  const Ran ignored = run_shell("nohup " + line + " & until [ -s " + file +
                                ".lock ]; do kill -0 $! || exit 9; done; kill -HUP $!; wait $!");
  CHECK(ignored.code == 0);
}

TEST_CASE("files on a file system without locks are read and written, with one line of warning") {
  const std::string dam = DAM_PROGRAM;
  if (run_shell("echo 'int x;' | cc -x c -shared -fPIC -o /dev/null - && ! ldd " + dam + " | grep -q -e asan -e tsan")
          .code != 0) {
    WARN("no compiler here, or a sanitizer's library that must come first");
    return;
  }
  const TemporaryDirectory directory;
  const auto* error = GENERATE("ENOLCK", "ENOSYS", "EOPNOTSUPP");
  const std::string shim = directory / "no_locks.so";
  REQUIRE(run_shell(std::string("printf '#include <errno.h>\\nint flock(int f, int o) { errno = ") + error +
                    "; return -1; }\\n' | cc -x c -shared -fPIC -o " + shim + " -")
              .code == 0);
  const auto without_locks = [&](const std::string& words) {
    return run_shell("LD_PRELOAD=" + shim + " " + dam + words);
  };
  const auto warned = [&](const Ran& ran) {
    INFO(error << ": " << ran.err);
    CHECK(ran.code == 0);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
    CHECK_THAT(ran.err, Catch::StartsWith("warning: ") && Catch::Contains("this file system has no locks"));
  };
  warned(without_locks(kSweep + " --out " + directory / "a.h5"));
  REQUIRE(run_shell(dam + kSweep + " --out " + directory / "b.h5").code == 0);
  support::check_same_numbers(directory / "a.h5", directory / "b.h5");
  // HDF5 files of others, and those that recall goes on with, are opened by HDF5 itself.
  const std::string arrays = std::string(DAMBENCH_FIXTURES) + "/arrays/",
                    recall = " recall --quiet --cues " + arrays + "signs.npy --patterns " + arrays +
                             "hard.h5:/group/unsigned --out " + directory / "r.h5";
  warned(without_locks(recall));
  warned(without_locks(recall));
  CHECK_FALSE(std::filesystem::exists(directory / "r.h5.lock"));
}

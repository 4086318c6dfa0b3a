// A part of a test that runs in a process of its own, to be killed, limited or locked out.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

namespace support {

/// Runs `body` in a forked process; its text, or "exception: WHAT", can be fetched when it has ended.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<std::string()>& body) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::close(ends[0]);
      run(body, ends[1]);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    kill();
    ::close(output_);
  }

  pid_t pid() const { return pid_; }

  /// Ends the process at once (SIGKILL) and waits until it is gone.
  void kill() {
    if (ended_) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  /// What body returned; throws when the process died of a signal.
  std::string result() {
    std::string text;
    char buffer[4096];
    for (ssize_t size = 0; (size = ::read(output_, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(size));
    wait();
    if (!WIFEXITED(status_))
      throw std::runtime_error("the child process died of signal " + std::to_string(status_ & 127));
    return text;
  }

 private:
  /// Leaves without the parent's destructors and exit handlers: they are not the child's to run.
  [[noreturn]] static void run(const std::function<std::string()>& body, int output) {
    std::string text;
    try {
      text = body();
    } catch (const std::exception& error) {
      text = std::string("exception: ") + error.what();
    }
    const bool written = ::write(output, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  void wait() {
    if (!ended_) ::waitpid(pid_, &status_, 0);
    ended_ = true;
  }

  pid_t pid_ = -1;
  int output_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

/// Runs body in a child and returns its result.
inline std::string in_child(const std::function<std::string()>& body) { return ChildProcess(body).result(); }

/// As in_child, without the super-user's right to write everywhere.
inline std::string in_child_without_root(const std::function<std::string()>& body) {
  constexpr uid_t kNobody = 65534;
  return in_child([&] {
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) throw std::runtime_error("cannot drop root");
    return body();
  });
}

}  // namespace support

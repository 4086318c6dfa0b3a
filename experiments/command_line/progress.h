// Progress on stderr: what, how far, the current estimate, how long still; one rewritten line on a terminal, else plain
// lines.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace experiments {

/// Seconds as people say them: `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`.
std::string duration_text(double seconds);

/// `1 epoch`, `26 epochs`.
std::string counted(std::int64_t count, const char* one, const char* several);

/// Now, as ISO 8601 in UTC.
std::string utc_now();

/// Shows a line of progress that the next one replaces, or one `for_good`; called by one thread at a time.
using ShowProgress = std::function<void(const std::string& line, bool for_good)>;

/// A throttled progress line; silent when quiet. Where there is a `show`, it gets the lines instead of stderr.
class Progress {
 public:
  explicit Progress(bool quiet, ShowProgress show = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows `line` if enough time has passed since the last one (0.2 s on a terminal, 5 s elsewhere).
  void update(const std::string& line);
  /// Prints `line` for good, on a line of its own.
  void say(const std::string& line);
  /// Seconds since construction.
  double elapsed() const;

 private:
  using Clock = std::chrono::steady_clock;
  void clear();
  bool quiet_;
  ShowProgress show_;
  bool terminal_;
  bool open_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_{};
};

}  // namespace experiments

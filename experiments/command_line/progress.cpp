#include "experiments/command_line/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <utility>

#include "core/text.h"

namespace experiments {

std::string duration_text(double seconds) {
  if (!(seconds < 1e9)) return "unknown time";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string counted(std::int64_t count, const char* one, const char* several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Progress::Progress(bool quiet, ShowProgress show)
    : quiet_(quiet), show_(std::move(show)), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (open_) std::fputs("\r\033[K", stderr);
  open_ = false;
}

void Progress::update(const std::string& line) {
  const auto now = Clock::now();
  const std::chrono::duration<double> since = now - shown_;
  if (quiet_ || (shown_ != Clock::time_point{} && since.count() < (show_ || terminal_ ? 0.2 : 5))) return;
  shown_ = now;
  if (show_) return show_(line, false);
  clear();
  std::fputs((terminal_ ? line : line + "\n").c_str(), stderr);
  std::fflush(stderr);
  open_ = terminal_;
}

void Progress::say(const std::string& line) {
  if (quiet_) return;
  if (show_) return show_(core::shown(line), true);
  clear();
  std::fputs((core::shown(line) + "\n").c_str(), stderr);
}

double Progress::elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

}  // namespace experiments

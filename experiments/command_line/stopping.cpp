#include "experiments/command_line/stopping.h"

#include <algorithm>

#include "experiments/command_line/cli.h"

namespace experiments {

bool Stopping::requested() const {
  if (stop_requested()) return true;
  if (time_limit_ <= 0 || (prepared_ && !done_)) return false;
  constexpr double kPreparation = 1;
  return std::chrono::duration<double>(Clock::now() - begun_).count() >=
         (prepared_ ? time_limit_ : std::max(time_limit_, kPreparation));
}

}  // namespace experiments

// Stores three patterns and recalls one from a corrupted cue, through the installed headers and libraries alone.
#include "dam/recall/recall.h"

int main() {
  dam::Configuration configuration;
  dam::Patterns patterns;
  dam::draw_patterns(configuration, dam::configuration_id(configuration), 3, 0, nullptr, patterns);
  dam::State state = patterns.row(0);
  state[5] = static_cast<std::int8_t>(-state[5]);
  const dam::RecallStreams streams{{1, 0, 0, core::Purpose::order}, {1, 0, 0, core::Purpose::tie}};
  const auto result =
      dam::recall(patterns, configuration.model, configuration.dynamics, dam::find_kernel("auto"), streams, state);
  return result.converged && state == patterns.row(0) ? 0 : 1;
}

#include "ham/uses/robustness.h"

#include <algorithm>
#include <functional>

#include "ham/uses/retrieval.h"

namespace ham {
namespace {

constexpr long kAtOnce = 200;  // samples; a trace keeps their states at all times

/// Runs body(engine, states that show some of the images, their labels) for all of them.
void for_each_batch(const Exposure& shown,
                    const std::function<void(Engine<float>&, States<float>&, std::span<const int>)>& body) {
  const Network& network = shown.model.network;
  const int image = network.layer_index(shown.model.clamped.at(0));
  const auto count = static_cast<long>(shown.labels.size()), size = shown.images.size() / count;
  Engine<float> engine(network, {.clamped = shown.model.clamped, .threads = shown.threads});
  engine.set_parameters(shown.weights);
  for (long first = 0; first < count; first += kAtOnce) {
    const long rows = std::min(kAtOnce, count - first);
    States<float> states = network.states<float>(static_cast<int>(rows));
    std::copy_n(shown.images.values.begin() + first * size, rows * size, states[image].values.begin());
    body(engine, states, shown.labels.subspan(first, rows));
  }
}

void add(const Exposure& shown, const States<float>& states, const EnergyTable<float>& energies,
         std::span<const int> labels, Response& sum) {
  const std::vector<int> told = largest(states[shown.model.network.layer_index(shown.model.readout.layer)]);
  for (std::size_t row = 0; row < labels.size(); ++row) sum.correct += told[row] == labels[row];
  for (const float energy : energies.total()) sum.energy += energy / static_cast<double>(shown.labels.size());
}

}  // namespace

std::vector<Response> responses(const Exposure& shown, const Descent& descent) {
  std::vector<Response> all(descent.depth + 1);
  for_each_batch(shown, [&](Engine<float>& engine, States<float>& states, std::span<const int> labels) {
    Trace<float> trace;
    descend(engine, states, descent, nullptr, &trace);
    for (std::size_t time = 0; time < all.size(); ++time) {
      const std::size_t kept = std::min(time, trace.states.size() - 1);  // all may have come to rest before
      add(shown, trace.states[kept], trace.energies[kept], labels, all[time]);
    }
  });
  return all;
}

Response response(const Exposure& shown, const Descent& descent) {
  Response sum;
  for_each_batch(shown, [&](Engine<float>& engine, States<float>& states, std::span<const int> labels) {
    descend(engine, states, descent);
    add(shown, states, evaluate(engine, states).energies, labels, sum);
  });
  return sum;
}

}  // namespace ham

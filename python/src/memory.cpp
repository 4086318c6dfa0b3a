// A memory: patterns and a model, its energies, fields and recalls.
#include <fmt/core.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/parallel.h"
#include "dam/fields/couplings.h"
#include "dam/fields/energy.h"
#include "dam/states/spins.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/machine.h"
#include "experiments/recall/recall_cues.h"
#include "python/src/bindings.h"
#include "python/src/convert.h"

namespace nb = nanobind;

namespace python {
namespace {

using experiments::Recalled;

dam::Threshold threshold_of(const std::string& text) {
  return text.empty() ? dam::Threshold{} : dam::parse_threshold(text);
}

/// What recall may be told, as the program's words.
struct RecallWords {
  std::string rule, order, tie, self_coupling, erased, kernel;
  int max_passes, threads;
  std::uint64_t seed;
  bool clamp, trace;
};

class Memory {
 public:
  Memory(const Array& patterns, const std::string& model, const std::string& threshold, bool allow_degenerate)
      : model_(core::EnergyModel::parse(model)) {
    if (const std::string why = model_.degenerate(); !why.empty() && !allow_degenerate)
      throw std::invalid_argument(
          fmt::format("model '{}' is degenerate: {} (allow_degenerate=True runs it all the same)", model_.text(), why));
    if (patterns.size() == 0) throw std::invalid_argument("patterns: there are none");
    const dam::Spins spins = dam::spins_of(numeric_array(patterns), threshold_of(threshold), dam::Erased::refused);
    bits_ = spins.bits;
    patterns_ = dam::patterns_of(spins);
    a_recalls_memory_ = dam::recall_memory(model_, num_neurons(), num_patterns());
  }

  int num_neurons() const { return patterns_.num_neurons(); }
  std::int64_t num_patterns() const { return patterns_.num_patterns(); }
  std::string model() const { return model_.text(); }
  bool bits() const { return bits_; }

  nb::object patterns() const {
    std::vector<std::int8_t> rows;
    rows.reserve(static_cast<std::size_t>(num_patterns()) * static_cast<std::size_t>(num_neurons()));
    for (std::int64_t k = 0; k < num_patterns(); ++k) {
      const dam::State row = patterns_.row(k);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return numpy_array(std::move(rows),
                       {static_cast<std::size_t>(num_patterns()), static_cast<std::size_t>(num_neurons())});
  }

  /// E of every state, and log10 |E|, which has it where the doubles end.
  nb::tuple energy(const Array& array, int threads) const {
    const dam::Spins states = states_of(array);
    std::vector<double> values(static_cast<std::size_t>(states.rows())), sizes(values.size());
    {
      const nb::gil_scoped_release others_may_run;
      core::parallel_for(values.size(), threads, [&](std::size_t i, int) {
        const dam::Energy e = dam::energy_of(model_, patterns_, states.row(static_cast<std::int64_t>(i)));
        values[i] = e.value;
        sizes[i] = e.log10_size;
      });
    }
    return nb::make_tuple(numpy_array(std::move(values)), numpy_array(std::move(sizes)));
  }

  /// m = ξ·σ of every state with every pattern.
  nb::object overlaps(const Array& array, int threads) const {
    const dam::Spins states = states_of(array);
    const auto rows = static_cast<std::size_t>(states.rows()), count = static_cast<std::size_t>(num_patterns());
    std::vector<std::int32_t> all(rows * count);
    {
      const nb::gil_scoped_release others_may_run;
      core::parallel_for(rows, threads, [&](std::size_t i, int) {
        const std::vector<int> one = dam::overlaps(patterns_, states.row(static_cast<std::int64_t>(i)));
        std::copy(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * count));
      });
    }
    return numpy_array(std::move(all), {rows, count});
  }

  /// h of every neuron of every state, as dam::fields.
  nb::object field(const Array& array, bool self_coupling, int threads) const {
    const dam::Spins states = states_of(array);
    const auto rows = static_cast<std::size_t>(states.rows()), n = static_cast<std::size_t>(num_neurons());
    std::vector<double> all(rows * n);
    const auto kept = self_coupling ? dam::SelfCoupling::kept : dam::SelfCoupling::removed;
    {
      const nb::gil_scoped_release others_may_run;
      core::parallel_for(rows, threads, [&](std::size_t i, int) {
        const std::vector<double> one = dam::fields(model_, kept, patterns_, states.row(static_cast<std::int64_t>(i)));
        std::copy(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * n));
      });
    }
    return numpy_array(std::move(all), {rows, n});
  }

  nb::dict recall(const Array& array, const std::optional<Array>& mask, const RecallWords& words,
                  const std::string& threshold, bool interruptible) const {
    experiments::RecallTask task{.model = model_,
                                 .dynamics = {.rule = dam::parse_rule(words.rule),
                                              .order = dam::parse_order(words.order),
                                              .tie = dam::parse_tie(words.tie),
                                              .self_coupling = dam::parse_self_coupling(words.self_coupling),
                                              .max_passes = words.max_passes},
                                 .erased = dam::parse_erased_start(words.erased),
                                 .clamp = words.clamp,
                                 .seed = words.seed,
                                 .trace = words.trace};
    if (words.max_passes < 1 || words.max_passes > 1000000)
      throw std::invalid_argument(fmt::format("max_passes: {} is outside [1, 1000000]", words.max_passes));
    dam::Spins cues = dam::spins_of(numeric_array(array), threshold_of(threshold), dam::Erased::allowed);
    if (mask) dam::erase(cues, numeric_array(*mask));
    if (task.clamp && !cues.erased)
      throw std::invalid_argument(
          "clamp: no cue has an erased neuron (0 among -1 and +1, or mask), so nothing could change");
    const std::string way = fmt::format("{} {} {} {} {} {} {}", words.rule, words.order, words.tie, words.self_coupling,
                                        words.max_passes, words.kernel, words.threads);
    experiments::PreparedRecalls prepared = take_prepared(way);
    const experiments::RecallMeans means{&dam::find_kernel(words.kernel), nullptr, words.threads,
                                         memory_for(words.threads), &prepared};
    std::map<std::int64_t, Recalled> rows;
    {
      const nb::gil_scoped_release others_may_run;
      std::optional<experiments::StopOnInterrupt> listening;
      if (interruptible) listening.emplace();
      experiments::Stopping stopping(0, experiments::Stopping::Clock::now());
      std::vector<std::int64_t> all(static_cast<std::size_t>(cues.rows()));
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
      experiments::recall_cues(task, patterns_, cues, all, means, stopping,
                               [&](std::int64_t cue, Recalled recalled) { rows[cue] = std::move(recalled); });
    }
    if (std::ssize(rows) == cues.rows()) keep_prepared(way, std::move(prepared));
    return as_arrays(rows, cues.rows(), task.trace);
  }

 private:
  /// What the last recall prepared, if it went the same way; calls of several threads have their own.
  experiments::PreparedRecalls take_prepared(const std::string& way) const {
    const std::lock_guard hold(preparing_);
    return way == prepared_way_ ? std::exchange(prepared_, {}) : experiments::PreparedRecalls{};
  }
  void keep_prepared(const std::string& way, experiments::PreparedRecalls prepared) const {
    const std::lock_guard hold(preparing_);
    prepared_way_ = way;
    prepared_ = std::move(prepared);
  }
  /// Bytes that a recall may take. What is small goes ahead without asking the machine, which takes longer than a
  /// small recall.
  std::int64_t memory_for(int threads) const {
    constexpr std::int64_t kSmall = std::int64_t{64} << 20;
    const std::int64_t wanted = a_recalls_memory_ * threads + 4 * dam::Couplings::memory(num_neurons());
    return wanted < kSmall ? kSmall : experiments::available_memory() / 5 * 4;
  }
  dam::Spins states_of(const Array& array) const {
    dam::Spins states = dam::spins_of(numeric_array(array), {}, dam::Erased::refused);
    if (states.num_neurons != num_neurons())
      throw std::invalid_argument(
          fmt::format("patterns have {} neurons a row, states have {}", num_neurons(), states.num_neurons));
    return states;
  }

  nb::dict as_arrays(const std::map<std::int64_t, Recalled>& rows, std::int64_t asked, bool traced) const {
    const auto n = static_cast<std::size_t>(num_neurons());
    std::vector<std::int8_t> states;
    std::vector<std::int64_t> cue, erased, passes, flips, ties, rises, pattern, overlap;
    std::vector<std::uint8_t> converged, cycle;
    std::vector<double> before, after;
    nb::list traces;
    states.reserve(rows.size() * n);
    for (const auto& [row, r] : rows) {
      cue.push_back(row);
      states.insert(states.end(), r.state.begin(), r.state.end());
      erased.push_back(r.erased);
      passes.push_back(r.result.passes);
      flips.push_back(r.result.flips);
      ties.push_back(r.result.ties);
      rises.push_back(r.result.energy_rises);
      converged.push_back(r.result.converged);
      cycle.push_back(r.result.cycle);
      pattern.push_back(r.nearest_pattern);
      overlap.push_back(r.nearest_overlap);
      before.push_back(r.energy_before.value);
      after.push_back(r.energy_after.value);
      if (!traced) continue;
      std::vector<std::int64_t> spins;
      std::vector<double> energies;
      for (const experiments::TraceStep& step : r.trace) {
        spins.push_back(step.spin);
        energies.push_back(step.energy.value);
      }
      traces.append(nb::make_tuple(numpy_array(std::move(spins)), numpy_array(std::move(energies))));
    }
    nb::dict all;
    const std::size_t there = rows.size();
    all["complete"] = nb::cast(static_cast<std::int64_t>(there) == asked);
    all["cue"] = numpy_array(std::move(cue));
    all["states"] = numpy_array(std::move(states), {there, n});
    all["erased"] = numpy_array(std::move(erased));
    all["energy_before"] = numpy_array(std::move(before));
    all["energy_after"] = numpy_array(std::move(after));
    all["passes"] = numpy_array(std::move(passes));
    all["flips"] = numpy_array(std::move(flips));
    all["ties"] = numpy_array(std::move(ties));
    all["energy_rises"] = numpy_array(std::move(rises));
    all["converged"] = numpy_array(std::move(converged));
    all["cycle"] = numpy_array(std::move(cycle));
    all["nearest_pattern"] = numpy_array(std::move(pattern));
    all["nearest_overlap"] = numpy_array(std::move(overlap));
    if (traced) all["traces"] = traces;
    return all;
  }

  core::EnergyModel model_;
  dam::Patterns patterns_;
  std::int64_t a_recalls_memory_ = 0;  // bytes
  mutable std::mutex preparing_;
  mutable std::string prepared_way_;
  mutable experiments::PreparedRecalls prepared_;
  bool bits_ = false;
};

}  // namespace

void bind_memory(nb::module_& module) {
  module.def("available_threads", experiments::available_threads, "Hardware threads this process may use.");
  module.def(
      "model_text", [](const std::string& text) { return core::EnergyModel::parse(text).text(); }, nb::arg("text"),
      "A model's canonical text; ValueError names the accepted forms.");
  nb::class_<Memory>(module, "Memory")
      .def(nb::init<const Array&, const std::string&, const std::string&, bool>(), nb::arg("patterns"),
           nb::arg("model"), nb::arg("threshold"), nb::arg("allow_degenerate"))
      .def_prop_ro("num_neurons", &Memory::num_neurons)
      .def_prop_ro("num_patterns", &Memory::num_patterns)
      .def_prop_ro("model", &Memory::model)
      .def_prop_ro("bits", &Memory::bits)
      .def_prop_ro("patterns", &Memory::patterns)
      .def("energy", &Memory::energy, nb::arg("states"), nb::arg("threads"))
      .def("overlaps", &Memory::overlaps, nb::arg("states"), nb::arg("threads"))
      .def("field", &Memory::field, nb::arg("states"), nb::arg("self_coupling"), nb::arg("threads"))
      .def(
          "recall",
          [](const Memory& memory, const Array& cues, const std::optional<Array>& mask, const std::string& rule,
             const std::string& order, const std::string& tie, const std::string& self_coupling, int max_passes,
             std::uint64_t seed, const std::string& erased, bool clamp, const std::string& kernel, int threads,
             bool trace, const std::string& threshold, bool interruptible) {
            return memory.recall(
                cues, mask, {rule, order, tie, self_coupling, erased, kernel, max_passes, threads, seed, clamp, trace},
                threshold, interruptible);
          },
          nb::arg("cues"), nb::arg("mask").none(), nb::arg("rule"), nb::arg("order"), nb::arg("tie"),
          nb::arg("self_coupling"), nb::arg("max_passes"), nb::arg("seed"), nb::arg("erased"), nb::arg("clamp"),
          nb::arg("kernel"), nb::arg("threads"), nb::arg("trace"), nb::arg("threshold"), nb::arg("interruptible"));
}

}  // namespace python

// dam recall: the user's own patterns and cues, run to their fixed points.
#include <fmt/core.h>

#include <cmath>
#include <filesystem>

#include "core/files/file.h"
#include "core/files/file_lock.h"
#include "core/formats/array_file.h"
#include "core/formats/hdf5_file.h"
#include "core/numbers.h"
#include "core/parallel.h"
#include "core/provenance.h"
#include "dam/fields/energy.h"
#include "dam/recall/recall.h"
#include "experiments/command_line/device.h"
#include "experiments/command_line/run_options.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/load_array.h"
#include "experiments/sweep/spec.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// One flip of a trace: the spin and the energy after it.
struct TraceStep {
  std::uint32_t spin = 0;
  double energy = 0;
};

/// What recall from one cue gave.
struct Recalled {
  dam::State state;
  double energy_before = 0;
  double energy_after = 0;
  dam::RecallResult result;
  std::int64_t nearest_pattern = 0;
  int nearest_overlap = 0;
  std::vector<TraceStep> trace;
};

struct Task {
  core::EnergyModel model;
  dam::Dynamics dynamics;
  std::uint64_t seed = 0;
  bool trace = false;
};

template <class Parse>
auto parse_option(const po::variables_map& given, const char* option, Parse parse) {
  try {
    return parse(given[option].as<std::string>());
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--{}: {}", option, error.what()));
  }
}

Task parse_task(const po::variables_map& given) {
  Task task;
  task.model = parse_option(given, "model", core::EnergyModel::parse);
  if (const std::string why = task.model.degenerate(); !why.empty() && !given["allow-degenerate"].as<bool>())
    throw UsageError(
        fmt::format("model '{}' is degenerate: {} (--allow-degenerate runs it all the same)", task.model.text(), why));
  task.dynamics.rule = parse_option(given, "rule", dam::parse_rule);
  task.dynamics.order = parse_option(given, "order", dam::parse_order);
  task.dynamics.tie = parse_option(given, "tie", dam::parse_tie);
  task.dynamics.self_coupling = parse_option(given, "self-coupling", dam::parse_self_coupling);
  const auto integer = [](const std::string& text) { return core::parse_integer(text, "value"); };
  const std::int64_t max_passes = parse_option(given, "max-passes", integer),
                     seed = parse_option(given, "seed", integer);
  if (seed < 0) throw UsageError(fmt::format("--seed: {} is below 0", seed));
  if (max_passes < 1 || max_passes > 1000000)
    throw UsageError(fmt::format("--max-passes: {} is outside [1, 1000000]", max_passes));
  task.dynamics.max_passes = static_cast<int>(max_passes);
  task.seed = static_cast<std::uint64_t>(seed);
  task.trace = given["trace"].as<bool>();
  return task;
}

using Rows = std::vector<Recalled>;

/// What a processor's thread makes of a cue.
Recalled recall_one(const Task& task, const dam::Patterns& patterns, const dam::State& cue, std::uint64_t row,
                    dam::Recall& recall) {
  Recalled out{.state = cue};
  const auto observe = [&](std::uint32_t spin, const dam::State& state) {
    out.trace.push_back({spin, dam::energy(task.model, patterns, state)});
  };
  const dam::RecallStreams streams{{task.seed, 0, row, core::Purpose::order}, {task.seed, 0, row, core::Purpose::tie}};
  out.result = recall(patterns, streams, out.state, task.trace ? dam::FlipObserver(observe) : dam::FlipObserver());
  return out;
}

/// Energies, and the pattern that a final state came to.
void judge(const Task& task, const dam::Patterns& patterns, const dam::State& cue, Recalled& out) {
  out.energy_before = dam::energy(task.model, patterns, cue);
  out.energy_after = dam::energy(task.model, patterns, out.state);
  const std::vector<int> overlaps = dam::overlaps(patterns, out.state);
  const auto nearest = std::max_element(overlaps.begin(), overlaps.end());
  out.nearest_pattern = nearest - overlaps.begin();
  out.nearest_overlap = *nearest;
}

/// All cues on all threads, or all at once on a card where they are worth one.
Rows recall_all(const Task& task, const dam::Patterns& patterns, const dam::Patterns& cues, const dam::Kernel& kernel,
                gpu::Clusters* card) {
  Rows rows(static_cast<std::size_t>(cues.num_patterns()));
  const int threads = core::hardware_threads();
  if (card != nullptr) {
    std::vector<dam::State> states(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) states[row] = cues.row(static_cast<std::int64_t>(row));
    const auto results = card->recall(task.model, task.dynamics, patterns, task.seed, states);
    for (std::size_t row = 0; row < rows.size(); ++row)
      rows[row] = {.state = std::move(states[row]), .result = results[row]};
  }
  std::vector<std::unique_ptr<dam::Recall>> recalls(static_cast<std::size_t>(threads));
  core::parallel_for(rows.size(), threads, [&](std::size_t row, int thread) {
    const dam::State cue = cues.row(static_cast<std::int64_t>(row));
    if (card == nullptr) {
      auto& recall = recalls[static_cast<std::size_t>(thread)];
      if (!recall) recall = std::make_unique<dam::Recall>(task.model, task.dynamics, patterns.num_neurons(), kernel);
      rows[row] = recall_one(task, patterns, cue, row, *recall);
    }
    judge(task, patterns, cue, rows[row]);
  });
  return rows;
}

/// Writes the described columns of one group, each a function of the row.
template <class Row>
struct ColumnOf {
  const char* name;
  const char* long_name;
  const char* units;
  core::ColumnValues (*values)(const std::vector<Row>& rows);
};

template <class T, class Row, class Get>
core::ColumnValues collect(const std::vector<Row>& rows, Get get) {
  std::vector<T> values;
  for (const Row& row : rows) values.push_back(static_cast<T>(get(row)));
  return values;
}

const ColumnOf<Recalled> kRecallColumns[] = {
    {"energy_before", "energy of the cue", "1",
     [](const Rows& r) { return collect<double>(r, [](auto& x) { return x.energy_before; }); }},
    {"energy_after", "energy of the final state", "1",
     [](const Rows& r) { return collect<double>(r, [](auto& x) { return x.energy_after; }); }},
    {"passes", "passes made, the last one without a flip included", "passes",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.passes; }); }},
    {"flips", "spins flipped", "flips",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.flips; }); }},
    {"ties", "updates that found a field of exactly 0", "updates",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.ties; }); }},
    {"energy_rises", "flips that raised the energy", "flips",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.energy_rises; }); }},
    {"converged", "1 when the last pass had no flip", "1",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.converged; }); }},
    {"cycle", "1 when recall stopped because a state came back", "1",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.result.cycle; }); }},
    {"nearest_pattern", "row of the stored pattern closest to the final state", "1",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.nearest_pattern; }); }},
    {"nearest_overlap", "its overlap with the final state", "neurons",
     [](const Rows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.nearest_overlap; }); }},
};

/// A row of the trace table: which cue, which flip.
struct TraceRow {
  std::int64_t cue, flip, spin;
  double energy;
};
using TraceRows = std::vector<TraceRow>;
const ColumnOf<TraceRow> kTraceColumns[] = {
    {"cue", "row of the cue", "1",
     [](const TraceRows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.cue; }); }},
    {"flip", "number of the flip, from 1; 0 is the cue itself", "1",
     [](const TraceRows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.flip; }); }},
    {"spin", "spin that flipped, -1 for the cue itself", "1",
     [](const TraceRows& r) { return collect<std::int64_t>(r, [](auto& x) { return x.spin; }); }},
    {"energy", "energy after the flip", "1",
     [](const TraceRows& r) { return collect<double>(r, [](auto& x) { return x.energy; }); }},
};

template <class Row, std::size_t count>
void write_group(core::Hdf5File& file, const std::string& group, const ColumnOf<Row> (&columns)[count],
                 const std::vector<Row>& rows) {
  file.create_group(group);
  for (const ColumnOf<Row>& column : columns) {
    const std::string dataset = group + "/" + column.name;
    file.write_column(dataset, column.values(rows));
    file.write_attribute(dataset, "long_name", std::string(column.long_name));
    file.write_attribute(dataset, "units", std::string(column.units));
  }
}

TraceRows trace_rows(const Rows& rows) {
  TraceRows trace;
  for (std::size_t cue = 0; cue < rows.size(); ++cue) {
    std::int64_t flip = 0;
    trace.push_back({static_cast<std::int64_t>(cue), flip, -1, rows[cue].energy_before});
    for (const TraceStep& step : rows[cue].trace)
      trace.push_back({static_cast<std::int64_t>(cue), ++flip, step.spin, step.energy});
  }
  return trace;
}

void write_result(const std::string& path, const Task& task, const Rows& rows, const std::string& kernel,
                  const std::string& device, const std::string& command_line) {
  core::Hdf5File file = core::Hdf5File::create();
  core::Provenance made = core::build_provenance();
  made.kernel = kernel;
  made.device = device;
  made.seed = task.seed;
  made.command_line = command_line;
  core::for_each_field(made, [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
  file.write_attribute("/", "model", task.model.text());

  std::vector<std::int8_t> states;
  for (const Recalled& row : rows) states.insert(states.end(), row.state.begin(), row.state.end());
  file.write_array("/states", {{rows.size(), rows.front().state.size()}, states});
  file.write_attribute("/states", "long_name", std::string("final states, one row per cue"));
  file.write_attribute("/states", "units", std::string("1"));
  write_group(file, "/recall", kRecallColumns, rows);
  if (task.trace) write_group(file, "/trace", kTraceColumns, trace_rows(rows));

  core::replace_file(path, {file.image()});
}

int run(const po::variables_map& given, const std::string& command_line) {
  for (const char* option : {"patterns", "cues"})
    if (!given.contains(option))
      throw UsageError(fmt::format("--{} is missing: a file of rows of -1, +1 ({})", option, core::kArrayFormats));
  const Task task = parse_task(given);
  const dam::Kernel& kernel = parse_option(given, "kernel", dam::find_kernel);
  auto card = open_device(given["device"].as<std::string>());
  const std::string out = given["out"].as<std::string>();
  if (given["out"].defaulted()) std::filesystem::create_directories(std::filesystem::path(out).parent_path());
  const core::FileLock lock = lock_other_file(out);
  const std::int64_t limit = available_memory() / 2;
  const SpinReading reading{given_threshold(given), given.contains("size") ? positive_integer(given, "size") : 0};
  const dam::Patterns patterns =
      load_patterns(given["patterns"].as<std::string>(), "patterns", limit, reading).patterns;
  const dam::Patterns cues = load_patterns(given["cues"].as<std::string>(), "cues", limit, reading).patterns;
  if (patterns.num_neurons() != cues.num_neurons())
    throw UsageError(
        fmt::format("patterns have {} neurons a row, cues have {}", patterns.num_neurons(), cues.num_neurons()));

  const dam::Configuration size{.num_neurons = patterns.num_neurons(), .model = task.model, .dynamics = task.dynamics};
  if (card && (task.trace || !card->takes(size, patterns.num_patterns()))) card.reset();
  const Rows rows = recall_all(task, patterns, cues, kernel, card.get());
  write_result(lock.path(), task, rows, kernel.name, card ? card->name() : "cpu", command_line);

  fmt::print("{:>6} {:>16} {:>16} {:>7} {:>7} {:>10} {:>9} {:>9}\n", "cue", "energy before", "energy after", "passes",
             "flips", "converged", "pattern", "overlap");
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Recalled& r = rows[row];
    fmt::print("{:>6} {:>16.8g} {:>16.8g} {:>7} {:>7} {:>10} {:>9} {:>9.4f}\n", row, r.energy_before, r.energy_after,
               r.result.passes, r.result.flips,
               r.result.converged ? "yes"
               : r.result.cycle   ? "cycle"
                                  : "no",
               r.nearest_pattern, static_cast<double>(r.nearest_overlap) / patterns.num_neurons());
  }
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("patterns", word("FILE[:NAME]"),
      "patterns to store, K x N numbers -1/+1 or 0/1 or pictures K x rows x columns: NPY, NPZ, HDF5, MATLAB, IDX, CSV");
  add("cues", word("FILE[:NAME]"), "states to start from, R x N, likewise");
  add_threshold(options);
  add("size", word("N"), "neurons a row, where a file has all its numbers in one");
  add("model", word("X", "hopfield"),
      "hopfield, dense:N, rectified:N, exponential:LAMBDA, modern:LAMBDA, or SIMILARITY/SEPARATION/SHAPING");
  add("rule", word("X", "derivative"), "derivative, energy");
  add("order", word("X", "random"), "random, sequential, replacement, synchronous");
  add("tie", word("X", "keep"), "keep, plus, minus, random");
  add("self-coupling", word("X", "removed"), "removed, kept");
  add("max-passes", word("X", "100"), "passes after which recall stops");
  add("seed", word("X", "1"), "random seed of orders and ties");
  add("kernel", word("X", "auto"), "local-field kernel");
  add_device(options);
  add("trace", flag(), "keep the energy after every flip (cpu only)");
  add("allow-degenerate", flag(), "run models that cannot store patterns");
  add("spec", word("FILE.ini"), "read options from a file; the command line wins");
  add("out", word("X", "results/recall.h5"), "HDF5 file: /states, /recall/*, with --trace /trace/*");
  return options;
}

}  // namespace

const Verb kRecall = {"recall",
                      "store your own patterns and run your own cues to their fixed points",
                      "--patterns FILE --cues FILE [options]",
                      "  dam recall --patterns patterns.npy --cues cues.npy --model dense:3 --out recalled.h5\n"
                      "  dam recall --patterns data.h5:/train --cues data.h5:/probe --model modern:1 --trace\n",
                      options,
                      "",
                      run};

}  // namespace experiments

// dam recall: the user's own patterns and cues, run to their fixed points.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "core/formats/array_file.h"
#include "core/hash.h"
#include "core/numbers.h"
#include "core/provenance.h"
#include "dam/recall/recall.h"
#include "experiments/command_line/device.h"
#include "experiments/command_line/progress.h"
#include "experiments/command_line/run_options.h"
#include "experiments/command_line/stopping.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/load_array.h"
#include "experiments/files/outputs.h"
#include "experiments/recall/recall_cues.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

template <class Parse>
auto parse_option(const po::variables_map& given, const char* option, Parse parse) {
  try {
    return parse(given[option].as<std::string>());
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--{}: {}", option, error.what()));
  }
}

RecallTask parse_task(const po::variables_map& given) {
  RecallTask task;
  task.model = parse_option(given, "model", core::EnergyModel::parse);
  if (const std::string why = task.model.degenerate(); !why.empty() && !given["allow-degenerate"].as<bool>())
    throw UsageError(
        fmt::format("model '{}' is degenerate: {} (--allow-degenerate runs it all the same)", task.model.text(), why));
  task.dynamics.rule = parse_option(given, "rule", dam::parse_rule);
  task.dynamics.order = parse_option(given, "order", dam::parse_order);
  task.dynamics.tie = parse_option(given, "tie", dam::parse_tie);
  task.dynamics.self_coupling = parse_option(given, "self-coupling", dam::parse_self_coupling);
  task.erased = parse_option(given, "erased", dam::parse_erased_start);
  task.clamp = given["clamp"].as<bool>();
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

/// All that the answers depend on; not the files, nor the format that patterns and cues come in.
std::string request_text(const po::variables_map& given, const RecallTask& task, const dam::Patterns& patterns,
                         const dam::Spins& cues) {
  std::string text = fmt::format("model = {}\n", task.model.text());
  for (const char* option : {"rule", "order", "tie", "self-coupling", "max-passes", "seed"})
    text += fmt::format("{} = {}\n", option, given[option].as<std::string>());
  text += fmt::format("trace = {}\n", task.trace ? "yes" : "no");
  const auto add = [&](const char* name, std::int64_t rows, std::uint64_t content) {
    text += fmt::format("{} = {} x {}, content {:016x}\n", name, rows, cues.num_neurons, content);
  };
  const auto words = std::span(patterns.column(0).data(),
                               patterns.words_per_column() * static_cast<std::size_t>(patterns.num_neurons()));
  add("patterns", patterns.num_patterns(), core::fnv1a(std::as_bytes(words)));
  add("cues", cues.rows(), core::fnv1a(std::as_bytes(std::span(cues.values))));
  if (!cues.erased) return text;
  return text + fmt::format("erased = {}\nclamp = {}\n", given["erased"].as<std::string>(), task.clamp ? "yes" : "no");
}

/// What of this request is in the file; nothing where there is none. What is another's is not replaced.
std::map<std::int64_t, Recalled> rows_there(const std::string& path, const std::string& request) {
  if (!std::filesystem::exists(path)) return {};
  RecallFile there;
  try {
    there = read_recall(path);
  } catch (const std::runtime_error& error) {
    throw results::SpecMismatch(
        fmt::format("{}: is there and not a file of dam recall, which this would replace; choose another --out", path));
  }
  results::require_same_spec(path, there.request, "the command line", request, "; choose another --out");
  return there.rows;
}

/// Recalls from the cues that the file has no row of, and keeps on disk what is done. False when stopped before all
/// was.
bool recall_missing(const RecallTask& task, const RecallMeans& means, const dam::Patterns& patterns,
                    const dam::Spins& cues, double save_every, const std::string& path, RecallFile& file,
                    Progress& progress, Stopping& stopping) {
  std::vector<std::int64_t> missing;
  for (std::int64_t cue = 0; cue < file.num_cues; ++cue)
    if (!file.rows.contains(cue)) missing.push_back(cue);
  const std::size_t there_before = file.rows.size();
  const double began = progress.elapsed();
  double saved_at = began;
  return recall_cues(task, patterns, cues, missing, means, stopping, [&](std::int64_t cue, Recalled recalled) {
    file.rows[cue] = std::move(recalled);
    const std::size_t done = file.rows.size();
    const double now = progress.elapsed();
    const double left = (now - began) / static_cast<double>(done - there_before) *
                        static_cast<double>(static_cast<std::size_t>(file.num_cues) - done);
    progress.update(fmt::format("recall | cue {}/{} | {} left", done, file.num_cues, duration_text(left)));
    if (now - saved_at <= save_every) return;
    write_recall(path, file);
    saved_at = progress.elapsed();
  });
}

void print_rows(const RecallFile& file, int num_neurons) {
  fmt::print("{:>6} {:>16} {:>16} {:>7} {:>7} {:>10} {:>9} {:>9}\n", "cue", "energy before", "energy after", "passes",
             "flips", "converged", "pattern", "overlap");
  for (const auto& [cue, r] : file.rows)
    fmt::print("{:>6} {:>16} {:>16} {:>7} {:>7} {:>10} {:>9} {:>9.4f}\n", cue, dam::text(r.energy_before),
               dam::text(r.energy_after), r.result.passes, r.result.flips,
               r.result.converged ? "yes"
               : r.result.cycle   ? "cycle"
                                  : "no",
               r.nearest_pattern, static_cast<double>(r.nearest_overlap) / num_neurons);
}

dam::Spins load_cues(const po::variables_map& given, std::int64_t limit, const SpinReading& reading) {
  dam::Spins cues = load_spins(given["cues"].as<std::string>(), "cues", limit, reading, dam::Erased::allowed);
  if (given.contains("mask")) load_mask(given["mask"].as<std::string>(), limit, cues);
  return cues;
}

int run(const po::variables_map& given, const std::string& command_line) {
  for (const char* option : {"patterns", "cues"})
    if (!given.contains(option))
      throw UsageError(fmt::format("--{} is missing: a file of rows of -1, +1 ({})", option, core::kArrayFormats));
  const RecallTask task = parse_task(given);
  const dam::Kernel& kernel = parse_option(given, "kernel", dam::find_kernel);
  const RunOptions options = parse_run_options(given, "results/recall.h5");
  auto card = open_device(options.device);
  Stopping stopping(options.time_limit, options.begun);
  Progress progress(options.quiet);
  const core::OutputFile place = open_output(given, options.out, kArraysFile);
  const std::int64_t limit = options.max_memory / 2;
  const SpinReading reading{given_threshold(given), given.contains("size") ? positive_integer(given, "size") : 0};
  const LoadedPatterns loaded = load_patterns(given["patterns"].as<std::string>(), "patterns", limit, reading);
  const dam::Patterns& patterns = loaded.patterns;
  const dam::Spins cues = load_cues(given, limit, reading);
  const int num_neurons = patterns.num_neurons();
  if (reading.num_neurons != 0 && num_neurons != reading.num_neurons)
    throw UsageError(fmt::format("--size: patterns have {} neurons a row, not {}, and cannot be cut into such rows",
                                 num_neurons, reading.num_neurons));
  if (num_neurons != cues.num_neurons)
    throw UsageError(fmt::format("patterns have {} neurons a row, cues have {}{}", num_neurons, cues.num_neurons,
                                 patterns.num_patterns() == cues.num_neurons
                                     ? "; do the patterns stand in columns? They are read as rows"
                                     : ""));
  if (task.clamp && !cues.erased)
    throw UsageError("--clamp: no cue has an erased neuron (0 among -1 and +1, or --mask), so nothing could change");
  if (patterns.num_patterns() == 1 && reading.num_neurons == 0)
    progress.say(fmt::format("patterns are one row, so one pattern of {} neurons; where it is rows of N, --size N",
                             num_neurons));
  if (cues.bits && !loaded.bits)
    progress.say("warning: patterns are -1, +1 and cues 0, 1: their 0 is read as -1, not as an erased neuron (--mask)");
  const dam::Configuration size{.num_neurons = num_neurons, .model = task.model, .dynamics = task.dynamics};
  if (card && (task.trace || task.clamp || !card->takes(size, patterns.num_patterns()))) card.reset();

  RecallFile file;
  file.request = request_text(given, task, patterns, cues);
  file.model = task.model.text();
  file.traced = task.trace;
  file.num_cues = cues.rows();
  file.rows = rows_there(place.path(), file.request);
  file.provenance = core::build_provenance();
  file.provenance.kernel = kernel.name;
  if (card) file.provenance.device = card->name();
  file.provenance.threads = options.threads;
  file.provenance.seed = task.seed;
  file.provenance.command_line = command_line;
  file.provenance.started = utc_now();
  const bool all_there = file.complete();
  if (!file.rows.empty())
    progress.say(fmt::format("continuing {}: {} of {} cues are there", options.out, file.rows.size(), file.num_cues));
  const RecallMeans means{&kernel, card.get(), options.threads, options.max_memory};
  const bool complete =
      recall_missing(task, means, patterns, cues, options.save_every, place.path(), file, progress, stopping);
  if (complete) file.provenance.finished = utc_now();
  if (!all_there && !file.rows.empty()) write_recall(place.path(), file);

  if (!complete)
    progress.say(fmt::format("stopped early in {}: {} of {} cues are in {}; {}", duration_text(progress.elapsed()),
                             file.rows.size(), file.num_cues, options.out,
                             stopping.is_prepared() ? "run the same command to go on"
                                                    : "it ended while it prepared its work, with a longer --time-limit "
                                                      "the same command goes on"));
  print_rows(file, num_neurons);
  return complete ? kComplete : kStoppedEarly;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("patterns", word("FILE[:NAME]"),
      "patterns to store, K x N numbers -1/+1 or 0/1 or pictures K x rows x columns: NPY, NPZ, HDF5, MATLAB, IDX, CSV");
  add("cues", word("FILE[:NAME]"), "states to start from, R x N, likewise; 0 among -1 and +1 is an erased neuron");
  add("mask", word("FILE[:NAME]"), "erased neurons of the cues: R x N or one row, 1 erased, 0 known");
  add("erased", word("X", "random"),
      "where erased neurons start: random, or field, the sign of the known neurons' field");
  add("clamp", flag(), "known neurons of cues with erased ones keep their values (cpu only)");
  add_threshold(options);
  add("size", word("N"), "neurons a row, where a file has all its numbers in one");
  add("model", word("X", "hopfield"),
      "hopfield, dense:N, rectified:N, exponential:LAMBDA, modern:LAMBDA, or SIMILARITY/SEPARATION/SHAPING");
  add("rule", word("X", "derivative"), "derivative, energy");
  add("order", word("X", "random"), "random, sequential, replacement, synchronous");
  add("tie", word("X", "keep"), "keep, plus, minus, random");
  add("self-coupling", word("X", "removed"), "removed, kept");
  add("max-passes", word("X", "100"), "passes after which recall stops");
  add("seed", word("X", "1"), "random seed of orders, ties and erased neurons");
  add("kernel", word("X", "auto"), "local-field kernel");
  add_device(options);
  add("trace", flag(), "keep the energy after every flip (cpu only)");
  add("allow-degenerate", flag(), "run models that cannot store patterns");
  add("spec", word("FILE.ini"), "read options from a file; the command line wins");
  add_force(options);
  add("out", word("FILE.h5"),
      "HDF5 file: /states, /recall/*, with --trace /trace/*; continued when it exists [results/recall.h5]");
  add_work_options(options);
  add_save_every(options, "5s");
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
                      run,
                      true};

}  // namespace experiments

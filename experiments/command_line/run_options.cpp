#include "experiments/command_line/run_options.h"

#include <fmt/core.h>
#include <algorithm>
#include <filesystem>

#include "core/files/output_file.h"
#include "core/numbers.h"
#include "core/parallel.h"
#include "dam/fields/kernels.h"
#include "experiments/command_line/cli.h"
#include "experiments/files/outputs.h"
#include "results/seal.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// `90`, `90s`, `3min`, `2h` in seconds; `2G`, `500M` in bytes: a number and one of the suffixes.
double with_suffix(const std::string& text, const char* option,
                   std::initializer_list<std::pair<std::string_view, double>> suffixes) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789.eE+-"), text.size());
  const std::string_view suffix = std::string_view(text).substr(digits);
  std::string accepted;
  for (const auto& [name, factor] : suffixes)
    if (!name.empty()) accepted += fmt::format("{}{}", accepted.empty() ? "" : ", ", name);
  for (const auto& [name, factor] : suffixes) {
    if (suffix != name && !(suffix.empty() && factor == 1)) continue;
    try {
      const double value = core::parse_double(std::string_view(text).substr(0, digits), "number") * factor;
      if (value > 0) return value;
    } catch (const std::invalid_argument&) {
    }
    break;
  }
  throw UsageError(fmt::format("--{}: '{}' is not a positive number followed by one of {}", option, text, accepted));
}

double duration(const po::variables_map& given, const char* option) {
  return with_suffix(given[option].as<std::string>(), option, {{"s", 1}, {"min", 60}, {"h", 3600}});
}

}  // namespace

std::string bytes_text(std::int64_t bytes) { return fmt::format("{:.3g} GB", static_cast<double>(bytes) / 1e9); }

std::int64_t positive_integer(const po::variables_map& given, const char* option) {
  try {
    const std::int64_t value = core::parse_integer(given[option].as<std::string>(), fmt::format("--{}:", option));
    if (value >= 1) return value;
    throw UsageError(fmt::format("--{}: {} is below 1", option, value));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

void add_seed(Options& options) {
  options.add_options()("seed", word("X", "1"), "random seed; the same seed and spec give the same numbers everywhere");
}

std::uint64_t parse_seed(const po::variables_map& given) {
  try {
    const std::int64_t seed = core::parse_integer(given["seed"].as<std::string>(), "--seed:");
    if (seed >= 0) return static_cast<std::uint64_t>(seed);
    throw UsageError(fmt::format("--seed: {} is below 0", seed));
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

void add_run_options(Options& options, const std::string& default_out) {
  if (!default_out.empty())
    options.add_options()("out", word("FILE.h5"),
                          fmt::format("result file, continued when it exists [{}]", default_out).c_str());
  add_work_options(options);
  options.add_options()("json", flag(), "print one JSON document instead of the table");
}

void add_work_options(Options& options) {
  auto add = options.add_options();
  add("threads", word(), "threads [all]");
  add("time-limit", word(), "stop orderly after 90s, 3min, 2h (exit code 3; the same command goes on)");
  add("max-memory", word(), "memory to use, 500M, 8G [80 % of what is free]");
  add("quiet", flag(), "no progress");
}

void add_save_every(Options& options, const char* fallback) {
  options.add_options()("save-every", word("X", fallback), "time between saves of what is measured");
}

std::int64_t parse_max_memory(const po::variables_map& given, int processes_here) {
  if (!given.contains("max-memory")) return available_memory() / 5 * 4 / processes_here;
  const double bytes = with_suffix(given["max-memory"].as<std::string>(), "max-memory",
                                   {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}});
  return static_cast<std::int64_t>(std::min(bytes, 0x1p62));
}

int parse_threads(const po::variables_map& given, int threads_here) {
  if (!given.contains("threads")) return threads_here;
  const std::int64_t threads = positive_integer(given, "threads");
  if (threads > 4096) throw UsageError(fmt::format("--threads: {} is above the largest value, 4096", threads));
  return static_cast<int>(threads);
}

RunOptions parse_run_options(const po::variables_map& given, const std::string& default_out, int threads_here,
                             int processes_here) {
  RunOptions options;
  options.threads = parse_threads(given, threads_here);
  if (given.contains("kernel")) {
    options.kernel = given["kernel"].as<std::string>();
    try {
      dam::find_kernel(options.kernel);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--kernel: {}", error.what()));
    }
  }
  options.out_is_given = given.contains("out");
  options.out = options.out_is_given ? given["out"].as<std::string>() : default_out;
  const std::filesystem::path folder = std::filesystem::path(default_out).parent_path();
  if (!options.out_is_given && !folder.empty()) std::filesystem::create_directories(folder);
  options.inputs = inputs_of(given);
  if (given.contains("time-limit")) options.time_limit = duration(given, "time-limit");
  if (given.contains("save-every")) options.save_every = duration(given, "save-every");
  if (given.contains("shard")) options.shard = parse_shard(given["shard"].as<std::string>());
  if (given.contains("device")) options.device = given["device"].as<std::string>();
  options.max_memory = parse_max_memory(given, processes_here);
  options.quiet = given["quiet"].as<bool>();
  options.json = given.contains("json") && given["json"].as<bool>();
  return options;
}

}  // namespace experiments

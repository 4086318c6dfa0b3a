// How a measuring or training verb runs: where it writes, how fast, how long; never what it finds.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/machine.h"
#include "experiments/command_line/options.h"
#include "experiments/command_line/progress.h"
#include "experiments/sweep/shard.h"

namespace experiments {

/// What changes the time it takes, never the numbers.
struct RunOptions {
  int threads = 1;
  std::string kernel;
  std::string device = "cpu";  // cpu, cuda or auto, for verbs that have --device
  int rank_here = 0;           // of the processes on this machine: which card is its
  std::string out;
  bool out_is_given = false;        // by the user, who then means this file
  std::vector<std::string> inputs;  // files that the other options name: never written
  Shard shard;                      // the whole sweep unless given
  double time_limit = 0;            // seconds since `begun`, 0 = none
  std::chrono::steady_clock::time_point begun = verb_begun();
  double save_every = 5;        // seconds
  std::int64_t max_memory = 0;  // bytes
  bool quiet = false;
  bool json = false;
  ShowProgress show;  // progress elsewhere than on stderr
};

/// Adds --threads, --time-limit, --max-memory, --quiet.
void add_work_options(Options& options);

/// Adds those, --json and, for verbs that write one file (`default_out`, which stands in help), --out.
void add_run_options(Options& options, const std::string& default_out);

/// Reads the run options, and --kernel, --shard and --save-every where the verb has them; `default_out` stands in for a
/// missing --out. Unless the user says otherwise the process gets `threads_here` threads and its share of the free
/// memory.
RunOptions parse_run_options(const boost::program_options::variables_map& given, const std::string& default_out,
                             int threads_here = available_threads(), int processes_here = 1);

/// Adds --save-every with its default.
void add_save_every(Options& options, const char* fallback);

/// Reads --max-memory; 80 % of a process's share of what is free when it is not given.
std::int64_t parse_max_memory(const boost::program_options::variables_map& given, int processes_here = 1);

/// Adds and reads --seed.
void add_seed(Options& options);
std::uint64_t parse_seed(const boost::program_options::variables_map& given);

/// Reads --threads; `threads_here` when it is not given.
int parse_threads(const boost::program_options::variables_map& given, int threads_here = available_threads());

/// Bytes as people read them: `4.4 GB`.
std::string bytes_text(std::int64_t bytes);

/// The option's integer from 1 on; throws UsageError that names it.
std::int64_t positive_integer(const boost::program_options::variables_map& given, const char* option);

}  // namespace experiments

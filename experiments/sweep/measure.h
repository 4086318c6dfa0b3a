// A whole sweep from its options to its file: what `dam capacity` and `dam curve` do, whoever asks.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <functional>
#include <string>

#include "experiments/sweep/runner.h"

namespace experiments {

/// What to do with a sweep that has ended, complete or not; its answer is the exit code.
using AfterSweep = std::function<int(Runner& runner, const RunOptions& options, bool complete)>;

/// Measures the sweep that the options of verb `capacity` or `curve` describe, on all threads and ranks, keeps its
/// file, and returns what `after` says; `show` gets the progress instead of stderr; a rank that does not lead returns
/// when the leader is done. Throws as parse_sweep, parse_run_options and Runner.
int measure(const std::string& verb, const boost::program_options::variables_map& given,
            const std::string& command_line, const AfterSweep& after, const ShowProgress& show = {});

/// Refuses what measure() refuses before it measures, wrong options and a file that is another's or cannot be written,
/// and begins the file where there is none: for those who have others measure its shards. Throws as measure().
void begin_sweep(const std::string& verb, const boost::program_options::variables_map& given,
                 const std::string& command_line);

}  // namespace experiments

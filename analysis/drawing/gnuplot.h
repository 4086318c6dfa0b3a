// Runs gnuplot on a script: a child process, no shell.
#pragma once

#include <string>

namespace analysis {

/// What gnuplot writes to its standard output for this script.
///
/// Throws std::runtime_error in one line: gnuplot is not installed, cannot start, or complained (its first complaint).
std::string run_gnuplot(const std::string& script);

}  // namespace analysis

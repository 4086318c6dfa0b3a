// What a sweep measures: the grid options of `dam capacity` and `dam curve`, from words to configurations.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dam/configuration.h"
#include "dam/states/patterns.h"
#include "experiments/command_line/options.h"
#include "experiments/command_line/run_options.h"

namespace experiments {

/// A parsed sweep: everything that decides the numbers, nothing that decides how fast they come.
struct SweepSpec {
  std::string verb;                                // capacity | curve
  std::vector<dam::Configuration> configurations;  // in the order they are reported
  std::vector<std::string> left_out;               // why points of the grid are not among them
  std::vector<double> betas;                       // capacity only
  std::vector<std::int64_t> num_patterns;          // curve only
  std::int64_t trials = 0;                         // capacity: budget per (configuration, β); curve: per point
  double precision = 0;                            // capacity only: relative half-width of the 95 % interval
  std::int64_t max_patterns = 0;                   // capacity only
  std::optional<dam::Patterns> bank;               // the rows of `--patterns file:PATH`
  std::uint64_t seed = 0;
  std::string text;  // canonical `key = value` lines; equal texts measure the same numbers
};

/// The options of both verbs; `capacity` and `curve` add what is theirs.
Options sweep_options(const std::string& verb);

/// Reads a spec; throws UsageError with one line that names the option and what it takes.
SweepSpec parse_sweep(const std::string& verb, const boost::program_options::variables_map& given);

/// The sweep a file's spec text describes, without the rows of a pattern file; throws std::runtime_error naming the
/// line that is none of ours.
SweepSpec read_spec_text(const std::string& text);

}  // namespace experiments

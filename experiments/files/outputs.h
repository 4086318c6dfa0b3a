// Which kinds of file the verbs write, and the door they all go through to write one.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/output_file.h"
#include "experiments/command_line/options.h"

namespace experiments {

// Each recognises what a verb wrote before, so that it may be written again.
extern const core::OutputKind kResultFile;   // sealed, .h5
extern const core::OutputKind kReportPage;   // .html of `dam report`
extern const core::OutputKind kArraysFile;   // .h5 of named arrays
extern const core::OutputKind kPredictions;  // .h5, .npz of named arrays, .csv
extern const core::OutputKind kWeightsFile;  // .npz, .h5, .safetensors
extern const core::OutputKind kFigureFile;   // .svg, .png, .pdf
extern const core::OutputKind kEpochsFile;   // .csv of `ham train --log`
extern const core::OutputKind kTableFile;    // .md, .csv, .tex, .html

/// Adds --force, for verbs that write files they cannot go on from.
void add_force(Options& options);

/// The right to write `path`, decided now: against every file that the other options of this call name, and as
/// core::OutputFile. Makes its directory where there is none. Throws UsageError for a wrong ending; never lets a result
/// file be replaced by another kind, --force or not.
core::OutputFile open_output(const boost::program_options::variables_map& given, const std::string& path,
                             const core::OutputKind& kind);

/// The right to write a run's result file, against the files it reads; throws UsageError for a wrong ending.
core::OutputFile open_result(const std::string& path, const std::vector<std::string>& inputs);

/// Every file that the options of this call may mean to be read.
std::vector<std::string> inputs_of(const boost::program_options::variables_map& given);

/// A file about to be written: all of a verb's are decided before the first is written.
struct PendingFile {
  core::OutputFile file;
  std::string bytes;
};
void write_all(const std::vector<PendingFile>& files);

}  // namespace experiments

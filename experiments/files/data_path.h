// Where data sets and files of patterns are looked for.
#pragma once

#include <string>
#include <vector>

#include "experiments/command_line/options.h"

namespace experiments {

/// The directories, first to last: `data_dir` where given, those of $DAMBENCH_DATA (joined by `:`), ~/.cache/dambench,
/// /usr/share/datasets.
std::vector<std::string> data_directories(const std::string& data_dir = "");

/// Where `ham data --download` puts what it fetches: `data_dir` where given, else ~/.cache/dambench.
std::string download_directory(const std::string& data_dir);

/// The file itself when it exists or begins with `/` or `.`, else the first of that name below the directories, else as
/// given.
std::string find_data_file(const std::string& file);

/// Adds --data-dir.
void add_data_dir(Options& options);

}  // namespace experiments

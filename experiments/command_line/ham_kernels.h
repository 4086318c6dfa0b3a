// Which of ham's kernels compute: `--kernels NAME`.
#pragma once

#include <boost/program_options/variables_map.hpp>

#include "experiments/command_line/options.h"

namespace experiments {

/// Adds --kernels.
void add_kernels(Options& options);

/// Puts the named kernels to use; throws UsageError that lists the names when there are none of that name, or when they
/// cannot run on this processor.
void choose_kernels(const boost::program_options::variables_map& given);

}  // namespace experiments

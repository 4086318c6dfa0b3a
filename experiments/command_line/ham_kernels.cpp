#include "experiments/command_line/ham_kernels.h"

#include <stdexcept>

#include "experiments/command_line/cli.h"
#include "ham/kernels/kernels.h"

namespace experiments {

void add_kernels(Options& options) {
  options.add_options()("kernels", word(),
                        "baseline, x86-64-v3, x86-64-v4, or amx (tiles of two bfloat16 numbers for a float: relative "
                        "errors of 2^-16, faster) [the best that is exact]");
}

void choose_kernels(const boost::program_options::variables_map& given) {
  if (!given.contains("kernels")) return;
  try {
    ham::use_kernels(given["kernels"].as<std::string>());
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--kernels: ") + error.what());
  }
}

}  // namespace experiments

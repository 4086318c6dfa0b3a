// ham trim: a small copy of a training run.
#include <fmt/core.h>

#include <filesystem>

#include "core/files/file_lock.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/run.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string&) {
  for (const char* option : {"file", "out"})
    if (!given.contains(option)) throw UsageError(fmt::format("trim: --{} is missing", option));
  const std::string from = given["file"].as<std::string>(), to = given["out"].as<std::string>();
  if (std::filesystem::exists(to) && std::filesystem::equivalent(from, to))
    throw UsageError("trim: --out is the run itself, which training goes on from");
  const core::FileLock lock(to);
  results::write(to, trimmed(from, !given["no-weights"].as<bool>()));
  fmt::print("{}: {} of {} bytes\n", to, std::filesystem::file_size(to), std::filesystem::file_size(from));
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("file", word("FILE.h5"), "a training run (also without --file)");
  add("out,o", word("FILE.h5"), "where the copy goes");
  add("no-weights", flag(), "leave the best weights out too");
  return options;
}

}  // namespace

const Verb kTrim = {
    "trim",
    "copy a training run without what only training needs",
    "FILE.h5 --out SMALL.h5 [--no-weights]",
    "What every epoch measured, the model, the configuration and the best weights stay: enough for `ham eval`,\n"
    "`ham dream`, `ham robustness` and `ham table1`. Training cannot go on from the copy.\n"
    "\n"
    "  ham trim results/hn_relu_mnist-code-1.h5 --out hn_relu.h5\n",
    options,
    "file",
    run};

}  // namespace experiments

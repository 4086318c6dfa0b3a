// ham trim: a small copy of a training run.
#include <fmt/core.h>

#include <filesystem>

#include "core/files/file_lock.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/run.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string&) {
  for (const char* option : {"file", "out"})
    if (!given.contains(option)) throw UsageError(fmt::format("trim: --{} is missing", option));
  const std::string from = given["file"].as<std::string>(), to = given["out"].as<std::string>();
  const core::OutputFile out = open_output(given, to, kResultFile);
  const results::ResultFile copy = trimmed(from, !given["no-weights"].as<bool>());
  if (std::filesystem::exists(out.path()) && std::filesystem::file_size(out.path()) > 0) {
    const results::ResultFile old = results::read(out.path());
    if (old.kind != "ham" || old.has("training") || !results::spec_difference(old.spec, copy.spec).empty())
      throw core::Refused(to + ": holds another run, which this copy would destroy; choose another name");
  }
  results::write(out.path(), copy);
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

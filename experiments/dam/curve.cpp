// dam curve: success probability at given numbers of patterns.
#include "experiments/dam/verbs.h"
#include "experiments/sweep/measure.h"

namespace experiments {
namespace {

int run(const boost::program_options::variables_map& given, const std::string& command_line) {
  return measure("curve", given, command_line, report_run);
}

}  // namespace

const Verb kCurve = {
    "curve",
    "measure the success probability at given numbers of patterns K",
    "--size GRID (--degree GRID | --model LIST | --separation LIST) --num-patterns GRID [options]",
    "  dam curve --size 100 --degree 2 --num-patterns 8:20:+2 --trials 10000\n"
    "  dam curve --size 64 --degree 3 --alpha 0.9 --rule derivative,energy --num-patterns 40:320:x2 --json\n",
    [] { return sweep_options("curve"); },
    "",
    run,
    true};

}  // namespace experiments

// dam capacity: the largest K whose success probability is at least β, over a grid.
#include "experiments/dam/verbs.h"
#include "experiments/sweep/measure.h"

namespace experiments {
namespace {

int run(const boost::program_options::variables_map& given, const std::string& command_line) {
  return measure("capacity", given, command_line, report_run);
}

}  // namespace

const Verb kCapacity = {
    "capacity",
    "measure K_max, the largest K restored with probability beta, over a grid",
    "--size GRID (--degree GRID | --model LIST | --separation LIST) [options]",
    "A cue equals its pattern in each component with probability alpha; K_max(beta) is the largest number of stored\n"
    "patterns at which such a cue is restored exactly with probability at least beta. The search brackets K from a\n"
    "theory's guess, then spends trials near the crossing until the 95 % interval is as short as --precision.\n"
    "\n"
    "Status: ok, or lower_bound (memory or --max-patterns stopped it), upper_bound (even K = 1 fails), budget "
    "(--trials\n"
    "or a stop came first). A bound is printed with > or <, never as a value.\n"
    "\n"
    "  dam capacity --size 32:256:x2 --degree 2,3 --alpha 1,0.9 --beta 0.5\n"
    "  dam capacity --spec experiments/specs/scaling.ini --out results/scaling.h5\n"
    "  dam capacity --size 20 --model exponential:0.5 --alpha 0.9 --precision 0.1 --json\n",
    [] { return sweep_options("capacity"); },
    "",
    run,
    true};

}  // namespace experiments

// dam curve: success probability at given numbers of patterns.
#include "experiments/dam/verbs.h"
#include "experiments/sweep/runner.h"
#include "experiments/sweep/tables.h"

namespace experiments {
namespace {

int run(const boost::program_options::variables_map& given, const std::string& command_line) {
  Team team;
  if (!team.leads()) return follow(team, "curve", given);
  Crew crew(team);
  const SweepSpec spec = parse_sweep("curve", given);
  RunOptions options = parse_run_options(given, "results/curve.h5", team.threads_here(), team.ranks_here());
  options.rank_here = team.rank_here();
  crew.gather(options);

  const std::vector<BatchRequest> requests = batches_of(curve_requests(spec), spec, options.shard);
  for (const BatchRequest& request : requests)
    require_memory(options, spec.configurations[request.configuration], request.num_patterns);
  Runner runner(spec, options, crew, command_line);
  const bool complete = runner.measure(requests, "curve", 0);
  runner.save(complete);
  return report_run(runner, options, complete);
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

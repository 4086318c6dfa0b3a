// dam capacity: the largest K whose success probability is at least β, over a grid.
#include <fmt/core.h>

#include "experiments/dam/verbs.h"
#include "experiments/sweep/capacity_sweep.h"

namespace experiments {
namespace {

int run(const boost::program_options::variables_map& given, const std::string& command_line) {
  Team team;
  if (!team.leads()) return follow(team, "capacity", given);
  Crew crew(team);
  const SweepSpec spec = parse_sweep("capacity", given);
  RunOptions options = parse_run_options(given, "results/capacity.h5", team.threads_here(), team.ranks_here());
  options.rank_here = team.rank_here();
  crew.gather(options);
  const std::vector<std::size_t> searches = searches_of(spec, options.shard);
  for (const std::size_t search : searches) require_memory(options, spec.configurations[search], 1);
  Runner runner(spec, options, crew, command_line);
  if (options.shard.count > 1)
    runner.progress().say(fmt::format("shard {}/{}: {} of {} searches", options.shard.index, options.shard.count,
                                      searches.size(), spec.configurations.size()));

  const CapacitySource source{runner.store(),
                              [&](const auto& requests, const auto& headline, double later) {
                                return runner.measure(batches_of(requests), headline, later);
                              },
                              [&](const dam::Configuration& configuration) {
                                const std::int64_t fits = memory_bound(options, configuration);
                                return spec.bank ? std::min(fits, spec.bank->num_patterns()) : fits;
                              }};
  CapacityOutcome outcome = search_capacities(spec, searches, source);
  // A stopped search leaves the theory that can take minutes to the run that completes it.
  const bool complete =
      outcome.complete && add_exact_one_step(outcome.rows, options.threads, [&] { return runner.stopping(); });
  const results::Table capacity = capacity_table(runner.store(), outcome.rows);
  runner.save(complete, &capacity);
  return report_run(runner, options, complete);
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

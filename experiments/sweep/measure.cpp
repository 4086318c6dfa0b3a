#include "experiments/sweep/measure.h"

#include <fmt/core.h>

#include <algorithm>

#include "experiments/sweep/capacity_sweep.h"
#include "experiments/sweep/tables.h"

namespace experiments {
namespace {

int measure_capacities(const SweepSpec& spec, const RunOptions& options, Crew& crew, const std::string& command_line,
                       const AfterSweep& after) {
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
  return after(runner, options, complete);
}

int measure_curve(const SweepSpec& spec, const RunOptions& options, Crew& crew, const std::string& command_line,
                  const AfterSweep& after) {
  const std::vector<BatchRequest> requests = batches_of(curve_requests(spec), spec, options.shard);
  for (const BatchRequest& request : requests)
    require_memory(options, spec.configurations[request.configuration], request.num_patterns);
  Runner runner(spec, options, crew, command_line);
  const bool complete = runner.measure(requests, "curve", 0);
  runner.save(complete);
  return after(runner, options, complete);
}

}  // namespace

int measure(const std::string& verb, const boost::program_options::variables_map& given,
            const std::string& command_line, const AfterSweep& after, const ShowProgress& show) {
  Team team;
  if (!team.leads()) return follow(team, verb, given);
  Crew crew(team);
  const SweepSpec spec = parse_sweep(verb, given);
  RunOptions options =
      parse_run_options(given, fmt::format("results/{}.h5", verb), team.threads_here(), team.ranks_here());
  options.rank_here = team.rank_here();
  options.show = show;
  crew.gather(options);
  return (verb == "capacity" ? measure_capacities : measure_curve)(spec, options, crew, command_line, after);
}

void begin_sweep(const std::string& verb, const boost::program_options::variables_map& given,
                 const std::string& command_line) {
  Team alone;
  Crew crew(alone);
  Runner(parse_sweep(verb, given), parse_run_options(given, fmt::format("results/{}.h5", verb)), crew, command_line);
}

}  // namespace experiments

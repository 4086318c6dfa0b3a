#include "experiments/sweep/capacity_sweep.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace experiments {
namespace {

/// One configuration's search: the batches asked for and completed at each K, and the verdict per β.
struct Search {
  std::size_t index = 0;
  const dam::Configuration* configuration = nullptr;
  std::uint64_t id = 0;
  std::int64_t max_patterns = 0;
  std::vector<double> guesses;                   // per β
  std::map<std::int64_t, std::int64_t> batches;  // completed, by K
  std::map<std::int64_t, std::int64_t> wanted;   // in all, by K, in this round
  std::vector<CapacityRow> rows;                 // per β
  bool done = false;
};

std::vector<dam::CurvePoint> completed_points(const Search& search, const BatchStore& store) {
  std::vector<dam::CurvePoint> points;
  for (const auto& [num_patterns, batches] : search.batches)
    points.push_back(curve_point(num_patterns, store.sum_first(search.id, num_patterns, batches).counts));
  return points;
}

/// Plans every β of one configuration; returns the batches wanted in all at each K.
std::map<std::int64_t, std::int64_t> plan(const SweepSpec& spec, const BatchStore& store, Search& search) {
  const std::int64_t batch_trials = kClustersPerBatch * search.configuration->cues;
  const auto points = completed_points(search, store);
  // Every β sees the points of the others, so that what they cost together is held against what they may cost together.
  const std::int64_t budget = spec.trials * static_cast<std::int64_t>(spec.betas.size());
  std::map<std::int64_t, std::int64_t> wanted;
  for (std::size_t b = 0; b < spec.betas.size(); ++b) {
    const dam::SearchTask task{search.configuration->num_neurons,
                               spec.betas[b],
                               spec.precision,
                               search.guesses[b],
                               search.max_patterns,
                               budget,
                               batch_trials};
    CapacityRow& row = search.rows[b];
    row.plan = dam::plan_search(points, task);
    row.points = points;
    for (const dam::SearchRequest& request : row.plan.requests) {
      std::int64_t& batches = wanted[request.num_patterns];
      batches = std::max(batches, (request.trials_total + batch_trials - 1) / batch_trials);
    }
  }
  return wanted;
}

/// Seconds of one thread a search is expected to take before anything is measured.
double fresh_seconds(const dam::Configuration& configuration, double beta) {
  constexpr double kTypicalTrials = 600, kOverhead = 0.01;
  const auto guess = static_cast<std::int64_t>(capacity_guess(configuration, beta));
  return kOverhead + kTypicalTrials * expected_trial_seconds(configuration, guess);
}

/// Seconds of one thread still to be asked for after this round, from how far each interval is from its precision.
double seconds_to_come(const SweepSpec& spec, const BatchStore& store, const std::vector<Search>& searches) {
  double seconds = 0;
  for (const Search& search : searches) {
    if (search.done) continue;
    double spent = 0;
    for (const auto& [num_patterns, batches] : search.batches)
      spent += store.sum_first(search.id, num_patterns, batches).seconds;
    double worst = 0;
    for (const CapacityRow& row : search.rows) {
      if (row.plan.status != dam::SearchStatus::measuring) continue;
      const double missing = row.plan.fit.ok ? std::pow(row.plan.fit.relative_half_width() / spec.precision, 2) - 1 : 0;
      worst = std::max(worst, row.plan.fit.ok ? missing * spent : fresh_seconds(*search.configuration, row.beta));
    }
    seconds += worst;
  }
  return seconds;
}

std::vector<Search> begin(const SweepSpec& spec, const std::vector<std::size_t>& configurations,
                          const CapacitySource& source) {
  std::vector<Search> searches;
  for (const std::size_t index : configurations) {
    const dam::Configuration& configuration = spec.configurations[index];
    Search search{.index = index, .configuration = &configuration, .id = configuration_id(configuration)};
    search.max_patterns = std::min(spec.max_patterns, source.max_patterns(configuration));
    for (const double beta : spec.betas) {
      search.guesses.push_back(capacity_guess(configuration, beta));
      search.rows.push_back({.configuration = &configuration, .beta = beta, .max_patterns = search.max_patterns});
    }
    searches.push_back(std::move(search));
  }
  return searches;
}

}  // namespace

CapacityOutcome search_capacities(const SweepSpec& spec, const std::vector<std::size_t>& configurations,
                                  const CapacitySource& source) {
  std::vector<Search> searches = begin(spec, configurations, source);
  CapacityOutcome outcome;
  for (int round = 1; !outcome.complete; ++round) {
    std::vector<PointRequest> requests;
    std::size_t finished = 0;
    for (Search& search : searches) {
      if (!search.done) search.wanted = plan(spec, source.store, search);
      search.done = search.wanted.empty();
      finished += search.done;
      for (const auto& [num_patterns, batches] : search.wanted)
        requests.push_back({search.index, num_patterns, batches});
    }
    outcome.complete = requests.empty();
    const std::string headline = fmt::format("capacity {}/{} done, round {}", finished, searches.size(), round);
    if (!outcome.complete && !source.measure(requests, headline, seconds_to_come(spec, source.store, searches))) break;
    for (Search& search : searches)
      for (const auto& [num_patterns, batches] : search.wanted)
        search.batches[num_patterns] = std::max(search.batches[num_patterns], batches);
  }
  for (const Search& search : searches)
    for (const CapacityRow& row : search.rows) {
      outcome.rows.push_back(row);
      if (row.plan.status == dam::SearchStatus::measuring) outcome.rows.back().plan.status = dam::SearchStatus::budget;
    }
  return outcome;
}

std::vector<std::size_t> searches_of(const SweepSpec& spec, const Shard& shard) {
  std::vector<double> costs;
  for (const dam::Configuration& configuration : spec.configurations) {
    double dearest = 0;
    for (const double beta : spec.betas) dearest = std::max(dearest, fresh_seconds(configuration, beta));
    costs.push_back(dearest);
  }
  return items_of(shard, costs);
}

CapacityOutcome conclude_capacities(const SweepSpec& spec, const BatchStore& store, const SearchLimits& limits) {
  const auto are_there = [&](const std::vector<PointRequest>& requests, const std::string&, double) {
    return holds_all(store, spec, batches_of(requests));
  };
  CapacityOutcome all{.complete = true};
  for (std::size_t i = 0; i < spec.configurations.size(); ++i) {
    const auto known = limits.find(configuration_id(spec.configurations[i]));
    std::set<std::int64_t, std::greater<>> candidates{spec.max_patterns};
    if (known != limits.end()) candidates = {known->second.begin(), known->second.end()};
    std::vector<CapacityOutcome> outcomes;
    for (const std::int64_t limit : candidates) {
      outcomes.push_back(
          search_capacities(spec, {i}, {store, are_there, [&](const dam::Configuration&) { return limit; }}));
      if (outcomes.back().complete) break;
    }
    CapacityOutcome& chosen = outcomes.back().complete ? outcomes.back() : outcomes.front();
    // 0: nobody has said how far this search could go, and another file still may.
    if (known == limits.end())
      for (CapacityRow& row : chosen.rows) row.max_patterns = 0;
    all.rows.insert(all.rows.end(), chosen.rows.begin(), chosen.rows.end());
    all.complete = all.complete && chosen.complete;
  }
  return all;
}

}  // namespace experiments

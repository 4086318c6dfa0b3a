// The adaptive search for K_max(β) as a pure decision: points measured so far in, next requests or a verdict out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dam/search/success_curve.h"

namespace dam {

/// Run this many trials in all at K; never fewer than the points already have.
struct SearchRequest {
  std::int64_t num_patterns = 1;
  std::int64_t trials_total = 0;
  bool operator==(const SearchRequest&) const = default;
};

/// What is searched, and what it may cost.
struct SearchTask {
  int num_neurons = 2;
  double beta = 0.5;
  double precision = 0.05;              // relative half-width of the 95 % interval that is enough
  double guess = 1;                     // where to start: a theory's K_max
  std::int64_t max_patterns = 1 << 20;  // largest K that memory or --max-patterns allows
  std::int64_t max_trials = 1 << 20;    // budget over all points given and asked for
  std::int64_t batch_trials = 32;       // requests are multiples of this: clusters per batch × cues
};

enum class SearchStatus { measuring, ok, lower_bound, upper_bound, budget };
/// `measuring`, `ok`, `lower_bound`, `upper_bound`, `budget`: the words of the result file.
std::string text(SearchStatus status);

/// The next step of a search.
struct SearchPlan {
  SearchStatus status = SearchStatus::measuring;
  std::vector<SearchRequest> requests;  // ascending in K; empty unless measuring
  CurveFit fit;                         // of all points so far
  /// ok: the estimate. lower_bound: largest K known to pass, ci_high = ∞. upper_bound: K = 1 fails, ci_low = 0.
  /// budget: the estimate if there is one, else NaN within the bracket; never to be printed as a value.
  double k_max = 0;
  double ci_low = 0;
  double ci_high = 0;
};

/// Decides from complete points alone, so that the same points give the same plan in any order of work.
///
/// Brackets β geometrically from the guess, then spends trials at three K where ln(−ln p) is β's and up to 0.35 below
/// and above it, the nearer the finer the precision (four neighbours where K is small), as many as the current interval
/// says are missing but at most quadrupling them a round, until the interval is as short as `precision`. Where every
/// trial at K passed and every one at K+1 failed, enough of them to decide, the integer capacity is known and the
/// status is ok with the interval [K, K+1]. Several β may share the points of a configuration: their capacities are
/// then correlated. Throws std::invalid_argument for β outside (0, 1), precision, guess, limits or batch below 1
/// (precision: not above 0).
SearchPlan plan_search(std::span<const CurvePoint> points, const SearchTask& task);

}  // namespace dam

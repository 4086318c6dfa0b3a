#include "dam/search/capacity_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "core/numbers.h"

namespace dam {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Where trials are spent, on the ln(−ln p) scale about the crossing. What a bend of the curve can do to the crossing is
// about 0.13 offset²/steepness (success_curve.cpp), which the first rule keeps to a twelfth of the precision; three
// points that tell ln(−ln p) at the crossing within h tell the slope within a share of 0.6·h/offset, which the second,
// h = precision·steepness, keeps to a fifth: a search that stops where a noisy slope makes its interval short stops
// too soon. Nearer than the first bound the slope hardly shows, farther than the second nothing is gained.
constexpr double kBendRule = 0.7, kSlopeRule = 2.4;
constexpr double kNearestOffset = 0.1, kFarthestOffset = 0.6;
constexpr double kSteepnessFactor = 8;  // how far a noisy slope may stretch or squeeze the design
// Stopping when the interval is short favours samples whose interval is too short by chance: at this nominal level the
// search covers about 95 % (the calibration experiment in dam/theory/theory.md).
constexpr double kConfidence = 0.965;
constexpr double kWideBracket = 3;  // brackets wider than this in ln(-ln p) are halved first
// What a round adds: the half width of few trials is as noisy as their slope, so that a longer stride overshoots.
constexpr double kMargin = 1.1, kLeastGrowth = 1.3, kGrowth = 2;
constexpr std::int64_t kDecisive = 4;  // pilots that decide a bound even if the interval still holds β

struct Side {
  std::int64_t num_patterns = 0;  // 0: no such K
  const CurvePoint* point = nullptr;
};

/// One search over points sorted by K.
class Planner {
 public:
  Planner(std::span<const CurvePoint> points, const SearchTask& task) : task_(task) {
    for (const CurvePoint& point : points)
      if (point.trials > 0) points_[point.num_patterns] = point;
    for (const auto& [k, point] : points_) spent_ += point.trials;
    plan_.fit = fit_success_curve(points, task.beta, task.num_neurons, kConfidence);
    pilot_ = whole_batches(2 / std::min(task.beta, 1 - task.beta));
  }

  SearchPlan decide() {
    find_bracket();
    if (points_.empty()) return ask({{clamped(task_.guess), pilot_}});
    for (const Side& side : {low_, high_})
      if (side.point && side.point->trials < pilot_) return ask({{side.num_patterns, pilot_}});
    if (!high_.point) return climb();
    if (!low_.point) return descend();
    return converge();
  }

 private:
  std::int64_t whole_batches(double trials) const {
    const double batch = static_cast<double>(task_.batch_trials);
    return task_.batch_trials * std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(trials / batch)));
  }

  std::int64_t clamped(double k) const {
    return std::llround(std::clamp(k, 1.0, static_cast<double>(task_.max_patterns)));
  }

  std::int64_t trials_at(std::int64_t k) const {
    const auto found = points_.find(k);
    return found == points_.end() ? 0 : found->second.trials;
  }

  /// The neighbouring K between which the pooled (non-increasing) success fraction falls below β.
  void find_bracket() {
    for (const auto& [k, point] : points_) {
      const bool passes = k <= plan_.fit.last_passing;
      if (passes) low_ = {k, &point};
      if (!passes && !high_.point) high_ = {k, &point};
    }
  }

  SearchPlan finish(SearchStatus status, double k_max, double ci_low, double ci_high) {
    plan_.status = status;
    plan_.k_max = k_max;
    plan_.ci_low = ci_low;
    plan_.ci_high = ci_high;
    return plan_;
  }

  SearchPlan out_of_budget() {
    if (plan_.fit.ok) return finish(SearchStatus::budget, plan_.fit.k_max, plan_.fit.ci_low, plan_.fit.ci_high);
    return finish(SearchStatus::budget, kNaN, static_cast<double>(low_.num_patterns),
                  high_.point ? static_cast<double>(high_.num_patterns) : kInfinity);
  }

  /// Asks for what the budget still allows of these, dropping what the points already have.
  SearchPlan ask(std::vector<SearchRequest> requests) {
    std::sort(requests.begin(), requests.end(),
              [](const SearchRequest& a, const SearchRequest& b) { return a.num_patterns < b.num_patterns; });
    std::int64_t left = task_.max_trials - spent_;
    for (const SearchRequest& request : requests) {
      const std::int64_t have = trials_at(request.num_patterns);
      const std::int64_t affordable = left / task_.batch_trials * task_.batch_trials;
      const std::int64_t more = std::min(request.trials_total - have, affordable);
      if (more <= 0) continue;
      left -= more;
      plan_.requests.push_back({request.num_patterns, have + more});
    }
    if (plan_.requests.empty()) return out_of_budget();
    return plan_;
  }

  SearchPlan climb() {
    const std::int64_t k = low_.num_patterns;
    if (k < task_.max_patterns) {
      const double step = std::clamp(1.5 * static_cast<double>(k) / task_.guess, 1.5, 8.0);
      return ask({{std::max(k + 1, clamped(static_cast<double>(k) * step)), pilot_}});
    }
    const core::Interval success = core::cluster_interval(low_.point->counts());
    if (success.low < task_.beta && low_.point->trials < kDecisive * pilot_)
      return ask({{k, std::min(2 * low_.point->trials, kDecisive * pilot_)}});
    return finish(SearchStatus::lower_bound, static_cast<double>(k), static_cast<double>(k), kInfinity);
  }

  SearchPlan descend() {
    const std::int64_t k = high_.num_patterns;
    if (k > 1) {
      const double step = std::clamp(1.5 * task_.guess / static_cast<double>(k), 1.5, 8.0);
      return ask({{std::min(k - 1, clamped(static_cast<double>(k) / step)), pilot_}});
    }
    const core::Interval success = core::cluster_interval(high_.point->counts());
    if (success.high >= task_.beta && high_.point->trials < kDecisive * pilot_)
      return ask({{k, std::min(2 * high_.point->trials, kDecisive * pilot_)}});
    return finish(SearchStatus::upper_bound, 1, 0, 1);
  }

  /// d ln(−ln p)/d ln K at the crossing: the fit's, within a factor of what N independent Gaussian fields have.
  double steepness() const {
    const core::Link link{core::LinkKind::field, static_cast<double>(task_.num_neurons)};
    const double expected = 0.5 * link.slope(link.inverse(task_.beta)) / (task_.beta * std::log(task_.beta));
    if (!(plan_.fit.steepness > 0)) return expected;
    return std::clamp(plan_.fit.steepness, expected / kSteepnessFactor, expected * kSteepnessFactor);
  }

  /// The K around `center` that the trials are spent on: three on the design's scale, measured ones where they are
  /// close enough; where ties alternate with the parity of K, the two integers about the center and one on either side,
  /// so that odd and even K can be told apart.
  std::vector<std::int64_t> design(double center) const {
    const double steep = steepness();
    const double wanted = task_.precision * steep;
    const double offset = std::max(kBendRule * std::sqrt(wanted), kSlopeRule * wanted);
    const double spread = std::clamp(offset, kNearestOffset, kFarthestOffset) / steep;
    std::vector<std::int64_t> chosen;
    if (center < kLargestTieK) {
      const auto below = static_cast<std::int64_t>(center);
      const std::int64_t reach = std::max<std::int64_t>(1, std::llround(center * std::expm1(spread)));
      chosen = {below - reach, below, below + 1, below + 1 + reach};
    } else {
      for (const int side : {-1, 0, 1}) {
        const double target = std::log(center) + side * spread;
        chosen.push_back(clamped(std::exp(target)));
        std::int64_t most = 0;
        for (const auto& [k, point] : points_) {
          if (std::abs(std::log(static_cast<double>(k)) - target) > spread / 3 || point.trials <= most) continue;
          most = point.trials;
          chosen.back() = k;
        }
      }
    }
    for (std::int64_t& k : chosen) k = std::clamp<std::int64_t>(k, 1, task_.max_patterns);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    return chosen;
  }

  /// K and K+1 are both decided and every trial at K passed and every trial at K+1 failed: no curve runs between them.
  bool integer_decided() const {
    return high_.num_patterns == low_.num_patterns + 1 && low_.point->successes == low_.point->trials &&
           high_.point->successes == 0 && core::cluster_interval(low_.point->counts()).low >= task_.beta &&
           core::cluster_interval(high_.point->counts()).high < task_.beta;
  }

  SearchPlan converge() {
    const CurveFit& fit = plan_.fit;
    const double low = static_cast<double>(low_.num_patterns);
    const double high = static_cast<double>(high_.num_patterns);
    const double middle = std::sqrt(low * high);
    if (integer_decided()) return finish(SearchStatus::ok, middle, low, high);
    const bool wide = std::log(high / low) > kWideBracket / steepness();
    if (high - low > 1 && wide) return ask({{clamped(middle), pilot_}});

    const std::vector<std::int64_t> chosen = design(fit.ok && fit.isotonic_agrees ? fit.k_max : middle);
    std::vector<SearchRequest> pilots;
    std::vector<SearchRequest> doubled;
    for (const std::int64_t k : chosen) {
      if (trials_at(k) < kDecisive * pilot_) pilots.push_back({k, kDecisive * pilot_});
      doubled.push_back({k, 2 * trials_at(k)});
    }
    if (!pilots.empty()) return ask(pilots);
    if (!fit.ok) return ask(doubled);
    if (fit.relative_half_width() <= task_.precision)
      return finish(SearchStatus::ok, fit.k_max, fit.ci_low, fit.ci_high);

    // What a misfit adds to the interval is not made up for by trials: a chance one goes away with some of them.
    const double needed = std::pow(fit.relative_half_width() / task_.precision, 2) / fit.misfit;
    const double more =
        static_cast<double>(fit.window_trials) * (std::clamp(kMargin * needed, kLeastGrowth, kGrowth) - 1);
    std::vector<SearchRequest> requests;
    for (const std::int64_t k : chosen)
      requests.push_back({k, trials_at(k) + whole_batches(more / static_cast<double>(chosen.size()))});
    return ask(requests);
  }

  const SearchTask& task_;
  std::map<std::int64_t, CurvePoint> points_;
  std::int64_t spent_ = 0;
  std::int64_t pilot_ = 0;  // trials that place a K on one side of β, roughly
  Side low_;                // largest K that passes
  Side high_;               // smallest K that fails
  SearchPlan plan_;
};

}  // namespace

std::string text(SearchStatus status) {
  constexpr std::array<const char*, 5> kWords = {"measuring", "ok", "lower_bound", "upper_bound", "budget"};
  return kWords.at(static_cast<std::size_t>(status));
}

SearchPlan plan_search(std::span<const CurvePoint> points, const SearchTask& task) {
  const auto require = [](bool fine, const char* what, double value) {
    if (!fine)
      throw std::invalid_argument("capacity search: " + std::string(what) + ", not " + core::number_text(value));
  };
  require(task.precision > 0, "precision is a number above 0", task.precision);
  require(task.guess > 0, "the guess is a number above 0", task.guess);
  require(task.max_patterns >= 1, "at least 1 pattern is allowed", static_cast<double>(task.max_patterns));
  require(task.batch_trials >= 1, "a batch has at least 1 trial", static_cast<double>(task.batch_trials));
  require(task.max_trials >= task.batch_trials, "the budget holds at least one batch",
          static_cast<double>(task.max_trials));
  return Planner(points, task).decide();
}

}  // namespace dam

#include "dam/search/success_curve.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

namespace dam {
namespace {

using core::BinomialFit;
using core::BinomialRow;
using core::Link;
using core::LinkKind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// How far from the crossing points are used, on the ln(−ln p) scale. At most 1.5: p from 0.86 to 0.045 around β = ½.
// The more is known, the nearer: what a parabola leaves out grows as the distance cubed, and is to stay below the
// error.
constexpr double kWidestWindow = 1.5, kNarrowestWindow = 0.45;
constexpr double kWindowPerCubeRoot = 2;
// How bent curves are, before anything is measured, in units in which a bend of 1 doubles the slope where −ln p has
// grown by √e: η = slope·u + bend·slope·steepness·u². Measured over |ln(−ln p) − ln(−ln β)| ≤ 0.6 on eleven curves of
// tests/calibration, errors 0.01 to 0.03: 0.00 at α = 1, 0.03 to 0.20 at α < 1.
constexpr double kMeanBend = 0.05, kBend = 0.12, kBendReach = 0.6;
constexpr double kParity = 0.5;   // units of field that parity moves the threshold by; measured −0.5 … 0.1
constexpr double kMisfit = 0.05;  // below this p-value the misfit widens the interval
constexpr double kIsotonicConfidence = 0.998;

double log_log(double probability) { return std::log(-std::log(probability)); }

bool mixed(const CurvePoint& point) { return point.successes > 0 && point.successes < point.trials; }

/// A curve η(u) = η_β + slope·(u − c) + bend·(u − c)² [+ parity·(−1)^K], u = ln K; c is the crossing. The bend and what
/// the parity does are known beforehand to be small.
struct Shape {
  Link link;
  double expected_bend = 0;
  double bend_precision = 0;  // 1/variance of the bend about it; 0: straight
  double parity_precision = 0;
};

BinomialFit fit_rows(std::span<const CurvePoint> points, const Shape& shape, double center, double offset,
                     bool intercept, bool sloped) {
  std::vector<BinomialRow> rows;
  core::PriorPrecision prior{};
  std::size_t columns = 0;
  for (const CurvePoint& point : points) {
    const double u = std::log(static_cast<double>(point.num_patterns)) - center;
    BinomialRow row{static_cast<double>(point.trials),
                    static_cast<double>(point.successes),
                    offset + shape.expected_bend * u * u,
                    {}};
    columns = 0;
    if (intercept) row.columns[columns++] = 1;
    if (sloped) row.columns[columns++] = u;
    if (shape.bend_precision > 0) {
      prior[columns] = shape.bend_precision;
      row.columns[columns++] = u * u;
    }
    if (shape.parity_precision > 0) {
      prior[columns] = shape.parity_precision;
      row.columns[columns++] = point.num_patterns % 2 == 0 ? 1 : -1;
    }
    rows.push_back(row);
  }
  return core::fit_binomial(rows, columns, shape.link, prior);
}

struct Crossing {
  bool found = false;
  double at = 0;     // ln K
  double slope = 0;  // dη/du there
  double deviance = 0;
  double pearson = 0;
};

Crossing find_crossing(std::span<const CurvePoint> points, const Shape& shape, double beta) {
  double center = 0;
  for (const CurvePoint& point : points)
    center += std::log(static_cast<double>(point.num_patterns)) / static_cast<double>(points.size());
  const BinomialFit fit = fit_rows(points, shape, center, shape.link.inverse(beta), true, true);
  const double excess = fit.coefficients[0];  // of η over η_β at the center
  const double slope = fit.coefficients[1];
  const double bend = shape.bend_precision > 0 ? shape.expected_bend + fit.coefficients[2] : 0;
  const double discriminant = slope * slope - 4 * bend * excess;
  if (!(slope > 0) || discriminant <= 0) return {};
  const double root = std::sqrt(discriminant);  // also the slope at the crossing
  return {true, center - 2 * excess / (slope + root), root, fit.deviance, fit.pearson};
}

/// Deviance of the best curve that falls and crosses β at `crossing`.
double deviance_through(std::span<const CurvePoint> points, const Shape& shape, double beta, double crossing) {
  const double offset = shape.link.inverse(beta);
  const BinomialFit fit = fit_rows(points, shape, crossing, offset, false, true);
  if (fit.coefficients[0] >= 0) return fit.deviance;
  return fit_rows(points, shape, crossing, offset, false, false).deviance;
}

/// The end of the profile interval on one side: where the deviance has risen by `rise`; infinite if it never does.
double profile_end(std::span<const CurvePoint> points, const Shape& shape, double beta, const Crossing& best,
                   double rise, double direction) {
  const auto inside = [&](double reach) {
    return deviance_through(points, shape, beta, best.at + direction * reach) - best.deviance <= rise;
  };
  double outer = 1e-3;
  while (inside(outer)) {
    outer *= 2;
    if (outer > 16) return direction * kInfinity;
  }
  double inner = 0;
  while (outer - inner > 1e-5 * outer) {
    const double middle = (inner + outer) / 2;
    (inside(middle) ? inner : outer) = middle;
  }
  return best.at + direction * (inner + outer) / 2;
}

struct Dispersion {
  double factor = 1;
  double degrees_of_freedom = kInfinity;
};

/// The clusters' variance over the binomial one, pooled over points that have both successes and failures.
Dispersion cluster_dispersion(std::span<const CurvePoint> points) {
  double between = 0;
  double binomial = 0;
  double degrees = 0;
  double largest = 1;
  for (const CurvePoint& point : points) {
    const double trials = static_cast<double>(point.trials);
    largest = std::max(largest, trials / static_cast<double>(point.clusters));
    if (!mixed(point) || point.clusters < 2) continue;
    const core::ClusterEstimate estimate = core::cluster_estimate(point.counts());
    between += std::pow(estimate.standard_error * trials, 2);
    binomial += trials * estimate.mean * (1 - estimate.mean);
    degrees += static_cast<double>(point.clusters - 1);
  }
  if (largest == 1) return {};
  if (degrees == 0) return {largest, 1};
  return {std::clamp(between / binomial, 1.0, largest), degrees};
}

double chi_squared_tail(double value, int degrees_of_freedom) {
  if (degrees_of_freedom <= 0) return kNaN;
  return boost::math::cdf(complement(boost::math::chi_squared(degrees_of_freedom), value));
}

/// A straight line: the field link cannot cross below chance, 2^{−N}.
Shape simple_shape(double beta, int num_neurons) {
  const bool above_chance = std::pow(0.5, num_neurons) < beta / 4;
  return {{above_chance ? LinkKind::field : LinkKind::cloglog, static_cast<double>(num_neurons)}};
}

/// How far from the crossing points are used that together tell ln(−ln p) at the crossing as well as these do.
double window_radius(std::span<const CurvePoint> points, double beta) {
  double trials = 0;
  for (const CurvePoint& point : points) trials += static_cast<double>(point.trials);
  const double half_width = 1.96 * std::sqrt((1 - beta) / (beta * trials)) / -std::log(beta);
  return std::clamp(kWindowPerCubeRoot * std::cbrt(half_width), kNarrowestWindow, kWidestWindow);
}

/// The points near the crossing, as the header defines them, for a straight line in the given link.
std::vector<CurvePoint> window(const std::vector<CurvePoint>& points, const Shape& shape, double beta) {
  std::vector<CurvePoint> chosen = points;
  for (int round = 0; round < 8; ++round) {
    const Crossing crossing = find_crossing(chosen, shape, beta);
    if (!crossing.found) return chosen;
    const double radius = window_radius(chosen, beta);
    // One point on each side at least; two where odd and even K have to be told apart.
    const auto above = static_cast<std::size_t>(std::ranges::count_if(points, [&](const CurvePoint& point) {
      return std::log(static_cast<double>(point.num_patterns)) <= crossing.at;
    }));
    const std::size_t kept = points[std::min(above, points.size() - 1)].num_patterns <= kLargestTieK ? 2 : 1;
    std::vector<CurvePoint> next;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double u = std::log(static_cast<double>(points[i].num_patterns));
      const double eta = shape.link.inverse(beta) + crossing.slope * (u - crossing.at);
      const double distance = std::log(std::max(-shape.link.log_success(eta), 1e-300)) - log_log(beta);
      if (std::abs(distance) <= radius || (i + kept >= above && i < above + kept)) next.push_back(points[i]);
    }
    const bool settled = next.size() == chosen.size();
    if (next.size() < 2) return chosen;
    chosen = std::move(next);
    if (settled) break;
  }
  return chosen;
}

/// Pearson's χ² as a p-value. Terms with a prior hardly use up a degree of freedom.
double misfit(const Crossing& crossing, std::span<const CurvePoint> points, double factor) {
  return chi_squared_tail(crossing.pearson / factor, static_cast<int>(points.size()) - 2);
}

/// Ties depend on the parity of K and matter for small K only.
bool ties_may_alternate(const std::vector<CurvePoint>& points) {
  const auto even =
      std::count_if(points.begin(), points.end(), [](auto& point) { return point.num_patterns % 2 == 0; });
  return points.front().num_patterns <= kLargestTieK && even > 0 && even < static_cast<std::ptrdiff_t>(points.size());
}

/// The straight line in this link, and how far it may bend about its crossing and alternate: not to be divided by the
/// dispersion, as likelihood ratios will be.
Shape with_priors(Shape shape, const std::vector<CurvePoint>& points, double beta, int num_neurons,
                  const Crossing& straight, double dispersion) {
  // At a handful of patterns even neighbouring K are farther apart than bends were measured over; no curve is expected
  // to leave its line farther than there.
  double below = -kInfinity, above = kInfinity;
  for (const CurvePoint& point : points) {
    const double u = std::log(static_cast<double>(point.num_patterns));
    (u <= straight.at ? below : above) = u <= straight.at ? std::max(below, u) : std::min(above, u);
  }
  const double steepness =
      std::abs(straight.slope * shape.link.slope(shape.link.inverse(beta)) / (beta * std::log(beta)));
  const double half_gap = std::isfinite(above - below) ? steepness * (above - below) / 2 : 0;
  const double unit = straight.slope * steepness * std::pow(std::min(1.0, kBendReach / half_gap), 2);
  shape.expected_bend = kMeanBend * unit;
  shape.bend_precision = dispersion * std::pow(kBend * unit, -2);
  // A field that is tied where another's is not moves the threshold by a unit of N, the capacity by about 2/N.
  if (ties_may_alternate(points))
    shape.parity_precision = dispersion * std::pow(kParity * straight.slope / num_neurons, -2);
  return shape;
}

/// The field link, or cloglog, its large-N form, where β lies below what chance gives or the success does not fall.
Shape choose_shape(const std::vector<CurvePoint>& points, double beta, int num_neurons, double dispersion) {
  Shape shape = simple_shape(beta, num_neurons);
  Crossing straight = find_crossing(points, shape, beta);
  if (!straight.found) {
    shape.link.kind = LinkKind::cloglog;
    straight = find_crossing(points, shape, beta);
  }
  return straight.found ? with_priors(shape, points, beta, num_neurons, straight, dispersion) : shape;
}

void fit_isotonic(const std::vector<CurvePoint>& points, double beta, CurveFit& fit) {
  struct Block {
    double successes, trials;
    std::size_t size;
    double fraction() const { return successes / trials; }
    /// ln(−ln p) of a fraction drawn away from 0 and 1 by half a trial.
    double score() const { return log_log((successes + 0.5) / (trials + 1)); }
  };
  std::vector<Block> blocks;
  fit.isotonic = {0, kInfinity};
  for (const CurvePoint& point : points) {
    blocks.push_back({static_cast<double>(point.successes), static_cast<double>(point.trials), 1});
    while (blocks.size() > 1 && blocks.back().fraction() > blocks[blocks.size() - 2].fraction()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back().successes += last.successes;
      blocks.back().trials += last.trials;
      blocks.back().size += last.size;
    }
    const core::Interval interval = core::cluster_interval(point.counts(), 2 * kIsotonicConfidence - 1);
    const auto k = static_cast<double>(point.num_patterns);
    if (interval.low >= beta) fit.isotonic.low = k;
    if (interval.high < beta) fit.isotonic.high = std::min(fit.isotonic.high, k);
  }
  std::size_t passed = 0;  // points up to the last block at or above β
  std::size_t block = 0;
  while (block < blocks.size() && blocks[block].fraction() >= beta) passed += blocks[block++].size;
  fit.last_passing = passed > 0 ? points[passed - 1].num_patterns : 0;
  if (block == 0 || block == blocks.size()) {
    fit.k_max_isotonic = block == 0 ? 0 : kInfinity;
    return;
  }
  const double low = std::log(static_cast<double>(points[passed - 1].num_patterns));
  const double high = std::log(static_cast<double>(points[passed].num_patterns));
  const double below = blocks[block - 1].score();
  const double above = blocks[block].score();
  const double share = above > below ? std::clamp((log_log(beta) - below) / (above - below), 0.0, 1.0) : 0.5;
  fit.k_max_isotonic = std::exp(low + share * (high - low));
}

std::vector<CurvePoint> checked(std::span<const CurvePoint> points, double beta, int num_neurons) {
  if (!(beta > 0 && beta < 1)) throw std::invalid_argument("beta of a success curve lies between 0 and 1, exclusive");
  if (num_neurons < 2) throw std::invalid_argument("a success curve needs at least 2 neurons");
  std::vector<CurvePoint> sorted;
  for (const CurvePoint& point : points) {
    if (point.num_patterns < 1)
      throw std::invalid_argument("a point with " + std::to_string(point.num_patterns) + " patterns: K starts at 1");
    core::cluster_estimate(point.counts());  // throws for impossible counts
    if (point.trials > 0) sorted.push_back(point);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const CurvePoint& a, const CurvePoint& b) { return a.num_patterns < b.num_patterns; });
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].num_patterns == sorted[i - 1].num_patterns)
      throw std::invalid_argument("K = " + std::to_string(sorted[i].num_patterns) +
                                  " occurs twice in one success curve: add its counts up first");
  return sorted;
}

}  // namespace

double CurveFit::relative_half_width() const { return ok ? (ci_high - ci_low) / (2 * k_max) : kInfinity; }

CurveFit fit_success_curve(std::span<const CurvePoint> points, double beta, int num_neurons, double confidence) {
  const std::vector<CurvePoint> all = checked(points, beta, num_neurons);
  CurveFit fit;
  const auto refuse = [&](const char* reason) {
    fit.reason = reason;
    fit.k_max = fit.ci_low = fit.ci_high = kNaN;
    return fit;
  };
  if (all.empty()) return refuse("no trials");
  fit_isotonic(all, beta, fit);
  if (all.size() < 2) return refuse("a success curve needs at least two K");
  const std::vector<CurvePoint> near = window(all, simple_shape(beta, num_neurons), beta);
  const Dispersion dispersion = cluster_dispersion(near);
  const Shape shape = choose_shape(near, beta, num_neurons, dispersion.factor);
  const Crossing crossing = find_crossing(near, shape, beta);
  if (!crossing.found) return refuse("the success probability does not fall with K");

  fit.link = shape.link.kind;
  fit.window_points = static_cast<int>(near.size());
  for (const CurvePoint& point : near) fit.window_trials += point.trials;
  fit.steepness = crossing.slope * shape.link.slope(shape.link.inverse(beta)) / (beta * std::log(beta));
  fit.goodness_of_fit = misfit(crossing, near, dispersion.factor);
  fit.dispersion = dispersion.factor;
  if (fit.goodness_of_fit < kMisfit) {
    const auto degrees = static_cast<double>(near.size() - 2);
    fit.dispersion = std::max(dispersion.factor, crossing.pearson / degrees);
    fit.misfit = fit.dispersion / dispersion.factor;
  }

  const double tail = (1 + confidence) / 2;
  const double quantile = std::isfinite(dispersion.degrees_of_freedom)
                              ? boost::math::quantile(boost::math::students_t(dispersion.degrees_of_freedom), tail)
                              : std::sqrt(boost::math::quantile(boost::math::chi_squared(1), confidence));
  const double rise = quantile * quantile * fit.dispersion;
  fit.k_max = std::exp(crossing.at);
  // Where the curve leaves a side open, points outside the window may still close it.
  const double low = std::exp(profile_end(near, shape, beta, crossing, rise, -1));
  const double high = std::exp(profile_end(near, shape, beta, crossing, rise, +1));
  fit.ci_low = low > 0 ? low : std::min(fit.isotonic.low, fit.k_max);
  fit.ci_high = std::isfinite(high) ? high : std::max(fit.isotonic.high, fit.k_max);
  fit.isotonic_agrees = fit.isotonic.low <= fit.k_max && fit.k_max <= fit.isotonic.high;
  const bool inside = fit.k_max >= static_cast<double>(all.front().num_patterns) &&
                      fit.k_max <= static_cast<double>(all.back().num_patterns);
  fit.ok = inside && fit.ci_low > 0 && std::isfinite(fit.ci_high);
  if (!inside) fit.reason = "the crossing lies outside the measured K";
  if (inside && !fit.ok) fit.reason = "too few trials for a finite interval";
  return fit;
}

}  // namespace dam

#include "analysis/scaling_fit.h"

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "core/numbers.h"
#include "core/random.h"
#include "core/statistics/binomial.h"
#include "dam/theory/theory.h"

namespace analysis {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTwoSided95 = 1.959963984540054;

/// One thing to fit: y on x, as a slope or as a mean of e^y.
struct Quantity {
  std::string id;
  std::string formula;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> sigma;
  bool slope = true;
  double theory = kNaN;
};

dam::TheoryInput theory_input(const ScalingPoint& point) {
  dam::TheoryInput input;
  input.num_neurons = point.configuration.num_neurons;
  input.model = point.configuration.model;
  input.alpha = point.configuration.alpha;
  input.beta = point.beta;
  input.rule = point.configuration.dynamics.rule;
  input.self_coupling = point.configuration.dynamics.self_coupling;
  return input;
}

double theory(std::string_view id, const ScalingPoint& point) {
  return dam::theory_row(id).evaluate(theory_input(point)).value;
}

/// What two points of one fit differ in, beyond N, seed and cues; empty if in nothing.
std::string difference(const ScalingPoint& a, const ScalingPoint& b) {
  const dam::Configuration& left = a.configuration;
  const dam::Configuration& right = b.configuration;
  if (a.beta != b.beta) return "beta (" + core::number_text(a.beta) + " and " + core::number_text(b.beta) + ")";
  if (left.alpha != right.alpha)
    return "alpha (" + core::number_text(left.alpha) + " and " + core::number_text(right.alpha) + ")";
  if (!(left.model == right.model)) return "model (" + left.model.text() + " and " + right.model.text() + ")";
  if (left.dynamics.rule != right.dynamics.rule) return "update rule";
  if (left.dynamics.order != right.dynamics.order) return "update order";
  if (left.dynamics.tie != right.dynamics.tie) return "tie rule";
  if (left.dynamics.self_coupling != right.dynamics.self_coupling) return "self-coupling";
  if (left.dynamics.max_passes != right.dynamics.max_passes) return "pass cap";
  if (!(left.success == right.success)) return "success rule";
  if (!(left.patterns == right.patterns)) return "pattern source";
  return {};
}

std::vector<ScalingPoint> usable(std::span<const ScalingPoint> points) {
  std::vector<ScalingPoint> values;
  for (const ScalingPoint& point : points)
    if (point.ok) values.push_back(point);
  std::stable_sort(values.begin(), values.end(), [](const ScalingPoint& a, const ScalingPoint& b) {
    return a.configuration.num_neurons < b.configuration.num_neurons;
  });
  if (values.size() < 3)
    throw std::invalid_argument("a scaling fit needs at least 3 measured capacities, not " +
                                std::to_string(values.size()) + " (bounds do not count)");
  for (const ScalingPoint& point : values) {
    const std::string at = "N = " + std::to_string(point.configuration.num_neurons) + ": ";
    if (const std::string what = difference(values.front(), point); !what.empty())
      throw std::invalid_argument("capacities of different conventions in one fit: they differ in " + what);
    if (!(point.k_max > 1) || !std::isfinite(point.k_max))
      throw std::invalid_argument(at + "K_max " + core::number_text(point.k_max) + " is not above 1");
    if (!(point.ci_low > 0 && point.ci_low < point.ci_high && std::isfinite(point.ci_high)))
      throw std::invalid_argument(at + "the interval of K_max has no width, so it has no weight");
  }
  if (values.front().configuration.num_neurons == values.back().configuration.num_neurons)
    throw std::invalid_argument("a scaling fit needs at least 2 different N, all are " +
                                std::to_string(values.front().configuration.num_neurons));
  return values;
}

struct Line {
  double value = 0;  // the slope, or e^mean
  double chi_squared = 0;
};

/// Weighted least squares of the points from `first` on.
Line fit_line(const Quantity& quantity, std::span<const double> y, std::size_t first) {
  double weight = 0, mean_x = 0, mean_y = 0;
  for (std::size_t i = first; i < y.size(); ++i) {
    const double w = 1 / (quantity.sigma[i] * quantity.sigma[i]);
    weight += w;
    mean_x += w * quantity.x[i];
    mean_y += w * y[i];
  }
  mean_x /= weight;
  mean_y /= weight;
  double covariance = 0, variance = 0;
  for (std::size_t i = first; i < y.size(); ++i) {
    const double w = 1 / (quantity.sigma[i] * quantity.sigma[i]);
    covariance += w * (quantity.x[i] - mean_x) * (y[i] - mean_y);
    variance += w * (quantity.x[i] - mean_x) * (quantity.x[i] - mean_x);
  }
  const double slope = quantity.slope ? covariance / variance : 0;
  Line line{quantity.slope ? slope : std::exp(mean_y), 0};
  for (std::size_t i = first; i < y.size(); ++i) {
    const double residual = (y[i] - mean_y - slope * (quantity.x[i] - mean_x)) / quantity.sigma[i];
    line.chi_squared += residual * residual;
  }
  return line;
}

ScalingRow fit(const Quantity& quantity, const ScalingOptions& options) {
  const std::size_t count = quantity.y.size();
  const Line best = fit_line(quantity, quantity.y, 0);
  ScalingRow row;
  row.id = quantity.id;
  row.quantity = quantity.formula;
  row.measured = best.value;
  row.chi_squared = best.chi_squared;
  row.degrees_of_freedom = static_cast<int>(count) - (quantity.slope ? 2 : 1);

  std::vector<double> replicas;
  for (int replica = 0; replica < options.bootstrap; ++replica) {
    core::Stream stream(options.seed, 0, static_cast<std::uint64_t>(replica), core::Purpose::bootstrap);
    boost::random::normal_distribution<> normal;
    std::vector<double> y = quantity.y;
    for (std::size_t i = 0; i < count; ++i) y[i] += quantity.sigma[i] * normal(stream);
    replicas.push_back(fit_line(quantity, y, 0).value);
  }
  std::sort(replicas.begin(), replicas.end());
  const auto quantile = [&](double share) {
    return replicas[static_cast<std::size_t>(std::llround(share * static_cast<double>(replicas.size() - 1)))];
  };
  row.ci_low = quantile(0.025);
  row.ci_high = quantile(0.975);

  std::size_t second = 1;  // the first point of the next larger N
  while (second < count && quantity.x[second] == quantity.x.front()) ++second;
  const bool enough = quantity.slope ? second < count && quantity.x[second] < quantity.x.back() : second < count;
  row.systematic = enough ? fit_line(quantity, quantity.y, second).value - best.value : kNaN;
  row.theory = quantity.theory;
  row.deviation = (row.measured - row.theory) / ((row.ci_high - row.ci_low) / (2 * kTwoSided95));
  return row;
}

using Abscissa = double (*)(const ScalingPoint&);
double log_size(const ScalingPoint& point) { return std::log(point.configuration.num_neurons); }
double log_neighbours(const ScalingPoint& point) { return std::log(point.configuration.num_neurons - 1); }
double size(const ScalingPoint& point) { return point.configuration.num_neurons; }

/// ln of K − shift over a reference, with the interval's error carried along.
template <typename Reference>
Quantity quantity(const std::vector<ScalingPoint>& points, std::string id, std::string formula, Abscissa abscissa,
                  double shift, const Reference& log_reference) {
  Quantity result{std::move(id), std::move(formula), {}, {}, {}, true, kNaN};
  for (const ScalingPoint& point : points) {
    const double sigma = std::log(point.ci_high / point.ci_low) / (2 * kTwoSided95);
    result.x.push_back(abscissa(point));
    result.y.push_back(std::log(point.k_max - shift) - log_reference(point));
    result.sigma.push_back(sigma * point.k_max / (point.k_max - shift));
  }
  return result;
}

}  // namespace

std::vector<ScalingRow> fit_scaling(std::span<const ScalingPoint> points, const ScalingOptions& options) {
  if (options.bootstrap < 100)
    throw std::invalid_argument("a bootstrap of " + std::to_string(options.bootstrap) + " replicas: at least 100");
  const std::vector<ScalingPoint> values = usable(points);
  const core::Separation& separation = values.front().configuration.model.separation;
  const bool exponential = separation.kind == core::SeparationKind::exponential;
  std::vector<ScalingRow> rows;
  const auto add = [&](Quantity fitted, double expected, bool slope = true) {
    const bool finite = std::all_of(fitted.y.begin(), fitted.y.end(), [](double y) { return std::isfinite(y); });
    if (!finite) return;
    fitted.theory = expected;
    fitted.slope = slope;
    rows.push_back(fit(fitted, options));
  };
  const auto nothing = [](const ScalingPoint&) { return 0.0; };
  std::map<int, double> known;  // by N, which is all in which the points differ: the law can take seconds
  const auto exact = [&known](const ScalingPoint& point) {
    const auto [place, fresh] = known.try_emplace(point.configuration.num_neurons);
    if (fresh) place->second = std::log(theory("one-step", point));
    return place->second;
  };

  if (separation.integer_valued()) {
    const double exponent = separation.degree() - 1;
    const auto pattern = [](const ScalingPoint& point) { return std::log(theory("pattern", point) - 1); };
    const auto corrected = [&](const ScalingPoint& point) { return pattern(point) - exponent * log_neighbours(point); };
    add(quantity(values, "naive-exponent", "d ln K / d ln N", log_size, 0, nothing), exponent);
    add(quantity(values, "log-corrected-exponent", "d ln[(K-1) z^2 M/D^(n-1)] / d ln D", log_neighbours, 1, corrected),
        exponent);
    add(quantity(values, "pattern-prefactor", "(K-1)/(K_pattern-1)", log_size, 1, pattern), 1, false);
  }
  if (exponential) {
    const auto squared_z = [](const ScalingPoint& point) {
      return -2 * std::log(core::upper_tail_inverse(-std::log(point.beta) / point.configuration.num_neurons));
    };
    const double rate = theory("extreme-rate", values.front());
    add(quantity(values, "naive-rate", "d ln K / dN", size, 0, nothing), rate);
    // P(largest of K overlaps ≥ xN) ~ K e^{−N·I(x)}/√N, so that K ~ √N e^{N·I}.
    const auto root = [](const ScalingPoint& point) { return 0.5 * std::log(point.configuration.num_neurons); };
    const bool overlap_decides = rate == dam::overlap_rate(2 * values.front().configuration.alpha - 1);
    if (values.front().configuration.alpha == 1)
      add(quantity(values, "log-corrected-rate", "d ln[(K-1) z^2] / dN", size, 1, squared_z), rate);
    else if (overlap_decides)
      add(quantity(values, "log-corrected-rate", "d ln[K/sqrt(N)] / dN", size, 0, root), rate);
    const double bound = theory("demircigil", values.front());
    if (std::isfinite(bound)) add(quantity(values, "bound-rate", "d ln K / dN", size, 0, nothing), bound);
  }
  if (!options.exact_law) return rows;
  const Abscissa abscissa = exponential ? size : log_size;
  add(quantity(values, "exact-law-slope", exponential ? "d ln(K/K_one-step) / dN" : "d ln(K/K_one-step) / d ln N",
               abscissa, 0, exact),
      0);
  add(quantity(values, "exact-law-prefactor", "K/K_one-step", abscissa, 0, exact), 1, false);
  return rows;
}

}  // namespace analysis

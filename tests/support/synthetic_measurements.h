// Invented measurements for tests of figures, tables and reports: signal-to-noise formulas with noise on top.
// They look like results and are none; nothing made from them is ever published.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "analysis/measurements.h"
#include "core/numbers.h"

namespace synthetic {

/// z with N·Q(z) = ln(1/β), by bisection.
inline double field_quantile(double num_neurons, double beta) {
  double low = 0, high = 12;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (num_neurons * 0.5 * std::erfc(middle / std::sqrt(2.)) > -std::log(beta) ? low : high) = middle;
  }
  return low;
}

/// The capacity of a configuration by signal to noise (THEORY §3 `pattern`, leading moment; §5 for exponentials).
inline double capacity(const analysis::Identity& row, double beta) {
  const double n = row.parameter(), num_neurons = static_cast<double>(row.num_neurons);
  const double signal = (num_neurons - 1) * (2 * row.alpha - 1);
  const double z = field_quantile(num_neurons, beta);
  if (row.family() == "exp") return std::exp((2 * n - std::log(std::cosh(2 * n))) * signal) / (z * z);
  double double_factorial = 1;
  for (double odd = 2 * n - 3; odd > 1; odd -= 2) double_factorial *= odd;
  return 1 + std::pow(signal, n - 1) * std::pow(2 * row.alpha - 1, n - 1) / (double_factorial * z * z) *
                 (row.family() == "relu-power" ? 2 : 1);
}

inline analysis::Identity identity(int num_neurons, const std::string& separation, double alpha) {
  analysis::Identity row;
  row.num_neurons = num_neurons;
  row.model = row.separation = separation;
  row.similarity = "dot";
  row.shaping = "linear";
  row.alpha = alpha;
  row.degree = row.family() == "exp" ? 0 : static_cast<int>(row.parameter());
  row.rule = "derivative";
  row.order = "random";
  row.tie = "keep";
  row.self_coupling = "removed";
  row.success = "exact";
  row.patterns = "iid";
  row.max_passes = 100;
  row.seed = 1;
  return row;
}

/// Gathers invented rows; equal calls give equal rows.
class Sweep {
 public:
  explicit Sweep(std::string name) { measured_.name = std::move(name); }

  /// One capacity and a few points around it; K beyond `max_patterns` becomes a bound.
  Sweep& measure(analysis::Identity identity, double beta, double factor = 1, double max_patterns = 1e6) {
    identity.configuration = ++configurations_;
    analysis::CapacityRow row{identity, beta, 0, 0, 0, "ok", 0.4, 1, 4000, 2.5, 0, 0, 0, 0};
    const double expected = capacity(identity, beta);
    const bool exponential = identity.family() == "exp";
    row.k_max = expected * factor * std::exp(0.02 * normal_(random_));
    row.ci_low = row.k_max * 0.955;
    row.ci_high = row.k_max * 1.05;
    row.k_pattern_snr = expected;
    row.k_exact_one_step = exponential ? analysis::kMissing : expected * 1.06;
    row.k_krotov_hopfield = exponential || identity.alpha < 1
                                ? analysis::kMissing
                                : expected *
                                      std::pow(field_quantile(static_cast<double>(identity.num_neurons), beta), 2) /
                                      (2 * std::log(static_cast<double>(identity.num_neurons)));
    const double x = 2 * identity.alpha - 1;
    const double rate = 0.25 * ((1 + x) * std::log(1 + x) + (x < 1 ? (1 - x) * std::log(1 - x) : 0));
    row.k_demircigil = exponential ? std::exp(rate * static_cast<double>(identity.num_neurons)) : analysis::kMissing;
    if (row.k_max > max_patterns)
      row.k_max = row.ci_low = max_patterns, row.ci_high = INFINITY, row.status = "lower_bound";
    if (row.k_max < 1) row.k_max = row.ci_high = 1, row.ci_low = 0, row.status = "upper_bound";
    // One curve through both thresholds: −ln p grows as K to the power that takes K(0.95) to K(0.5).
    const double steepness =
        std::log(std::log(0.5) / std::log(0.95)) / std::log(capacity(identity, 0.5) / capacity(identity, 0.95));
    if (row.status == "ok")
      for (const double step : {0.6, 0.8, 1., 1.25, 1.6})
        add_point(identity, row.k_max * step, std::pow(beta, std::pow(step, steepness)));
    measured_.capacity.push_back(row);
    return *this;
  }

  /// One point at K patterns, its success probability from the capacity formula.
  Sweep& point(analysis::Identity identity, double num_patterns) {
    identity.configuration = ++configurations_;
    const double ratio = num_patterns / capacity(identity, 0.5);
    add_point(identity, num_patterns, std::pow(0.5, ratio * ratio * ratio));
    return *this;
  }

  const analysis::Measurements& measured() const { return measured_; }

 private:
  void add_point(const analysis::Identity& identity, double num_patterns, double probability) {
    analysis::PointRow row;
    static_cast<analysis::Identity&>(row) = identity;
    row.num_patterns = static_cast<std::int64_t>(std::max(1., num_patterns));
    row.trials = 500;
    row.success_probability = probability;
    const double half = 2 * std::sqrt(probability * (1 - probability) / 500) + 0.002;
    row.ci_low = std::max(0., probability - half);
    row.ci_high = std::min(1., probability + half);
    row.energy_rises = identity.rule == "derivative" && identity.degree > 2 ? 12 * identity.degree : 0;
    row.cycles = identity.order == "synchronous" ? 180 : 0;
    row.load = identity.degree == 0 ? analysis::kMissing
                                    : num_patterns / std::pow(static_cast<double>(identity.num_neurons),
                                                              static_cast<double>(identity.degree - 1));
    measured_.points.push_back(row);
  }

  analysis::Measurements measured_;
  std::uint64_t configurations_ = 0;
  std::minstd_rand random_;
  std::normal_distribution<double> normal_;
};

inline analysis::Measurements scaling() {
  Sweep sweep("scaling.h5");
  for (const int n : {2, 3, 4})
    for (const int num_neurons : {32, 64, 128, 256})
      for (const double alpha : {1., 0.9})
        for (const double beta : {0.5, 0.95})
          sweep.measure(identity(num_neurons, "power:" + std::to_string(n), alpha), beta, 1, 3e5);
  return sweep.measured();
}

inline analysis::Measurements basins() {
  Sweep sweep("basins.h5");
  for (const int n : {2, 3})
    for (const int num_neurons : {32, 64, 128})
      for (const double alpha : {0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.})
        sweep.measure(identity(num_neurons, "power:" + std::to_string(n), alpha), 0.5);
  return sweep.measured();
}

inline analysis::Measurements ablation() {
  Sweep sweep("ablation.h5");
  for (const int n : {2, 3, 4})
    for (const char* rule : {"derivative", "energy"})
      for (const char* order : {"random", "sequential", "replacement", "synchronous"})
        for (const char* tie : {"keep", "random"})
          for (const char* self : {"removed", "kept"}) {
            if (std::string(rule) == "energy" && std::string(self) == "kept") continue;
            auto row = identity(64, "power:" + std::to_string(n), 0.9);
            row.rule = rule, row.order = order, row.tie = tie, row.self_coupling = self;
            sweep.measure(row, 0.5, row.order == "synchronous" ? 0.85 : 1);
          }
  return sweep.measured();
}

inline analysis::Measurements models() {
  Sweep sweep("models.h5");
  for (const char* similarity : {"dot", "cosine", "euclidean"})
    for (const char* separation : {"power:3", "relu-power:3", "exp:0.1"})
      for (const char* shaping : {"linear", "log", "power:2"})
        for (const int num_neurons : {32, 64}) {
          auto row = identity(num_neurons, separation, 0.9);
          row.similarity = similarity, row.shaping = shaping;
          sweep.measure(row, 0.5, 1, 400);
        }
  return sweep.measured();
}

inline analysis::Measurements rectified() {
  Sweep sweep("rectified.h5");
  for (const int n : {3, 4})
    for (const char* family : {"power:", "relu-power:"})
      for (const int num_neurons : {32, 48, 64, 96, 128})
        for (const double alpha : {1., 0.9})
          sweep.measure(identity(num_neurons, family + std::to_string(n), alpha), 0.5);
  return sweep.measured();
}

inline analysis::Measurements exponential() {
  Sweep sweep("exponential.h5");
  for (const int num_neurons : {12, 16, 20})
    for (const double alpha : {0.7, 0.8, 0.9, 0.95, 1.})
      for (const double beta : {0.5, 0.95}) sweep.measure(identity(num_neurons, "exp:1", alpha), beta, 1, 1e5);
  return sweep.measured();
}

inline analysis::Measurements patterns() {
  Sweep sweep("patterns.h5");
  const std::vector<std::pair<const char*, double>> sources{{"iid", 1},
                                                            {"biased:0.4", 0.8},
                                                            {"biased:0.3", 0.4},
                                                            {"copies:10:0.1", 0.2},
                                                            {"low-rank:5:1", 0.3},
                                                            {"file:data/fashion_mnist.h5", 0.1}};
  for (const auto& [source, factor] : sources)
    for (const int n : {2, 3, 4}) {
      auto row = identity(196, "power:" + std::to_string(n), 0.9);
      row.patterns = source;
      sweep.measure(row, 0.5, factor);
    }
  return sweep.measured();
}

inline analysis::Measurements curves() {
  Sweep sweep("curves.h5");
  for (const int n : {2, 3})
    for (const int num_neurons : {32, 64, 128})
      for (const double alpha : {1., 0.9})
        for (const double load : {0.3, 0.5, 0.7, 0.85, 1., 1.2, 1.5, 2.}) {
          const auto row = identity(num_neurons, "power:" + std::to_string(n), alpha);
          sweep.point(row, load * capacity(row, 0.5));
        }
  return sweep.measured();
}

inline analysis::Measurements cue_quality() {
  Sweep sweep("cue_quality.h5");
  for (const int num_neurons : {64, 128})
    for (const double load : {0.3, 0.5, 0.8})
      for (const double alpha : {0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.}) {
        const auto row = identity(num_neurons, "power:3", alpha);
        sweep.point(row, std::round(load * capacity(identity(num_neurons, "power:3", 1), 0.5)));
      }
  return sweep.measured();
}

inline std::vector<analysis::Measurements> all() {
  return {scaling(), basins(), ablation(), models(), rectified(), exponential(), patterns(), curves(), cue_quality()};
}

}  // namespace synthetic

// The rows of a result file as values: what figures, tables and reports are built from.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/drawing/figure.h"
#include "results/table.h"

namespace analysis {

/// The identity columns: a configuration in the words that files store.
struct Identity {
  std::uint64_t configuration = 0;
  std::int64_t num_neurons = 0;
  std::string model;
  std::string similarity;
  std::string separation;
  std::string shaping;
  std::int64_t degree = 0;
  double alpha = 1;
  std::string rule;
  std::string order;
  std::string tie;
  std::string self_coupling;
  std::string success;
  std::string patterns;
  std::int64_t cues = 1;
  std::int64_t max_passes = 0;
  std::uint64_t seed = 0;

  /// `power`, `relu-power`, `exp`, …: the separation without its parameter.
  std::string family() const;
  /// The parameter of the separation: degree n of a power, λ of an exponential.
  double parameter() const;
};

/// One row of `points`: a configuration at K patterns.
struct PointRow : Identity {
  std::int64_t num_patterns = 0;
  std::int64_t trials = 0;
  std::int64_t flips = 0;
  std::int64_t not_converged = 0;
  std::int64_t cycles = 0;
  std::int64_t energy_rises = 0;
  double success_probability = 0;
  double ci_low = 0;
  double ci_high = 0;
  double load = 0;
  double mean_final_bit_error = 0;
  double seconds = 0;
};

/// One row of `capacity`: a configuration and a threshold β.
struct CapacityRow : Identity {
  double beta = 0.5;
  double k_max = 0;
  double ci_low = 0;
  double ci_high = 0;
  std::string status;
  double goodness_of_fit_p = 0;
  std::int64_t isotonic_agrees = 1;
  std::int64_t trials = 0;
  double seconds = 0;
  double k_pattern_snr = 0;
  double k_krotov_hopfield = 0;
  double k_exact_one_step = 0;
  double k_demircigil = 0;
};

/// What the status says about k_max.
Bound bound_of(const CapacityRow& row);

/// What one file measured.
struct Measurements {
  std::string name;  // of the file, for titles and messages
  std::vector<PointRow> points;
  std::vector<CapacityRow> capacity;
};

/// Reads the tables; throws std::out_of_range or std::invalid_argument naming a missing or mistyped column, or an
/// unknown status.
std::vector<PointRow> point_rows(const results::Table& points);
std::vector<CapacityRow> capacity_rows(const results::Table& capacity);

/// What a careful reader would ask about, one sentence each: bounds, misfits, disagreements, trials that never settled.
std::vector<std::string> doubts(const Measurements& measured);

/// A predicted K_max: what a legend calls it, how sure it is (THEORY), its value beside a measured row or NaN.
struct TheoryCurve {
  std::string label;
  std::string status;
  std::function<double(const CapacityRow&)> k_max;
};

/// The predictions drawn beside every measurement: the file's own columns, and rates that need no column.
std::vector<TheoryCurve> theory_beside();

/// A convention two rows can differ in, and how it reads in a sentence.
struct Convention {
  const char* name;
  std::string (*text)(const Identity&);
};

/// All conventions; rows that agree in them differ in K or β only.
std::span<const Convention> conventions();

/// Pointers to the identities of rows: what conventions are compared over.
template <class Row>
std::vector<const Identity*> identities(const std::vector<Row>& rows) {
  std::vector<const Identity*> all;
  for (const Row& row : rows) all.push_back(&row);
  return all;
}

/// The distinct values of a convention, in order of first appearance.
std::vector<std::string> distinct(const std::vector<const Identity*>& rows, const Convention& convention);

/// `rule derivative, order random, …`: the conventions on which all rows agree.
std::string shared_conventions(const std::vector<const Identity*>& rows);

}  // namespace analysis

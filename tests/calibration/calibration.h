// Whether 95 % means 95 %: real capacity searches over many seeds, held against a truth measured apart from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dam/configuration.h"

namespace calibration {

/// Where success counts come from: recalls, or draws from the law of N independent Gaussian fields.
enum class Source { memory, law };

/// One row of the table: what is searched, with which β and precision.
struct Setting {
  const char* model;
  int num_neurons;
  double alpha;
  double beta;
  double precision;
  int cues = 1;
  Source source = Source::memory;
  std::string name() const;
  dam::Configuration configuration(std::uint64_t seed) const;
};

/// The settings of `make calibration`: degrees 2 to 5, rectified, exponential; three cue qualities, thresholds and
/// precisions; N = 24 … 128; several cues a set.
const std::vector<Setting>& settings();

/// Searches over several N whose exponent is fitted; num_neurons of the setting does not count.
struct Atlas {
  Setting setting;
  std::vector<int> sizes;
  std::string name() const;
  Setting at(int num_neurons) const;
};

/// Degrees 2 to 4, cues at α = 1 and 0.9, and one atlas of the law itself.
const std::vector<Atlas>& atlases();

/// K at which the success probability is β, and its standard error: many trials at K within a few per cent of the
/// crossing, and a parabola of ln(−ln p) in ln K through them that may differ for odd and even K by a constant, of
/// which the mean counts. No fit of dam/search takes part.
struct Truth {
  double k_max = 0;
  double error = 0;
};

/// Draws from `seed`, a power of two of batches at a time until the error is at most a tenth of what half an interval
/// of the setting's precision allows, relative to K.
Truth truth_of(const Setting& setting, std::uint64_t seed, int threads);

/// One search as `dam capacity` makes it.
struct Outcome {
  bool ok = false;
  double k_max = 0, ci_low = 0, ci_high = 0;
  std::int64_t trials = 0;
};
Outcome search(const Setting& setting, std::uint64_t seed);

/// What many searches come to.
struct Coverage {
  int runs = 0, ok = 0;
  int below = 0, above = 0;  // intervals that lie below the truth, above it
  double bias = 0;           // mean error over mean half width
  double half_width = 0;     // mean, relative to K
  double spread = 0;         // 1.96 standard deviations of K_max, relative to K
  double trials = 0;         // mean
  int covered() const { return ok - below - above; }
};
Coverage coverage_of(const std::vector<Outcome>& outcomes, double truth);

/// What `dam fit` makes of many atlases: the log-corrected exponent beside what the true capacities give with the same
/// weights, and Σ (K_max − K)²/σ², which should be χ² of as many degrees of freedom as there are sizes.
struct ExponentCoverage {
  int runs = 0;
  int below = 0, above = 0;
  double exponent = 0;    // of the true capacities, mean
  double bias = 0;        // mean error over mean half width
  double half_width = 0;  // mean
  double spread = 0;      // 1.96 standard deviations of the error
  double unlikely = 0;    // share of atlases whose χ² has a p-value below 5 %
  int covered() const { return runs - below - above; }
};
/// outcomes[i] and truths[i] belong to sizes[i]; outcomes[i][j] to the j-th atlas.
ExponentCoverage exponent_coverage(const Atlas& atlas, const std::vector<std::vector<Outcome>>& outcomes,
                                   const std::vector<double>& truths);

}  // namespace calibration

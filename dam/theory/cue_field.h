// What each stored pattern adds to the field of a spin when the state is a cue: signal and noise of one update.
#pragma once

#include <cstdint>
#include <vector>

#include "core/energy/energy_model.h"
#include "dam/configuration.h"
#include "dam/theory/sum_law.h"

namespace dam {

/// The probabilities of one spin's field, in the direction of the cue's spin, seen from the pattern.
struct SpinUpdate {
  double kept;     // a spin that the cue kept is right after the update (ties keep it)
  double flipped;  // a spin that the cue flipped is right after the update
  double error;    // bound on the numerical error of each
};

/// Signal and noise for iid fair patterns, all weights up to one positive factor.
class CueField {
 public:
  /// Throws std::invalid_argument for N < 2 or a degenerate model (core::EnergyModel::degenerate).
  CueField(const core::EnergyModel& model, int num_neurons, UpdateRule rule, SelfCoupling self_coupling);

  int num_neurons() const { return num_neurons_; }

  /// A pattern with overlap x with the other spins and ξσ = own_sign on this one, in the direction ξ.
  double weight(int x, int own_sign) const;

  /// Where numbers are too small for doubles: weight() is 0 and only its order was.
  bool lost(int x, int own_sign) const;

  /// The noise of the K − 1 other patterns, in the direction of the cue's spin.
  SumLaw noise(std::int64_t num_patterns) const;

  /// One pattern's noise: its values and probabilities.
  const std::vector<SumLaw::Term>& noise_terms() const { return noise_; }

  /// Both kinds of spins when `wrong` of the cue's N components are; `noise` of this field. A kind that is absent
  /// has probability 1. `enough`: see SumLaw::at.
  SpinUpdate update(const SumLaw& noise, int wrong, double enough) const;

 private:
  using Wide = __int128;

  Wide argument(int overlap) const;
  Wide power(int overlap, int exponent) const;
  Wide integer(int x, int own_sign) const;
  double scaled_power(int overlap, double exponent) const;
  double separation(int overlap) const;
  double slope(int overlap) const;

  core::EnergyModel model_;
  int num_neurons_;
  bool energy_;
  bool kept_;  // the self-coupling
  core::AffineSimilarity similarity_;
  double scale_ = 1;
  double exponent_ = 0;  // of exponential separation, per unit of the overlap
  bool integers_ = false;
  double reach_ = 0;
  std::vector<SumLaw::Term> noise_;
};

}  // namespace dam

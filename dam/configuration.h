// A configuration: everything that changes a measured probability except the number of patterns K.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/energy/energy_model.h"

namespace dam {

/// derivative: spin i takes the sign of Σ_μ ξ_i f(m_μ − ξ_i σ_i); energy: it flips iff the energy falls (THEORY §1).
enum class UpdateRule { derivative, energy };
/// Which spin is updated next. random: a fresh permutation per pass; replacement: N spins drawn with replacement, where
/// a quiet pass ends recall only if no spin wants to flip; sequential: 0 … N−1; synchronous: all at once, a pass is one
/// step.
enum class UpdateOrder { random, sequential, replacement, synchronous };
/// What a spin does when its field is exactly 0.
enum class TieRule { keep, plus, minus, random };
/// Whether spin i's own contribution is left in its field (derivative rule only; the energy rule has none).
enum class SelfCoupling { removed, kept };

/// How recall runs.
struct Dynamics {
  UpdateRule rule = UpdateRule::derivative;
  UpdateOrder order = UpdateOrder::random;
  TieRule tie = TieRule::keep;
  SelfCoupling self_coupling = SelfCoupling::removed;
  int max_passes = 100;
  bool operator==(const Dynamics&) const = default;
};

/// When a recalled state counts as the pattern: normalized overlap ≥ min_overlap (1 = exactly equal).
struct SuccessRule {
  double min_overlap = 1;
  bool up_to_sign = false;  // −ξ counts too (an attractor for even degrees)
  bool operator==(const SuccessRule&) const = default;
};

/// Where patterns come from.
enum class PatternKind { iid, biased, low_rank, copies, file };

/// A pattern distribution.
///
/// iid: fair ±1. biased: P(ξ = +1) = parameter. low_rank: sign of a random mixture of `rank` Gaussian prototypes plus
/// unit noise scaled by parameter. copies: each pattern is one of `rank` iid prototypes with every component flipped
/// with probability parameter. file: rows of `path` (hash in `content`), in an order drawn per trial.
struct PatternSource {
  PatternKind kind = PatternKind::iid;
  double parameter = 0.5;
  int rank = 0;
  std::string path;
  std::uint64_t content = 0;
  bool operator==(const PatternSource&) const = default;
};

/// All that changes the answer except K.
struct Configuration {
  int num_neurons = 64;
  core::EnergyModel model;
  Dynamics dynamics;
  double alpha = 1;
  SuccessRule success;
  PatternSource patterns;
  int cues = 1;
  std::uint64_t seed = 1;
  bool operator==(const Configuration&) const = default;
};

/// One line of `key=value` pairs with every field in a fixed order: what configuration_id hashes and files show.
std::string canonical_text(const Configuration& configuration);

/// Reads canonical_text() back (a file source keeps its content hash, not its path); throws std::invalid_argument
/// naming the field that is missing or wrong.
Configuration parse_configuration(std::string_view text);

/// 64-bit FNV-1a hash of canonical_text(): the key of the configuration's random streams and of its rows in a file.
std::uint64_t configuration_id(const Configuration& configuration);

/// The words the command line takes and files store; parse_* throw std::invalid_argument naming the accepted words.
std::string text(UpdateRule rule);
std::string text(UpdateOrder order);
std::string text(TieRule tie);
std::string text(SelfCoupling self_coupling);
std::string text(const SuccessRule& success);     // exact | exact-or-negated | overlap:0.9 | overlap-or-negated:0.9
std::string text(const PatternSource& patterns);  // iid | biased:0.3 | low-rank:10:0.5 | copies:10:0.1 | file:PATH
UpdateRule parse_rule(std::string_view text);
UpdateOrder parse_order(std::string_view text);
TieRule parse_tie(std::string_view text);
SelfCoupling parse_self_coupling(std::string_view text);
SuccessRule parse_success(std::string_view text);
PatternSource parse_patterns(std::string_view text);

}  // namespace dam

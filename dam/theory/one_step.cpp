#include "dam/theory/one_step.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

#include "core/numbers.h"
#include "core/statistics/binomial.h"

namespace dam {
namespace {

using core::SeparationKind;
using Wide = __int128;

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53
constexpr double kAliasingLog = 32.3;                  // e^{−32.3} ≈ 1e−14
constexpr double kQuietLog = -46;                      // e^{−46} ≈ 1e−20
constexpr double kFullSumCost = 1 << 20;               // cosines a sum over the whole period may cost
constexpr std::size_t kMaxNodes = std::size_t{1} << 16;
constexpr std::size_t kMaxAtoms = std::size_t{1} << 14;  // values of R that are listed one by one
constexpr double kSameValue = 1e-12;                     // of the largest value: sums that rounding tore apart
constexpr std::int64_t kMaxListed = 32;                  // terms, so that tolerances stay far below any difference
constexpr std::size_t kMinNodes = 64;
constexpr int kLargestDenominator = 40;

/// The merged law of one term: equal values added up, and, if it is symmetric, only values ≥ 0 kept.
struct Law {
  std::vector<SumLaw::Term> terms;
  bool symmetric = true;

  explicit Law(std::span<const SumLaw::Term> raw) {
    std::map<double, double> merged;
    for (const auto& [value, probability] : raw) merged[value] += probability;
    for (const auto& [value, probability] : merged) {
      const auto mirror = merged.find(-value);
      symmetric = symmetric && mirror != merged.end() && std::abs(mirror->second - probability) < 1e-15;
    }
    for (const auto& [value, probability] : merged) {
      if (!symmetric) terms.push_back({value, probability});
      if (symmetric && value >= 0) terms.push_back({value, value > 0 ? 2 * probability : probability});
    }
  }

  double largest() const {
    double size = 0;
    for (const auto& term : terms) size = std::max(size, std::abs(term.value));
    return size;
  }

  double variance() const {
    double first = 0;
    double second = 0;
    for (const auto& [value, probability] : terms) {
      first += probability * (symmetric ? 0 : value);
      second += probability * value * value;
    }
    return second - first * first;
  }

  /// ln φ(t): 1 − cos = 2 sin² keeps all digits where φ is close to 1.
  std::complex<double> log_characteristic(double t) const {
    double deficit = 0;
    double imaginary = 0;
    for (const auto& [value, probability] : terms) {
      const double half = std::sin(t * value / 2);
      deficit += 2 * probability * half * half;
      if (!symmetric) imaginary += probability * std::sin(t * value);
    }
    const double real = 1 - deficit;
    const double log_size = deficit < 0.5 ? 0.5 * std::log1p(imaginary * imaginary + deficit * (deficit - 2))
                                          : std::log(std::hypot(real, imaginary));
    return {log_size, std::atan2(imaginary, real)};
  }

  /// The larger of ln E e^{±θ·value}, with all digits where it is small: sums of 10^20 terms multiply it.
  double log_moment(double theta) const {
    double up = 0;
    double down = 0;
    for (const auto& [value, probability] : terms) {
      up += probability * std::expm1(theta * value);
      down += probability * std::expm1(-theta * value);
    }
    return symmetric ? std::log1p((up + down) / 2) : std::log1p(std::max(up, down));
  }

  /// y with P(|R| ≥ y) ≤ 2e^{−kAliasingLog} for the sum R of `count` copies: the best Chernoff bound, or R's own range.
  double tail_range(double count) const {
    const double unit = largest();
    const auto bound = [&](double log_theta) {
      const double theta = std::exp(log_theta) / unit;
      return (count * log_moment(theta) + kAliasingLog) / theta;
    };
    double low = std::log(1e-20);
    double high = std::log(600.0);
    constexpr double kGolden = 0.6180339887498949;
    for (int step = 0; step < 80; ++step) {
      const double left = high - kGolden * (high - low);
      const double right = low + kGolden * (high - low);
      (bound(left) < bound(right) ? high : low) = bound(left) < bound(right) ? right : left;
    }
    return std::min(bound((low + high) / 2), count * unit);
  }

  /// The greatest spacing of a lattice that holds all values (both signs), 0 for a constant.
  double spacing() const {
    const double first = symmetric ? -terms.back().value : terms.front().value;
    std::int64_t common = 0;
    for (const auto& term : terms) {
      common = std::gcd(common, static_cast<std::int64_t>(term.value - first));
      if (symmetric) common = std::gcd(common, static_cast<std::int64_t>(-term.value - first));
    }
    return static_cast<double>(common);
  }
};

/// All values of a sum of `count` terms with their probabilities, ascending; empty if there are too many of them.
std::vector<SumLaw::Term> list_atoms(const Law& law, std::int64_t count) {
  std::vector<SumLaw::Term> single;
  for (const auto& [value, probability] : law.terms) {
    const bool mirrored = law.symmetric && value > 0;
    single.push_back({value, mirrored ? probability / 2 : probability});
    if (mirrored) single.push_back({-value, probability / 2});
  }
  const double tolerance = kSameValue * law.largest() * static_cast<double>(count);
  std::vector<SumLaw::Term> atoms = {{0, 1}};
  for (std::int64_t copy = 0; copy < count; ++copy) {
    if (atoms.size() * single.size() > 64 * kMaxAtoms) return {};
    std::vector<SumLaw::Term> sums;
    for (const auto& atom : atoms)
      for (const auto& term : single) sums.push_back({atom.value + term.value, atom.probability * term.probability});
    std::sort(sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
    atoms.clear();
    for (const auto& sum : sums) {
      if (!atoms.empty() && sum.value - atoms.back().value <= tolerance)
        atoms.back().probability += sum.probability;
      else
        atoms.push_back(sum);
    }
    if (atoms.size() > kMaxAtoms) return {};
  }
  return atoms;
}

}  // namespace

SumLaw::SumLaw(std::span<const Term> raw, bool integers, std::int64_t count, double reach) : count_(count) {
  if (count < 0) throw std::invalid_argument("a sum of " + std::to_string(count) + " terms: the count starts at 0");
  const Law law(raw);
  const double copies = static_cast<double>(count);
  const double variance = law.variance();
  if (count == 0 || variance == 0) {
    constant_ = count == 0 ? 0 : copies * law.terms.front().value;
    count_ = 0;
    return;
  }
  if (!integers && count <= kMaxListed) atoms_ = list_atoms(law, count);
  if (!atoms_.empty()) {
    same_ = kSameValue * (law.largest() * copies + reach);
    error_ = kSameValue;
    return;
  }
  range_ = (law.tail_range(copies) + reach) * (1 + 1e-9);
  std::size_t period_nodes = std::numeric_limits<std::size_t>::max();  // half a period: the other half mirrors it
  bool whole_period = false;
  if (integers) {
    lattice_ = law.spacing();
    origin_ = static_cast<double>(static_cast<Wide>(count) * static_cast<Wide>(law.terms.front().value) %
                                  static_cast<Wide>(lattice_));
    const double half_period = std::floor(range_ / lattice_ / 2) + 1;
    range_ = 2 * half_period * lattice_;
    whole_period = half_period * static_cast<double>(law.terms.size()) <= kFullSumCost;
    if (half_period < 9e15) period_nodes = static_cast<std::size_t>(half_period);
  }
  const double step = 2 * std::numbers::pi / range_;
  std::size_t loud = 0;  // nodes up to the last one that still counts
  double recent = 0;     // largest |φ|^count since then
  for (std::size_t k = 0; k < period_nodes && (whole_period || k < kMaxNodes); ++k) {
    if (!whole_period && k >= std::max(kMinNodes, 2 * loud)) break;
    const double frequency = (static_cast<double>(k) + 0.5) * step;
    const std::complex<double> log_phi = law.log_characteristic(frequency) * copies;
    if (log_phi.real() > kQuietLog) loud = k + 1;
    recent = k + 1 == loud ? 0 : std::max(recent, std::exp(log_phi.real()));
    const double size = std::exp(log_phi.real());
    // 1/(π(k+½)), or its sum over all periods, which is a cotangent.
    const double weight = integers ? lattice_ / range_ / std::tan(frequency * lattice_ / 2) : 2 / (range_ * frequency);
    nodes_.push_back({frequency, size * std::cos(log_phi.imag()), size * std::sin(log_phi.imag()), weight});
  }
  error_ = std::exp(-kAliasingLog);
  if (nodes_.size() == period_nodes) return;
  // What was left out: beyond the last node at its recent size, and at the peaks of arithmetic origin.
  if (nodes_.size() == kMaxNodes)
    for (std::size_t k = kMaxNodes / 2; k < kMaxNodes; ++k)
      recent = std::max(recent, std::hypot(nodes_[k].real, nodes_[k].imaginary));
  // Terms recent/(π(k+½)) with phases that wander: they add up like a random walk.
  error_ += recent / std::sqrt(static_cast<double>(nodes_.size()));
  if (!integers) return;
  for (int q = 2; q <= kLargestDenominator; ++q)
    for (int p = 1; 2 * p <= q; ++p) {
      const double frequency = 2 * std::numbers::pi * p / (q * lattice_);
      if (std::gcd(p, q) != 1 || frequency <= nodes_.back().frequency) continue;
      error_ +=
          std::exp(law.log_characteristic(frequency).real() * copies) / (frequency * std::sqrt(copies * variance));
    }
}

SumLaw::Point SumLaw::at(double x) const {
  if (count_ == 0) return {constant_ < x ? 1.0 : 0.0, constant_ == x ? 1.0 : 0.0};
  if (!atoms_.empty()) {
    Point point{0, 0};
    for (const Term& atom : atoms_) {
      if (atom.value < x - same_)
        point.below += atom.probability;
      else if (atom.value <= x + same_)
        point.equal += atom.probability;
    }
    return point;
  }
  double on_lattice = x;
  if (lattice_ > 0) on_lattice = origin_ + lattice_ * std::ceil((x - origin_) / lattice_);
  double sine_sum = 0;
  double cosine_sum = 0;
  for (const Node& node : nodes_) {
    const double cosine = std::cos(node.frequency * on_lattice);
    const double sine = std::sin(node.frequency * on_lattice);
    const double imaginary = node.imaginary * cosine - node.real * sine;
    sine_sum += node.weight * imaginary;
    cosine_sum += node.real * cosine + node.imaginary * sine;
  }
  const double up_to_half = 0.5 - sine_sum;
  if (lattice_ == 0) return {std::clamp(up_to_half, 0.0, 1.0), 0};
  const double mass = std::clamp(2 * lattice_ / range_ * cosine_sum, 0.0, 1.0);
  return {std::clamp(up_to_half - mass / 2, 0.0, 1.0), on_lattice == x ? mass : 0.0};
}

namespace {

/// The contribution of one pattern to ξ·field of a spin, up to one positive factor for all patterns.
class Weight {
 public:
  Weight(const core::EnergyModel& model, int num_neurons, UpdateRule rule, SelfCoupling self_coupling)
      : model_(model),
        num_neurons_(num_neurons),
        energy_(rule == UpdateRule::energy),
        kept_(self_coupling == SelfCoupling::kept && !energy_),
        similarity_(core::on_overlap(model.similarity, num_neurons)) {
    const core::Separation& separation = model.separation;
    if (!separation.integer_valued()) return;
    const int farthest = num_neurons - (energy_ || kept_ ? 0 : 1);
    scale_ =
        std::max(std::abs(static_cast<double>(argument(farthest))), std::abs(static_cast<double>(argument(-farthest))));
    integers_ = separation.degree() * std::log2(largest_argument()) < 100;
    for (int x = -num_neurons + 1; integers_ && x < num_neurons; x += 2)
      for (const int sign : {-1, 1}) integers_ = std::abs(static_cast<double>(integer(x, sign))) < kExactIntegers / 4;
  }

  bool integers() const { return integers_; }

  /// Overlap x with the other spins, ξσ = own_sign on this one (it matters only if the self-coupling is kept).
  double operator()(int x, int own_sign) const {
    if (integers_) return static_cast<double>(integer(x, own_sign));
    if (energy_) return separation(x + 1) - separation(x - 1);
    return slope(kept_ ? x + own_sign : x);
  }

 private:
  /// Integer powers run over the overlap itself or, for −‖σ−ξ‖² = 2(m − N), over m − N: constants do not matter.
  Wide argument(int overlap) const {
    return model_.similarity == core::Similarity::euclidean ? overlap - num_neurons_ : overlap;
  }
  double largest_argument() const { return 2.0 * num_neurons_ + 1; }

  Wide power(int overlap, int exponent) const {
    const Wide base = argument(overlap);
    if (model_.separation.kind == SeparationKind::relu_power && base <= 0) return 0;
    Wide product = 1;
    for (int i = 0; i < exponent; ++i) product *= base;
    return product;
  }

  Wide integer(int x, int own_sign) const {
    const int n = model_.separation.degree();
    if (energy_) return power(x + 1, n) - power(x - 1, n);
    return power(kept_ ? x + own_sign : x, n - 1);
  }

  // Real values, scaled by the largest one that occurs: e^{λN} and N^n overflow long before their ratios matter.
  double scaled_power(int overlap, double exponent) const {
    const double base = static_cast<double>(argument(overlap)) / scale_;
    if (model_.separation.kind == SeparationKind::relu_power && base <= 0) return 0;
    return std::pow(base, exponent);
  }
  double separation(int overlap) const {
    if (model_.separation.integer_valued()) return scaled_power(overlap, model_.separation.degree());
    if (model_.separation.kind == SeparationKind::exponential) return slope(overlap);
    return model_.separation.value(similarity_(overlap));
  }
  double slope(int overlap) const {
    if (model_.separation.integer_valued()) return scaled_power(overlap, model_.separation.degree() - 1);
    if (model_.separation.kind == SeparationKind::exponential)
      return std::exp(model_.separation.parameter * similarity_.slope * (overlap - num_neurons_));
    return model_.separation.derivative(similarity_(overlap));
  }

  core::EnergyModel model_;
  int num_neurons_;
  bool energy_;
  bool kept_;
  core::AffineSimilarity similarity_;
  double scale_ = 1;  // of the arguments of powers that are no integers
  bool integers_ = false;
};

}  // namespace

OneStep::OneStep(const core::EnergyModel& model, int num_neurons, double alpha, UpdateRule rule,
                 SelfCoupling self_coupling)
    : num_neurons_(num_neurons), alpha_(alpha) {
  if (num_neurons < 2) throw std::invalid_argument("one step of " + std::to_string(num_neurons) + " neurons: N >= 2");
  if (!(alpha > 0 && alpha <= 1))
    throw std::invalid_argument("keep probability " + core::number_text(alpha) + " is not within (0, 1]");
  if (const std::string why = model.degenerate(); !why.empty()) throw std::invalid_argument(model.text() + ": " + why);

  const Weight weight(model, num_neurons, rule, self_coupling);
  integers_ = weight.integers();
  const int neighbours = num_neurons - 1;
  const std::vector<double> fair = core::binomial_law(neighbours, 0.5);
  const std::vector<double> flips = core::binomial_law(neighbours, 1 - alpha);
  for (int j = 0; j <= neighbours; ++j) {
    const int overlap = neighbours - 2 * j;
    const auto at = static_cast<std::size_t>(j);
    for (const int sign : {-1, 1}) noise_.push_back({sign * weight(overlap, sign), fair[at] / 2});
    constexpr double kNegligible = 1e-18;
    if (flips[at] < kNegligible) continue;
    signals_.push_back({weight(overlap, 1), weight(overlap, -1), flips[at]});
    reach_ = std::max({reach_, std::abs(signals_.back().kept), std::abs(signals_.back().flipped)});
  }
}

SpinLaw OneStep::spin(std::int64_t num_patterns) const {
  if (num_patterns < 1)
    throw std::invalid_argument("one step with " + std::to_string(num_patterns) + " patterns: K starts at 1");
  const SumLaw noise(noise_, integers_, num_patterns - 1, reach_);
  SpinLaw law{0, 0, 0, noise.error()};
  for (const Signal& signal : signals_) {
    const SumLaw::Point kept = noise.at(-signal.kept);
    law.p_negative += signal.probability * alpha_ * kept.below;
    law.p_zero += signal.probability * alpha_ * kept.equal;
    law.p_wrong += signal.probability * alpha_ * kept.below;
    if (alpha_ == 1) continue;
    // On a flipped spin the noise is the mirror image, −R: with the self-coupling kept it pulls the other way.
    const SumLaw::Point flipped = noise.at(signal.flipped);
    const double share = signal.probability * (1 - alpha_);
    law.p_negative += share * std::max(0.0, 1 - flipped.below - flipped.equal);
    law.p_zero += share * flipped.equal;
    law.p_wrong += share * (1 - flipped.below);
  }
  return law;
}

double OneStep::whole_pattern(std::int64_t num_patterns) const {
  return std::exp(num_neurons_ * std::log1p(-spin(num_patterns).p_wrong));
}

/// ln(−ln p) of the whole pattern: close to linear in ln K.
double OneStep::score(std::int64_t num_patterns) const {
  const auto plain = [&](std::int64_t k) {
    return std::log(std::max(-num_neurons_ * std::log1p(-spin(k).p_wrong), 1e-300));
  };
  constexpr std::int64_t kSmall = 64;
  if (num_patterns >= kSmall || num_patterns == 1) return plain(num_patterns);
  return (plain(num_patterns - 1) + 2 * plain(num_patterns) + plain(num_patterns + 1)) / 4;
}

double OneStep::predicted_k_max(double beta) const {
  if (!(beta > 0 && beta < 1)) throw std::invalid_argument("beta " + core::number_text(beta) + " is not within (0, 1)");
  const double target = std::log(-std::log(beta));
  struct Bound {
    std::int64_t num_patterns;
    double score;
  };
  const auto bound_at = [&](double k) {
    const std::int64_t num_patterns = std::llround(k);
    return Bound{num_patterns, score(num_patterns)};
  };
  Bound low{1, score(1)};
  if (low.score > target) return 0;
  // The Gaussian estimate is a good start whatever the separation.
  double signal = 0;
  for (const Signal& s : signals_) signal += s.probability * s.kept;
  double variance = 0;
  for (const auto& [value, probability] : noise_) variance += probability * value * value;
  const double z = std::max(core::upper_tail_inverse(std::min(0.4, -std::log(beta) / num_neurons_)), 0.1);
  const double estimate = 1 + signal * signal / (variance * z * z);
  const double start = std::clamp(estimate >= 2 ? estimate : 2.0, 2.0, kLargestCount);  // NaN where all underflows
  Bound high = bound_at(start);
  for (double factor = 1.3; high.score <= target; factor *= factor) {
    low = high;
    if (static_cast<double>(high.num_patterns) >= kLargestCount) return std::numeric_limits<double>::infinity();
    high = bound_at(std::min(std::ceil(static_cast<double>(high.num_patterns) * factor), kLargestCount));
  }
  for (double factor = 1.3; low.num_patterns == 1 && high.num_patterns > 2; factor *= factor) {
    const Bound below = bound_at(std::max(2.0, std::floor(static_cast<double>(high.num_patterns) / factor)));
    (below.score <= target ? low : high) = below;
  }
  const auto interpolated = [&] {
    const double low_log = std::log(static_cast<double>(low.num_patterns));
    const double high_log = std::log(static_cast<double>(high.num_patterns));
    return low_log + (high_log - low_log) * (target - low.score) / (high.score - low.score);
  };
  // False position alternating with bisection: safe on tie-ragged curves, fast on smooth ones.
  for (bool bisect = false; high.num_patterns - low.num_patterns > 1; bisect = !bisect) {
    const double narrow =
        static_cast<double>(high.num_patterns - low.num_patterns) / static_cast<double>(low.num_patterns);
    if (narrow < 1e-4) break;  // the score is linear to far better than that
    const double middle =
        bisect ? std::sqrt(static_cast<double>(low.num_patterns) * static_cast<double>(high.num_patterns))
               : std::exp(interpolated());
    const Bound inner = bound_at(
        std::clamp(middle, static_cast<double>(low.num_patterns + 1), static_cast<double>(high.num_patterns - 1)));
    (inner.score <= target ? low : high) = inner;
  }
  return std::exp(interpolated());
}

}  // namespace dam

#include "dam/theory/sum_law.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <string>

namespace dam {
namespace {

using Wide = __int128;

constexpr double kAliasingLog = 32.3;     // e^{−32.3} ≈ 1e−14
constexpr double kQuietLog = -46;         // e^{−46} ≈ 1e−20
constexpr double kFullSumCost = 1 << 20;  // cosines a sum over the whole period may cost
constexpr std::size_t kMinNodes = 64;
constexpr std::size_t kMostNodes = std::size_t{1} << 16;
constexpr std::size_t kMostRealNodes = std::size_t{1} << 13;  // listing is cheaper than more
constexpr int kLargestDenominator = 40;
constexpr std::int64_t kFewCopies = 16;       // so few are listed to the end, if that ends soon
constexpr std::size_t kMostStates = 1 << 15;  // of a listing
constexpr double kDecidedError = 1e-9;        // what one decided state of a listing may be wrong by
constexpr double kSameValue = 1e-12;          // of the largest value: sums that rounding tore apart
constexpr std::size_t kMostThetas = 400;

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

}  // namespace

SumLaw::Inversion SumLaw::invert(std::span<const Term> raw, bool integers, std::int64_t count, double reach,
                                 std::size_t most_nodes) {
  const Law law(raw);
  const double copies = static_cast<double>(count);
  Inversion result;
  result.range = (law.tail_range(copies) + reach) * (1 + 1e-9);
  std::size_t period_nodes = std::numeric_limits<std::size_t>::max();  // half a period: the other half mirrors it
  bool whole_period = false;
  if (integers) {
    const double lattice = law.spacing();
    result.lattice = lattice;
    result.origin = static_cast<double>(static_cast<Wide>(count) * static_cast<Wide>(law.terms.front().value) %
                                        static_cast<Wide>(lattice));
    const double half_period = std::floor(result.range / lattice / 2) + 1;
    result.range = 2 * half_period * lattice;
    whole_period = half_period * static_cast<double>(law.terms.size()) <= kFullSumCost;
    if (half_period < 9e15) period_nodes = static_cast<std::size_t>(half_period);
  }
  const double step = 2 * std::numbers::pi / result.range;
  std::size_t loud = 0;  // nodes up to the last one that still counts
  double recent = 0;     // largest |φ|^count since then
  bool quiet = false;
  auto& nodes = result.nodes;
  for (std::size_t k = 0; k < period_nodes && (whole_period || k < most_nodes); ++k) {
    quiet = !whole_period && k >= std::max(kMinNodes, 2 * loud);
    if (quiet) break;
    const double frequency = (static_cast<double>(k) + 0.5) * step;
    const std::complex<double> log_phi = law.log_characteristic(frequency);
    const double log_size = log_phi.real() * copies;
    if (log_size > kQuietLog) loud = k + 1;
    recent = k + 1 == loud ? 0 : std::max(recent, std::exp(log_size));
    // 1/(π(k+½)), or its sum over all periods, which is a cotangent.
    const double weight = integers ? result.lattice / result.range / std::tan(frequency * result.lattice / 2)
                                   : 2 / (result.range * frequency);
    nodes.push_back({frequency, log_phi.real(), log_phi.imag(), weight, 0});
  }
  result.error = 2 * std::exp(-kAliasingLog);
  result.settled = quiet || nodes.size() == period_nodes;
  if (nodes.size() == period_nodes) return result;
  const double size = static_cast<double>(nodes.size());
  if (!quiet) {
    // Prawitz's kernel on [−T, T]: half the distance of his bounds is a density seen through Fejér's kernel.
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      const double u = (static_cast<double>(k) + 0.5) / size;
      nodes[k].weight = ((1 - u) / std::tan(std::numbers::pi * u) + 1 / std::numbers::pi) / size;
      nodes[k].width = (1 - u) / size;
    }
    result.lattice = 0;
    result.error += 4 / (size * size);  // the tails of his kernel beyond the period
    return result;
  }
  // Terms recent/(π(k+½)) with phases that wander: they add up like a random walk.
  result.error += recent / std::sqrt(size);
  if (!integers) return result;
  // Peaks of arithmetic origin, at rational multiples of the period.
  for (int q = 2; q <= kLargestDenominator; ++q)
    for (int p = 1; 2 * p <= q; ++p) {
      const double frequency = 2 * std::numbers::pi * p / (q * result.lattice);
      if (std::gcd(p, q) != 1 || frequency <= nodes.back().frequency) continue;
      result.error += std::exp(law.log_characteristic(frequency).real() * copies) /
                      (frequency * std::sqrt(copies * law.variance()));
    }
  return result;
}

SumLaw::Point SumLaw::Inversion::at(double x, double copies) const {
  double on_lattice = x;
  if (lattice > 0) on_lattice = origin + lattice * std::ceil((x - origin) / lattice);
  double sine_sum = 0;
  double cosine_sum = 0;
  double width = 0;
  for (const Node& node : nodes) {
    const double log_size = copies * node.log_size;
    if (log_size < kQuietLog) continue;
    const double size = std::exp(log_size);
    const double phase = copies * node.angle - node.frequency * on_lattice;
    const double real = size * std::cos(phase);
    sine_sum += node.weight * size * std::sin(phase);
    cosine_sum += real;
    width += node.width * real;
  }
  const double up_to_half = 0.5 - sine_sum;
  if (lattice == 0) return {std::clamp(up_to_half, 0.0, 1.0), 0, std::min(error + std::max(width, 0.0), 1.0)};
  const double mass = std::clamp(2 * lattice / range * cosine_sum, 0.0, 1.0);
  return {std::clamp(up_to_half - mass / 2, 0.0, 1.0), on_lattice == x ? mass : 0.0, error};
}

SumLaw::SumLaw(std::span<const Term> raw, bool integers, std::int64_t count, double reach) : count_(count) {
  if (count < 0) throw std::invalid_argument("a sum of " + std::to_string(count) + " terms: the count starts at 0");
  std::map<double, double> values;
  for (const auto& [value, probability] : raw)
    if (probability > 0) values[value] += probability;
  if (count == 0 || values.size() == 1) {
    constant_ = count == 0 ? 0 : static_cast<double>(count) * values.begin()->first;
    count_ = 0;
    return;
  }
  std::vector<Term> merged;
  for (const auto& [value, probability] : values) merged.push_back({value, probability});
  if (integers || count > kFewCopies) {
    whole_ = invert(merged, integers, count, reach, integers ? kMostNodes : kMostRealNodes);
    if (whole_.settled) return;
  }
  list_levels(merged);
  find_rests();
}

/// No listing, a shallow one, a deep one, up to the first after which φ of the rest dies down.
void SumLaw::find_rests() {
  if (count_ <= kFewCopies) rests_.push_back({levels_.size(), {}});
  if (!whole_.nodes.empty()) rests_.push_back({0, std::move(whole_)});
  for (const double common : {0.0, 1.0, 16.0}) {
    if (common == 0 && !rests_.empty() && rests_.back().first == 0) continue;
    const std::size_t first = first_common_level(common);
    std::vector<Term> terms;
    double total = 0;
    for (std::size_t i = first; i < levels_.size(); ++i) total += levels_[i].probability;
    for (std::size_t i = first; i < levels_.size(); ++i)
      terms.push_back({levels_[i].value, levels_[i].probability / total});
    if (terms.size() < 2) continue;
    Inversion rest = invert(terms, false, count_, rest_bound(first, -std::log(kDecidedError / 2)), kMostRealNodes);
    const bool settled = rest.settled;
    rests_.push_back({first, std::move(rest)});
    if (settled) break;
  }
  if (rests_.empty()) rests_.push_back({levels_.size(), {}});
}

void SumLaw::list_levels(std::span<const Term> merged) {
  for (const auto& [value, probability] : merged) levels_.push_back({value, probability, 1});
  std::stable_sort(levels_.begin(), levels_.end(),
                   [](const Level& a, const Level& b) { return std::abs(a.value) > std::abs(b.value); });
  std::vector<double> up_to(levels_.size());
  double total = 0;
  for (std::size_t i = levels_.size(); i-- > 0;) {
    total += levels_[i].probability;
    levels_[i].share = i + 1 == levels_.size() ? 1 : levels_[i].probability / total;
    up_to[i] = total;
  }
  // Where Chernoff's bound is best: for rare large values at some multiples of 1/value, for many copies where a
  // Gaussian of the rest's variance has it.
  constexpr double kTypicalOdds = 20;
  const std::size_t stride = 1 + 8 * levels_.size() / kMostThetas;
  double square = 0;
  for (std::size_t i = levels_.size(); i-- > 0;) {
    square += levels_[i].probability * levels_[i].value * levels_[i].value;
    if (i % stride != 0 || levels_[i].value == 0) continue;
    const double gaussian = std::sqrt(2 * kTypicalOdds * up_to[i] / (static_cast<double>(count_) * square));
    for (const double factor : {0.5, 1.0, 2.0})
      if (std::isnormal(factor * gaussian)) thetas_.push_back(factor * gaussian);
    for (const double factor : {0.5, 2.0, 6.0, 15.0, 35.0})
      if (std::isnormal(factor / std::abs(levels_[i].value))) thetas_.push_back(factor / std::abs(levels_[i].value));
  }
  log_moments_.resize(thetas_.size() * levels_.size());
  for (std::size_t t = 0; t < thetas_.size(); ++t) {
    double up = 0;
    double down = 0;
    for (std::size_t i = levels_.size(); i-- > 0;) {
      up += levels_[i].probability * std::expm1(thetas_[t] * levels_[i].value);
      down += levels_[i].probability * std::expm1(-thetas_[t] * levels_[i].value);
      log_moments_[i * thetas_.size() + t] =
          static_cast<double>(count_) * std::log1p(std::max({up, down, 0.0}) / up_to[i]) / thetas_[t];
    }
  }
  for (double& theta : thetas_) theta = 1 / theta;
}

std::size_t SumLaw::first_common_level(double copies_at_once) const {
  for (std::size_t i = 0; i < levels_.size(); ++i)
    if (static_cast<double>(count_) * levels_[i].share > copies_at_once) {
      // Both signs of one magnitude stay together.
      while (i > 0 && std::abs(levels_[i - 1].value) == std::abs(levels_[i].value)) --i;
      return i;
    }
  return levels_.size();
}

/// B with P(|sum of the terms from this level on| ≥ B) ≤ 2e^{−log_odds}.
double SumLaw::rest_bound(std::size_t level, double log_odds) const {
  if (level == levels_.size()) return 0;
  double bound = static_cast<double>(count_) * std::abs(levels_[level].value);
  const double* const per_theta = &log_moments_[level * thetas_.size()];
  for (std::size_t t = 0; t < thetas_.size(); ++t) {
    const double chernoff = per_theta[t] + log_odds * thetas_[t];
    bound = chernoff < bound ? chernoff : bound;
  }
  return bound;
}

/// How often each of the largest values occurs, the likeliest cases first.
struct SumLaw::Listing {
  struct State {
    std::size_t level = 0;
    double copies = 0;
    double x = 0;        // what the copies left must stay below
    double pending = 0;  // their values of the last magnitude, added up first: ± pairs cancel without rounding
    double scale = 0;    // largest magnitude that x was ever made of
    double weight = 1;

    bool operator<(const State& other) const { return weight < other.weight; }
  };

  const SumLaw& law;
  const Rest& rest;
  Point point{0, 0, 0};
  std::priority_queue<State> open;
  std::size_t cost = 0;  // in states

  void run(double x) {
    visit({.copies = static_cast<double>(law.count_), .x = x, .scale = std::abs(x)});
    while (!open.empty()) {
      const State state = open.top();
      open.pop();
      if (cost > kMostStates)
        leave_open(state.weight);
      else
        branch(state);
    }
    point.error += kSameValue;
  }

  void leave_open(double weight) {
    point.below += weight / 2;
    point.error += weight / 2;
  }

  void visit(State state) {
    ++cost;
    const auto& levels = law.levels_;
    const bool leaf = state.level == levels.size() || state.copies == 0;
    const bool new_magnitude =
        leaf || state.level == 0 || std::abs(levels[state.level].value) != std::abs(levels[state.level - 1].value);
    if (new_magnitude && state.pending != 0) {
      state.scale = std::max(state.scale, std::abs(state.pending));
      state.x -= state.pending;
      state.pending = 0;
    }
    if (leaf) {
      if (std::abs(state.x) <= kSameValue * state.scale)
        point.equal += state.weight;
      else if (state.x > 0)
        point.below += state.weight;
      return;
    }
    const double log_odds = std::log(2 * state.weight / kDecidedError);
    if (log_odds <= 0) return leave_open(state.weight);
    const double x = state.x - state.pending;
    if (std::abs(x) > law.rest_bound(state.level, log_odds) * (1 + kSameValue)) {
      point.below += x > 0 ? state.weight : 0;
      point.error += kDecidedError;
      return;
    }
    if (state.level < rest.first) return open.push(state);
    constexpr std::size_t kNodesPerState = 8;
    cost += rest.inversion.nodes.size() / kNodesPerState;
    const Point at = rest.inversion.at(x, state.copies);
    point.below += state.weight * at.below;
    point.error += state.weight * at.error;
  }

  void branch(const State& state) {
    const Level& level = law.levels_[state.level];
    State next = state;
    ++next.level;
    if (level.share >= 1) {
      next.pending += state.copies * level.value;
      next.copies = 0;
      visit(next);
      return;
    }
    const double odds = level.share / (1 - level.share);
    double probability = std::exp(state.copies * std::log1p(-level.share));
    for (double times = 0; times <= state.copies; ++times) {
      next.copies = state.copies - times;
      next.pending = state.pending + times * level.value;
      next.weight = state.weight * probability;
      if (times > state.copies * level.share && next.weight < kDecidedError / 100) {
        leave_open(2 * next.weight);
        return;
      }
      visit(next);
      probability *= (state.copies - times) / (times + 1) * odds;
    }
  }
};

SumLaw::Point SumLaw::at(double x, double enough) const {
  if (count_ == 0) return {constant_ < x ? 1.0 : 0.0, constant_ == x ? 1.0 : 0.0, 0};
  if (levels_.empty()) return whole_.at(x, static_cast<double>(count_));
  Point best{0.5, 0, 1};
  for (const Rest& rest : rests_) {
    Listing listing{*this, rest};
    listing.run(x);
    if (listing.point.error < best.error) best = listing.point;
    if (best.error < enough) break;
  }
  return best;
}

}  // namespace dam

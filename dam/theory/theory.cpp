#include "dam/theory/theory.h"

#include <algorithm>
#include <array>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "core/statistics/binomial.h"
#include "dam/theory/conditioned.h"
#include "dam/theory/one_step.h"

namespace dam {
namespace {

using core::SeparationKind;
using core::Similarity;

constexpr int kMostExactNeurons = 4096;
constexpr const char* kBeyondDoubles = "its numbers lie beyond the doubles, above 1.8e308";

TheoryValue none(std::string reason) { return {std::numeric_limits<double>::quiet_NaN(), std::move(reason)}; }
TheoryValue left_out(std::string reason) { return {std::numeric_limits<double>::quiet_NaN(), std::move(reason), true}; }

// The applicability checks: empty when the row applies, else why not. Rows chain them with `first_of`.
std::string first_of(std::initializer_list<std::string> reasons) {
  for (const std::string& reason : reasons)
    if (!reason.empty()) return reason;
  return {};
}

std::string needs_power(const TheoryInput& in) {
  const bool even_scale = in.model.similarity != Similarity::euclidean;
  if (in.model.separation.integer_valued() && even_scale && in.model.separation.degree() >= 2) return {};
  return "holds for power separations of the overlap (hopfield, dense:n, rectified:n)";
}

std::string needs_exponential(const TheoryInput& in) {
  if (in.model.separation.kind == SeparationKind::exponential) return {};
  return "holds for exponential separation";
}

std::string needs_degree_two(const TheoryInput& in) {
  if (needs_power(in).empty() && in.model.separation == core::Separation{SeparationKind::power, 2}) return {};
  return "holds for n = 2, not rectified";
}

std::string needs_perfect_cue(const TheoryInput& in) { return in.alpha == 1 ? "" : "holds for alpha = 1"; }

std::string needs_removed_self_coupling(const TheoryInput& in) {
  if (in.self_coupling == SelfCoupling::removed || in.rule == UpdateRule::energy) return {};
  return "holds with the self-coupling removed";
}

std::string needs_informative_cue(const TheoryInput& in) {
  return in.alpha > 0.5 ? "" : "needs a cue nearer to the pattern than to chance, alpha > 0.5";
}

/// Rectified powers keep half the noise variance, so every capacity doubles.
double rectified_gain(const TheoryInput& in) { return in.model.separation.kind == SeparationKind::relu_power ? 2 : 1; }

int degree(const TheoryInput& in) { return in.model.separation.degree(); }
double neighbours(const TheoryInput& in) { return in.num_neurons - 1; }
double neurons(const TheoryInput& in) { return in.num_neurons; }

/// λ in units of the overlap: F ∝ e^{λm} whichever similarity feeds it.
double overlap_lambda(const TheoryInput& in) {
  return in.model.separation.parameter * core::on_overlap(in.model.similarity, in.num_neurons).slope;
}

/// z with N·Q(z) = ln(1/β); not positive where even fields without signal succeed often enough.
double pattern_z(const TheoryInput& in) {
  const double tail = -std::log(in.beta) / neurons(in);
  return tail < 0.5 ? core::upper_tail_inverse(tail) : 0;
}

double log_cosh(double x) { return std::abs(x) + std::log1p(std::exp(-2 * std::abs(x))) - std::numbers::ln2; }

double maximum(double (*function)(double, int), int parameter, double low, double high) {
  constexpr int kBits = 40;
  const auto best =
      boost::math::tools::brent_find_minima([&](double y) { return -function(y, parameter); }, low, high, kBits);
  return -best.second;
}

// ---- moments and one-step criteria of powers ------------------------------------------------------------------------

TheoryValue noise_variance(const TheoryInput& in) {
  if (const auto why = first_of({needs_power(in), needs_removed_self_coupling(in)}); !why.empty()) return none(why);
  return {overlap_moment(2 * degree(in) - 2, in.num_neurons - 1) / rectified_gain(in), {}};
}

TheoryValue leading_coefficient(const TheoryInput& in) {
  if (const auto why = needs_power(in); !why.empty()) return none(why);
  return {double_factorial(degree(in)) / rectified_gain(in), {}};
}

/// D^{n−1}/(2n−3)!!, doubled for rectified powers: the X all one-bit criteria are multiples of.
double one_bit_scale(const TheoryInput& in) {
  return rectified_gain(in) * std::pow(neighbours(in), degree(in) - 1) / double_factorial(degree(in));
}

using OneBitFactor = double (*)(const TheoryInput&);

template <OneBitFactor factor>
TheoryValue one_bit(const TheoryInput& in) {
  const auto why = first_of({needs_power(in), needs_perfect_cue(in), needs_removed_self_coupling(in)});
  if (!why.empty()) return none(why);
  if (!(in.bit_error > 0 && in.bit_error < 0.5)) return none("needs a tolerated bit error between 0 and 0.5");
  if (!(in.deviations > 0)) return none("needs a number of standard deviations above 0");
  return {factor(in) * one_bit_scale(in), {}};
}

double gaussian_factor(const TheoryInput& in) { return std::pow(core::upper_tail_inverse(in.bit_error), -2); }
double z_count_factor(const TheoryInput& in) { return 1 / (in.deviations * in.deviations); }
double chebyshev_factor(const TheoryInput& in) { return in.bit_error; }
double symmetric_chebyshev_factor(const TheoryInput& in) { return 2 * in.bit_error; }
double cantelli_factor(const TheoryInput& in) { return in.bit_error / (1 - in.bit_error); }

TheoryValue whole_pattern(const TheoryInput& in) {
  const auto why = first_of({needs_power(in), needs_informative_cue(in), needs_removed_self_coupling(in)});
  if (!why.empty()) return none(why);
  const double z = pattern_z(in);
  if (!(z > 0) || !(in.beta < 1)) return none("beta is at or below chance for this N, or 1");
  const double signal = std::pow((2 * in.alpha - 1) * neighbours(in), 2 * degree(in) - 2);
  return {1 + signal / (noise_variance(in).value * z * z), {}};
}

// ---- exact laws at finite N -----------------------------------------------------------------------------------------

/// K_max from an exact law where it can be had, else why not.
template <typename Predict>
TheoryValue exact_law(const TheoryInput& in, const Predict& predict) {
  if (const std::string why = in.model.degenerate(); !why.empty()) return none(why);
  if (in.num_neurons > kMostExactNeurons) return left_out("is computed up to N = " + std::to_string(kMostExactNeurons));
  const Prediction k_max = predict();
  constexpr double kTooWide = 0.02;
  if (std::isinf(k_max.num_patterns) && k_max.error < kTooWide)
    return left_out("lies above 9e18 patterns, beyond 64 bits");
  if (std::isinf(k_max.num_patterns) || k_max.error > kTooWide * k_max.num_patterns)
    return left_out("cannot be had to 2 %: values of too many scales add up to the noise");
  return {k_max.num_patterns, {}, false, k_max.error};
}

TheoryValue exact_step(const TheoryInput& in) {
  return exact_law(in, [&] {
    return OneStep(in.model, in.num_neurons, in.alpha, in.rule, in.self_coupling).predicted_k_max(in.beta);
  });
}

template <Loss (Conditioned::*loss)(std::int64_t) const>
TheoryValue conditioned(const TheoryInput& in) {
  return exact_law(in, [&] {
    return Conditioned(in.model, in.num_neurons, in.alpha, in.rule, in.self_coupling).predicted_k_max(loss, in.beta);
  });
}

template <int divisor>
TheoryValue no_errors(const TheoryInput& in) {
  if (const auto why = first_of({needs_power(in), needs_perfect_cue(in)}); !why.empty()) return none(why);
  const double scale = rectified_gain(in) * std::pow(neurons(in), degree(in) - 1) / double_factorial(degree(in));
  // One pattern: n·N errors do not enter, so 2 ln N; all K of them: K·N bits, ln(K·N) ≈ n ln N, so 2n ln N.
  const double patterns = divisor == 1 ? 1 : degree(in);
  return {scale / (2 * patterns * std::log(neurons(in))), {}};
}

template <int divisor>
TheoryValue mceliece(const TheoryInput& in) {
  if (const auto why = first_of({needs_degree_two(in), needs_informative_cue(in)}); !why.empty()) return none(why);
  const double kept = 2 * in.alpha - 1;
  return {kept * kept * neurons(in) / (2 * divisor * std::log(neurons(in))), {}};
}

// ---- fixed-point thresholds -----------------------------------------------------------------------------------------

double hopfield_load(double y, int) {
  const double root = std::erf(y) / (std::numbers::sqrt2 * y) - std::sqrt(2 / std::numbers::pi) * std::exp(-y * y);
  return root * root;
}

double dense_load(double y, int n) { return std::pow(std::erf(y), 2 * (n - 1)) / (2 * double_factorial(n) * y * y); }

TheoryValue replica_hopfield(const TheoryInput& in) {
  if (const auto why = needs_degree_two(in); !why.empty()) return none(why);
  return {maximum(hopfield_load, 2, 0.5, 3), {}};
}

TheoryValue broken_hopfield(const TheoryInput& in) {
  if (const auto why = needs_degree_two(in); !why.empty()) return none(why);
  return {0.138186, {}};
}

TheoryValue replica_dense(const TheoryInput& in) {
  if (const auto why = needs_power(in); !why.empty()) return none(why);
  if (degree(in) < 3) return none("holds for n >= 3");
  if (std::isinf(double_factorial(degree(in)))) return left_out(kBeyondDoubles);
  return {rectified_gain(in) * maximum(dense_load, degree(in), 0.5, 4), {}};
}

TheoryValue newman(const TheoryInput& in) {
  constexpr std::array<double, 3> kBounds = {0.11, 0.22, 0.16};  // n!·α_c for n = 2, 3, 4
  constexpr std::array<double, 3> kFactorials = {2, 6, 24};
  if (const auto why = needs_power(in); !why.empty()) return none(why);
  if (rectified_gain(in) != 1 || degree(in) > 4) return none("given for n = 2, 3, 4, not rectified");
  const auto i = static_cast<std::size_t>(degree(in) - 2);
  return {kBounds[i] / kFactorials[i], {}};
}

// ---- exponential separation -----------------------------------------------------------------------------------------

TheoryValue demircigil(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_informative_cue(in)}); !why.empty()) return none(why);
  if (overlap_lambda(in) != 1) return none("proved for F = exp(overlap), lambda = 1");
  return {overlap_rate(2 * in.alpha - 1) / 2, {}};
}

TheoryValue snr_exponential(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_perfect_cue(in)}); !why.empty()) return none(why);
  const double lambda = overlap_lambda(in);
  return {std::exp(neighbours(in) * (2 * lambda - log_cosh(2 * lambda))) / (2 * std::log(neurons(in))), {}};
}

TheoryValue pattern_exponential(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_perfect_cue(in)}); !why.empty()) return none(why);
  const double z = pattern_z(in);
  if (!(z > 0) || !(in.beta < 1)) return none("beta is at or below chance for this N, or 1");
  const double lambda = overlap_lambda(in);
  return {1 + std::exp(neighbours(in) * (2 * lambda - log_cosh(2 * lambda))) / (z * z), {}};
}

TheoryValue snr_rate(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_perfect_cue(in)}); !why.empty()) return none(why);
  return {2 * overlap_lambda(in) - log_cosh(2 * overlap_lambda(in)), {}};
}

TheoryValue extreme_rate(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_informative_cue(in)}); !why.empty()) return none(why);
  const double kept = 2 * in.alpha - 1;
  const double lambda = overlap_lambda(in);
  // Beyond tanh 2λ no stored pattern comes close enough to carry the noise variance: its largest overlap decides.
  if (kept >= std::tanh(2 * lambda)) return {2 * lambda * kept - log_cosh(2 * lambda), {}};
  return {overlap_rate(kept), {}};
}

TheoryValue dominance_rate(const TheoryInput& in) {
  if (const auto why = first_of({needs_exponential(in), needs_perfect_cue(in)}); !why.empty()) return none(why);
  return {overlap_lambda(in) - log_cosh(overlap_lambda(in)), {}};
}

/// A row's formula where its value, or what it is made of, fits a double; else the reason. Closed forms take a few
/// hundred roundings at most, powers of large exponents among them.
template <TheoryValue (*formula)(const TheoryInput&)>
TheoryValue in_range(const TheoryInput& in) {
  TheoryValue result = formula(in);
  constexpr double kClosedForm = 1e-10;
  if (!result.reason.empty()) return result;
  if (!std::isfinite(result.value)) return left_out(kBeyondDoubles);
  result.error = std::max(result.error, kClosedForm * std::abs(result.value));
  return result;
}

constexpr std::string_view kOneBit = "one bit of a stored pattern, one step, error p";
constexpr auto kExact = TheoryStatus::exact;
constexpr auto kSnr = TheoryStatus::snr;
constexpr auto kReplica = TheoryStatus::replica;
constexpr auto kRigorous = TheoryStatus::rigorous;
constexpr auto kAsymptotic = TheoryStatus::asymptotic;
constexpr auto kPatterns = TheoryQuantity::num_patterns;
constexpr auto kLoad = TheoryQuantity::load;
constexpr auto kRate = TheoryQuantity::rate;

constexpr TheoryRow kRows[] = {
    {"noise-variance", "Noise variance of one pattern",
     "M_{2n-2}(D) = E[m^{2n-2}], m a sum of D fair signs; half if rectified", "derivative rule, self-coupling removed",
     kExact, TheoryQuantity::variance, "binomial law", in_range<noise_variance>},
    {"noise-coefficient", "Leading coefficient of the noise variance", "V = (2n-3)!!; half if rectified",
     "D to infinity; the distinct-index p-spin model has (n-1)! instead", kExact, TheoryQuantity::factor,
     "Krotov & Hopfield 2016", in_range<leading_coefficient>},
    {"bit", "One bit", "D^{n-1}/(V z^2), z = Q^{-1}(p)", kOneBit, kSnr, kPatterns, "Krotov & Hopfield 2016 eq. 5",
     in_range<one_bit<gaussian_factor>>},
    {"pattern", "One whole pattern", "1 + ((2a-1)D)^{2n-2}/(M_{2n-2} z^2), N Q(z) = ln(1/beta)",
     "one whole pattern right after one step with probability beta; cue signal at its expectation", kSnr, kPatterns,
     "derived; Poisson number of wrong bits", in_range<whole_pattern>},
    {"one-step", "One whole pattern, exact bits", "(1 - p)^N = beta, p the exact one-bit law",
     "one whole pattern right after one step with probability beta; bits taken as independent",
     TheoryStatus::independence, kPatterns, "derived; dam/theory/one_step.h", in_range<exact_step>},
    {"conditioned", "One whole pattern, given the cue's errors",
     "sum_f Bin(f; N, 1-a) k(f)^{N-f} r(f)^f = beta; k, r exact laws of a kept and a flipped bit at f wrong components",
     "one whole pattern right after one step with probability beta; bits taken as independent given f",
     TheoryStatus::independence, kPatterns, "derived; dam/theory/conditioned.h",
     in_range<conditioned<&Conditioned::step>>},
    {"conditioned-shared", "The same, with the noise that spins share",
     "the same averaged over the mean and variance of the noise, given all overlaps with the cue",
     "one whole pattern right after one step with probability beta", TheoryStatus::approximation, kPatterns,
     "derived; dam/theory/conditioned.h", in_range<conditioned<&Conditioned::shared_step>>},
    {"recall", "Recall to the end",
     "P(stable) P(f reaches 0 before N/2), f/N r(f) repairs, (N-f)/N (k(0)-k(f))/k(0) breaks",
     "one whole pattern recalled with probability beta; each update sees its own noise", TheoryStatus::approximation,
     kPatterns, "derived; dam/theory/conditioned.h", in_range<conditioned<&Conditioned::recall>>},
    {"kh", "No errors, one pattern", "N^{n-1}/(2 V ln N)", "one pattern without errors, N to infinity", kAsymptotic,
     kPatterns, "Krotov & Hopfield 2016 eq. 6", in_range<no_errors<1>>},
    {"all", "No errors, all patterns", "N^{n-1}/(2n V ln N)", "all K patterns without errors, N to infinity",
     kAsymptotic, kPatterns, "after McEliece et al. 1987", in_range<no_errors<2>>},
    {"mceliece", "No errors, one pattern, n = 2", "(2a-1)^2 N/(2 ln N)", "one pattern, one step, N to infinity",
     kAsymptotic, kPatterns, "McEliece, Posner, Rodemich & Venkatesh 1987", in_range<mceliece<1>>},
    {"mceliece-all", "No errors, all patterns, n = 2", "(2a-1)^2 N/(4 ln N)", "all K patterns, one step, N to infinity",
     kAsymptotic, kPatterns, "McEliece, Posner, Rodemich & Venkatesh 1987", in_range<mceliece<2>>},
    {"variance-count", "Variance bound, z standard deviations", "D^{n-1}/(V z^2)",
     "signal is z standard deviations of the noise", kSnr, kPatterns, "K < D^{n-1}/(alpha^2 V) with alpha read as z",
     in_range<one_bit<z_count_factor>>},
    {"variance-chebyshev", "Variance bound, Chebyshev", "p D^{n-1}/V", kOneBit, kRigorous, kPatterns,
     "Chebyshev's inequality", in_range<one_bit<chebyshev_factor>>},
    {"variance-symmetric", "Variance bound, symmetric Chebyshev", "2p D^{n-1}/V", kOneBit, kRigorous, kPatterns,
     "Chebyshev's inequality for symmetric noise", in_range<one_bit<symmetric_chebyshev_factor>>},
    {"variance-cantelli", "Variance bound, Cantelli", "p/(1-p) D^{n-1}/V", kOneBit, kRigorous, kPatterns,
     "Cantelli's inequality", in_range<one_bit<cantelli_factor>>},
    {"variance-gaussian", "Variance bound, Gaussian", "D^{n-1}/(V z^2), z = Q^{-1}(p)", kOneBit, kSnr, kPatterns,
     "central limit theorem; the same as `bit`", in_range<one_bit<gaussian_factor>>},
    {"replica-hopfield", "Retrieval threshold, n = 2", "max_y (erf y/(sqrt2 y) - sqrt(2/pi) e^{-y^2})^2",
     "equilibrium at zero temperature, a few wrong bits allowed", kReplica, kLoad, "Amit, Gutfreund & Sompolinsky 1985",
     in_range<replica_hopfield>},
    {"replica-hopfield-1rsb", "Retrieval threshold, n = 2, 1RSB", "0.138186",
     "equilibrium with one step of replica-symmetry breaking; a literature constant, not computed here", kReplica,
     kLoad, "Steffan & Kuehn 1994", in_range<broken_hopfield>},
    {"replica-dense", "Retrieval threshold, n >= 3", "max_y erf(y)^{2(n-1)}/(2 V y^2); doubled if rectified",
     "equilibrium at zero temperature; zero-temperature dynamics keeps remanent overlap above it", kReplica, kLoad,
     "after Gardner 1987; derived for F = x^n/n", in_range<replica_dense>},
    {"newman", "Newman's bound", "n! K/N^{n-1} >= 0.11, 0.22, 0.16 for n = 2, 3, 4",
     "an energy barrier around every pattern; distinct indices, not F = x^n/n", kRigorous, kLoad, "Newman 1988",
     in_range<newman>},
    {"demircigil", "Demircigil bound", "I(2a-1)/2; ln2/2 at a = 1",
     "sufficient: one step corrects the cue, N to infinity", kRigorous, kRate,
     "Demircigil et al. 2017 theorems 2 and 3", in_range<demircigil>},
    {"snr-exponential", "No errors, one pattern, exponential", "(e^{2l}/cosh 2l)^{N-1}/(2 ln N)",
     "one pattern without errors, one step", kSnr, kPatterns, "derived", in_range<snr_exponential>},
    {"pattern-exponential", "One whole pattern, exponential", "1 + (e^{2l}/cosh 2l)^{N-1}/z^2, N Q(z) = ln(1/beta)",
     "one whole pattern right after one step with probability beta", kSnr, kPatterns, "derived",
     in_range<pattern_exponential>},
    {"snr-rate", "Signal-to-noise rate, exponential", "2l - ln cosh 2l", "N to infinity", kSnr, kRate, "derived",
     in_range<snr_rate>},
    {"extreme-rate", "Rate from a corrupted cue, exponential", "2l(2a-1) - ln cosh 2l if 2a-1 >= tanh 2l, else I(2a-1)",
     "first step from a cue of typical overlap; random-energy estimate, N to infinity", kAsymptotic, kRate,
     "derived; compare Lucibello & Mezard 2024", in_range<extreme_rate>},
    {"dominance-rate", "Energy dominance, exponential", "l - ln cosh l",
     "the pattern's own term exceeds the mean of all others in Z", kAsymptotic, kRate, "derived",
     in_range<dominance_rate>},
};

}  // namespace

std::span<const TheoryRow> theory_rows() { return kRows; }

const TheoryRow& theory_row(std::string_view id) {
  std::string ids;
  for (const TheoryRow& row : kRows) {
    if (row.id == id) return row;
    ids += (ids.empty() ? "" : ", ") + std::string(row.id);
  }
  throw std::invalid_argument("theory '" + std::string(id) + "' is not one of " + ids);
}

TheoryValue as_num_patterns(const TheoryRow& row, const TheoryInput& input) {
  TheoryValue result = row.evaluate(input);
  if (row.quantity == TheoryQuantity::variance || row.quantity == TheoryQuantity::factor)
    return none("not a number of patterns");
  if (row.quantity == TheoryQuantity::load) {
    const double scale = std::pow(neurons(input), std::max(degree(input) - 1, 0));
    result.value *= scale;
    result.error *= scale;
  }
  if (row.quantity == TheoryQuantity::rate) {
    result.value = std::exp(result.value * neurons(input));
    result.error *= neurons(input) * result.value;
  }
  return std::isinf(result.value) ? left_out(kBeyondDoubles) : result;
}

std::string text(TheoryStatus status) {
  constexpr std::array<const char*, 7> kWords = {"exact",   "independence", "approximation", "SNR",
                                                 "replica", "rigorous",     "asymptotic"};
  return kWords.at(static_cast<std::size_t>(status));
}

std::string text(TheoryQuantity quantity) {
  constexpr std::array<const char*, 5> kWords = {"num_patterns", "load", "rate", "variance", "factor"};
  return kWords.at(static_cast<std::size_t>(quantity));
}

double overlap_moment(int power, int num_components) {
  if (power < 0 || num_components < 0)
    throw std::invalid_argument("moment " + std::to_string(power) + " of " + std::to_string(num_components) +
                                " signs: both start at 0");
  if (power % 2 != 0) return 0;
  const std::vector<double> law = core::binomial_law(num_components, 0.5);
  const double scale = std::sqrt(std::max(num_components, 1));  // keeps high powers in range
  double sum = 0;
  // From the smallest overlaps out on each side: the law is symmetric, so one side counts twice.
  for (int flipped = num_components / 2; flipped >= 0; --flipped) {
    const int overlap = num_components - 2 * flipped;
    const double share = law[static_cast<std::size_t>(flipped)] * (overlap == 0 ? 1 : 2);
    sum += share * std::pow(overlap / scale, power);
  }
  return sum * std::pow(scale, power);
}

double double_factorial(int degree) {
  double product = 1;
  for (int odd = 2 * degree - 3; odd > 1; odd -= 2) product *= odd;
  return product;
}

double overlap_rate(double x) {
  const auto part = [](double y) { return y > 0 ? y * std::log(y) : 0; };
  return (part(1 + x) + part(1 - x)) / 2;
}

}  // namespace dam

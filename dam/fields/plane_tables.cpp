#include "dam/fields/plane_tables.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace dam {
namespace {

using boost::multiprecision::cpp_int;

constexpr int kRealBits = 30;      // of an inexact weight inside the window
constexpr double kUsualField = 2;  // the field of a typical spin, in standard deviations of its noise

/// weight / 2^exponent, rounded to the nearest integer and cut off at ±kClamp.
Units round_to_units(const ExactWeight& weight, std::int64_t exponent) {
  if (weight.mantissa == 0) return 0;
  cpp_int magnitude = abs(weight.mantissa);
  const std::int64_t shift = weight.exponent - exponent;
  const std::int64_t top = static_cast<std::int64_t>(msb(magnitude)) + shift;
  Units units = kClamp;
  if (top < -1) {
    units = 0;
  } else if (top < 90) {
    if (shift >= 0)
      magnitude <<= shift;
    else
      magnitude = ((magnitude >> (-shift - 1)) + 1) >> 1;
    units = std::min(kClamp, static_cast<Units>(magnitude));
  }
  return weight.mantissa < 0 ? -units : units;
}

bool all_integers(std::span<const ExactWeight> weights) {
  return std::all_of(weights.begin(), weights.end(), [](const ExactWeight& weight) { return weight.exponent == 0; });
}

cpp_int common_divisor(std::span<const ExactWeight> weights, const cpp_int& offset, const core::StopToken& stop) {
  cpp_int divisor = 0;
  for (const ExactWeight& weight : weights) {
    if (divisor == 1) break;
    stop.check();
    divisor = gcd(divisor, cpp_int(weight.mantissa - offset));
  }
  return divisor == 0 ? cpp_int(1) : divisor;
}

std::vector<Units> divide(std::span<const ExactWeight> weights, const cpp_int& offset, const cpp_int& divisor,
                          const core::StopToken& stop) {
  std::vector<Units> units;
  for (const ExactWeight& weight : weights) {
    stop.check();
    units.push_back(round_to_units({cpp_int(weight.mantissa - offset) / divisor, 0}, 0));
  }
  return units;
}

/// The exponent of the unit that gives the largest of these weights kRealBits bits.
std::int64_t unit_exponent(std::span<const ExactWeight> weights) {
  std::int64_t top = std::numeric_limits<std::int64_t>::min() / 2;
  for (const ExactWeight& weight : weights)
    if (weight.mantissa != 0)
      top = std::max(top, weight.exponent + static_cast<std::int64_t>(msb(abs(weight.mantissa))) + 1);
  return top - kRealBits;
}

bool below_clamp(std::span<const Units> values) {
  return std::all_of(values.begin(), values.end(), [](Units v) { return v > -kClamp && v < kClamp; });
}

/// The largest number that divides all values; 1 when all are 0.
Units common_divisor(std::span<const Units> values) {
  Units divisor = 0;
  for (Units value : values)
    while (value != 0) divisor = std::exchange(value, divisor % value);
  return divisor == 0 ? 1 : divisor < 0 ? -divisor : divisor;
}

/// True when values − offset, over their common divisor, fit 32 bits with a sign.
bool fits_limbs(std::vector<Units> values, Units offset) {
  for (Units& value : values) value -= offset;
  const Units limit = (Units{1} << 31) * common_divisor(values);
  return std::all_of(values.begin(), values.end(), [&](Units v) { return v > -limit && v < limit; });
}

int bit_width(std::int64_t magnitude) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(magnitude)));
}

/// Cuts integers of `count` bits, two's complement if any is negative, into limbs of at most 8 bits; their lowest bit
/// has weight 2^first.
void append_limbs(std::span<const std::int64_t> digits, int count, int first, std::vector<Limb>& limbs) {
  const bool is_signed = std::any_of(digits.begin(), digits.end(), [](std::int64_t digit) { return digit < 0; });
  const int top = count;
  for (int parts = (count + 7) / 8; parts > 0; --parts) {
    Limb limb;
    limb.is_signed = is_signed && count == top;
    limb.num_bits = (count + parts - 1) / parts;
    count -= limb.num_bits;
    limb.first_bit = first + count;
    const std::int64_t range = std::int64_t{1} << limb.num_bits;
    for (std::size_t at = 0; at < digits.size(); ++at) {
      const std::int64_t bits = (digits[at] >> count) & (range - 1);
      limb.bytes[at] = static_cast<std::uint8_t>(bits << (8 - limb.num_bits));
      limb.magnitudes[at] = static_cast<std::uint8_t>(limb.is_signed && 2 * bits >= range ? range - bits : bits);
    }
    limbs.push_back(limb);
  }
}

/// Bits that hold all these integers, a sign bit included if any is negative.
int bits_of(std::span<const std::int64_t> digits) {
  const auto [lowest, highest] = std::minmax_element(digits.begin(), digits.end());
  return *lowest < 0 ? 1 + bit_width(std::max(*highest, -1 - *lowest)) : bit_width(*highest);
}

/// Values offset + unit·digits, offset the smallest value, digits unsigned.
LimbTable sum_table(std::span<const Units> values) {
  LimbTable table;
  table.offset = *std::min_element(values.begin(), values.end());
  std::vector<Units> differences;
  for (const Units value : values) differences.push_back(value - table.offset);
  table.unit = common_divisor(differences);
  std::vector<std::int64_t> digits;
  for (const Units value : differences) digits.push_back(static_cast<std::int64_t>(value / table.unit));
  append_limbs(digits, bits_of(digits), 0, table.limbs);
  return table;
}

/// Digits for bit planes, without offset. For long columns the digits are rounded, and the remainders get limbs of
/// their own: they are small, so that they need to be looked at only for the few spins that the rounded sum leaves
/// open.
LimbTable plane_table(std::span<const Units> values, double deviation, std::int64_t num_patterns) {
  LimbTable table;
  table.unit = common_divisor(values);
  std::vector<std::int64_t> digits;
  for (const Units value : values) digits.push_back(static_cast<std::int64_t>(value / table.unit));

  double squares = 0, weights = 0;
  const double middle = 0.5 * static_cast<double>(digits.size() - 1);
  for (std::size_t at = 0; at < digits.size(); ++at) {
    const double distance = (static_cast<double>(at) - middle) / deviation;
    const double weight = std::exp(-0.5 * distance * distance);
    squares += weight * static_cast<double>(digits[at]) * static_cast<double>(digits[at]);
    weights += weight;
  }
  // Remainders of b bits add up to about K·2^b/4 at most; a field worth deciding is some √K·rms.
  const double rms = std::sqrt(squares / weights);
  const double open = 4 * kUsualField * rms / std::sqrt(static_cast<double>(num_patterns));
  const bool is_short = column_words(num_patterns) <= kShortWords;
  const int rounded = is_short || open < 8 ? 0 : std::min(static_cast<int>(std::log2(open)), 24);
  std::vector<std::int64_t> remainders = digits;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (rounded > 0) digits[at] = (digits[at] + (std::int64_t{1} << (rounded - 1))) >> rounded;
    remainders[at] -= digits[at] * (std::int64_t{1} << rounded);
  }
  append_limbs(digits, bits_of(digits), rounded, table.limbs);
  append_limbs(remainders, rounded, 0, table.limbs);
  return table;
}

/// PlaneTables::pair_scale, 0 where the weights are not those of a sum over pairs of spins.
int pair_scale_of(std::span<const Units> agree, std::span<const Units> disagree) {
  const int num_neurons = static_cast<int>(agree.size()) - 1;
  const auto holds = [&](int scale) {
    for (int a = 1; a <= num_neurons; ++a)  // no spin agrees at a = 0, none disagrees at a = N
      if (2 * agree[a] != scale * (2 * a - num_neurons - 1) || agree[a] != -disagree[a - 1]) return false;
    return true;
  };
  return holds(1) ? 1 : holds(2) ? 2 : 0;
}

}  // namespace

PlaneTables::PlaneTables(const Support& support, int first, int size, const core::StopToken& stop)
    : lowest(first), width(size), deviation(0.5 * std::sqrt(static_cast<double>(support.num_neurons))) {
  const std::span<const ExactWeight> stay = support.stay.weights();
  const std::size_t states = stay.size() / 2;
  std::vector<Units> differences, totals;
  const auto set_weights = [&](const std::vector<Units>& units) {
    agree.assign(units.begin(), units.begin() + states);
    disagree.assign(units.begin() + states, units.end());
    differences.clear();
    totals.clear();
    for (int a = lowest; a < lowest + width; ++a) {
      differences.push_back(agree[a] - disagree[a]);
      totals.push_back(agree[a] + disagree[a]);
    }
  };

  exact = all_integers(stay);
  if (exact) {
    set_weights(divide(stay, 0, common_divisor(stay, 0, stop), stop));
    exact =
        below_clamp(agree) && below_clamp(disagree) && fits_limbs(differences, 0) && fits_limbs(totals, totals.front());
  }
  if (!exact) {
    std::vector<ExactWeight> inside(stay.begin() + lowest, stay.begin() + lowest + width);
    inside.insert(inside.end(), stay.begin() + states + lowest, stay.begin() + states + lowest + width);
    const std::int64_t exponent = unit_exponent(inside);
    std::vector<Units> units;
    for (const ExactWeight& weight : stay) {
      stop.check();
      units.push_back(round_to_units(weight, exponent));
    }
    set_weights(units);
  }
  total = sum_table(totals);
  pair_scale = exact ? pair_scale_of(agree, disagree) : 0;
  for (std::size_t a = 0; a < states; ++a)
    largest = std::max({largest, agree[a], -agree[a], disagree[a], -disagree[a]});

  const std::span<const ExactWeight> F = support.separation.weights();
  separation_exact = all_integers(F);
  if (separation_exact) {
    const cpp_int offset = F[lowest].mantissa;
    separation = divide(F, offset, common_divisor(F, offset, stop), stop);
    separation_exact =
        below_clamp(separation) && fits_limbs({separation.begin() + lowest, separation.begin() + lowest + width}, 0);
  }
  if (!separation_exact) {
    const std::int64_t exponent = unit_exponent(F.subspan(lowest, width));
    separation.clear();
    for (const ExactWeight& weight : F) {
      stop.check();
      separation.push_back(round_to_units(weight, exponent));
    }
  }
  separation_limbs = sum_table(std::span<const Units>(separation).subspan(lowest, width));
}

void PlaneTables::fit(std::int64_t num_patterns) {
  std::vector<Units> differences;
  for (int a = lowest; a < lowest + width; ++a) differences.push_back(agree[a] - disagree[a]);
  difference = plane_table(differences, deviation, num_patterns);
  // Half a unit per rounded weight: one in twice the support of each pattern, one in each of two sums of F.
  error = exact ? 0 : num_patterns;
  separation_error = separation_exact ? 0 : num_patterns;
  narrow = largest < kClamp && largest * num_patterns < (Units{1} << 58);
}

Window window_around(int centre, int num_neurons) {
  const int half = static_cast<int>(std::ceil(4.5 * 0.5 * std::sqrt(static_cast<double>(num_neurons))));
  const int width = std::min({2 * half + 1, kMaxWidth, num_neurons + 1});
  return {std::clamp(centre - width / 2, 0, num_neurons + 1 - width), width};
}

Window fullest_window(std::span<const std::int64_t> counts) {
  const int states = static_cast<int>(counts.size());
  Window window{0, std::min(kMaxWidth, states)};
  std::int64_t inside = std::accumulate(counts.begin(), counts.begin() + window.width, std::int64_t{0}), most = inside;
  for (int lowest = 1; lowest + window.width <= states; ++lowest) {
    inside += counts[lowest + window.width - 1] - counts[lowest - 1];
    if (inside <= most) continue;
    most = inside;
    window.lowest = lowest;
  }
  return window;
}

}  // namespace dam

#include "gpu/dam/weights.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace gpu {
namespace {

constexpr int kDigitBits = 29;  // of a magnitude
constexpr int kHighBits = 15;   // of the high digits, their sign included
constexpr std::uint32_t kOutside = 1u << kHighBits;

Units magnitude(Units value) { return value < 0 ? -value : value; }

/// values = offset + unit·digits ± error, |digits| < 2^kDigitBits.
struct Digits {
  Units offset = 0, unit = 1;
  std::vector<std::int64_t> digits;
  Units error = 0;
};

Digits make_digits(std::span<const Units> values, Units offset) {
  Digits result{.offset = offset};
  Units largest = 0, divisor = 0;
  for (const Units value : values) {
    largest = std::max(largest, magnitude(value - offset));
    for (Units rest = magnitude(value - offset); rest != 0;) divisor = std::exchange(rest, divisor % rest);
  }
  if (divisor != 0) result.unit = divisor;
  const Units divided = largest / result.unit;
  int dropped = 0;
  while (divided >> dropped >= Units{1} << kDigitBits) ++dropped;
  // Half of the dropped bits' range is how far a rounded value is off.
  const Units half = dropped == 0 ? 0 : result.unit << (dropped - 1);
  result.error = half;
  result.unit <<= dropped;
  for (const Units value : values) {
    const Units shifted = value - offset + half;
    Units digit = shifted / result.unit;
    if (shifted % result.unit < 0) --digit;  // rounds down
    result.digits.push_back(static_cast<std::int64_t>(digit));
  }
  return result;
}

}  // namespace

Weights::Weights(const dam::Support& support, int centre) {
  const dam::Window window = dam::window_around(centre, support.num_neurons);
  const dam::PlaneTables tables(support, window.lowest, window.width);
  agree = tables.agree;
  disagree = tables.disagree;
  separation = tables.separation;
  std::vector<Units> differences, sums;
  for (int a = window.lowest; a < window.lowest + window.width; ++a) {
    differences.push_back(agree[a] - disagree[a]);
    sums.push_back(agree[a] + disagree[a]);
  }
  const auto window_separation = std::span(separation).subspan(window.lowest, window.width);
  const Digits difference = make_digits(differences, 0), total = make_digits(sums, *std::ranges::min_element(sums)),
               f = make_digits(window_separation, *std::ranges::min_element(window_separation));

  std::int64_t largest = 0;
  for (const std::int64_t digit : difference.digits) largest = std::max(largest, digit < 0 ? -1 - digit : digit);
  const int bits = 1 + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(largest)));
  int low_bits = std::max(0, bits - kHighBits);
  const std::int64_t top = (std::int64_t{1} << (kHighBits - 1)) - 1;
  const auto high_of = [&](std::int64_t digit) {
    return low_bits == 0 ? digit : (digit + (std::int64_t{1} << (low_bits - 1))) >> low_bits;
  };
  // Rounding may need one bit more.
  if (std::ranges::any_of(difference.digits, [&](std::int64_t digit) { return high_of(digit) > top; })) ++low_bits;

  const std::size_t states = support.num_neurons + 1;
  digits.assign(states, kOutside);
  totals.assign(states, 0);
  separations.assign(states, 0);
  std::int64_t largest_low = 0;
  for (int at = 0; at < window.width; ++at) {
    const std::int64_t digit = difference.digits[at], high = high_of(digit);
    const std::int64_t low = digit - high * (std::int64_t{1} << low_bits);
    largest_low = std::max(largest_low, low < 0 ? -low : low);
    const int a = window.lowest + at;
    digits[a] = (static_cast<std::uint32_t>(high) & (kOutside - 1)) | static_cast<std::uint32_t>(low) << 16;
    totals[a] = static_cast<std::int32_t>(total.digits[at]);
    separations[a] = static_cast<std::int32_t>(f.digits[at]);
  }
  // Rounded weights are off by half a unit each: one in twice a support, one in each of two sums of F.
  numbers = {.low_bits = low_bits,
             .counts_rises = support.energy_may_rise,
             .narrow = std::ranges::max(totals) < 1 << 26 && std::ranges::max(separations) < 1 << 26,
             .unit = difference.unit,
             .total_offset = total.offset,
             .total_unit = total.unit,
             .separation_offset = f.offset,
             .separation_unit = f.unit,
             .largest_low = difference.unit * largest_low,
             .error = (tables.exact ? 0 : 1) + difference.error + total.error,
             .separation_error = (tables.separation_exact ? 0 : 1) + 2 * f.error,
             .clamp = dam::kClamp};
}

WeightView Weights::view() const {
  WeightView view = numbers;
  view.digits = digits.data();
  view.totals = totals.data();
  view.separations = separations.data();
  view.agree = agree.data();
  view.disagree = disagree.data();
  view.separation = separation.data();
  return view;
}

}  // namespace gpu

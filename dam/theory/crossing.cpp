#include "dam/theory/crossing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "core/numbers.h"

namespace dam {
namespace {

struct Score {
  std::int64_t num_patterns;
  double value;  // ln(loss), close to linear in ln K
  double error;
};

/// The losses, each asked for once.
class Curve {
 public:
  explicit Curve(const std::function<Loss(std::int64_t)>& loss) : loss_(loss) {}

  Score at(double k) {
    constexpr std::int64_t kSmall = 64;
    const std::int64_t num_patterns = std::llround(k);
    Score result = plain(num_patterns);
    if (num_patterns >= kSmall || num_patterns == 1) return result;
    const Score below = plain(num_patterns - 1), above = plain(num_patterns + 1);
    result.value = (below.value + 2 * result.value + above.value) / 4;
    result.error = (below.error + 2 * result.error + above.error) / 4;
    return result;
  }

 private:
  Score plain(std::int64_t num_patterns) {
    auto [place, fresh] = known_.try_emplace(num_patterns);
    if (fresh) place->second = loss_(num_patterns);
    const Loss& loss = place->second;
    const double value = std::max(loss.value, 1e-300);
    return {num_patterns, std::log(value), loss.error / value};
  }

  const std::function<Loss(std::int64_t)>& loss_;
  std::map<std::int64_t, Loss> known_;
};

double log_of(const Score& score) { return std::log(static_cast<double>(score.num_patterns)); }

}  // namespace

Prediction find_crossing(const std::function<Loss(std::int64_t)>& loss, double beta, double guess) {
  if (!(beta > 0 && beta < 1)) throw std::invalid_argument("beta " + core::number_text(beta) + " is not within (0, 1)");
  const double target = std::log(-std::log(beta));
  Curve curve(loss);
  Score low = curve.at(1);
  const auto sure = [&](const Score& score, bool above) {
    return (std::exp(score.value) * (1 + (above ? -score.error : score.error)) > std::exp(target)) == above;
  };
  if (low.value > target) return {0, sure(low, true) ? 0.0 : 1.0};
  Score high = curve.at(std::clamp(guess >= 2 ? guess : 2.0, 2.0, kMostPatterns));  // NaN where all underflows
  for (double factor = 1.3; high.value <= target; factor *= factor) {
    low = high;
    if (static_cast<double>(high.num_patterns) >= kMostPatterns)

      return {std::numeric_limits<double>::infinity(), sure(low, false) ? 0.0 : 1.0};
    high = curve.at(std::min(std::ceil(static_cast<double>(high.num_patterns) * factor), kMostPatterns));
  }
  for (double factor = 1.3; low.num_patterns == 1 && high.num_patterns > 2; factor *= factor) {
    const Score below = curve.at(std::max(2.0, std::floor(static_cast<double>(high.num_patterns) / factor)));
    (below.value <= target ? low : high) = below;
  }
  const Score wide_low = low, wide_high = high;
  const auto interpolated = [&] {
    return log_of(low) + (log_of(high) - log_of(low)) * (target - low.value) / (high.value - low.value);
  };
  // False position alternating with bisection: safe on tie-ragged curves, fast on smooth ones.
  for (bool bisect = false; high.num_patterns - low.num_patterns > 1; bisect = !bisect) {
    const double narrow =
        static_cast<double>(high.num_patterns - low.num_patterns) / static_cast<double>(low.num_patterns);
    if (narrow < 1e-4) break;  // the score is linear to far better than that
    const double middle =
        bisect ? std::sqrt(static_cast<double>(low.num_patterns) * static_cast<double>(high.num_patterns))
               : std::exp(interpolated());
    const Score inner = curve.at(
        std::clamp(middle, static_cast<double>(low.num_patterns + 1), static_cast<double>(high.num_patterns - 1)));
    (inner.value <= target ? low : high) = inner;
  }
  const double k_max = std::exp(interpolated());
  const double slope = (wide_high.value - wide_low.value) / (log_of(wide_high) - log_of(wide_low));
  return {k_max, k_max * (std::max(low.error, high.error) / slope + 1e-9)};
}

}  // namespace dam

#include "core/random.h"

#include <cmath>
#include <utility>

namespace core {

std::uint64_t uniform_below(Stream& stream, std::uint64_t bound) {
  using Wide = unsigned __int128;
  Wide product = Wide{stream()} * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = -bound % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = Wide{stream()} * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

bool bernoulli(Stream& stream, double probability) {
  const std::uint64_t draw = stream();
  if (probability >= 1) return true;
  return draw < static_cast<std::uint64_t>(std::ldexp(probability, 64));
}

void shuffle(Stream& stream, std::span<std::uint32_t> items) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1], items[uniform_below(stream, left)]);
}

}  // namespace core

#include "experiments/sweep/shard.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <utility>

#include "core/numbers.h"
#include "experiments/command_line/cli.h"

namespace experiments {

Shard parse_shard(const std::string& text) {
  constexpr std::int64_t kMost = 100000;
  const std::size_t slash = std::min(text.find('/'), text.size());
  try {
    const std::int64_t index = core::parse_integer(text.substr(0, slash), "part");
    const std::int64_t count = core::parse_integer(text.substr(std::min(slash + 1, text.size())), "parts");
    if (1 <= index && index <= count && count <= kMost) return {static_cast<int>(index), static_cast<int>(count)};
  } catch (const std::invalid_argument&) {
    // answered below, with all that is accepted
  }
  throw UsageError(fmt::format("--shard: '{}' is not PART/PARTS, such as 2/8 (1 to PARTS, at most {})", text, kMost));
}

std::vector<std::size_t> items_of(const Shard& shard, const std::vector<double>& costs) {
  std::vector<std::size_t> dearest_first(costs.size());
  std::iota(dearest_first.begin(), dearest_first.end(), std::size_t{0});
  std::stable_sort(dearest_first.begin(), dearest_first.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  using Load = std::pair<double, int>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int i = 1; i <= shard.count; ++i) loads.emplace(0.0, i);
  std::vector<std::size_t> items;
  for (const std::size_t item : dearest_first) {
    const auto [load, index] = loads.top();
    loads.pop();
    loads.emplace(load + costs[item], index);
    if (index == shard.index) items.push_back(item);
  }
  std::sort(items.begin(), items.end());
  return items;
}

}  // namespace experiments

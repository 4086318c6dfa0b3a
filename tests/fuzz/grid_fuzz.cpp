// Grids of integers and probabilities, and shards: values within what was asked for, or a line that says what is wrong.
#include <algorithm>
#include <cstdlib>

#include "experiments/command_line/cli.h"
#include "experiments/command_line/grid.h"
#include "experiments/sweep/shard.h"

namespace {

template <class Parse>
void try_to(Parse parse) {
  try {
    parse();
  } catch (const experiments::UsageError&) {
  }
}

void require(bool kept) {
  if (!kept) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_to([&] {
    const auto grid = experiments::parse_integer_grid(text, "size", 2);
    require(!grid.empty() && grid.front() >= 2 && std::is_sorted(grid.begin(), grid.end(), std::less_equal<>()));
  });
  try_to([&] {
    for (const double p : experiments::parse_probability_grid(text, "alpha")) require(0 < p && p <= 1);
  });
  try_to([&] {
    const experiments::Shard shard = experiments::parse_shard(text);
    require(1 <= shard.index && shard.index <= shard.count);
  });
  return 0;
}

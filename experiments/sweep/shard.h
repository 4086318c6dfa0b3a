// Parts of a sweep that run apart: as jobs of an array, on machines that know nothing of each other.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace experiments {

/// Part `index` of `count`, numbered from 1 as typed: `2/8`.
struct Shard {
  int index = 1;
  int count = 1;
};

/// Reads `2/8`; throws UsageError for anything but 1 ≤ index ≤ count ≤ 100000.
Shard parse_shard(const std::string& text);

/// Positions of the items, of these costs, that are the shard's, ascending.
///
/// Every item is in one shard of `count`. The dearest item not yet given goes to the shard with the least so far, so
/// the dearest shard costs at most 4/3 − 1/(3 count) of the best split (Graham 1969). Equal costs, equal shards.
std::vector<std::size_t> items_of(const Shard& shard, const std::vector<double>& costs);

}  // namespace experiments

#include "experiments/sweep/batch_store.h"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>
#include <vector>

#include "results/schema.h"

namespace experiments {
namespace {

void accumulate(BatchRecord& total, const BatchRecord& batch) {
  total.counts += batch.counts;
  total.seconds += batch.seconds;
}

}  // namespace

BatchRecord BatchStore::sum_first(std::uint64_t configuration, std::int64_t num_patterns, std::int64_t count) const {
  BatchRecord total;
  for (std::int64_t batch = 0; batch < count; ++batch) {
    const auto found = batches_.find({configuration, num_patterns, batch});
    if (found == batches_.end())
      throw std::logic_error(fmt::format("batch {} at K = {} was not measured", batch, num_patterns));
    accumulate(total, found->second);
  }
  return total;
}

BatchRecord BatchStore::sum(std::uint64_t configuration, std::int64_t num_patterns) const {
  BatchRecord total;
  const auto last = batches_.lower_bound({configuration, num_patterns + 1, 0});
  for (auto at = batches_.lower_bound({configuration, num_patterns, 0}); at != last; ++at)
    accumulate(total, at->second);
  return total;
}

std::set<std::int64_t> BatchStore::num_patterns(std::uint64_t configuration) const {
  std::set<std::int64_t> values;
  for (auto at = batches_.lower_bound({configuration, 0, 0});
       at != batches_.end() && at->first.configuration == configuration; ++at)
    values.insert(at->first.num_patterns);
  return values;
}

results::Table BatchStore::table() const {
  results::Table table = results::empty_table(results::dam_table("batches"));
  for (const auto& [key, record] : batches_) {
    table.values<std::uint64_t>("configuration").push_back(key.configuration);
    table.values<std::int64_t>("num_patterns").push_back(key.num_patterns);
    table.values<std::int64_t>("batch").push_back(key.batch);
    table.values<double>("seconds").push_back(record.seconds);
  }
  for (const auto& [name, member] : kCounters)
    for (const auto& [key, record] : batches_) table.values<std::int64_t>(name).push_back(record.counts.*member);
  return table;
}

BatchStore BatchStore::from_table(const results::Table& table) {
  const auto& configuration = table.values<std::uint64_t>("configuration");
  const auto& num_patterns = table.values<std::int64_t>("num_patterns");
  const auto& batch = table.values<std::int64_t>("batch");
  const auto& seconds = table.values<double>("seconds");
  std::vector<BatchRecord> records(table.rows());
  for (const auto& [name, member] : kCounters) {
    const auto& values = table.values<std::int64_t>(name);
    for (std::size_t row = 0; row < records.size(); ++row) records[row].counts.*member = values[row];
  }
  BatchStore store;
  for (std::size_t row = 0; row < records.size(); ++row) {
    records[row].seconds = seconds[row];
    store.add({configuration[row], num_patterns[row], batch[row]}, records[row]);
  }
  return store;
}

}  // namespace experiments

#include "results/merge.h"

#include <catch2/catch.hpp>
#include <random>

#include "results/spec_difference.h"
#include "tests/results/example_file.h"

using results::merge;
using results::NamedFile;
using results::ResultFile;

namespace {

/// What one run over all batches measures: counts that follow from the key.
ResultFile whole_run() {
  ResultFile file{"dam", "size = 32\n", {}, {results::empty_table(results::dam_table("batches"))}};
  file.provenance.seed = 1;
  auto& table = file.tables[0];
  for (const std::uint64_t configuration : {std::uint64_t{3}, std::uint64_t{1} << 63})
    for (std::int64_t num_patterns = 1; num_patterns <= 4; ++num_patterns)
      for (std::int64_t batch = 0; batch < 5; ++batch)
        for (auto& column : table.columns) {
          if (column.name == "configuration")
            std::get<std::vector<std::uint64_t>>(column.values).push_back(configuration);
          else if (column.name == "num_patterns")
            std::get<std::vector<std::int64_t>>(column.values).push_back(num_patterns);
          else if (column.name == "batch")
            std::get<std::vector<std::int64_t>>(column.values).push_back(batch);
          else if (column.name == "seconds")
            std::get<std::vector<double>>(column.values).push_back(0.25);
          else
            std::get<std::vector<std::int64_t>>(column.values)
                .push_back(static_cast<std::int64_t>(configuration % 7) * 100 + num_patterns * 10 + batch);
        }
  return file;
}

/// A part of the whole run, each row with the probability given, in an order of its own, as another machine's file.
NamedFile part(const std::string& name, double probability, std::mt19937& random) {
  ResultFile file = whole_run();
  file.provenance.cpu = "CPU of " + name;
  file.provenance.command_line = "dam capacity --shard " + name;
  file.provenance.threads = static_cast<std::int64_t>(random() % 8);
  file.provenance.started = "2026-01-0" + std::to_string(1 + random() % 9) + "T00:00:00Z";
  file.provenance.finished = "2026-02-0" + std::to_string(1 + random() % 9) + "T00:00:00Z";
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < file.tables[0].rows(); ++row)
    if (std::bernoulli_distribution(probability)(random)) rows.push_back(row);
  std::shuffle(rows.begin(), rows.end(), random);
  file.tables[0] = results::select_rows(file.tables[0], rows);
  for (double& seconds : file.tables[0].values<double>("seconds")) seconds = static_cast<double>(random() % 100);
  return {name, file};
}

ResultFile merged(std::initializer_list<NamedFile> files) { return merge(std::vector<NamedFile>(files)); }

}  // namespace

TEST_CASE("half and half is the whole") {
  ResultFile even = whole_run();
  ResultFile odd = whole_run();
  std::vector<std::size_t> rows[2];
  for (std::size_t row = even.tables[0].rows(); row-- > 0;) rows[row % 2].push_back(row);
  even.tables[0] = results::select_rows(even.tables[0], rows[0]);
  odd.tables[0] = results::select_rows(odd.tables[0], rows[1]);
  CHECK(same(merged({{"even", even}, {"odd", odd}}), whole_run()));
  CHECK(serialize(merged({{"odd", odd}, {"even", even}})) == serialize(whole_run()));
}

TEST_CASE("merging is idempotent, commutative and associative, provenance included") {
  std::mt19937 random(Catch::rngSeed());
  for (int trial = 0; trial < 20; ++trial) {
    const NamedFile a = part("a", 0.5, random);
    const NamedFile b = part("b", 0.3, random);
    const NamedFile c = part("c", trial == 0 ? 0.0 : 0.7, random);
    const ResultFile all = merged({a, b, c});
    CHECK(same(merged({a, a}), merged({a})));
    CHECK(same(merged({{"all", all}, a}), all));
    CHECK(same(merged({b, c, a}), all));
    CHECK(same(merged({c, b, a}), all));
    CHECK(same(merged({{"ab", merged({a, b})}, c}), all));
    CHECK(same(merged({a, {"bc", merged({b, c})}}), all));
  }
}

TEST_CASE("the merged file says where all of its parts came from") {
  std::mt19937 random(Catch::rngSeed());
  NamedFile a = part("a", 0.5, random);
  NamedFile b = part("b", 0.5, random);
  a.file.provenance.started = "2026-01-01T00:00:00Z";
  b.file.provenance.started = "";
  const auto provenance = merged({b, a}).provenance;
  CHECK(provenance.cpu == "CPU of a\nCPU of b");
  CHECK(provenance.started == "2026-01-01T00:00:00Z");
  CHECK(provenance.threads == std::max(a.file.provenance.threads, b.file.provenance.threads));
  CHECK(provenance.seed == 1);
}

TEST_CASE("rows that disagree are told by file, column and key") {
  ResultFile other = whole_run();
  other.tables[0].values<std::int64_t>("flips")[7] += 1;
  CHECK_THROWS_WITH(merged({{"a.h5", whole_run()}, {"b.h5", other}}),
                    "a.h5 and b.h5 disagree in column flips of configuration 3, num_patterns 2, batch 2");
}

TEST_CASE("files of another spec, kind or schema are not merged") {
  const NamedFile first{"a.h5", whole_run()};
  NamedFile other{"b.h5", whole_run()};
  other.file.spec = "size = 64\n";
  CHECK_THROWS_AS(merged({first, other}), results::SpecMismatch);
  CHECK_THROWS_WITH(merged({first, other}), Catch::EndsWith("- size = 32\n+ size = 64"));
  other = {"b.h5", whole_run()};
  other.file.kind = "ham";
  CHECK_THROWS_WITH(merged({first, other}), "b.h5 is a file of kind 'ham', a.h5 of 'dam'");
  other = {"b.h5", whole_run()};
  other.file.tables[0].columns.pop_back();
  CHECK_THROWS_WITH(merged({first, other}), "b.h5: the columns of its table batches are not those of a.h5");
  other.file.tables.clear();
  CHECK_THROWS_WITH(merged({first, other}), Catch::Contains("no table batches"));
  CHECK_THROWS_WITH(merge({}), Catch::Contains("at least one file"));
}

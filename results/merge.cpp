#include "results/merge.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <tuple>

#include "results/spec_difference.h"

namespace results {
namespace {

constexpr const char* kPrimary = "batches";

/// A row of the primary table: its key, and where it stands.
struct Row {
  std::uint64_t configuration;
  std::int64_t num_patterns;
  std::int64_t batch;
  std::size_t position;  // in all files' rows one after the other

  auto key() const { return std::tie(configuration, num_patterns, batch); }
};

void require_same_columns(const NamedFile& a, const NamedFile& b) {
  const Table& left = a.file.table(kPrimary);
  const Table& right = b.file.table(kPrimary);
  const auto same = [](const Column& x, const Column& y) {
    return x.name == y.name && x.values.index() == y.values.index();
  };
  if (!std::equal(left.columns.begin(), left.columns.end(), right.columns.begin(), right.columns.end(), same))
    throw std::runtime_error(b.name + ": the columns of its table " + kPrimary + " are not those of " + a.name);
}

void require_mergeable(const NamedFile& first, const NamedFile& other) {
  if (other.file.kind != first.file.kind)
    throw std::runtime_error(other.name + " is a file of kind '" + other.file.kind + "', " + first.name + " of '" +
                             first.file.kind + "'");
  require_same_streams(first.name, first.file.streams, other.name, other.file.streams);
  require_same_spec(first.name, first.file.spec, other.name, other.file.spec);
  require_same_columns(first, other);
}

/// The primary tables of all files, one below the other.
Table stack(std::span<const NamedFile> files) {
  Table all = files.front().file.table(kPrimary);
  for (const NamedFile& next : files.subspan(1)) {
    const Table& table = next.file.table(kPrimary);
    for (std::size_t i = 0; i < all.columns.size(); ++i)
      std::visit(
          [&]<class T>(std::vector<T>& values) {
            const auto& more = std::get<std::vector<T>>(table.columns[i].values);
            values.insert(values.end(), more.begin(), more.end());
          },
          all.columns[i].values);
  }
  return all;
}

const std::string& name_at(std::span<const NamedFile> files, std::size_t position) {
  for (const NamedFile& file : files) {
    const std::size_t rows = file.file.table(kPrimary).rows();
    if (position < rows) return file.name;
    position -= rows;
  }
  throw std::logic_error("merge: no such row");
}

/// Leaves in `kept` what both rows of one key agree on; false when they disagree in a reproducible column.
bool unite(Column& column, std::size_t kept, std::size_t other) {
  return std::visit(
      [&]<class T>(std::vector<T>& values) {
        if (!column.reproducible) values[kept] = std::min(values[kept], values[other]);
        if constexpr (std::is_same_v<T, double>)
          if (std::isnan(values[kept]) && std::isnan(values[other])) return true;
        return !column.reproducible || values[kept] == values[other];
      },
      column.values);
}

std::vector<Row> sorted_rows(const Table& table) {
  const auto& configurations = table.values<std::uint64_t>("configuration");
  const auto& num_patterns = table.values<std::int64_t>("num_patterns");
  const auto& batches = table.values<std::int64_t>("batch");
  std::vector<Row> rows(table.rows());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = {configurations[i], num_patterns[i], batches[i], i};
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key() < b.key(); });
  return rows;
}

Table merge_rows(std::span<const NamedFile> files) {
  Table all = stack(files);
  std::vector<std::size_t> kept;
  const Row* last = nullptr;
  const std::vector<Row> rows = sorted_rows(all);
  for (const Row& row : rows) {
    if (last == nullptr || row.key() != last->key()) {
      kept.push_back(row.position);
      last = &row;
      continue;
    }
    for (Column& column : all.columns)
      if (!unite(column, last->position, row.position))
        throw std::runtime_error(name_at(files, last->position) + " and " + name_at(files, row.position) +
                                 " disagree in column " + column.name + " of configuration " +
                                 std::to_string(row.configuration) + ", num_patterns " +
                                 std::to_string(row.num_patterns) + ", batch " + std::to_string(row.batch));
  }
  return select_rows(all, kept);
}

std::string united_lines(const std::string& a, const std::string& b) {
  std::set<std::string> lines;
  for (const std::string* text : {&a, &b})
    for (std::size_t start = 0; start < text->size();) {
      const std::size_t end = std::min(text->find('\n', start), text->size());
      lines.insert(text->substr(start, end - start));
      start = end + 1;
    }
  std::string joined;
  for (const std::string& line : lines) joined += (joined.empty() ? "" : "\n") + line;
  return joined;
}

/// The earlier (or later) of two times, one that is not known giving way.
std::string extreme_time(const std::string& a, const std::string& b, bool later) {
  if (a.empty() || b.empty()) return a.empty() ? b : a;
  return later ? std::max(a, b) : std::min(a, b);
}

}  // namespace

core::Provenance unite(const core::Provenance& a, const core::Provenance& b) {
  core::Provenance united = a;
  for (const auto member : {&core::Provenance::program_version, &core::Provenance::commit, &core::Provenance::compiler,
                            &core::Provenance::flags, &core::Provenance::kernel, &core::Provenance::cpu,
                            &core::Provenance::device, &core::Provenance::command_line})
    united.*member = united_lines(a.*member, b.*member);
  united.threads = std::max(a.threads, b.threads);
  united.seed = std::min(a.seed, b.seed);  // equal, the spec being the same
  united.started = extreme_time(a.started, b.started, false);
  united.finished = extreme_time(a.finished, b.finished, true);
  return united;
}

ResultFile merge(std::span<const NamedFile> files) {
  if (files.empty()) throw std::invalid_argument("merge needs at least one file");
  const ResultFile& first = files.front().file;
  ResultFile merged{.kind = first.kind, .spec = first.spec, .provenance = first.provenance, .tables = {}};
  merged.streams = first.streams;
  for (const NamedFile& other : files) {
    require_mergeable(files.front(), other);
    // The first file with itself too, so that merging one file and merging it twice write the same lines.
    merged.provenance = unite(merged.provenance, other.file.provenance);
    // The same lines in another order are the same spec; the smallest text, whichever file comes first.
    merged.spec = std::min(merged.spec, other.file.spec);
  }
  merged.tables.push_back(merge_rows(files));
  return merged;
}

}  // namespace results

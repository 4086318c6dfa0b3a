#include "experiments/files/recall_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"

namespace experiments {
namespace {

constexpr std::uint64_t kByteLimit = std::uint64_t{1} << 40;  // beyond what the file itself holds nothing is allocated

/// A column of one group: what it means, and how it comes out of a row and into one.
template <class Row>
struct ColumnOf {
  const char* name;
  const char* long_name;
  const char* units;
  core::ColumnValues (*get)(const std::vector<Row>& rows);
  void (*set)(std::vector<Row>& rows, const core::ColumnValues& values);
};

/// The column of a member, reached by `kMember(row)`, stored as T.
template <class T, auto kMember, class Row>
constexpr ColumnOf<Row> column(const char* name, const char* long_name, const char* units) {
  return {name, long_name, units,
          [](const std::vector<Row>& rows) {
            std::vector<T> values;
            for (const Row& row : rows) values.push_back(static_cast<T>(kMember(const_cast<Row&>(row))));
            return core::ColumnValues(values);
          },
          [](std::vector<Row>& rows, const core::ColumnValues& values) {
            const auto& read = std::get<std::vector<T>>(values);
            for (std::size_t i = 0; i < rows.size(); ++i) {
              auto& member = kMember(rows[i]);
              member = static_cast<std::remove_reference_t<decltype(member)>>(read.at(i));
            }
          }};
}

/// A recalled cue and its row.
struct Entry {
  std::int64_t cue = 0;
  Recalled recalled;
};

const ColumnOf<Entry> kRecallColumns[] = {column < std::int64_t, [](Entry& e) -> auto& {return e.cue;
}  // namespace
, Entry > ("cue", "row of the cue", "1"), column < double, [](Entry& e) -> auto& { return e.recalled.energy_before; }
, Entry > ("energy_before", "energy of the cue", "1"), column < double, [](Entry& e) -> auto& {
  return e.recalled.energy_after;
}
, Entry > ("energy_after", "energy of the final state", "1"), column < std::int64_t, [](Entry& e) -> auto& {
  return e.recalled.result.passes;
}
, Entry > ("passes", "passes made, the last one without a flip included", "passes"), column < std::int64_t,
    [](Entry& e) -> auto& {
  return e.recalled.result.flips;
}
, Entry > ("flips", "spins flipped", "flips"), column < std::int64_t, [](Entry& e) -> auto& {
  return e.recalled.result.ties;
}
, Entry > ("ties", "updates that found a field of exactly 0", "updates"), column < std::int64_t, [](Entry& e) -> auto& {
  return e.recalled.result.energy_rises;
}
, Entry > ("energy_rises", "flips that raised the energy", "flips"), column < std::int64_t, [](Entry& e) -> auto& {
  return e.recalled.result.converged;
}
, Entry > ("converged", "1 when the last pass had no flip", "1"), column < std::int64_t, [](Entry& e) -> auto& {
  return e.recalled.result.cycle;
}
, Entry > ("cycle", "1 when recall stopped because a state came back", "1"), column < std::int64_t,
    [](Entry& e) -> auto& {
  return e.recalled.nearest_pattern;
}
, Entry > ("nearest_pattern", "row of the stored pattern closest to the final state", "1"), column < std::int64_t,
    [](Entry& e) -> auto& {
  return e.recalled.nearest_overlap;
}
, Entry > ("nearest_overlap", "its overlap with the final state", "neurons"),
};  // namespace experiments

/// A row of the trace table: which cue, which flip.
struct TraceRow {
  std::int64_t cue = 0, flip = 0, spin = 0;
  double energy = 0;
};
const ColumnOf<TraceRow> kTraceColumns[] = {column < std::int64_t, [](TraceRow& r) -> auto& {return r.cue;
}
, TraceRow > ("cue", "row of the cue", "1"), column < std::int64_t, [](TraceRow& r) -> auto& { return r.flip; }
, TraceRow > ("flip", "number of the flip, from 1; 0 is the cue itself", "1"), column < std::int64_t,
    [](TraceRow& r) -> auto& {
  return r.spin;
}
, TraceRow > ("spin", "spin that flipped, -1 for the cue itself", "1"), column < double, [](TraceRow& r) -> auto& {
  return r.energy;
}
, TraceRow > ("energy", "energy after the flip", "1"),
}
;

template <class Row, std::size_t kCount>
void write_group(core::Hdf5File& file, const std::string& group, const ColumnOf<Row> (&columns)[kCount],
                 const std::vector<Row>& rows) {
  file.create_group(group);
  for (const ColumnOf<Row>& column : columns) {
    const std::string dataset = group + "/" + column.name;
    file.write_column(dataset, column.get(rows));
    file.write_attribute(dataset, "long_name", std::string(column.long_name));
    file.write_attribute(dataset, "units", std::string(column.units));
  }
}

template <class Row, std::size_t kCount>
std::vector<Row> read_group(const core::Hdf5File& file, const std::string& group,
                            const ColumnOf<Row> (&columns)[kCount]) {
  std::vector<Row> rows;
  for (const ColumnOf<Row>& column : columns) {
    const core::ColumnValues values = file.read_column(group + "/" + column.name, kByteLimit);
    const std::size_t count = std::visit([](const auto& read) { return read.size(); }, values);
    if (&column == columns) rows.resize(count);
    if (rows.size() != count) throw std::runtime_error(fmt::format("{}: columns of different lengths", group));
    column.set(rows, values);
  }
  return rows;
}

std::vector<TraceRow> trace_rows(const std::map<std::int64_t, Recalled>& rows) {
  std::vector<TraceRow> trace;
  for (const auto& [cue, recalled] : rows) {
    std::int64_t flip = 0;
    trace.push_back({cue, flip, -1, recalled.energy_before});
    for (const TraceStep& step : recalled.trace) trace.push_back({cue, ++flip, step.spin, step.energy});
  }
  return trace;
}

template <class Value>
Value attribute(const core::Hdf5File& file, const char* name) {
  const auto value = file.read_attribute("/", name);
  if (!value || !std::holds_alternative<Value>(*value)) throw std::runtime_error("is no file of dam recall");
  return std::get<Value>(*value);
}

RecallFile read_from(const core::Hdf5File& file) {
  RecallFile read;
  read.request = attribute<std::string>(file, "request");
  read.model = attribute<std::string>(file, "model");
  read.num_cues = attribute<std::int64_t>(file, "cues");
  core::for_each_field(read.provenance, [&](const char* name, auto& field) {
    field = attribute<std::remove_reference_t<decltype(field)>>(file, name);
  });
  std::vector<Entry> entries = read_group(file, "/recall", kRecallColumns);
  const core::NumericArray states = file.read_array("/states", kByteLimit);
  const auto* signs = std::get_if<std::vector<std::int8_t>>(&states.values);
  if (signs == nullptr || states.shape.size() != 2 || states.shape[0] != entries.size())
    throw std::runtime_error("/states does not fit /recall");
  const auto neurons = static_cast<std::ptrdiff_t>(states.shape[1]);
  auto state = signs->begin();
  for (Entry& entry : entries) {
    if (entry.cue < 0 || entry.cue >= read.num_cues) throw std::runtime_error("/recall/cue: no such cue");
    entry.recalled.state.assign(state, state + neurons);
    state += neurons;
    read.rows[entry.cue] = std::move(entry.recalled);
  }
  read.traced = file.exists("/trace");
  if (!read.traced) return read;
  for (const TraceRow& step : read_group(file, "/trace", kTraceColumns)) {
    const auto row = read.rows.find(step.cue);
    if (row == read.rows.end()) throw std::runtime_error("/trace/cue: no such cue");
    if (step.flip > 0) row->second.trace.push_back({static_cast<std::uint32_t>(step.spin), step.energy});
  }
  return read;
}

}  // namespace

void write_recall(const std::string& path, const RecallFile& recall) {
  core::Hdf5File file = core::Hdf5File::create();
  core::for_each_field(recall.provenance,
                       [&](const char* name, const auto& value) { file.write_attribute("/", name, value); });
  file.write_attribute("/", "request", recall.request);
  file.write_attribute("/", "model", recall.model);
  file.write_attribute("/", "cues", recall.num_cues);

  std::vector<std::int8_t> states;
  std::vector<Entry> entries;
  for (const auto& [cue, recalled] : recall.rows) {
    states.insert(states.end(), recalled.state.begin(), recalled.state.end());
    entries.push_back({cue, recalled});
  }
  const std::size_t neurons = entries.empty() ? 0 : states.size() / entries.size();
  file.write_array("/states", {{entries.size(), neurons}, states});
  file.write_attribute("/states", "long_name", std::string("final states, one row per cue of /recall/cue"));
  file.write_attribute("/states", "units", std::string("1"));
  write_group(file, "/recall", kRecallColumns, entries);
  if (recall.traced) write_group(file, "/trace", kTraceColumns, trace_rows(recall.rows));

  core::replace_file(path, {file.image()});
}

RecallFile read_recall(const std::string& path) {
  const core::Hdf5File file = core::Hdf5File::open(path);
  try {
    return read_from(file);
  } catch (const std::bad_variant_access&) {
    throw std::runtime_error(fmt::format("{}: holds columns of other types than dam recall writes", path));
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    throw std::runtime_error(what.starts_with(path) ? what : fmt::format("{}: {}", path, what));
  }
}

}  // namespace experiments

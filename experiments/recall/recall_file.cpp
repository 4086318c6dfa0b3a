#include "experiments/recall/recall_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <variant>

#include "core/files/file.h"
#include "core/formats/hdf5_file.h"

namespace experiments {
namespace {

constexpr std::uint64_t kByteLimit = std::uint64_t{1} << 40;  // beyond what the file itself holds nothing is allocated

/// A column of one group: what it means, and which member of a row it keeps.
template <class Row>
struct ColumnOf {
  const char* name;
  const char* long_name;
  const char* units;
  std::variant<std::int64_t Row::*, double Row::*> member;
};

/// A row of /recall.
struct Entry {
  std::int64_t cue = 0, erased = 0, passes = 0, flips = 0, ties = 0, energy_rises = 0, converged = 0, cycle = 0,
               nearest_pattern = 0, nearest_overlap = 0;
  double energy_before = 0, energy_before_log10 = 0, energy_after = 0, energy_after_log10 = 0;
};
constexpr ColumnOf<Entry> kRecallColumns[] = {
    {"cue", "row of the cue", "1", &Entry::cue},
    {"erased", "neurons of the cue without a value", "neurons", &Entry::erased},
    {"energy_before", "energy of the state that recall starts from; infinite or 0 where beyond doubles", "1",
     &Entry::energy_before},
    {"energy_before_log10", "log10 of its size", "1", &Entry::energy_before_log10},
    {"energy_after", "energy of the final state; infinite or 0 where beyond doubles", "1", &Entry::energy_after},
    {"energy_after_log10", "log10 of its size", "1", &Entry::energy_after_log10},
    {"passes", "passes made, the last one without a flip included", "passes", &Entry::passes},
    {"flips", "spins flipped", "flips", &Entry::flips},
    {"ties", "updates that found a field of exactly 0", "updates", &Entry::ties},
    {"energy_rises", "flips that raised the energy", "flips", &Entry::energy_rises},
    {"converged", "1 when the last pass had no flip", "1", &Entry::converged},
    {"cycle", "1 when recall stopped because a state came back", "1", &Entry::cycle},
    {"nearest_pattern", "row of the stored pattern of the largest |overlap| with the final state", "1",
     &Entry::nearest_pattern},
    {"nearest_overlap", "its overlap with the final state", "neurons", &Entry::nearest_overlap},
};

Entry entry_of(std::int64_t cue, const Recalled& recalled) {
  const dam::RecallResult& result = recalled.result;
  return {.cue = cue,
          .erased = recalled.erased,
          .passes = result.passes,
          .flips = result.flips,
          .ties = result.ties,
          .energy_rises = result.energy_rises,
          .converged = result.converged,
          .cycle = result.cycle,
          .nearest_pattern = recalled.nearest_pattern,
          .nearest_overlap = recalled.nearest_overlap,
          .energy_before = recalled.energy_before.value,
          .energy_before_log10 = recalled.energy_before.log10_size,
          .energy_after = recalled.energy_after.value,
          .energy_after_log10 = recalled.energy_after.log10_size};
}

/// All but its state and trace.
Recalled recalled_of(const Entry& entry) {
  return {.erased = entry.erased,
          .energy_before = {entry.energy_before, entry.energy_before_log10},
          .energy_after = {entry.energy_after, entry.energy_after_log10},
          .result = {.passes = entry.passes,
                     .flips = entry.flips,
                     .ties = entry.ties,
                     .energy_rises = entry.energy_rises,
                     .converged = entry.converged != 0,
                     .cycle = entry.cycle != 0},
          .nearest_pattern = entry.nearest_pattern,
          .nearest_overlap = entry.nearest_overlap};
}

/// A row of the trace table: which cue, which flip.
struct TraceRow {
  std::int64_t cue = 0, flip = 0, spin = 0;
  double energy = 0, energy_log10 = 0;
};
constexpr ColumnOf<TraceRow> kTraceColumns[] = {
    {"cue", "row of the cue", "1", &TraceRow::cue},
    {"flip", "number of the flip, from 1; 0 is the start itself", "1", &TraceRow::flip},
    {"spin", "spin that flipped, -1 for the start itself", "1", &TraceRow::spin},
    {"energy", "energy after the flip; infinite or 0 where beyond doubles", "1", &TraceRow::energy},
    {"energy_log10", "log10 of its size", "1", &TraceRow::energy_log10},
};

template <class Row>
core::ColumnValues values_of(const std::vector<Row>& rows, const ColumnOf<Row>& column) {
  return std::visit(
      [&]<class T>(T Row::*member) -> core::ColumnValues {
        std::vector<T> values;
        for (const Row& row : rows) values.push_back(row.*member);
        return values;
      },
      column.member);
}

template <class Row>
void set_values(std::vector<Row>& rows, const ColumnOf<Row>& column, const core::ColumnValues& values) {
  std::visit(
      [&]<class T>(T Row::*member) {
        const auto& read = std::get<std::vector<T>>(values);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*member = read.at(i);
      },
      column.member);
}

template <class Row, std::size_t kCount>
void write_group(core::Hdf5File& file, const std::string& group, const ColumnOf<Row> (&columns)[kCount],
                 const std::vector<Row>& rows) {
  file.create_group(group);
  for (const ColumnOf<Row>& column : columns) {
    const std::string dataset = group + "/" + column.name;
    file.write_column(dataset, values_of(rows, column));
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
    set_values(rows, column, values);
  }
  return rows;
}

std::vector<TraceRow> trace_rows(const std::map<std::int64_t, Recalled>& rows) {
  std::vector<TraceRow> trace;
  for (const auto& [cue, recalled] : rows) {
    std::int64_t flip = 0;
    const auto add = [&](std::int64_t spin, const dam::Energy& energy) {
      trace.push_back({cue, flip++, spin, energy.value, energy.log10_size});
    };
    add(-1, recalled.energy_before);
    for (const TraceStep& step : recalled.trace) add(step.spin, step.energy);
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
  const std::vector<Entry> entries = read_group(file, "/recall", kRecallColumns);
  const core::NumericArray states = file.read_array("/states", kByteLimit);
  const auto* signs = std::get_if<std::vector<std::int8_t>>(&states.values);
  if (signs == nullptr || states.shape.size() != 2 || states.shape[0] != entries.size())
    throw std::runtime_error("/states does not fit /recall");
  const auto neurons = static_cast<std::ptrdiff_t>(states.shape[1]);
  auto state = signs->begin();
  for (const Entry& entry : entries) {
    if (entry.cue < 0 || entry.cue >= read.num_cues) throw std::runtime_error("/recall/cue: no such cue");
    Recalled& recalled = read.rows[entry.cue] = recalled_of(entry);
    recalled.state.assign(state, state + neurons);
    state += neurons;
  }
  read.traced = file.exists("/trace");
  if (!read.traced) return read;
  for (const TraceRow& step : read_group(file, "/trace", kTraceColumns)) {
    const auto row = read.rows.find(step.cue);
    if (row == read.rows.end()) throw std::runtime_error("/trace/cue: no such cue");
    if (step.flip > 0)
      row->second.trace.push_back({static_cast<std::uint32_t>(step.spin), {step.energy, step.energy_log10}});
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
    entries.push_back(entry_of(cue, recalled));
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

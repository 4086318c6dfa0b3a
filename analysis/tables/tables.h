// Tables as values, and the ways to write them: terminal, Markdown, CSV, LaTeX, HTML.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analysis/drawing/figure.h"
#include "analysis/measurements.h"

namespace analysis {

/// A measured value with its 95 % interval, or a bound; a bound is never written as a value.
struct Estimate {
  double value = kMissing;
  double low = kMissing;
  double high = kMissing;
  Bound bound = Bound::none;
};

/// Words, a count, a number that is not measured (NaN: nothing there), or a measured value.
using Cell = std::variant<std::string, std::int64_t, double, Estimate>;

struct TextColumn {
  std::string heading;  // `K_max`
  std::string units;    // `patterns`; empty for pure numbers and words
};

/// A table for people.
struct TextTable {
  std::string name;     // file stem, anchor
  std::string caption;  // one or two plain sentences
  std::vector<TextColumn> columns;
  std::vector<std::vector<Cell>> rows;
};

/// One way to write a table.
struct TableFormat {
  const char* name;    // `terminal`, `markdown`, `csv`, `latex`, `html`
  const char* ending;  // of files, without the dot
  std::string (*write)(const TextTable&);
};

/// Every format. Terminal, Markdown, LaTeX and HTML round to what the interval supports (`2813 ± 61`, `> 4096`); CSV
/// keeps every digit and gives an estimate four columns: value, low, high, bound.
std::span<const TableFormat> table_formats();

/// The table in the named format; throws std::invalid_argument naming the formats, or when a row is too long or short.
std::string write_table(const TextTable& table, std::string_view format);

/// `2813 ± 61`, `12 +3 −2`, `(1.234 ± 0.012)e12`, `> 4096`, `< 1`, `12 … 48 (budget)`.
std::string estimate_text(const Estimate& estimate);

/// Capacities with the theories that say something beside them; only conventions that differ get a column.
TextTable capacity_table(const Measurements& measured, std::span<const TheoryCurve> theory);

/// Measured points: success probabilities, loads, counters per trial.
TextTable points_table(const Measurements& measured);

/// Text for HTML, attributes included: & < > " ' become entities.
std::string html_escaped(std::string_view text);

}  // namespace analysis

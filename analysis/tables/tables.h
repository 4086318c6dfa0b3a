// Tables as values, and the ways to write them: terminal, Markdown, CSV, LaTeX, HTML.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/tables/cells.h"

namespace analysis {

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

/// The table as a whole page that a browser opens by itself.
std::string html_page(const TextTable& table);

/// Heading and unit as one text, `K_max (patterns)`.
std::string heading_text(const TextColumn& column);

/// Parts with a separator between them.
std::string joined(const std::vector<std::string>& parts, std::string_view separator);

/// The table for LaTeX, with booktabs' rules.
std::string latex(const TextTable& table);

}  // namespace analysis

#include "analysis/tables/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace analysis {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string terminal(const TextTable& table) {
  std::vector<std::vector<std::string>> lines(table.rows.size() + 2);
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    lines[0].push_back(table.columns[i].heading);
    lines[1].push_back(table.columns[i].units);
    for (std::size_t row = 0; row < table.rows.size(); ++row) lines[row + 2].push_back(cell_text(table.rows[row][i]));
    std::size_t width = 0;
    for (const auto& line : lines) width = std::max(width, characters(line[i]));
    widths.push_back(width);
  }
  if (std::all_of(lines[1].begin(), lines[1].end(), [](const auto& units) { return units.empty(); }))
    lines.erase(lines.begin() + 1);
  std::string text;
  for (const auto& line : lines) {
    std::string written;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string pad(widths[i] - characters(line[i]), ' ');
      const bool left = table.rows.empty() || is_words(table.rows.front()[i]);
      written += (i == 0 ? "" : "  ") + (left ? line[i] + pad : pad + line[i]);
    }
    written.erase(written.find_last_not_of(' ') + 1);
    text += written + "\n";
  }
  return text;
}

std::string markdown(const TextTable& table) {
  constexpr std::array<std::pair<char, const char*>, 5> kEscapes{
      {{'|', "\\|"}, {'\\', "\\\\"}, {'\n', " "}, {'<', "&lt;"}, {'*', "\\*"}}};
  std::vector<std::string> headings, rules;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    headings.push_back(escaped(heading_text(table.columns[i]), kEscapes));
    rules.push_back(table.rows.empty() || is_words(table.rows.front()[i]) ? "---" : "--:");
  }
  std::string text = "| " + joined(headings, " | ") + " |\n|" + joined(rules, "|") + "|\n";
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (const Cell& cell : row) cells.push_back(escaped(cell_text(cell), kEscapes));
    text += "| " + joined(cells, " | ") + " |\n";
  }
  return text;
}

std::string csv_quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  constexpr std::array<std::pair<char, const char*>, 1> kEscapes{{{'"', "\"\""}}};
  return '"' + escaped(text, kEscapes) + '"';
}

std::string bound_text(Bound bound) {
  constexpr std::array kWords{"", "lower", "upper", "budget"};
  return kWords[static_cast<std::size_t>(bound)];
}

std::string csv(const TextTable& table) {
  std::vector<bool> estimates(table.columns.size(), false);
  for (const auto& row : table.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      estimates[i] = estimates[i] || std::holds_alternative<Estimate>(row[i]);
  std::vector<std::string> headings;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    headings.push_back(csv_quoted(table.columns[i].heading));
    if (estimates[i])
      for (const char* part : {" low", " high", " bound"})
        headings.push_back(csv_quoted(table.columns[i].heading + part));
  }
  std::string text = joined(headings, ",") + "\n";
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (const auto* estimate = std::get_if<Estimate>(&row[i])) {
        const bool value = estimate->bound == Bound::none;
        cells.push_back(value ? core::number_text(estimate->value) : "nan");
        cells.push_back(core::number_text(estimate->low));
        cells.push_back(core::number_text(estimate->high));
        cells.push_back(bound_text(estimate->bound));
      } else if (const auto* number = std::get_if<double>(&row[i])) {
        cells.push_back(core::number_text(*number));
      } else {
        cells.push_back(csv_quoted(cell_text(row[i])));
        if (estimates[i]) cells.insert(cells.end(), 3, "");
      }
    }
    text += joined(cells, ",") + "\n";
  }
  return text;
}

/// What a column of the HTML table is sorted by.
std::string sort_key(const Cell& cell) {
  return std::visit(Overloaded{[](const std::string& words) { return html_escaped(words); },
                               [](std::int64_t count) { return std::to_string(count); },
                               [](double number) { return std::isnan(number) ? "" : core::number_text(number); },
                               [](const Estimate& estimate) {
                                 const double at = estimate.bound == Bound::upper   ? estimate.high
                                                   : estimate.bound == Bound::lower ? estimate.low
                                                                                    : estimate.value;
                                 return std::isnan(at) ? "" : core::number_text(at);
                               }},
                    cell);
}

std::string html(const TextTable& table) {
  std::string text = "<table>\n<caption>" + html_escaped(table.caption) + "</caption>\n<thead><tr>";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const bool words = table.rows.empty() || is_words(table.rows.front()[i]);
    text += fmt::format("<th scope=\"col\"{}>{}</th>", words ? "" : " class=\"number\"",
                        html_escaped(heading_text(table.columns[i])));
  }
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    text += "<tr>";
    for (const Cell& cell : row)
      text += fmt::format("<td{} data-sort=\"{}\">{}</td>", is_words(cell) ? "" : " class=\"number\"", sort_key(cell),
                          html_escaped(cell_text(cell)));
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

}  // namespace

std::string heading_text(const TextColumn& column) {
  return column.units.empty() ? column.heading : column.heading + " (" + column.units + ")";
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : std::string(separator)) + parts[i];
  return text;
}

std::span<const TableFormat> table_formats() {
  static constexpr std::array kFormats{TableFormat{"terminal", "txt", terminal},
                                       TableFormat{"markdown", "md", markdown}, TableFormat{"csv", "csv", csv},
                                       TableFormat{"latex", "tex", latex}, TableFormat{"html", "html", html}};
  return kFormats;
}

std::string html_page(const TextTable& table) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + html_escaped(table.name) +
         "</title>\n<style>\nbody { font-family: sans-serif; margin: 2em; }\ntable { border-collapse: collapse; }\n"
         "caption { text-align: left; max-width: 60em; padding-bottom: 1em; }\n"
         "th, td { padding: 0.2em 0.8em; text-align: left; border-bottom: 1px solid #ddd; }\n"
         ".number { text-align: right; }\n</style>\n</head>\n<body>\n" +
         html(table) + "</body>\n</html>\n";
}

std::string write_table(const TextTable& table, std::string_view format) {
  for (const auto& row : table.rows)
    if (row.size() != table.columns.size())
      throw std::invalid_argument(
          fmt::format("table {}: a row has {} cells for {} columns", table.name, row.size(), table.columns.size()));
  std::string names;
  for (const TableFormat& known : table_formats()) {
    if (known.name == format) return known.write(table);
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  throw std::invalid_argument(fmt::format("no table format '{}'; there are {}", format, names));
}

}  // namespace analysis

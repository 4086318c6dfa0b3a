#include "analysis/tables/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "core/numbers.h"

namespace analysis {
namespace {

constexpr double kPlainLimit = 1e7;  // from here on numbers carry a power of ten

/// What is left of an estimate after rounding its wider half-width to two digits.
struct Rounded {
  std::string value;
  std::string up;
  std::string down;
  int exponent = 0;  // all three times 10^exponent
  bool symmetric = true;
};

Rounded rounded(const Estimate& estimate) {
  const double up = estimate.high - estimate.value, down = estimate.value - estimate.low;
  const double half = std::max(up, down);
  Rounded result;
  if (std::abs(estimate.value) >= kPlainLimit)
    result.exponent = static_cast<int>(std::floor(std::log10(estimate.value)));
  const double scale = std::pow(10., result.exponent);
  const int place = half > 0 ? static_cast<int>(std::floor(std::log10(half / scale))) - 1 : -2;
  const double unit = std::pow(10., place);
  const auto text = [&](double number) {
    return fmt::format("{:.{}f}", std::round(number / scale / unit) * unit, std::max(0, -place));
  };
  result.symmetric = up <= 1.25 * down && down <= 1.25 * up;
  result.value = text(estimate.value);
  result.up = text(result.symmetric ? half : up);
  result.down = text(result.symmetric ? half : down);
  return result;
}

/// A number that is not measured: four significant digits.
std::string number_text(double value) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "−∞";
  if (std::abs(value) >= kPlainLimit || (value != 0 && std::abs(value) < 1e-4)) return fmt::format("{:.3e}", value);
  const int digits = value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(value))));
  std::string text = fmt::format("{:.{}f}", value, std::max(0, 3 - digits));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};

std::string cell_text(const Cell& cell) {
  return std::visit(Overloaded{[](const std::string& words) { return words; },
                               [](std::int64_t count) { return std::to_string(count); },
                               [](double number) { return number_text(number); },
                               [](const Estimate& estimate) { return estimate_text(estimate); }},
                    cell);
}

bool is_words(const Cell& cell) { return std::holds_alternative<std::string>(cell); }

std::string heading_text(const TextColumn& column) {
  return column.units.empty() ? column.heading : column.heading + " (" + column.units + ")";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) text += (i == 0 ? "" : std::string(separator)) + parts[i];
  return text;
}

std::string escaped(std::string_view text, std::span<const std::pair<char, const char*>> replacements) {
  std::string result;
  for (const char c : text) {
    const auto found =
        std::find_if(replacements.begin(), replacements.end(), [c](const auto& r) { return r.first == c; });
    if (found == replacements.end())
      result += c;
    else
      result += found->second;
  }
  return result;
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

std::string latex_escaped(std::string_view text) {
  constexpr std::array<std::pair<char, const char*>, 12> kEscapes{{{'\\', "\\textbackslash{}"},
                                                                   {'_', "\\_"},
                                                                   {'&', "\\&"},
                                                                   {'%', "\\%"},
                                                                   {'$', "\\$"},
                                                                   {'#', "\\#"},
                                                                   {'{', "\\{"},
                                                                   {'}', "\\}"},
                                                                   {'~', "\\textasciitilde{}"},
                                                                   {'^', "\\textasciicircum{}"},
                                                                   {'<', "$<$"},
                                                                   {'>', "$>$"}}};
  std::string result = escaped(text, kEscapes);
  constexpr std::array<std::pair<const char*, const char*>, 8> kSymbols{{{"α", "$\\alpha$"},
                                                                         {"β", "$\\beta$"},
                                                                         {"λ", "$\\lambda$"},
                                                                         {"±", "$\\pm$"},
                                                                         {"−", "$-$"},
                                                                         {"…", "\\ldots{}"},
                                                                         {"∞", "$\\infty$"},
                                                                         {"–", "--"}}};
  for (const auto& [symbol, command] : kSymbols)
    for (std::size_t at = 0; (at = result.find(symbol, at)) != std::string::npos;
         at += std::string_view(command).size())
      result.replace(at, std::string_view(symbol).size(), command);
  return result;
}

std::string latex_cell(const Cell& cell) {
  const auto* estimate = std::get_if<Estimate>(&cell);
  if (estimate == nullptr || estimate->bound != Bound::none) return latex_escaped(cell_text(cell));
  const Rounded number = rounded(*estimate);
  std::string text = number.symmetric ? fmt::format("{} \\pm {}", number.value, number.up)
                                      : fmt::format("{}^{{+{}}}_{{-{}}}", number.value, number.up, number.down);
  if (number.exponent != 0) text = fmt::format("({}) \\times 10^{{{}}}", text, number.exponent);
  return "$" + text + "$";
}

std::string latex(const TextTable& table) {
  std::string alignment;
  std::vector<std::string> headings;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    alignment += table.rows.empty() || is_words(table.rows.front()[i]) ? 'l' : 'r';
    std::string heading = latex_escaped(heading_text(table.columns[i]));
    if (table.columns[i].heading == "N" || table.columns[i].heading == "K")
      heading = "$" + heading.substr(0, 1) + "$" + heading.substr(1);
    if (heading.starts_with("K\\_max")) heading.replace(0, 6, "$K_{\\max}$");
    headings.push_back(heading);
  }
  std::string text = "% needs \\usepackage{booktabs}\n\\begin{table}\n  \\caption{" + latex_escaped(table.caption) +
                     "}\n  \\label{tab:" + table.name + "}\n  \\begin{tabular}{" + alignment +
                     "}\n    \\toprule\n    " + joined(headings, " & ") + " \\\\\n    \\midrule\n";
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (const Cell& cell : row) cells.push_back(latex_cell(cell));
    text += "    " + joined(cells, " & ") + " \\\\\n";
  }
  return text + "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n";
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

/// Columns for the conventions in which rows differ, left of what was measured.
class ConventionColumns {
 public:
  explicit ConventionColumns(const std::vector<const Identity*>& rows) {
    for (const Convention& convention : conventions()) {
      const std::string_view name = convention.name;
      const bool in_model = name == "similarity" || name == "family" || name == "parameter" || name == "shaping";
      const bool always = name == "num_neurons" || name == "alpha";
      if (!in_model && !always && distinct(rows, convention).size() > 1) differing_.push_back(convention);
    }
  }

  std::vector<TextColumn> columns() const {
    std::vector<TextColumn> all{{"model", ""}, {"N", "neurons"}, {"α", ""}};
    for (const Convention& convention : differing_) all.push_back({convention.name, ""});
    return all;
  }

  std::vector<Cell> cells(const Identity& row) const {
    std::vector<Cell> all{row.model, row.num_neurons, row.alpha};
    for (const Convention& convention : differing_) all.emplace_back(convention.text(row));
    return all;
  }

 private:
  std::vector<Convention> differing_;
};

}  // namespace

std::span<const TableFormat> table_formats() {
  static constexpr std::array kFormats{TableFormat{"terminal", "txt", terminal},
                                       TableFormat{"markdown", "md", markdown}, TableFormat{"csv", "csv", csv},
                                       TableFormat{"latex", "tex", latex}, TableFormat{"html", "html", html}};
  return kFormats;
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

std::string estimate_text(const Estimate& estimate) {
  switch (estimate.bound) {
    case Bound::lower:
      return "> " + number_text(std::isfinite(estimate.low) ? estimate.low : estimate.value);
    case Bound::upper:
      return "< " + number_text(std::isfinite(estimate.high) ? estimate.high : estimate.value);
    case Bound::unfinished:
      return number_text(estimate.low) + " … " + number_text(estimate.high) + " (budget)";
    case Bound::none:
      break;
  }
  if (!std::isfinite(estimate.low) || !std::isfinite(estimate.high)) return number_text(estimate.value);
  const Rounded number = rounded(estimate);
  std::string text =
      number.symmetric ? number.value + " ± " + number.up : number.value + " +" + number.up + " −" + number.down;
  if (number.exponent != 0) text = fmt::format("({})e{}", text, number.exponent);
  return text;
}

TextTable capacity_table(const Measurements& measured, std::span<const TheoryCurve> theory) {
  const auto rows = identities(measured.capacity);
  const ConventionColumns common(rows);
  TextTable table{"capacity",
                  "Capacity K_max with 95 % intervals; theory beside it, (status) says how sure it is. " +
                      ("Conventions: " + shared_conventions(rows)) + ".",
                  common.columns(),
                  {}};
  table.columns.insert(table.columns.end(), {{"β", ""}, {"K_max", "patterns"}});
  std::vector<TheoryCurve> known;
  for (const TheoryCurve& curve : theory)
    if (std::any_of(measured.capacity.begin(), measured.capacity.end(),
                    [&](const CapacityRow& row) { return std::isfinite(curve.k_max(row)); })) {
      known.push_back(curve);
      table.columns.push_back({curve.label, curve.status});
    }
  table.columns.insert(table.columns.end(), {{"trials", ""}, {"fit p", ""}});
  for (const CapacityRow& row : measured.capacity) {
    std::vector<Cell> cells = common.cells(row);
    cells.emplace_back(row.beta);
    cells.emplace_back(Estimate{row.k_max, row.ci_low, row.ci_high, bound_of(row)});
    for (const TheoryCurve& curve : known) cells.emplace_back(curve.k_max(row));
    cells.emplace_back(row.trials);
    cells.emplace_back(row.status == "ok" ? row.goodness_of_fit_p : kMissing);
    table.rows.push_back(std::move(cells));
  }
  return table;
}

TextTable points_table(const Measurements& measured) {
  const auto rows = identities(measured.points);
  const ConventionColumns common(rows);
  TextTable table{"points",
                  "Success probability with 95 % intervals at each K. Conventions: " + shared_conventions(rows) + ".",
                  common.columns(),
                  {}};
  table.columns.insert(table.columns.end(), {{"K", "patterns"},
                                             {"load", "K/N^(n−1)"},
                                             {"Pr[success]", ""},
                                             {"trials", ""},
                                             {"bit error", ""},
                                             {"energy rises", "per trial"},
                                             {"cycles", "per trial"},
                                             {"not converged", "per trial"}});
  for (const PointRow& row : measured.points) {
    std::vector<Cell> cells = common.cells(row);
    cells.emplace_back(row.num_patterns);
    cells.emplace_back(row.load);
    cells.emplace_back(Estimate{row.success_probability, row.ci_low, row.ci_high, Bound::none});
    cells.emplace_back(row.trials);
    cells.emplace_back(row.mean_final_bit_error);
    for (const std::int64_t count : {row.energy_rises, row.cycles, row.not_converged})
      cells.emplace_back(row.trials == 0 ? kMissing : static_cast<double>(count) / static_cast<double>(row.trials));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string html_escaped(std::string_view text) {
  constexpr std::array<std::pair<char, const char*>, 5> kEscapes{
      {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}}};
  return escaped(text, kEscapes);
}

}  // namespace analysis

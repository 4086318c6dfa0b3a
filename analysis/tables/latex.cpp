#include <fmt/format.h>

#include <array>
#include <string_view>

#include "analysis/tables/tables.h"

namespace analysis {
namespace {

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

}  // namespace

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

}  // namespace analysis

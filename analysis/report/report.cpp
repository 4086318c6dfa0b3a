#include "analysis/report/report.h"
#include "analysis/tables/measured_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "analysis/report/assets.h"
#include "core/numbers.h"
#include "core/provenance.h"

namespace analysis {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// An SVG file as an element of the page: names made unique, black ink in the colour of the page's text, no background.
std::string inline_svg(std::string svg, const std::string& id, const Figure& figure) {
  const auto open = svg.find("<svg"), close = svg.find('>', open);
  const auto view = svg.find("viewBox=\""), view_end = svg.find('"', view + 9);
  const std::string view_box = svg.substr(view, view_end + 1 - view);
  svg.erase(0, close + 1);
  if (const auto background = svg.find("<rect x=\"0\" y=\"0\""); background != std::string::npos)
    svg.erase(background, svg.find("/>", background) + 2 - background);
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"id='gp", "id='" + id + "-"},
                                 {"href='#gp", "href='#" + id + "-"},
                                 {"id=\"gnuplot_", "id=\"" + id + "-"},
                                 {"color=\"black\"", "color=\"inherit\""},
                                 {"stroke='black'", "stroke='currentColor'"},
                                 {"fill=\"black\"", "fill=\"currentColor\""},
                                 {"fill='black'", "fill='currentColor'"},
                                 {" color='rgb(  0,   0,   0)'", ""},
                                 {"rgb(  0,   0,   0)", "currentColor"}})
    replace_all(svg, from, to);
  return fmt::format(
      "<svg class=\"{}\" {} xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
      "role=\"img\" aria-label=\"{}\" aria-describedby=\"{}-caption\">{}",
      figure.width == PaperWidth::single_column ? "single-column" : "double-column", view_box,
      html_escaped(figure.title), id, svg);
}

std::string scrolling(const std::string& content, const std::string& label) {
  return fmt::format("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\">\n{}</div>\n",
                     html_escaped(label), content);
}

std::string figure_text(const Figure& figure, const std::string& id) {
  std::string drawing;
  try {
    drawing = scrolling(inline_svg(render(figure, FigureFormat::svg), id, figure), figure.title);
  } catch (const std::runtime_error& error) {
    drawing = fmt::format("<p class=\"note\">This figure could not be drawn: {}.</p>\n", html_escaped(error.what()));
  }
  return fmt::format("<h3>{}</h3>\n<figure>\n{}<figcaption id=\"{}-caption\">{}</figcaption>\n</figure>\n",
                     html_escaped(figure.title), drawing, id, html_escaped(figure.description));
}

std::string definition_list(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text = "<dl>\n";
  for (const auto& [name, value] : entries)
    text += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escaped(name), html_escaped(value));
  return text + "</dl>\n";
}

std::string folded(const std::string& summary, const std::string& content) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", html_escaped(summary), content);
}

std::string table_text(const TextTable& table) { return scrolling(write_table(table, "html"), table.name); }

/// Every convention with the values it takes in the file.
std::vector<std::pair<std::string, std::string>> convention_list(const Measurements& measured) {
  auto rows = identities(measured.capacity);
  const auto points = identities(measured.points);
  rows.insert(rows.end(), points.begin(), points.end());
  std::vector<std::pair<std::string, std::string>> list;
  for (const Convention& convention : conventions()) {
    std::string values;
    for (const std::string& value : distinct(rows, convention)) values += (values.empty() ? "" : ", ") + value;
    list.emplace_back(convention.name, values);
  }
  std::vector<double> thresholds;
  for (const CapacityRow& row : measured.capacity) thresholds.push_back(row.beta);
  std::sort(thresholds.begin(), thresholds.end());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  std::string betas;
  for (const double beta : thresholds) betas += (betas.empty() ? "" : ", ") + core::number_text(beta);
  if (!betas.empty()) list.emplace_back("beta", betas);
  return list;
}

std::string doubts_note(const Measurements& measured) {
  std::string items;
  for (const std::string& doubt : doubts(measured)) items += "<li>" + html_escaped(doubt) + "</li>\n";
  return items.empty() ? "" : "<div class=\"note\">\n<h3>Worth a look</h3>\n<ul>\n" + items + "</ul>\n</div>\n";
}

std::string summary_text(const Measurements& measured) {
  std::int64_t trials = 0;
  double seconds = 0;
  for (const PointRow& row : measured.points) trials += row.trials, seconds += row.seconds;
  return fmt::format("<p>{} capacities from {} points, {} trials in {} s of computing.</p>\n", measured.capacity.size(),
                     measured.points.size(), trials,
                     seconds < 10 ? fmt::format("{:.1f}", seconds) : fmt::format("{:.0f}", seconds));
}

std::string entry_text(const ReportEntry& entry, const std::string& id, std::span<const TheoryCurve> theory) {
  const Measurements& measured = entry.measured;
  if (measured.capacity.empty() && measured.points.empty())
    throw std::invalid_argument(measured.name + ": nothing measured, nothing to report");
  std::string text = fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n", id, html_escaped(measured.name));
  text += summary_text(measured) + doubts_note(measured);
  text += "<h3>Conventions</h3>\n" + definition_list(convention_list(measured));
  for (const Figure& figure : build_figures(measured, theory)) text += figure_text(figure, id + "-" + figure.name);
  if (!measured.capacity.empty()) text += "<h3>Capacity</h3>\n" + table_text(capacity_table(measured, theory));
  for (const TextTable& table : entry.more) text += "<h3>" + html_escaped(table.name) + "</h3>\n" + table_text(table);
  if (!measured.points.empty())
    text += folded(fmt::format("Measured points ({})", measured.points.size()), table_text(points_table(measured)));
  text += folded("Spec", "<pre>" + html_escaped(entry.spec) + "</pre>\n");
  return text + folded("Provenance", definition_list(entry.provenance)) + "</section>\n";
}

}  // namespace

ReportEntry report_entry(const std::string& name, const results::ResultFile& file) {
  ReportEntry entry{{name, {}, {}}, file.spec, {}, {}};
  try {
    entry.measured.points = point_rows(file.table("points"));
    if (file.has("capacity")) entry.measured.capacity = capacity_rows(file.table("capacity"));
  } catch (const std::exception& error) {
    throw std::invalid_argument(name + ": " + error.what());
  }
  core::for_each_field(file.provenance, [&](const char* field, const auto& value) {
    entry.provenance.emplace_back(field, fmt::format("{}", value));
  });
  return entry;
}

std::string report_page(std::span<const ReportEntry> entries, std::span<const TheoryCurve> theory) {
  if (entries.empty()) throw std::invalid_argument("report: no result files");
  std::string contents, body;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string id = fmt::format("file{}", i + 1);
    contents += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, html_escaped(entries[i].measured.name));
    body += entry_text(entries[i], id, theory);
  }
  if (entries.size() > 1)
    contents = "<nav aria-label=\"Files\">\n<ul>\n" + contents + "</ul>\n</nav>\n";
  else
    contents.clear();
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src "
      "'unsafe-inline'; img-src data:\">\n<link rel=\"icon\" href=\"data:,\">\n<title>Capacity "
      "report</title>\n<style>{}</style>\n"
      "</head>\n<body>\n<main>\n<h1>Capacity of dense associative memories</h1>\n{}{}</main>\n<script>{}</script>\n"
      "</body>\n</html>\n",
      kReportStyle, contents, body, kReportScript);
}

}  // namespace analysis

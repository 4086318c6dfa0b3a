// dam report: result files as one page, as tables, as figures.
#include <fmt/core.h>

#include <filesystem>

#include "analysis/report/report.h"
#include "analysis/tables/measured_tables.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/read_results.h"
#include "experiments/files/write_text.h"
#include "experiments/summaries/fit_tables.h"
#include "experiments/summaries/summary.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

void write_and_name(const std::string& path, const std::string& text) {
  write_text(path, text);
  fmt::print("{}\n", path);
}

void write_figures(const analysis::Measurements& measured, const std::string& directory,
                   const std::vector<std::string>& formats) {
  const std::string stem = std::filesystem::path(measured.name).stem().string();
  const auto figures = analysis::build_figures(measured, analysis::theory_beside());
  if (figures.empty())
    for (const analysis::FigureKind& kind : analysis::figure_kinds())
      fmt::print(stderr, "no figure {}: {}\n", kind.name, analysis::why_not(kind, measured));
  for (const analysis::Figure& figure : figures) {
    // The figure a sweep is named after carries the sweep's name alone.
    const std::string name = figure.name == stem ? stem : stem + "-" + figure.name;
    for (const std::string& format : formats) {
      const std::string path = directory + "/" + name + "." + format;
      write_and_name(path, analysis::render(figure, analysis::figure_format(path)));
    }
  }
}

void write_tables(const analysis::ReportEntry& entry, const std::string& directory) {
  const std::string stem = std::filesystem::path(entry.measured.name).stem().string();
  std::vector<analysis::TextTable> tables = entry.more;
  if (!entry.measured.capacity.empty())
    tables.push_back(analysis::capacity_table(entry.measured, analysis::theory_beside()));
  if (!entry.measured.points.empty()) tables.push_back(analysis::points_table(entry.measured));
  for (const analysis::TextTable& table : tables)
    for (const char* format : {"markdown", "csv", "latex"})
      for (const analysis::TableFormat& known : analysis::table_formats())
        if (std::string_view(known.name) == format)
          write_and_name(fmt::format("{}/{}-{}.{}", directory, stem, table.name, known.ending), known.write(table));
}

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file")) throw UsageError("report: result files are missing, such as results/*.h5");
  const bool asked = given.contains("out") || given.contains("figures") || given.contains("tables");
  if (!asked) throw UsageError("report: say what to write: -o PAGE.html, --figures DIR, --tables DIR");
  std::vector<std::string> formats;
  for (const std::string format : {"svg", "pdf", "png"})
    if (("," + given["formats"].as<std::string>() + ",").find("," + format + ",") != std::string::npos)
      formats.push_back(format);
  if (formats.empty()) throw UsageError("--formats: takes a list of svg, pdf, png");

  std::vector<analysis::ReportEntry> entries;
  for (const auto& [path, file] : read_results(given["file"].as<std::vector<std::string>>(), "points")) {
    entries.push_back(analysis::report_entry(path, file));
    if (file.has("capacity")) entries.back().more = fit_tables(fit_conventions(file));
  }
  for (const analysis::ReportEntry& entry : entries) {
    if (given.contains("figures")) write_figures(entry.measured, given["figures"].as<std::string>(), formats);
    if (given.contains("tables")) write_tables(entry, given["tables"].as<std::string>());
  }
  if (given.contains("out"))
    write_and_name(given["out"].as<std::string>(), analysis::report_page(entries, analysis::theory_beside()));
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("file", words("FILE.h5"), "result files (also without --file)");
  add("out,o", word("PAGE.html"), "one self-contained page about all files");
  add("figures", word("DIR"), "every figure that suits a file");
  add("formats", word("LIST", "svg,png"), "of figures: svg, pdf, png");
  add("tables", word("DIR"), "every table as Markdown, CSV and LaTeX");
  return options;
}

}  // namespace

const Verb kReport = {"report",
                      "write result files as a page, tables and figures",
                      "FILE.h5… [-o PAGE.html] [--figures DIR] [--tables DIR]",
                      "  dam report results/*.h5 -o report.html\n"
                      "  dam report results/scaling.h5 --figures results/figures --formats svg,pdf\n",
                      options,
                      "file",
                      run};

}  // namespace experiments

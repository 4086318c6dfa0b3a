// dam report: result files as one page, as tables, as figures.
#include <fmt/core.h>

#include <filesystem>

#include "analysis/report/report.h"
#include "analysis/tables/measured_tables.h"
#include "experiments/dam/verbs.h"
#include "experiments/files/outputs.h"
#include "experiments/files/read_results.h"
#include "experiments/summaries/fit_tables.h"
#include "experiments/summaries/summary.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

void add_figures(const po::variables_map& given, const analysis::Measurements& measured,
                 const std::vector<std::string>& formats, std::vector<PendingFile>& files) {
  const std::string directory = given["figures"].as<std::string>();
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
      files.push_back({open_output(given, path, kFigureFile), analysis::render(figure, analysis::figure_format(path))});
    }
  }
}

void add_tables(const po::variables_map& given, const analysis::ReportEntry& entry, std::vector<PendingFile>& files) {
  const std::string directory = given["tables"].as<std::string>();
  const std::string stem = std::filesystem::path(entry.measured.name).stem().string();
  std::vector<analysis::TextTable> tables = entry.more;
  if (!entry.measured.capacity.empty())
    tables.push_back(analysis::capacity_table(entry.measured, analysis::theory_beside()));
  if (!entry.measured.points.empty()) tables.push_back(analysis::points_table(entry.measured));
  for (const analysis::TextTable& table : tables)
    for (const char* format : {"markdown", "csv", "latex"})
      for (const analysis::TableFormat& known : analysis::table_formats())
        if (std::string_view(known.name) == format)
          files.push_back(
              {open_output(given, fmt::format("{}/{}-{}.{}", directory, stem, table.name, known.ending), kTableFile),
               known.write(table)});
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

  std::vector<PendingFile> files;
  if (given.contains("out")) files.push_back({open_output(given, given["out"].as<std::string>(), kReportPage), ""});
  std::vector<analysis::ReportEntry> entries;
  for (const auto& [path, file] : read_results(given["file"].as<std::vector<std::string>>(), "points")) {
    entries.push_back(analysis::report_entry(path, file));
    if (file.has("capacity")) entries.back().more = fit_tables(fit_conventions(file));
  }
  if (given.contains("out")) files[0].bytes = analysis::report_page(entries, analysis::theory_beside());
  for (const analysis::ReportEntry& entry : entries) {
    if (given.contains("figures")) add_figures(given, entry.measured, formats, files);
    if (given.contains("tables")) add_tables(given, entry, files);
  }
  write_all(files);
  for (const PendingFile& pending : files) fmt::print("{}\n", pending.file.path());
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
  add_force(options);
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

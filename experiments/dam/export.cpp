// dam export: tables of a result file as CSV, or the whole file as one JSON document.
#include <fmt/core.h>

#include "experiments/dam/verbs.h"
#include "experiments/files/read_results.h"
#include "results/export.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

int run(const po::variables_map& given, const std::string&) {
  if (!given.contains("file")) throw UsageError("export: a result file is missing, such as results/scaling.h5");
  const results::ResultFile file = read_result(given["file"].as<std::string>());
  const std::string format = given["format"].as<std::string>();
  if (format == "json") {
    std::vector<std::string_view> tables;
    for (const results::Table& table : file.tables)
      if (table.name != "batches") tables.push_back(table.name);
    std::fputs(results::to_json(file, tables).c_str(), stdout);
  } else if (format == "csv") {
    const char* first = file.has("capacity") ? "capacity"
                        : file.has("points") ? "points"
                                             : file.tables.at(0).name.c_str();
    std::fputs(results::to_csv(file.table(given.contains("table") ? given["table"].as<std::string>() : first)).c_str(),
               stdout);
  } else {
    throw UsageError(fmt::format("--format: '{}' is not one of csv, json", format));
  }
  return kComplete;
}

Options options() {
  Options options;
  options.add_options()                                               //
      ("file", word("FILE.h5"), "result file (also without --file)")  //
      ("format", word("X", "csv"), "csv (one table) or json (all)")   //
      ("table", word("NAME"),
       "capacity, points, batches; of a training run epochs, parameters, model, training [the first there is]");
  return options;
}

}  // namespace

const Verb kExport = {"export",
                      "write a result file as CSV or JSON",
                      "FILE.h5 [--format csv|json] [--table NAME]",
                      "  dam export results/scaling.h5 > capacity.csv\n"
                      "  dam export results/scaling.h5 --format json > scaling.json\n",
                      options,
                      "file",
                      run};

}  // namespace experiments

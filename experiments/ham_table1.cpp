// ham table1: the classification table of the HAMUX paper, cell by cell.
#include <fmt/core.h>

#include <algorithm>
#include <boost/program_options/value_semantic.hpp>
#include <cmath>
#include <filesystem>
#include <map>

#include "analysis/tables.h"
#include "experiments/data_path.h"
#include "experiments/grid.h"
#include "experiments/ham_verbs.h"
#include "experiments/table_rows.h"
#include "experiments/training_run.h"
#include "experiments/write_text.h"
#include "results/export.h"
#include "results/schema.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// One number of the paper's table: top-1 (%), the best of 100 and of 600 epochs.
struct PaperCell {
  const char* name;
  const char* data;
  const char* model;
  double paper, paper_600;
  int seeds;  // trained unless told otherwise
};

constexpr PaperCell kCells[] = {
    {"mnist/hn_relu", "mnist", "hn_relu_mnist", 98.74, 99.03, 3},
    {"mnist/hn_softmax", "mnist", "hn_softmax_mnist", 97.32, 97.99, 3},
    {"mnist/conv_ham", "mnist", "conv_ham_maxpool_mnist", 99.29, 99.51, 1},
    {"cifar10/hn_relu", "cifar10", "hn_relu_cifar10", 58.82, 66.23, 1},
    {"cifar10/hn_softmax", "cifar10", "hn_softmax_cifar10", 53.17, 58.89, 1},
    {"cifar10/conv_ham", "cifar10", "conv_ham_maxpool_cifar10", 82.08, 86.39, 1},
};

/// Cells whose name, or the part of it before the slash, is in the list.
std::vector<PaperCell> chosen_cells(const std::string& list) {
  std::vector<PaperCell> chosen;
  for (const std::string& item : parse_list(list, "cells")) {
    const std::size_t before = chosen.size();
    for (const PaperCell& cell : kCells)
      if (item == cell.name || item == cell.data) chosen.push_back(cell);
    std::string names;
    for (const PaperCell& cell : kCells) names += fmt::format(", {}", cell.name);
    if (chosen.size() == before)
      throw UsageError(fmt::format("--cells: '{}' is not one of mnist, cifar10{}", item, names));
  }
  return chosen;
}

/// A run of the table: a cell, a recipe, a seed, and its file.
struct Row {
  PaperCell cell;
  ham::TrainingOptions options;
  std::string model, file;
};

/// Every cell's first seed before any cell's second, so that a run stopped early has something of everything.
std::vector<Row> rows_of(const po::variables_map& given, const std::string& directory, int threads) {
  std::vector<Row> rows;
  const std::vector<PaperCell> cells = chosen_cells(given["cells"].as<std::string>());
  std::vector<ham::Recipe> recipes;
  for (const std::string& name : parse_list(given["recipe"].as<std::string>(), "recipe")) {
    try {
      recipes.push_back(ham::recipe(name));
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--recipe: {}", error.what()));
    }
  }
  const long epochs = positive_integer(given, "epochs");
  const long given_seeds = given.contains("seeds") ? positive_integer(given, "seeds") : 0;
  long most = given_seeds;
  for (const PaperCell& cell : cells) most = std::max<long>(most, given_seeds ? 0 : cell.seeds);
  for (long seed = 1; seed <= most; ++seed)
    for (const ham::Recipe& recipe : recipes)
      for (const PaperCell& cell : cells) {
        if (seed > (given_seeds ? given_seeds : cell.seeds)) continue;
        Row row{cell, {recipe, epochs, static_cast<std::uint64_t>(seed), threads}, "", ""};
        row.model = fmt::format("{}/{}.toml", given["models"].as<std::string>(), cell.model);
        row.file = fmt::format("{}/{}.h5", directory, run_name(row.model, row.options));
        rows.push_back(std::move(row));
      }
  return rows;
}

void push_row(results::Table& table, const Row& row, const TrainingSummary& summary) {
  push_text(table, "cell", row.cell.name);
  push_text(table, "recipe", summary.recipe);
  push_identifier(table, "seed", summary.seed);
  push_integer(table, "parameters", summary.parameters);
  push_real(table, "paper", row.cell.paper);
  push_real(table, "paper_600", row.cell.paper_600);
  push_integer(table, "epochs", summary.epochs);
  push_integer(table, "epochs_asked", row.options.epochs);
  push_integer(table, "best_epoch", summary.best_epoch);
  push_real(table, "best", 100 * summary.best);
  push_real(table, "best_zoomed", 100 * summary.best_zoomed);
  push_real(table, "last", 100 * summary.last);
  push_real(table, "last_zoomed", 100 * summary.last_zoomed);
  push_real(table, "seconds", summary.seconds);
}

/// `98.85`, of several seeds `98.85 ± 0.03` (standard deviation).
std::string mean_text(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  if (values.size() == 1) return fmt::format("{:.2f}", mean);
  return fmt::format("{:.2f} ± {:.2f}", mean, std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

/// One line for every cell and recipe, seeds put together.
analysis::TextTable text_table(const results::Table& runs) {
  const auto words = [&](const char* column) { return runs.values<std::string>(column); };
  std::vector<std::pair<std::string, std::string>> keys;
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < runs.rows(); ++i) {
    const std::pair key{words("cell")[i], words("recipe")[i]};
    if (!groups.contains(key)) keys.push_back(key);
    groups[key].push_back(i);
  }
  analysis::TextTable table{"table1",
                            "Top-1 accuracy (%) on the test images, paper and ours. The paper reports the best epoch "
                            "of 100 (of 600); ours is "
                            "the best and the last epoch of plain images, and the best of images zoomed as the paper "
                            "evaluates. Several seeds: "
                            "mean ± standard deviation.",
                            {{"cell", ""},
                             {"recipe", ""},
                             {"parameters", "M"},
                             {"paper", ""},
                             {"ours best", ""},
                             {"deviation", ""},
                             {"best zoomed", ""},
                             {"last", ""},
                             {"seeds", ""},
                             {"epochs", ""},
                             {"minutes", "a run"}},
                            {}};
  for (const auto& key : keys) {
    const std::vector<std::size_t>& group = groups[key];
    const auto reals = [&](const char* column) {
      std::vector<double> values;
      for (const std::size_t i : group) values.push_back(runs.values<double>(column)[i]);
      return values;
    };
    const auto mean = [&](const char* column) {
      double sum = 0;
      for (const double value : reals(column)) sum += value;
      return sum / static_cast<double>(group.size());
    };
    std::int64_t fewest = runs.values<std::int64_t>("epochs")[group[0]];
    for (const std::size_t i : group) fewest = std::min(fewest, runs.values<std::int64_t>("epochs")[i]);
    const std::int64_t asked = runs.values<std::int64_t>("epochs_asked")[group[0]];
    table.rows.push_back(
        {key.first, key.second, static_cast<double>(runs.values<std::int64_t>("parameters")[group[0]]) / 1e6,
         fmt::format("{:.2f} ({:.2f})", mean("paper"), mean("paper_600")), mean_text(reals("best")),
         fmt::format("{:+.2f}", mean("best") - mean("paper")), mean_text(reals("best_zoomed")),
         mean_text(reals("last")), static_cast<std::int64_t>(group.size()),
         fewest < asked ? fmt::format("{} of {}", fewest, asked) : std::to_string(fewest), mean("seconds") / 60});
  }
  return table;
}

class Table1 {
 public:
  Table1(const std::string& directory, const std::vector<Row>& rows, const std::string& command_line)
      : directory_(directory), rows_(rows), lock_(directory + "/table1.h5") {
    file_.kind = "ham";
    for (const Row& row : rows) file_.spec += fmt::format("{} = {} epochs\n", row.file, row.options.epochs);
    file_.provenance = core::build_provenance();
    file_.provenance.kernel = ham::kernels_in_use();
    file_.provenance.threads = rows[0].options.threads;
    file_.provenance.command_line = command_line;
    file_.provenance.started = utc_now();
  }

  /// Writes all that is known of the runs, and the table for people beside it.
  void write(bool complete) {
    results::Table table = results::empty_table(results::ham_table("table1"));
    for (const Row& row : rows_)
      if (const auto found = summaries_.find(row.file); found != summaries_.end() && found->second.epochs > 0)
        push_row(table, row, found->second);
    file_.provenance.finished = complete ? utc_now() : "";
    file_.tables = {table};
    results::write(directory_ + "/table1.h5", file_);
    text_ = text_table(table);
    for (const analysis::TableFormat& format : analysis::table_formats())
      if (const std::string_view name = format.name; name == "markdown" || name == "latex" || name == "html")
        write_text(fmt::format("{}/table1.{}", directory_, format.ending), format.write(text_));
  }
  void add(const Row& row, const results::ResultFile& run) {
    summaries_[row.file] = summary_of(run, row.options.epochs);
  }

  const results::ResultFile& file() const { return file_; }
  const analysis::TextTable& text() const { return text_; }

 private:
  std::string directory_;
  const std::vector<Row>& rows_;
  core::FileLock lock_;
  results::ResultFile file_;
  std::map<std::string, TrainingSummary> summaries_;
  analysis::TextTable text_;
};

int run(const po::variables_map& given, const std::string& command_line) {
  const std::string directory = given["out-dir"].as<std::string>();
  RunOptions options = parse_run_options(given, "");
  const std::vector<Row> rows = rows_of(given, directory, options.threads);
  std::filesystem::create_directories(directory);
  Progress progress(options.quiet);
  Table1 table(directory, rows, command_line);
  for (const Row& row : rows)
    if (std::filesystem::exists(row.file)) table.add(row, results::read(row.file));

  const auto directories = data_directories(given["data-dir"].as<std::string>());
  const auto read_data = [&](const std::string& name) {
    return std::make_shared<const ham::DataSet>(
        ham::read_data_set(name, directories, static_cast<std::uint64_t>(options.max_memory)));
  };
  // What is missing is better known now than hours later.
  for (const Row& row : rows)
    if (std::ranges::none_of(ham::find_data_sets(directories), [&](const ham::FoundDataSet& found) {
          return found.data_set->name == std::string_view(row.cell.data) && found.missing.empty();
        }))
      read_data(row.cell.data);

  std::shared_ptr<const ham::DataSet> data;
  bool complete = true;
  for (std::size_t i = 0; i < rows.size() && complete; ++i) {
    const Row& row = rows[i];
    if (data == nullptr || data->name != row.cell.data) data = read_data(row.cell.data);
    progress.say(fmt::format("run {} of {}: {}", i + 1, rows.size(), row.file));
    const TrainingSpec spec = training_spec(row.model, data, row.options);
    options.out = row.file;
    TrainingRun training_run(spec, options, command_line, progress);
    complete = training_run.run();
    table.add(row, training_run.file());
    table.write(complete && i + 1 == rows.size());
  }
  if (!complete) progress.say("stopped early; run the same command to go on");
  std::fputs(
      (options.json ? results::to_json(table.file(), {"table1"}) : analysis::write_table(table.text(), "terminal"))
          .c_str(),
      stdout);
  return complete ? kComplete : kStoppedEarly;
}

po::options_description options() {
  po::options_description options("options", 110, 70);
  auto add = options.add_options();
  const auto text = [] { return po::value<std::string>()->value_name("X"); };
  const auto directory = [] { return po::value<std::string>()->value_name("DIR"); };
  std::string cells;
  for (const PaperCell& cell : kCells) cells += fmt::format(", {}", cell.name);
  add("cells", po::value<std::string>()->default_value("mnist,cifar10")->value_name("LIST"),
      ("columns mnist, cifar10 or cells" + cells).c_str());
  add("recipe", po::value<std::string>()->default_value("code")->value_name("LIST"),
      "recipes, each in rows of its own");
  add("epochs", text()->default_value("100"), "passes over the training images");
  add("seeds", text(), "seeds 1 to N of every cell [3 for the Hopfield networks on MNIST, 1 for the others]");
  add("out-dir", directory()->default_value("results"), "table1.h5, table1.md, .tex, .html and the run files");
  add("models", directory()->default_value("experiments/models"), "where the model files stand");
  add_data_dir(options);
  add_run_options(options, "");
  return options;
}

}  // namespace

const Verb kTable1 = {"table1",
                      "reproduce the classification table of the HAMUX paper",
                      "[--cells LIST] [--recipe LIST] [--epochs N] [--seeds N] [options]",
                      "Trains or continues one run after the other; each has its file, as `ham train` writes it. "
                      "Stopped at any time, the\n"
                      "same command goes on, and the table says how many epochs were reached.\n"
                      "\n"
                      "  ham table1 --cells mnist --epochs 10\n"
                      "  ham table1 --cells mnist/hn_relu,mnist/hn_softmax --recipe code,ours\n"
                      "  ham table1 --cells cifar10/conv_ham --time-limit 8h\n",
                      options,
                      "",
                      run};

}  // namespace experiments

// ham table1: the classification table of the HAMUX paper, cell by cell.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "experiments/command_line/grid.h"
#include "experiments/command_line/ham_kernels.h"
#include "experiments/files/data_path.h"
#include "experiments/files/outputs.h"
#include "experiments/ham/verbs.h"
#include "experiments/training/run.h"
#include "experiments/training/table1.h"
#include "results/export.h"
#include "results/schema.h"
#include "results/seal.h"
#include "results/spec_difference.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// Cells whose name, or the part of it before the slash, is in the list.
std::vector<PaperCell> chosen_cells(const std::string& list) {
  std::vector<PaperCell> chosen;
  for (const std::string& item : parse_list(list, "cells")) {
    bool known = false;
    std::string names;
    for (const PaperCell& cell : paper_cells()) {
      names += fmt::format(", {}", cell.name);
      if (item != cell.name && item != cell.data) continue;
      known = true;
      if (std::ranges::find(chosen, std::string_view(cell.name), &PaperCell::name) == chosen.end())
        chosen.push_back(cell);
    }
    if (!known) throw UsageError(fmt::format("--cells: '{}' is not one of mnist, cifar10{}", item, names));
  }
  return chosen;
}

/// A run of the table: a cell, a recipe, a seed, and its file.
struct Row {
  PaperCell cell;
  ham::TrainingOptions options;
  std::string model, file;
};

/// The training runs of these cells in a folder, whatever their recipe, epochs and seed: by cell, recipe, epochs, seed.
std::vector<Row> rows_there(const po::variables_map& given, const std::string& directory) {
  std::vector<Row> rows;
  const long epochs = positive_integer(given, "epochs");
  const std::vector<PaperCell> cells = chosen_cells(given["cells"].as<std::string>());
  std::error_code none;  // a folder that is not there holds no run either
  for (const auto& entry : std::filesystem::directory_iterator(directory, none)) {
    if (entry.path().extension() != ".h5" || !results::is_sealed(entry.path())) continue;
    const results::ResultFile file = results::read(entry.path());
    if (!file.has("model") || !file.has("epochs")) continue;
    const TrainingSummary run = summary_of(file, 0);
    const auto cell = std::ranges::find(cells, run.model, &PaperCell::model);
    const auto recipe = std::ranges::find(ham::recipes(), run.recipe, &ham::Recipe::name);
    if (cell == cells.end() || recipe == ham::recipes().end()) continue;
    const std::string length = spec_value(file.spec, "epochs");
    rows.push_back({*cell, {*recipe, length.empty() ? epochs : std::stol(length), run.seed, 1}, "", entry.path()});
  }
  if (rows.empty()) throw std::runtime_error(directory + ": holds no run of these cells");
  std::ranges::sort(rows, {}, [&](const Row& row) {
    const auto cell = std::ranges::find(cells, std::string_view(row.cell.name), &PaperCell::name);
    const auto recipe = std::ranges::find(ham::recipes(), row.options.recipe.name, &ham::Recipe::name);
    return std::tuple(cell - cells.begin(), recipe - ham::recipes().begin(), row.options.epochs, row.options.seed);
  });
  return rows;
}

/// Every cell's first seed before any cell's second, so that a run stopped early has something of everything.
std::vector<Row> rows_of(const po::variables_map& given, const std::string& directory, int threads) {
  std::vector<Row> rows;
  const std::vector<PaperCell> cells = chosen_cells(given["cells"].as<std::string>());
  std::vector<ham::Recipe> recipes;
  for (const std::string& name : parse_list(given["recipe"].as<std::string>(), "recipe")) {
    try {
      if (std::ranges::find(recipes, name, &ham::Recipe::name) == recipes.end()) recipes.push_back(ham::recipe(name));
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
        Row row{cell, {recipe_of(cell, recipe), epochs, static_cast<std::uint64_t>(seed), threads}, "", ""};
        row.model = fmt::format("{}/{}.toml", given["models"].as<std::string>(), cell.model);
        row.file = fmt::format("{}/{}.h5", directory, run_name(row.model, row.options));
        rows.push_back(std::move(row));
      }
  return rows;
}

/// Refuses to replace a file that no table1 wrote.
void require_table1(const std::string& path) {
  if (!std::filesystem::exists(path) || std::filesystem::file_size(path) == 0) return;
  const results::ResultFile old = results::read(path);
  if (old.kind != "ham" || !old.has("table1"))
    throw core::Refused(path +
                        ": is a file of something else, which the table would destroy; choose another --out-dir");
}

class Table1 {
 public:
  /// Where it writes nothing, files of a table that are there stay as they are.
  Table1(const std::string& directory, const std::vector<Row>& rows, const std::string& command_line, bool writes)
      : rows_(rows) {
    if (writes) file_out_.emplace(directory + "/table1.h5", kResultFile, std::span<const std::string>{});
    if (writes) require_table1(file_out_->path());
    for (const analysis::TableFormat& format : analysis::table_formats())
      if (const std::string_view name = format.name;
          writes && (name == "markdown" || name == "latex" || name == "html"))
        for_people_.emplace_back(
            &format, core::OutputFile(fmt::format("{}/table1.{}", directory, format.ending), kTableFile, {}));
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
        push_run(table, row.cell, row.options.epochs, found->second);
    file_.provenance.finished = complete ? utc_now() : "";
    file_.tables = {table};
    text_ = table1_text(table);
    if (file_out_) results::write(file_out_->path(), file_);
    for (const auto& [format, out] : for_people_) {
      const bool page = format->name == std::string_view("html");
      out.write(page ? analysis::html_page(text_) : format->write(text_));
    }
  }
  void add(const Row& row, const results::ResultFile& run) {
    const TrainingSummary& summary = summaries_[row.file] = summary_of(run, row.options.epochs);
    if (summary.model != row.cell.model || summary.recipe != row.options.recipe.name ||
        summary.seed != row.options.seed)
      throw results::SpecMismatch(
          fmt::format("{}: is {} by recipe {}, seed {}", row.file, summary.model, summary.recipe, summary.seed));
    if (!run.has("training")) trimmed_.insert(row.file);
  }
  /// Whether every run has all the epochs that were asked for.
  bool complete() const {
    return std::ranges::all_of(rows_, [&](const Row& row) {
      const auto found = summaries_.find(row.file);
      return found != summaries_.end() && found->second.epochs >= row.options.epochs;
    });
  }
  /// Whether it is a trimmed copy, which training cannot go on from.
  bool trimmed(const Row& row) const { return trimmed_.contains(row.file); }

  const results::ResultFile& file() const { return file_; }
  const analysis::TextTable& text() const { return text_; }

 private:
  const std::vector<Row>& rows_;
  std::optional<core::OutputFile> file_out_;
  std::vector<std::pair<const analysis::TableFormat*, core::OutputFile>> for_people_;
  results::ResultFile file_;
  std::map<std::string, TrainingSummary> summaries_;
  std::set<std::string> trimmed_;
  analysis::TextTable text_;
};

int run(const po::variables_map& given, const std::string& command_line) {
  choose_kernels(given);
  const NetworkDevice device(given);
  const std::string directory = given["out-dir"].as<std::string>();
  RunOptions options = parse_run_options(given, "");
  const bool train = !given["show"].as<bool>();
  const std::vector<Row> rows = train ? rows_of(given, directory, options.threads) : rows_there(given, directory);
  if (train) std::filesystem::create_directories(directory);
  Progress progress(options.quiet);
  Table1 table(directory, rows, command_line, train);
  for (const Row& row : rows)
    if (std::filesystem::exists(row.file)) table.add(row, results::read(row.file));

  const auto directories = data_directories(given["data-dir"].as<std::string>());
  const auto read_data = [&](const std::string& name) {
    return std::make_shared<const ham::DataSet>(
        ham::read_data_set(name, directories, static_cast<std::uint64_t>(options.max_memory)));
  };
  // What is missing is better known now than hours later.
  for (const Row& row : rows)
    if (train && !table.trimmed(row) &&
        std::ranges::none_of(ham::find_data_sets(directories), [&](const ham::FoundDataSet& found) {
          return found.data_set->name == std::string_view(row.cell.data) && found.missing.empty();
        }))
      read_data(row.cell.data);

  std::shared_ptr<const ham::DataSet> data;
  bool complete = true;
  for (std::size_t i = 0; train && i < rows.size() && complete; ++i) {
    const Row& row = rows[i];
    if (table.trimmed(row)) continue;
    if (data == nullptr || data->name != row.cell.data) data = read_data(row.cell.data);
    progress.say(fmt::format("run {} of {}: {}", i + 1, rows.size(), row.file));
    const TrainingSpec spec = training_spec(row.model, data, row.options);
    options.out = row.file;
    TrainingRun training_run(spec, options, device, command_line, progress);
    complete = training_run.run();
    table.add(row, training_run.file());
    table.write(false);
  }
  table.write(complete && table.complete());
  if (!complete) progress.say("stopped early; run the same command to go on");
  std::fputs(
      (options.json ? results::to_json(table.file(), {"table1"}) : analysis::write_table(table.text(), "terminal"))
          .c_str(),
      stdout);
  return complete ? kComplete : kStoppedEarly;
}

Options options() {
  Options options;
  auto add = options.add_options();
  std::string cells, ours;
  for (const PaperCell& cell : paper_cells()) {
    cells += fmt::format(", {}", cell.name);
    if (!cell.ours.empty()) ours += fmt::format("{} in {}:", ours.empty() ? "" : ";", cell.name);
    for (const auto& [name, value] : cell.ours) ours += fmt::format(" --{} {}", name, value);
  }
  add("cells", word("LIST", "mnist,cifar10"), ("columns mnist, cifar10 or cells" + cells).c_str());
  add("recipe", word("LIST", "code"), ("recipes, each in rows of its own; ours adds" + ours).c_str());
  add("epochs", word("X", "100"), "passes over the training images");
  add("seeds", word(), "seeds 1 to N of every cell [3 for the Hopfield networks on MNIST, 1 for the others]");
  add("out-dir", word("DIR", "results"), "table1.h5, table1.md, .tex, .html and the run files");
  add("models", word("DIR", "experiments/models"), "where the model files stand");
  add("show", flag(), "train and write nothing: print the table of all runs of these cells in --out-dir");
  add_data_dir(options);
  add_kernels(options);
  add_network_device(options);
  add_run_options(options, "");
  return options;
}

}  // namespace

const Verb kTable1 = {"table1",
                      "reproduce the classification table of the HAMUX paper",
                      "[--cells LIST] [--recipe LIST] [--epochs N] [--seeds N] [options]",
                      "Trains or continues one run after the other; each has its file, as `ham train` writes it. "
                      "Stopped at any time, the\n"
                      "same command goes on, and the table says how many epochs were reached. Trimmed copies (`ham "
                      "trim`) are shown as they\n"
                      "are.\n"
                      "\n"
                      "  ham table1 --cells mnist --epochs 10\n"
                      "  ham table1 --cells mnist/hn_relu,mnist/hn_softmax --recipe code,ours\n"
                      "  ham table1 --cells cifar10/conv_ham --time-limit 8h\n"
                      "  ham table1 --show --out-dir results/reference/table1\n",
                      options,
                      "",
                      run,
                      true};

}  // namespace experiments

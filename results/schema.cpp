#include "results/schema.h"

#include <initializer_list>
#include <stdexcept>

namespace results {
namespace {

using enum ColumnType;
using Columns = std::vector<ColumnDescription>;

const Columns kConfiguration = {
    {"configuration", "hash of everything that changes the answer except K", "1", identifier},
};
const Columns kIdentity = {
    {"num_neurons", "number of neurons N", "neurons", integer},
    {"model", "energy model: a shorthand, or similarity/separation/shaping", "text", text},
    {"similarity", "similarity S of pattern and state", "text", text},
    {"separation", "separation function F", "text", text},
    {"shaping", "shaping function Q", "text", text},
    {"degree", "degree n of a power separation, 0 for others", "1", integer},
    {"alpha", "probability that a cue component is kept", "1", real},
    {"rule", "update rule", "text", text},
    {"order", "order of spin updates", "text", text},
    {"tie", "what a spin does in a field of exactly 0", "text", text},
    {"self_coupling", "whether a spin's own contribution is in its field", "text", text},
    {"success", "when a final state counts as the pattern", "text", text},
    {"patterns", "distribution of the patterns", "text", text},
    {"cues", "cues tried on each pattern set", "1", integer},
    {"max_passes", "cap on passes of one trial", "passes", integer},
    {"seed", "seed of the random streams", "1", identifier},
};
const Columns kNumPatterns = {
    {"num_patterns", "number of stored patterns K", "patterns", integer},
};
const Columns kBatch = {
    {"batch", "number of the batch within its point", "1", integer},
};
const Columns kCounters = {
    {"trials", "trials run", "trials", integer},
    {"successes", "trials that ended in the pattern", "trials", integer},
    {"clusters", "pattern sets drawn; trials on one set are correlated", "sets", integer},
    {"successes_squared", "sum over pattern sets of squared successes", "trials^2", integer},
    {"passes", "passes made, the last one without a flip included", "passes", integer},
    {"flips", "spins flipped", "flips", integer},
    {"ties", "updates that found a field of exactly 0", "updates", integer},
    {"not_converged", "trials that met the cap on passes, cycles included", "trials", integer},
    {"cycles", "trials stopped because a state came back", "trials", integer},
    {"energy_rises", "flips that raised the energy", "flips", integer},
    {"wrong_bits", "components that differ from the pattern at the end", "bits", integer},
};
const Columns kSeconds = {
    {"seconds", "wall-clock time spent", "s", real, {}, false},
};
const Columns kPointResults = {
    {"success_probability", "estimated probability of success", "1", real, "successes/trials"},
    {"ci_low", "lower end of its 95 % confidence interval", "1", real, "binomial; pattern sets are the unit"},
    {"ci_high", "upper end of its 95 % confidence interval", "1", real, "binomial; pattern sets are the unit"},
    {"load", "load K/N^(n-1), NaN where the separation is no power", "1", real, "num_patterns/num_neurons^(degree-1)"},
    {"mean_final_bit_error", "mean fraction of wrong components at the end", "1", real,
     "wrong_bits/(trials*num_neurons)"},
};
const Columns kCapacityResults = {
    {"beta", "success threshold", "1", real},
    {"k_max", "capacity: the largest K whose success probability is at least beta", "patterns", real,
     "fit of the success curve in log K"},
    {"ci_low", "lower end of its 95 % confidence interval", "patterns", real, "fit of the success curve in log K"},
    {"ci_high", "upper end of its 95 % confidence interval", "patterns", real, "fit of the success curve in log K"},
    {"status", "ok, lower_bound, upper_bound or budget; of a bound k_max is not a value", "text", text},
    {"relative_half_width", "half the interval's width over k_max", "1", real, "(ci_high-ci_low)/(2*k_max)"},
    {"link", "link function of the fit", "text", text},
    {"goodness_of_fit_p", "p-value of the fit", "1", real, "chi-squared of the deviance"},
    {"k_max_isotonic", "the same capacity from the monotone (isotonic) success curve", "patterns", real,
     "pool-adjacent-violators"},
    {"isotonic_agrees", "1 when k_max_isotonic agrees with the interval of k_max, else 0", "1", integer},
    {"trials", "trials behind the value", "trials", integer},
    {"points", "points behind the value", "points", integer},
};
const Columns kTheory = {
    {"k_pattern_snr", "theory: one whole pattern stable after one step (signal to noise)", "patterns", real,
     "dam/theory/theory.md, row pattern (SNR + Poisson)"},
    {"k_krotov_hopfield", "theory: no errors in one pattern (asymptotic)", "patterns", real,
     "Krotov & Hopfield 2016 eq. 6; n=2: McEliece et al. 1987"},
    {"k_exact_one_step", "theory: one step, from the exact law of the noise", "patterns", real,
     "dam/theory/theory.md, row one-step (independent spins)"},
    {"k_demircigil", "theory: sufficient number for exponential separation", "patterns", real,
     "Demircigil et al. 2017 (rigorous lower bound)"},
};
const Columns kSearch = {
    {"max_patterns",
     "largest K the search may try: --max-patterns, the rows of a pattern file, or what memory holds; 0 not known",
     "patterns", integer, "", false},
};

Columns joined(std::initializer_list<Columns> parts) {
  Columns all;
  for (const Columns& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const std::vector<TableDescription> kDamTables = {
    {"batches", "one batch of trials of one point: the primary data",
     joined({kConfiguration, kNumPatterns, kBatch, kCounters, kSeconds})},
    {"points", "one configuration and K: sums over its batches",
     joined({kConfiguration, kIdentity, kNumPatterns, kCounters, kPointResults, kSeconds})},
    {"capacity", "one configuration and beta",
     joined({kConfiguration, kIdentity, kCapacityResults, kSeconds, kTheory, kSearch})},
};

const std::vector<TableDescription> kHamTables = {
    {"epochs",
     "one pass over the training images",
     {
         {"epoch", "number of the epoch, from 1", "1", integer},
         {"learning_rate", "learning rate of its last step", "1", real},
         {"loss", "mean training loss, before each step", "nats", real},
         {"train_accuracy", "fraction of augmented training images classified right, before each step", "1", real},
         {"gradient_norm", "mean length of the gradient", "1", real},
         {"test_loss", "mean loss of the plain test images", "nats", real},
         {"test_accuracy", "fraction of plain test images classified right", "1", real},
         {"test_accuracy_zoomed", "the same of test images enlarged by 1/0.875 and cropped", "1", real},
         {"seconds", "wall-clock time of training and scoring", "s", real, {}, false},
     }},
    {"parameters",
     "one learned array",
     {
         {"name", "synapse or layer, and the parameter's name", "text", text},
         {"shape", "its shape, `784x1000`", "text", text},
         {"offset", "where it begins in each array of weights or moments", "1", integer},
         {"size", "its number of elements", "1", integer},
     }},
    {"model",
     "the network that was trained (one row)",
     {
         {"name", "its name", "text", text},
         {"toml", "its model file", "text", text},
     }},
    {"training",
     "the point that training has come to (one row)",
     {
         {"epochs", "epochs finished", "1", integer},
         {"batches", "batches done in the epoch under way", "1", integer},
         {"steps", "steps of the optimizer", "1", integer},
         {"loss_sum", "sum of the losses of the epoch under way", "nats", real},
         {"correct", "images classified right in the epoch under way", "images", integer},
         {"gradient_norm_sum", "sum of the gradient's lengths in the epoch under way", "1", real},
         {"version", "of training's arithmetic; one version cannot go on where another stopped", "1", integer},
         {"best_epoch", "epoch of the best plain test accuracy, 0 before the first", "1", integer},
         {"seconds", "wall-clock time spent in the epoch under way", "s", real, {}, false},
     }},
    {"table1",
     "one training run",
     {
         {"cell", "data and network", "text", text},
         {"recipe", "the recipe it was trained with", "text", text},
         {"seed", "seed of weights and stream", "1", identifier},
         {"parameters", "learned numbers", "1", integer},
         {"paper", "top-1 of the paper, best of 100 epochs", "%", real, "Hoover et al. 2022, Table 1"},
         {"paper_600", "the same, best of 600 epochs", "%", real, "Hoover et al. 2022, Table 1"},
         {"epochs", "epochs reached", "1", integer},
         {"epochs_asked", "epochs asked for", "1", integer},
         {"best_epoch", "epoch of the best plain top-1", "1", integer},
         {"best", "best plain top-1 of all epochs", "%", real},
         {"best_zoomed", "best zoomed top-1 of all epochs", "%", real},
         {"last", "plain top-1 after the last epoch", "%", real},
         {"last_zoomed", "zoomed top-1 after the last epoch", "%", real},
         {"seconds", "wall-clock time of training and scoring", "s", real, {}, false},
     }},
};

const TableDescription& find(std::span<const TableDescription> tables, std::string_view name) {
  std::string names;
  for (const TableDescription& table : tables) {
    if (table.name == name) return table;
    names += (names.empty() ? "" : ", ") + std::string(table.name);
  }
  throw std::out_of_range("no table " + std::string(name) + "; there are " + names);
}

core::ColumnValues no_values(ColumnType type) {
  switch (type) {
    case integer:
      return std::vector<std::int64_t>();
    case identifier:
      return std::vector<std::uint64_t>();
    case real:
      return std::vector<double>();
    case text:
      return std::vector<std::string>();
  }
  throw std::logic_error("column type");
}

}  // namespace

std::span<const TableDescription> dam_tables() { return kDamTables; }

std::span<const TableDescription> ham_tables() { return kHamTables; }

const TableDescription& dam_table(std::string_view name) { return find(kDamTables, name); }
const TableDescription& ham_table(std::string_view name) { return find(kHamTables, name); }

Table empty_table(const TableDescription& description) {
  Table table{std::string(description.name), {}};
  for (const ColumnDescription& column : description.columns)
    table.columns.push_back({std::string(column.name), std::string(column.long_name), std::string(column.units),
                             std::string(column.source), no_values(column.type), column.reproducible});
  return table;
}

std::string data_dictionary() {
  std::string markdown;
  for (const auto& [kind, tables] : {std::pair{"dam", dam_tables()}, std::pair{"ham", ham_tables()}}) {
    markdown += "## Files of kind `" + std::string(kind) + "`\n\n";
    for (const TableDescription& table : tables) {
      markdown += "### `/" + std::string(table.name) + "`\n\nA row is " + std::string(table.row) +
                  ".\n\n| column | type | units | meaning | source |\n|---|---|---|---|---|\n";
      for (const ColumnDescription& column : table.columns)
        markdown += "| `" + std::string(column.name) + "` | " + std::string(type_name(no_values(column.type))) + " | " +
                    std::string(column.units) + " | " + std::string(column.long_name) +
                    (column.reproducible ? "" : " (differs from run to run)") + " | " + std::string(column.source) +
                    " |\n";
      markdown += "\n";
    }
  }
  return markdown;
}

}  // namespace results

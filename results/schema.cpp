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
     "THEORY section 3, row pattern (SNR + Poisson)"},
    {"k_krotov_hopfield", "theory: no errors in one pattern (asymptotic)", "patterns", real,
     "Krotov & Hopfield 2016 eq. 6; n=2: McEliece et al. 1987"},
    {"k_exact_one_step", "theory: one step, from the exact law of the noise", "patterns", real,
     "THEORY section 3, convolution of xi*f(x) (exact)"},
    {"k_demircigil", "theory: sufficient number for exponential separation", "patterns", real,
     "Demircigil et al. 2017 (rigorous lower bound)"},
};
const Columns kSearch = {
    {"max_patterns", "largest K the search may try: --max-patterns, the rows of a pattern file, or what memory holds",
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

const TableDescription& dam_table(std::string_view name) {
  for (const TableDescription& table : kDamTables)
    if (table.name == name) return table;
  throw std::out_of_range("no table " + std::string(name) + "; there are batches, points and capacity");
}

Table empty_table(const TableDescription& description) {
  Table table{std::string(description.name), {}};
  for (const ColumnDescription& column : description.columns)
    table.columns.push_back({std::string(column.name), std::string(column.long_name), std::string(column.units),
                             std::string(column.source), no_values(column.type), column.reproducible});
  return table;
}

std::string data_dictionary() {
  std::string markdown;
  for (const TableDescription& table : kDamTables) {
    markdown += "### `/" + std::string(table.name) + "`\n\nA row is " + std::string(table.row) +
                ".\n\n| column | type | units | meaning | source |\n|---|---|---|---|---|\n";
    for (const ColumnDescription& column : table.columns)
      markdown += "| `" + std::string(column.name) + "` | " + std::string(type_name(no_values(column.type))) + " | " +
                  std::string(column.units) + " | " + std::string(column.long_name) +
                  (column.reproducible ? "" : " (differs from run to run)") + " | " + std::string(column.source) +
                  " |\n";
    markdown += "\n";
  }
  return markdown;
}

}  // namespace results

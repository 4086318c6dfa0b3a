#include "experiments/sweep/spec.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "core/numbers.h"
#include "dam/fields/support.h"
#include "experiments/command_line/cli.h"
#include "experiments/command_line/device.h"
#include "experiments/command_line/grid.h"
#include "experiments/files/load_array.h"
#include "experiments/sweep/batch_store.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

/// The options that span a grid, with their defaults: a sweep is the product of their lists.
struct GridOption {
  const char* name;
  const char* fallback;
  const char* help;
};
constexpr GridOption kGridOptions[] = {
    {"size", "", "numbers of neurons N, at least 2"},
    {"degree", "", "degrees n of dense models; --degree 3 is --model dense:3"},
    {"model", "", "hopfield, dense:N, rectified:N, exponential:LAMBDA, modern:LAMBDA (log shaping)"},
    {"similarity", "dot", "dot, cosine, euclidean (with --separation)"},
    {"separation", "", "power:N, relu-power:N, exp:LAMBDA, log-cosh:BETA, softplus:BETA (instead of --model)"},
    {"shaping", "linear", "linear, log, power:P (with --separation)"},
    {"alpha", "1", "probability that a cue component is kept, in (0, 1]"},
    {"rule", "derivative", "derivative, energy"},
    {"order", "random", "random, sequential, replacement, synchronous"},
    {"tie", "keep", "what a spin does at field 0: keep, plus, minus, random"},
    {"self-coupling", "removed", "removed, kept"},
    {"success", "exact", "exact, exact-or-negated, overlap:X, overlap-or-negated:X"},
    {"patterns", "iid", "iid, biased:P, low-rank:R:NOISE, copies:R:FLIP, file:PATH"},
    {"cues", "1", "cues per pattern set (they share the drawing; the set is the unit of the interval)"},
};

constexpr std::size_t kMostConfigurations = 1 << 16;
constexpr std::int64_t kMostNeurons = 1 << 20, kMostCues = 1 << 16, kMostPasses = 1000000;
constexpr std::int64_t kMostPatterns = std::int64_t{1} << 40, kMostTrials = std::int64_t{1} << 40;
constexpr std::int64_t kMostBatches = 1 << 22;  // of a curve: all are listed before the first is measured

void require_at_most(std::int64_t value, std::string_view option, std::int64_t largest) {
  if (value > largest) throw UsageError(fmt::format("--{}: {} is above the largest value, {}", option, value, largest));
}

using Words = std::map<std::string, std::string>;

/// Words of a `sweep = key=grid key=grid …` block on top of the options given outside blocks.
Words block_words(const std::string& block, Words words) {
  std::set<std::string> own;
  std::size_t from = 0;
  while ((from = block.find_first_not_of(" \t", from)) != std::string::npos) {
    const std::size_t to = std::min(block.find_first_of(" \t", from), block.size());
    const std::string item = block.substr(from, to - from);
    from = to;
    const std::size_t equals = item.find('=');
    const std::string key = item.substr(0, equals);
    const bool known = std::any_of(std::begin(kGridOptions), std::end(kGridOptions),
                                   [&](const GridOption& o) { return key == o.name; });
    if (equals == std::string::npos || !known)
      throw UsageError(fmt::format("--sweep: '{}' is not KEY=GRID with a key such as size, model, alpha", item));
    words[key] = item.substr(equals + 1);
    own.insert(key);
  }
  // A block that names its model one way drops the other ways inherited from outside.
  for (const char* key : {"degree", "model", "separation"})
    if (own.contains("degree") || own.contains("model") || own.contains("separation"))
      if (!own.contains(key)) words.erase(key);
  return words;
}

/// Runs a parser of core or dam and names the option in its error.
template <class Parse>
auto parse_each(const Words& words, const std::string& option, Parse parse) {
  std::vector<decltype(parse(std::string{}))> values;
  for (const std::string& item : parse_list(words.at(option), option)) {
    try {
      values.push_back(parse(item));
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--{}: {}", option, error.what()));
    }
  }
  return values;
}

std::vector<core::EnergyModel> parse_models(const Words& words, bool allow_degenerate) {
  const bool degree = words.contains("degree"), model = words.contains("model"),
             separation = words.contains("separation");
  if (degree + model + separation > 1)
    throw UsageError("--degree, --model and --separation name the model; give one of them");
  if (degree + model + separation == 0)
    throw UsageError("a model is missing: --degree 3, --model exponential:0.5 or --separation power:3");
  for (const char* layer : {"similarity", "shaping"}) {
    const auto option = std::ranges::find(kGridOptions, std::string_view(layer), &GridOption::name);
    if (!separation && words.at(layer) != option->fallback)
      throw UsageError(fmt::format("--{} goes with --separation; --degree and --model name all three layers", layer));
  }
  std::vector<core::EnergyModel> models;
  if (degree) {
    for (const std::int64_t n : parse_integer_grid(words.at("degree"), "degree", 2))
      models.push_back(core::EnergyModel::parse(fmt::format("dense:{}", n)));
  } else if (model) {
    models = parse_each(words, "model", core::EnergyModel::parse);
  } else {
    for (const auto similarity : parse_each(words, "similarity", core::parse_similarity))
      for (const auto& f : parse_each(words, "separation", core::Separation::parse))
        for (const auto& shaping : parse_each(words, "shaping", core::Shaping::parse))
          models.push_back({similarity, f, shaping});
  }
  for (const core::EnergyModel& m : models)
    if (const std::string why = m.degenerate(); !why.empty() && !allow_degenerate)
      throw UsageError(
          fmt::format("model '{}' is degenerate: {} (--allow-degenerate measures it all the same)", m.text(), why));
  return models;
}

void append_block(const Words& words, std::uint64_t seed, bool allow_degenerate, int max_passes, SweepSpec& spec) {
  if (!words.contains("size"))
    throw UsageError("--size is missing: the numbers of neurons, such as 64,128 or 32:256:x2");
  const auto sizes = parse_integer_grid(words.at("size"), "size", 2);
  require_at_most(sizes.back(), "size", kMostNeurons);
  const auto alphas = parse_probability_grid(words.at("alpha"), "alpha");
  const auto cues = parse_integer_grid(words.at("cues"), "cues", 1);
  require_at_most(cues.back(), "cues", kMostCues);
  for (const core::EnergyModel& model : parse_models(words, allow_degenerate))
    for (const auto& patterns : parse_each(words, "patterns", dam::parse_patterns))
      for (const auto rule : parse_each(words, "rule", dam::parse_rule))
        for (const auto order : parse_each(words, "order", dam::parse_order))
          for (const auto tie : parse_each(words, "tie", dam::parse_tie))
            for (const auto self_coupling : parse_each(words, "self-coupling", dam::parse_self_coupling))
              for (const auto& success : parse_each(words, "success", dam::parse_success))
                for (const std::int64_t cue : cues)
                  for (const double alpha : alphas)
                    for (const std::int64_t size : sizes) {
                      if (spec.configurations.size() == kMostConfigurations)
                        throw UsageError(fmt::format("the grid has more than {} configurations", kMostConfigurations));
                      spec.configurations.push_back({static_cast<int>(size),
                                                     model,
                                                     {rule, order, tie, self_coupling, max_passes},
                                                     alpha,
                                                     success,
                                                     patterns,
                                                     static_cast<int>(cue),
                                                     seed});
                    }
}

/// Patterns from a file are loaded once, and their content (not the path) is what identifies the configuration.
void load_bank(SweepSpec& spec, const dam::Threshold& threshold, std::int64_t byte_limit) {
  const dam::PatternSource* first = nullptr;
  for (dam::Configuration& configuration : spec.configurations) {
    if (configuration.patterns.kind != dam::PatternKind::file) continue;
    if (!first) {
      first = &configuration.patterns;
      const LoadedPatterns loaded =
          load_patterns(first->path, "patterns", byte_limit, {threshold, configuration.num_neurons});
      spec.bank = loaded.patterns;
      configuration.patterns.content = loaded.content;
    }
    if (configuration.patterns.path != first->path)
      throw UsageError("--patterns: one sweep takes its patterns from one file");
    configuration.patterns.content = first->content;
    if (spec.bank->num_neurons() != configuration.num_neurons)
      throw UsageError(fmt::format("--patterns: '{}' has {} neurons per pattern, --size says {}",
                                   configuration.patterns.path, spec.bank->num_neurons(), configuration.num_neurons));
  }
}

/// Takes out what cannot be computed, so that the rest of the grid runs.
void leave_out_impossible(SweepSpec& spec) {
  std::erase_if(spec.configurations, [&](const dam::Configuration& configuration) {
    try {
      dam::require_representable(configuration.model, configuration.num_neurons);
      return false;
    } catch (const std::invalid_argument& error) {
      spec.left_out.emplace_back(error.what());
      return true;
    }
  });
  if (spec.configurations.empty()) throw UsageError("--model: " + spec.left_out.front());
}

/// A search needs a batch at least, a curve is listed batch by batch.
void require_sensible_trials(const SweepSpec& spec) {
  double batches = 0;
  for (const dam::Configuration& configuration : spec.configurations) {
    const std::int64_t batch_trials = kClustersPerBatch * configuration.cues;
    if (spec.verb == "capacity" && spec.trials < batch_trials)
      throw UsageError(fmt::format("--trials: {} is less than one batch, {} pattern sets of {} cues", spec.trials,
                                   kClustersPerBatch, configuration.cues));
    batches += std::ceil(static_cast<double>(spec.trials) / static_cast<double>(batch_trials)) *
               static_cast<double>(spec.num_patterns.size());
  }
  if (batches > static_cast<double>(kMostBatches))
    throw UsageError(fmt::format(
        "--trials: {} at each of {} points are {:.3g} batches of {} pattern sets, at most {} "
        "can be kept; more --cues make larger batches",
        spec.trials, spec.configurations.size() * spec.num_patterns.size(), batches, kClustersPerBatch, kMostBatches));
}

std::string joined(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += fmt::format("{}{}", text.empty() ? "" : ",", value);
  return text;
}

std::string canonical_spec(const SweepSpec& spec) {
  std::string text = fmt::format("verb = {}\n", spec.verb);
  for (const dam::Configuration& configuration : spec.configurations)
    text += fmt::format("configuration.{:016x} = {}\n", configuration_id(configuration),
                        dam::canonical_text(configuration));
  if (spec.verb == "curve")
    return text + fmt::format("num_patterns = {}\ntrials = {}\n", joined(spec.num_patterns), spec.trials);
  std::string betas;
  for (const double beta : spec.betas) betas += fmt::format("{}{}", betas.empty() ? "" : ",", core::number_text(beta));
  return text + fmt::format("beta = {}\nprecision = {}\ntrials = {}\nmax_patterns = {}\n", betas,
                            core::number_text(spec.precision), spec.trials, spec.max_patterns);
}

}  // namespace

Options sweep_options(const std::string& verb) {
  Options options;
  auto add = options.add_options();
  for (const GridOption& option : kGridOptions) {
    const std::string help = *option.fallback ? fmt::format("{} [{}]", option.help, option.fallback) : option.help;
    add(option.name, word("LIST"), help.c_str());
  }
  add("sweep", po::value<std::vector<std::string>>()->composing()->value_name("BLOCK"),
      "a block of the grid, 'model=dense:4 size=16:128:x2'; may be repeated, inherits the other options");
  if (verb == "capacity") {
    add("beta", word("LIST", "0.5"), "success probabilities that define the capacity, in (0, 1)");
    add("precision", word("X", "0.05"), "wanted relative half-width of the 95 % interval of K_max");
    add("trials", word("X", "200000"), "most trials spent on one configuration and beta");
    add("max-patterns", word("X", "1e8"), "largest K tried; above it the capacity is a lower bound");
  } else {
    add("num-patterns", word("LIST"), "numbers of patterns K");
    add("trials", word("X", "1000"), "trials per point, rounded up to whole batches of 32 pattern sets");
  }
  add_threshold(options);
  add("max-passes", word("X", "100"), "passes after which a trial counts as not converged");
  add_seed(options);
  add("allow-degenerate", flag(), "measure models that cannot store patterns");
  add("spec", word("FILE.ini"), "read options from a file, one 'option = value' a line; the command line wins");
  add("kernel", word("X", "auto"), "local-field kernel; `dam selftest` lists them");
  add_device(options);
  add_save_every(options, "5s");
  add("shard", word(), "measure part I of N only, given as I/N; `dam merge` of all parts is the sweep [1/1]");
  add_run_options(options, fmt::format("results/{}.h5", verb));
  return options;
}

SweepSpec parse_sweep(const std::string& verb, const po::variables_map& given) {
  SweepSpec spec;
  spec.verb = verb;
  Words words;
  for (const GridOption& option : kGridOptions) {
    if (given.contains(option.name))
      words[option.name] = given[option.name].as<std::string>();
    else if (*option.fallback)
      words[option.name] = option.fallback;
  }
  if (words["patterns"].find_first_not_of("0123456789,:x+") == std::string::npos)
    throw UsageError(fmt::format(
        "--patterns: '{}' is no pattern source (iid, biased:P, …); a grid of K is given with --num-patterns",
        words["patterns"]));
  spec.seed = parse_seed(given);
  const std::int64_t max_passes = positive_integer(given, "max-passes");
  require_at_most(max_passes, "max-passes", kMostPasses);
  const bool allow_degenerate = given["allow-degenerate"].as<bool>();
  std::vector<std::string> blocks = {""};
  if (given.contains("sweep")) blocks = given["sweep"].as<std::vector<std::string>>();
  for (const std::string& block : blocks)
    append_block(block_words(block, words), spec.seed, allow_degenerate, static_cast<int>(max_passes), spec);
  leave_out_impossible(spec);
  load_bank(spec, given_threshold(given), parse_max_memory(given));
  std::set<std::uint64_t> ids;
  std::erase_if(spec.configurations,
                [&](const auto& configuration) { return !ids.insert(configuration_id(configuration)).second; });

  spec.trials = positive_integer(given, "trials");
  require_at_most(spec.trials, "trials", kMostTrials);
  if (verb == "capacity") {
    spec.betas = parse_probability_grid(given["beta"].as<std::string>(), "beta");
    spec.max_patterns = positive_integer(given, "max-patterns");
    require_at_most(spec.max_patterns, "max-patterns", kMostPatterns);
    try {
      spec.precision = core::parse_double(given["precision"].as<std::string>(), "--precision:");
    } catch (const std::invalid_argument& error) {
      throw UsageError(error.what());
    }
    if (spec.betas.end() != std::find(spec.betas.begin(), spec.betas.end(), 1.0))
      throw UsageError(
          "--beta: 1 cannot be measured in a finite number of trials; take a value below it, such as 0.999");
    if (!(spec.precision >= 0.001 && spec.precision <= 1))
      throw UsageError(fmt::format("--precision: {} is outside [0.001, 1]", given["precision"].as<std::string>()));
  } else {
    if (!given.contains("num-patterns"))
      throw UsageError("--num-patterns is missing: the numbers of patterns K, such as 10,20 or 8:64:x2");
    spec.num_patterns = parse_integer_grid(given["num-patterns"].as<std::string>(), "num-patterns", 1);
    require_at_most(spec.num_patterns.back(), "num-patterns", kMostPatterns);
  }
  require_sensible_trials(spec);
  spec.text = canonical_spec(spec);
  return spec;
}

SweepSpec read_spec_text(const std::string& text) {
  SweepSpec spec;
  spec.text = text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    const std::string key = line.substr(0, equals), value = equals == std::string::npos ? "" : line.substr(equals + 3);
    try {
      if (key.starts_with("configuration."))
        spec.configurations.push_back(dam::parse_configuration(value));
      else if (key == "verb")
        spec.verb = value;
      else if (key == "beta")
        spec.betas = parse_probability_grid(value, key);
      else if (key == "num_patterns")
        spec.num_patterns = parse_integer_grid(value, key, 1);
      else if (key == "precision")
        spec.precision = core::parse_double(value, key);
      else if (key == "trials")
        spec.trials = core::parse_integer(value, key);
      else if (key == "max_patterns")
        spec.max_patterns = core::parse_integer(value, key);
      else
        throw std::invalid_argument("unknown key");
    } catch (const std::exception& error) {
      throw std::runtime_error(fmt::format("spec line '{}': {}", line, error.what()));
    }
  }
  if (spec.configurations.empty()) throw std::runtime_error("the spec names no configuration");
  require_at_most(spec.trials, "trials", kMostTrials);
  require_sensible_trials(spec);
  return spec;
}

}  // namespace experiments

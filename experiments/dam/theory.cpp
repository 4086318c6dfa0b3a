// dam theory: what the literature predicts, every formula with its convention and how sure it is.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/numbers.h"
#include "dam/theory/theory.h"
#include "experiments/command_line/grid.h"
#include "experiments/dam/verbs.h"

namespace experiments {
namespace {

namespace po = boost::program_options;

std::vector<core::EnergyModel> models(const po::variables_map& given) {
  if (given.contains("degree") == given.contains("model")) throw UsageError("give the model by --degree or by --model");
  std::vector<core::EnergyModel> all;
  if (given.contains("degree")) {
    for (const std::int64_t degree : parse_integer_grid(given["degree"].as<std::string>(), "degree", 2))
      all.push_back(core::EnergyModel::parse(fmt::format("dense:{}", degree)));
    return all;
  }
  for (const std::string& text : parse_list(given["model"].as<std::string>(), "model")) try {
      all.push_back(core::EnergyModel::parse(text));
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--model: {}", error.what()));
    }
  return all;
}

double probability(const po::variables_map& given, const char* option) {
  const auto values = parse_probability_grid(given[option].as<std::string>(), option);
  if (values.size() != 1 || values[0] == 1)
    throw UsageError(fmt::format("--{}: takes one number inside (0, 1)", option));
  return values[0];
}

/// As many digits as the value's numerical error leaves, up to seven.
std::string significant(const dam::TheoryValue& value) {
  if (std::isnan(value.value)) return "-";
  const double relative = std::max(value.error / std::max(std::abs(value.value), 1e-300), 1e-9);
  return fmt::format("{:.{}g}", value.value, std::clamp(static_cast<int>(std::ceil(-std::log10(relative))), 2, 7));
}

/// The symbols, then the formulas themselves: id, status, formula, convention, source.
void print_formulas() {
  fmt::print(
      "N neurons, D = N - 1 of which act on one; K patterns, as a load K/N^{{n-1}}, as a rate (ln K)/N;\n"
      "F = x^n/n or e^{{lx}}, l is lambda; a is alpha; p tolerated error of a bit; V noise coefficient;\n"
      "Q(z) upper tail of a Gaussian, z = Q^{{-1}}(p); I(x) = ((1+x) ln(1+x) + (1-x) ln(1-x))/2.\n\n");
  for (const dam::TheoryRow& row : dam::theory_rows())
    fmt::print("{} [{}] {}\n    {}\n    {}; gives {}; {}\n", row.id, dam::text(row.status), row.title, row.formula,
               row.convention, dam::text(row.quantity), row.source);
}

struct Case {
  core::EnergyModel model;
  double alpha;
  double beta;
};

/// One table: a row per formula that applies, a column per N.
void print_case(const Case& which, const std::vector<std::int64_t>& sizes, double bit_error) {
  fmt::print("model {}, alpha {}, beta {}, p {}\n", which.model.text(), core::number_text(which.alpha),
             core::number_text(which.beta), core::number_text(bit_error));
  fmt::print("  {:<22} {:<10} {:<12}", "formula", "status", "quantity");
  for (const std::int64_t size : sizes) fmt::print(" {:>14}", fmt::format("N={}", size));
  fmt::print("\n");
  std::vector<std::string> notes;
  for (const dam::TheoryRow& row : dam::theory_rows()) {
    std::vector<std::string> cells, reasons;
    bool any = false;
    for (const std::int64_t size : sizes) {
      const dam::TheoryInput input{.num_neurons = static_cast<int>(size),
                                   .model = which.model,
                                   .alpha = which.alpha,
                                   .beta = which.beta,
                                   .bit_error = bit_error};
      const dam::TheoryValue value = row.evaluate(input);
      cells.push_back(significant(value));
      any |= cells.back() != "-";
      if (value.left_out) reasons.push_back(fmt::format("  {} at N = {} is left out: {}", row.id, size, value.reason));
    }
    for (std::string& reason : reasons) notes.push_back(std::move(reason));
    if (!any) continue;
    fmt::print("  {:<22} {:<10} {:<12}", row.id, dam::text(row.status), dam::text(row.quantity));
    for (const std::string& cell : cells) fmt::print(" {:>14}", cell);
    fmt::print("\n");
  }
  for (const std::string& note : notes) fmt::print("{}\n", note);
}

std::string json_number(double value) { return std::isfinite(value) ? core::number_text(value) : "null"; }

int run(const po::variables_map& given, const std::string&) {
  if (given["formulas"].as<bool>()) {
    print_formulas();
    return kComplete;
  }
  if (!given.contains("size"))
    throw UsageError("--size is missing: the numbers of neurons, such as 64,128 or 32:256:x2");
  const auto sizes = parse_integer_grid(given["size"].as<std::string>(), "size", 2);
  if (sizes.back() > 1 << 20)
    throw UsageError(fmt::format("--size: {} is above the largest value, {}", sizes.back(), 1 << 20));
  const double bit_error = probability(given, "bit-error");
  std::vector<Case> cases;
  for (const core::EnergyModel& model : models(given))
    for (const double alpha : parse_probability_grid(given["alpha"].as<std::string>(), "alpha"))
      for (const double beta : parse_probability_grid(given["beta"].as<std::string>(), "beta"))
        cases.push_back({model, alpha, beta});

  if (!given["json"].as<bool>()) {
    for (const Case& which : cases) print_case(which, sizes, bit_error);
    fmt::print("dam theory --formulas explains every row.\n");
    return kComplete;
  }
  std::string document;
  for (const Case& which : cases)
    for (const std::int64_t size : sizes)
      for (const dam::TheoryRow& row : dam::theory_rows()) {
        const dam::TheoryInput input{.num_neurons = static_cast<int>(size),
                                     .model = which.model,
                                     .alpha = which.alpha,
                                     .beta = which.beta,
                                     .bit_error = bit_error};
        const dam::TheoryValue value = row.evaluate(input);
        document += fmt::format(
            "{}\n{{\"num_neurons\":{},\"model\":\"{}\",\"alpha\":{},\"beta\":{},\"id\":\"{}\",\"status\":\"{}\","
            "\"quantity\":\"{}\",\"value\":{},\"error\":{}{}}}",
            document.empty() ? "" : ",", size, which.model.text(), json_number(which.alpha), json_number(which.beta),
            row.id, dam::text(row.status), dam::text(row.quantity), json_number(value.value),
            json_number(std::isnan(value.value) ? value.value : value.error),
            value.left_out ? fmt::format(",\"left_out\":\"{}\"", value.reason) : "");
      }
  fmt::print("{{\"theory\":[{}\n]}}\n", document);
  return kComplete;
}

Options options() {
  Options options;
  auto add = options.add_options();
  add("size", word("LIST"), "numbers of neurons N");
  add("degree", word("LIST"), "degrees n of dense models");
  add("model", word("LIST"), "hopfield, dense:N, rectified:N, exponential:LAMBDA, modern:LAMBDA, or three layers");
  add("alpha", word("LIST", "1"), "probability that a cue component is kept");
  add("beta", word("LIST", "0.5"), "success probabilities");
  add("bit-error", word("LIST", "0.01"), "tolerated error p of one bit, for the one-bit criteria and the named bounds");
  add("formulas", flag(), "explain every formula: criterion, status, source");
  add("json", flag(), "print one JSON document");
  return options;
}

}  // namespace

const Verb kTheory = {"theory",
                      "print the literature's capacities on a grid, each labelled by how sure it is",
                      "--size GRID (--degree GRID | --model LIST) [options]",
                      "Status: exact (an identity), independence (exact law of one spin, spins taken as independent), "
                      "approximation (its\n"
                      "error was measured), SNR (signal to noise, Gaussian), replica (equilibrium), rigorous (proved "
                      "bound), asymptotic (leading order for large N).\n"
                      "\n"
                      "  dam theory --size 30,60,100 --degree 2,10 --beta 0.5\n"
                      "  dam theory --formulas\n",
                      options,
                      "",
                      run};

}  // namespace experiments

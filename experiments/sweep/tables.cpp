#include "experiments/sweep/tables.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "core/statistics/binomial.h"
#include "dam/theory/theory.h"
#include "experiments/sweep/table_rows.h"
#include "results/schema.h"

namespace experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void push_identity(results::Table& table, const dam::Configuration& c) {
  push_identifier(table, "configuration", configuration_id(c));
  push_integer(table, "num_neurons", c.num_neurons);
  push_text(table, "model", c.model.text());
  push_text(table, "similarity", text(c.model.similarity));
  push_text(table, "separation", c.model.separation.text());
  push_text(table, "shaping", c.model.shaping.text());
  push_integer(table, "degree", c.model.separation.degree());
  push_real(table, "alpha", c.alpha);
  push_text(table, "rule", text(c.dynamics.rule));
  push_text(table, "order", text(c.dynamics.order));
  push_text(table, "tie", text(c.dynamics.tie));
  push_text(table, "self_coupling", text(c.dynamics.self_coupling));
  push_text(table, "success", text(c.success));
  push_text(table, "patterns", text(c.patterns));
  push_integer(table, "cues", c.cues);
  push_integer(table, "max_passes", c.dynamics.max_passes);
  push_identifier(table, "seed", c.seed);
}

double load(const dam::Configuration& c, std::int64_t num_patterns) {
  const int degree = c.model.separation.degree();
  return degree ? static_cast<double>(num_patterns) / std::pow(c.num_neurons, degree - 1) : kNaN;
}

/// The overlay of THEORY §3 for powers, its counterpart for exponentials.
double pattern_snr(const dam::Configuration& c, double beta) {
  const bool exponential = c.model.separation.kind == core::SeparationKind::exponential;
  return predicted_capacity(exponential ? "pattern-exponential" : "pattern", c, beta);
}

}  // namespace

double predicted_capacity(std::string_view theory_id, const dam::Configuration& c, double beta) {
  if (c.patterns.kind != dam::PatternKind::iid) return kNaN;
  const dam::TheoryInput input{.num_neurons = c.num_neurons,
                               .model = c.model,
                               .alpha = c.alpha,
                               .beta = beta,
                               .rule = c.dynamics.rule,
                               .self_coupling = c.dynamics.self_coupling};
  return dam::as_num_patterns(dam::theory_row(theory_id), input).value;
}

double capacity_guess(const dam::Configuration& configuration, double beta) {
  constexpr double kSmall = 8, kLarge = 1e12, kMildCorruption = 0.85;
  dam::Configuration iid = configuration;
  iid.patterns = {};
  if (configuration.alpha >= kMildCorruption) iid.alpha = 1;  // later updates see a repaired cue
  const double guess = pattern_snr(iid, beta);
  return std::isnan(guess) ? kSmall : std::clamp(guess, 1.0, kLarge);
}

dam::CurvePoint curve_point(std::int64_t num_patterns, const dam::TrialCounts& counts) {
  return {num_patterns, counts.trials, counts.successes, counts.clusters, counts.successes_squared};
}

results::Table points_table(const SweepSpec& spec, const BatchStore& store) {
  results::Table table = results::empty_table(results::dam_table("points"));
  for (const dam::Configuration& configuration : spec.configurations) {
    const std::uint64_t id = configuration_id(configuration);
    for (const std::int64_t num_patterns : store.num_patterns(id)) {
      const BatchRecord record = store.sum(id, num_patterns);
      push_identity(table, configuration);
      push_integer(table, "num_patterns", num_patterns);
      for (const auto& [name, member] : kCounters) push_integer(table, name, record.counts.*member);
      const auto trials = static_cast<double>(record.counts.trials);
      const core::Interval interval = core::cluster_interval(curve_point(num_patterns, record.counts).counts());
      push_real(table, "success_probability", static_cast<double>(record.counts.successes) / trials);
      push_real(table, "ci_low", interval.low);
      push_real(table, "ci_high", interval.high);
      push_real(table, "load", load(configuration, num_patterns));
      push_real(table, "mean_final_bit_error",
                static_cast<double>(record.counts.wrong_bits) / (trials * configuration.num_neurons));
      push_real(table, "seconds", record.seconds);
    }
  }
  return table;
}

bool add_exact_one_step(std::vector<CapacityRow>& rows, int threads, const std::function<bool()>& stopping) {
  std::atomic<bool> stopped = false;
  core::parallel_for(rows.size(), threads, [&](std::size_t row, int) {
    if (stopped || stopping()) {
      stopped = true;
      return;
    }
    rows[row].k_exact_one_step = predicted_capacity("one-step", *rows[row].configuration, rows[row].beta);
  });
  return !stopped;
}

results::Table capacity_table(const BatchStore& store, const std::vector<CapacityRow>& rows) {
  results::Table table = results::empty_table(results::dam_table("capacity"));
  for (const CapacityRow& row : rows) {
    const dam::SearchPlan& plan = row.plan;
    const bool fitted = plan.fit.ok;
    push_identity(table, *row.configuration);
    push_real(table, "beta", row.beta);
    push_real(table, "k_max", plan.k_max);
    push_real(table, "ci_low", plan.ci_low);
    push_real(table, "ci_high", plan.ci_high);
    push_text(table, "status", text(plan.status));
    push_real(table, "relative_half_width", (plan.ci_high - plan.ci_low) / (2 * plan.k_max));
    push_text(table, "link", fitted ? std::string(core::text(plan.fit.link)) : "");
    push_real(table, "goodness_of_fit_p", fitted ? plan.fit.goodness_of_fit : kNaN);
    push_real(table, "k_max_isotonic", fitted ? plan.fit.k_max_isotonic : kNaN);
    push_integer(table, "isotonic_agrees", plan.fit.isotonic_agrees);
    std::int64_t trials = 0;
    double seconds = 0;
    for (const dam::CurvePoint& point : row.points) {
      trials += point.trials;
      seconds += store.sum(configuration_id(*row.configuration), point.num_patterns).seconds;
    }
    push_integer(table, "trials", trials);
    push_integer(table, "points", static_cast<std::int64_t>(row.points.size()));
    push_real(table, "seconds", seconds);
    push_real(table, "k_pattern_snr", pattern_snr(*row.configuration, row.beta));
    push_real(table, "k_krotov_hopfield", predicted_capacity("kh", *row.configuration, row.beta));
    push_real(table, "k_exact_one_step", row.k_exact_one_step);
    push_real(table, "k_demircigil", predicted_capacity("demircigil", *row.configuration, row.beta));
    push_integer(table, "max_patterns", row.max_patterns);
  }
  return table;
}

}  // namespace experiments

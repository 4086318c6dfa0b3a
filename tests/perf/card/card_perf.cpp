// Whole trials on the card, drawing included, beside every processor core: interactions (N·K a pass) per second.
//
// card_perf [--json FILE] [--profile CASE] [--seconds S]: every case is first compared with the processor, then timed.
#include <fmt/core.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "dam/fields/kernels.h"
#include "gpu/dam/clusters.h"
#include "tests/perf/card/ceilings.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  int num_neurons;
  std::int64_t num_patterns;
  const char* model;
  double alpha;
};

// a, b, d, e as in local_fields_perf; the others show where small problems are better left to the processor.
constexpr Case kCases[] = {{"a", 256, 100'000, "dense:4", 0.9},   {"b", 1024, 25'000, "dense:3", 0.9},
                           {"d", 128, 270'000, "dense:5", 0.95},  {"e", 48, 20'000, "exponential:0.5", 0.95},
                           {"f", 512, 1'500'000, "dense:4", 0.9}, {"s1", 128, 1'000, "dense:3", 0.9},
                           {"s2", 128, 4'000, "dense:3", 0.9},    {"s3", 256, 16'000, "dense:3", 0.9},
                           {"c", 512, 64, "hopfield", 0.9}};

dam::Configuration configuration(const Case& c) {
  dam::Configuration result;
  result.num_neurons = c.num_neurons;
  result.model = core::EnergyModel::parse(c.model);
  result.alpha = c.alpha;
  return result;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Rate {
  double interactions = 0, seconds = 0;
  std::int64_t trials = 0, passes = 0, flips = 0;
  double per_second() const { return interactions / seconds; }
};

void add(const Case& c, const dam::TrialCounts& counts, Rate& rate) {
  rate.interactions +=
      static_cast<double>(c.num_neurons) * static_cast<double>(c.num_patterns) * static_cast<double>(counts.passes);
  rate.trials += counts.trials;
  rate.passes += counts.passes;
  rate.flips += counts.flips;
}

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(first + i);
  return result;
}

/// Batches of growing size until one takes long enough to be believed.
Rate on_card(const Case& c, gpu::Clusters& card, double wanted) {
  card.run(configuration(c), c.num_patterns, numbers(0, 264));  // allocates
  for (std::int64_t count = 264;; count *= 2) {
    Rate rate;
    const auto start = Clock::now();
    const auto all = card.run(configuration(c), c.num_patterns, numbers(0, count));
    rate.seconds = seconds_since(start);
    for (const auto& counts : all) add(c, counts, rate);
    if (rate.seconds > wanted || count > 1 << 20) return rate;
    count = std::max(count, static_cast<std::int64_t>(0.4 * static_cast<double>(count) * wanted / rate.seconds));
  }
}

Rate on_processor(const Case& c, int threads, double wanted) {
  std::vector<Rate> rates(static_cast<std::size_t>(threads));
  const auto start = Clock::now();
  core::parallel_for(rates.size(), threads, [&](std::size_t index, int) {
    dam::TrialWorkspace workspace;
    for (std::int64_t cluster = 0; cluster == 0 || seconds_since(start) < wanted; ++cluster)
      add(c,
          dam::run_cluster(configuration(c), c.num_patterns, static_cast<std::int64_t>(index) + threads * cluster,
                           dam::find_kernel("auto"), workspace),
          rates[index]);
  });
  Rate sum;
  sum.seconds = seconds_since(start);
  for (const Rate& rate : rates) {
    sum.interactions += rate.interactions;
    sum.trials += rate.trials;
    sum.passes += rate.passes;
    sum.flips += rate.flips;
  }
  return sum;
}

/// How many of the first pattern sets are counted as the processor counts them.
int agreeing(const Case& c, gpu::Clusters& card, int sets) {
  const auto found = card.run(configuration(c), c.num_patterns, numbers(0, sets));
  std::vector<int> same(found.size());
  core::parallel_for(found.size(), core::hardware_threads(), [&](std::size_t i, int) {
    dam::TrialWorkspace workspace;
    same[i] = found[i] == dam::run_cluster(configuration(c), c.num_patterns, static_cast<std::int64_t>(i),
                                           dam::find_kernel("auto"), workspace);
  });
  int sum = 0;
  for (const int s : same) sum += s;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  std::string json, profile;
  double wanted = 0.5;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--json") == 0) json = argv[i + 1];
    if (std::strcmp(argv[i], "--profile") == 0) profile = argv[i + 1];
    if (std::strcmp(argv[i], "--seconds") == 0) wanted = std::stod(argv[i + 1]);
  }
  gpu::Clusters card(gpu::make_cuda_launcher(0));
  if (!profile.empty()) {
    for (const Case& c : kCases)
      if (profile == c.name) card.run(configuration(c), c.num_patterns, numbers(0, 264));
    return 0;
  }
  const int threads = core::hardware_threads();
  const double products = gpu::peak_bit_products(), bytes = gpu::peak_bytes_read();
  fmt::print("{}: {:.2f} P bit products/s, {:.2f} TB/s read; processor: {} threads, kernel {}\n", card.name(), products,
             bytes, threads, dam::find_kernel("auto").name);
  fmt::print("{:<4} {:>5} {:>8} {:<16} {:>7} {:>9} {:>7} {:>8} {:>10} {:>10} {:>7} {:>8}\n", "case", "N", "K", "model",
             "agree", "trials", "passes", "flips", "card T/s", "cores T/s", "ratio", "redone");
  std::string rows;
  bool wrong = false;
  for (const Case& c : kCases) {
    const int sets = c.num_patterns > 1'000'000 ? 4 : 32;
    const int agree = agreeing(c, card, sets);
    wrong = wrong || agree < sets;
    const std::int64_t before = card.redone();
    const Rate there = on_card(c, card, wanted), here = on_processor(c, threads, wanted);
    const double passes = static_cast<double>(there.passes) / static_cast<double>(there.trials),
                 flips = static_cast<double>(there.flips) / static_cast<double>(there.trials);
    fmt::print("{:<4} {:>5} {:>8} {:<16} {:>4}/{:<2} {:>9} {:>7.2f} {:>8.1f} {:>10.3f} {:>10.4f} {:>6.1f}x {:>8}\n",
               c.name, c.num_neurons, c.num_patterns, c.model, agree, sets, there.trials, passes, flips,
               1e-12 * there.per_second(), 1e-12 * here.per_second(), there.per_second() / here.per_second(),
               card.redone() - before);
    std::fflush(stdout);
    rows += fmt::format(
        "{}{{\"case\":\"{}\",\"num_neurons\":{},\"num_patterns\":{},\"model\":\"{}\",\"alpha\":{},\"agree\":{},"
        "\"checked\":{},"
        "\"trials\":{},\"passes\":{},\"flips\":{},\"card_interactions_per_second\":{},\"cores_interactions_per_"
        "second\":{}}}",
        rows.empty() ? "" : ",\n ", c.name, c.num_neurons, c.num_patterns, c.model, c.alpha, agree, sets, there.trials,
        passes, flips, there.per_second(), here.per_second());
  }
  if (!json.empty()) {
    std::FILE* file = std::fopen(json.c_str(), "w");
    if (file == nullptr) return 1;
    fmt::print(file,
               "{{\"card\":\"{}\",\"threads\":{},\"kernel\":\"{}\",\"peak_bit_products_per_second\":{},\"peak_bytes_"
               "per_second\":{},\n\"cases\":[{}]}}\n",
               card.name(), threads, dam::find_kernel("auto").name, 1e15 * products, 1e12 * bytes, rows);
    std::fclose(file);
  }
  return wrong ? 1 : 0;
}

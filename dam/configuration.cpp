#include "dam/configuration.h"

#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/hash.h"
#include "core/numbers.h"
#include "core/text.h"

namespace dam {
namespace {

using core::number_text;

template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

constexpr Word<UpdateRule> kRules[] = {{"derivative", UpdateRule::derivative}, {"energy", UpdateRule::energy}};
constexpr Word<UpdateOrder> kOrders[] = {{"random", UpdateOrder::random},
                                         {"sequential", UpdateOrder::sequential},
                                         {"replacement", UpdateOrder::replacement},
                                         {"synchronous", UpdateOrder::synchronous}};
constexpr Word<TieRule> kTies[] = {
    {"keep", TieRule::keep}, {"plus", TieRule::plus}, {"minus", TieRule::minus}, {"random", TieRule::random}};
constexpr Word<SelfCoupling> kSelfCouplings[] = {{"removed", SelfCoupling::removed}, {"kept", SelfCoupling::kept}};

template <typename Value>
std::string word(std::span<const Word<Value>> words, Value value) {
  for (const auto& candidate : words)
    if (candidate.value == value) return std::string(candidate.text);
  throw std::logic_error("a value without a word");
}

template <typename Value>
Value parse_word(std::span<const Word<Value>> words, std::string_view text, std::string_view what) {
  std::string accepted;
  for (const auto& candidate : words) {
    if (candidate.text == text) return candidate.value;
    accepted += (accepted.empty() ? "" : ", ") + std::string(candidate.text);
  }
  throw std::invalid_argument(std::string(what) + " '" + std::string(text) + "' is not one of " + accepted);
}

std::vector<std::string_view> fields(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

double parse_in_range(std::string_view text, const std::string& what, double low, double high) {
  const double value = core::parse_double(text, what);
  if (value >= low && value <= high) return value;
  throw std::invalid_argument(what + " '" + std::string(text) + "' is not from " + number_text(low) + " to " +
                              number_text(high));
}

int parse_rank(std::string_view text, const std::string& what) {
  const std::int64_t rank = core::parse_integer(text, what);
  if (rank >= 1 && rank <= 1'000'000) return static_cast<int>(rank);
  throw std::invalid_argument(what + " '" + std::string(text) + "' is not from 1 to 1000000");
}

}  // namespace

std::string text(UpdateRule rule) { return word<UpdateRule>(kRules, rule); }
std::string text(UpdateOrder order) { return word<UpdateOrder>(kOrders, order); }
std::string text(TieRule tie) { return word<TieRule>(kTies, tie); }
std::string text(SelfCoupling self_coupling) { return word<SelfCoupling>(kSelfCouplings, self_coupling); }

UpdateRule parse_rule(std::string_view text) { return parse_word<UpdateRule>(kRules, text, "rule"); }
UpdateOrder parse_order(std::string_view text) { return parse_word<UpdateOrder>(kOrders, text, "order"); }
TieRule parse_tie(std::string_view text) { return parse_word<TieRule>(kTies, text, "tie rule"); }
SelfCoupling parse_self_coupling(std::string_view text) {
  return parse_word<SelfCoupling>(kSelfCouplings, text, "self-coupling");
}

std::string text(const SuccessRule& success) {
  const bool exact = success.min_overlap == 1;
  return (exact ? "exact" : "overlap") + std::string(success.up_to_sign ? "-or-negated" : "") +
         (exact ? "" : ":" + number_text(success.min_overlap));
}

SuccessRule parse_success(std::string_view text) {
  const auto parts = fields(text);
  if (text == "exact") return {1, false};
  if (text == "exact-or-negated") return {1, true};
  if (parts.size() == 2 && (parts[0] == "overlap" || parts[0] == "overlap-or-negated"))
    return {parse_in_range(parts[1], "overlap of success rule", 0, 1), parts[0] != "overlap"};
  throw std::invalid_argument("success rule '" + std::string(text) +
                              "' is not one of exact, exact-or-negated, overlap:X, overlap-or-negated:X");
}

std::string text(const PatternSource& patterns) {
  switch (patterns.kind) {
    case PatternKind::iid:
      return "iid";
    case PatternKind::biased:
      return "biased:" + number_text(patterns.parameter);
    case PatternKind::low_rank:
      return "low-rank:" + std::to_string(patterns.rank) + ":" + number_text(patterns.parameter);
    case PatternKind::copies:
      return "copies:" + std::to_string(patterns.rank) + ":" + number_text(patterns.parameter);
    case PatternKind::file:
      return "file:" + patterns.path;
  }
  throw std::logic_error("pattern kind");
}

PatternSource parse_patterns(std::string_view text) {
  if (text == "iid") return {};
  core::require_printable(text, "pattern source");
  if (text.starts_with("file:") && text.size() > 5) return {PatternKind::file, 0.5, 0, std::string(text.substr(5)), 0};
  const auto parts = fields(text);
  const std::string what = "parameter of patterns";
  if (parts.size() == 2 && parts[0] == "biased")
    return {PatternKind::biased, parse_in_range(parts[1], what, 0, 1), 0, "", 0};
  if (parts.size() == 3 && parts[0] == "low-rank")
    return {PatternKind::low_rank, parse_in_range(parts[2], what, 0, 1e6), parse_rank(parts[1], "rank of patterns"), "",
            0};
  if (parts.size() == 3 && parts[0] == "copies")
    return {PatternKind::copies, parse_in_range(parts[2], what, 0, 1), parse_rank(parts[1], "rank of patterns"), "", 0};
  throw std::invalid_argument("patterns '" + std::string(text) +
                              "' are not one of iid, biased:P, low-rank:RANK:NOISE, copies:RANK:FLIP, file:PATH");
}

std::string canonical_text(const Configuration& configuration) {
  const Dynamics& dynamics = configuration.dynamics;
  // The energy rule compares whole energies, so there is no self-coupling to remove or keep.
  const SelfCoupling self_coupling =
      dynamics.rule == UpdateRule::energy ? SelfCoupling::removed : dynamics.self_coupling;
  // A file is known by what is in it: moving it changes nothing.
  const PatternSource& patterns = configuration.patterns;
  const std::string pattern_text =
      patterns.kind == PatternKind::file ? "file:" + std::to_string(patterns.content) : text(patterns);
  const core::Shaping& shaping = configuration.model.shaping;
  std::string model_text = configuration.model.text();
  if (shaping.scale != 1 || shaping.offset != 0)
    model_text += "*" + number_text(shaping.scale) + "+" + number_text(shaping.offset);

  return "num_neurons=" + std::to_string(configuration.num_neurons) + " model=" + model_text +
         " rule=" + text(dynamics.rule) + " order=" + text(dynamics.order) + " tie=" + text(dynamics.tie) +
         " self_coupling=" + text(self_coupling) + " max_passes=" + std::to_string(dynamics.max_passes) +
         " alpha=" + number_text(configuration.alpha) + " success=" + text(configuration.success) +
         " patterns=" + pattern_text + " cues=" + std::to_string(configuration.cues) +
         " seed=" + std::to_string(configuration.seed);
}

Configuration parse_configuration(std::string_view text) {
  const std::string whole = " " + std::string(text) + " ";
  const auto field = [&](const std::string& key) {
    const std::size_t at = whole.find(" " + key + "=");
    if (at == std::string::npos) throw std::invalid_argument("configuration without " + key + ":" + whole);
    const std::size_t from = at + key.size() + 2;
    return whole.substr(from, whole.find(' ', from) - from);
  };
  const auto integer = [&](const std::string& key) { return core::parse_integer(field(key), key); };

  Configuration configuration;
  configuration.num_neurons = static_cast<int>(integer("num_neurons"));
  configuration.model = core::EnergyModel::parse(field("model"));
  configuration.dynamics = {parse_rule(field("rule")), parse_order(field("order")), parse_tie(field("tie")),
                            parse_self_coupling(field("self_coupling")), static_cast<int>(integer("max_passes"))};
  configuration.alpha = core::parse_double(field("alpha"), "alpha");
  configuration.success = parse_success(field("success"));
  const std::string patterns = field("patterns");
  configuration.patterns = parse_patterns(patterns);
  if (configuration.patterns.kind == PatternKind::file)
    configuration.patterns.content = std::stoull(std::exchange(configuration.patterns.path, ""));
  configuration.cues = static_cast<int>(integer("cues"));
  configuration.seed = static_cast<std::uint64_t>(integer("seed"));
  if (canonical_text(configuration) != text) throw std::invalid_argument("not a configuration:" + whole);
  return configuration;
}

std::uint64_t configuration_id(const Configuration& configuration) {
  const std::string text = canonical_text(configuration);
  return core::fnv1a(std::as_bytes(std::span(text)));
}

}  // namespace dam

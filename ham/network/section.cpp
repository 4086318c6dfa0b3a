#include "ham/network/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/text.h"
#include "ham/network/lagrangian.h"

namespace ham {
namespace {

/// How many letters have to change, come or go to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t before = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = before + (a[i - 1] != b[j - 1]);
      before = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

/// `, did you mean 'hidden'?` where some word is within two letters of the given one.
std::string guess(std::string_view given, const std::vector<std::string>& words) {
  std::string best;
  std::size_t least = std::min<std::size_t>(3, given.size());
  if (given.size() > 64) return best;
  for (const std::string& word : words)
    if (const std::size_t far = distance(given, word); far < least) least = far, best = word;
  return best.empty() ? "" : fmt::format(", did you mean '{}'?", best);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> split(std::string_view choices) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < choices.size();) {
    const std::size_t end = std::min(choices.find(", ", begin), choices.size());
    words.emplace_back(choices.substr(begin, end - begin));
    begin = end + 2;
  }
  return words;
}

}  // namespace

Section::Section(const toml::table& table, std::string where, const char* row)
    : table_(&table), where_(std::move(where)), rows_(&model_table(row)) {
  if (rows_->kinds.empty()) refuse_others();
}

const ModelKind& Section::choose_kind() {
  const std::string given = word("kind");
  std::vector<std::string> names;
  for (const ModelKind& kind : rows_->kinds) {
    names.emplace_back(kind.name);
    if (given == kind.name) kind_ = &kind;
  }
  if (kind_ == nullptr)
    fail(fmt::format("key 'kind': '{}' is not one of {}{}", given, joined(names), guess(given, names)));
  refuse_others();
  return *kind_;
}

void Section::refuse_others() const {
  std::vector<std::string> names;
  for (const ModelKey& key : rows_->keys) names.emplace_back(key.name);
  if (kind_ != nullptr)
    for (const ModelKey& key : kind_->keys) names.emplace_back(key.name);
  for (const auto& [key, node] : *table_)
    if (std::ranges::find(names, key.str()) == names.end())
      fail(fmt::format("key '{}' is unknown{}; accepted are {}", key.str(), guess(key.str(), names), joined(names)));
}

const ModelKey& Section::row(const std::string& key) const {
  for (const ModelKey& each : rows_->keys)
    if (key == each.name) return each;
  if (kind_ != nullptr)
    for (const ModelKey& each : kind_->keys)
      if (key == each.name) return each;
  throw std::logic_error("key '" + key + "' is not in the table of keys");
}

const toml::node* Section::find(const std::string& key) const {
  const ModelKey& known = row(key);
  if (const toml::node* node = table_->get(key)) return node;
  if (known.fallback == nullptr || !*known.fallback) return nullptr;
  fallbacks_.push_back(toml::parse(std::string("x = ") + known.fallback));
  return fallbacks_.back().get("x");
}

const toml::node& Section::need(const std::string& key) const {
  const toml::node* node = find(key);
  if (node == nullptr) fail(fmt::format("key '{}' is missing, expected {}", key, accepted(row(key))));
  return *node;
}

void Section::fail_type(const std::string& key) const {
  fail(fmt::format("key '{}': expected {}", key, accepted(row(key))));
}

void Section::fail_choice(const std::string& key, const std::string& given) const {
  const std::string choices = row(key).choices;
  fail(fmt::format("key '{}': '{}' is not one of {}{}", key, given, choices, guess(given, split(choices))));
}

std::string Section::lines(const std::string& key) const {
  const toml::node& node = need(key);
  if (!node.is_string()) fail_type(key);
  return *node.value<std::string>();
}

std::string Section::word(const std::string& key) const {
  const std::string given = lines(key), choices = row(key).choices;
  // Names become lines of specs, tables and messages.
  if (core::shown(given) != given)
    fail(fmt::format("key '{}': '{}' holds a control character", key, core::shown(given)));
  const std::vector<std::string> words = split(choices);
  if (!words.empty() && std::ranges::find(words, given) == words.end()) fail_choice(key, given);
  return given;
}

int Section::integer(const std::string& key) const {
  const toml::node& node = need(key);
  const auto value = node.value<std::int64_t>();
  if (!node.is_integer() || !value || *value < row(key).least || *value > kLargestInteger) fail_type(key);
  return static_cast<int>(*value);
}

double Section::real(const std::string& key, double least) const {
  const toml::node& node = need(key);
  const auto value = node.value<double>();
  if (!(node.is_integer() || node.is_floating_point()) || !value || !std::isfinite(*value) || *value < least)
    fail_type(key);
  return *value;
}

double Section::positive(const std::string& key) const { return real(key, 1e-300); }
double Section::number(const std::string& key) const { return real(key, std::numeric_limits<double>::lowest()); }

bool Section::boolean(const std::string& key) const {
  const toml::node& node = need(key);
  if (!node.is_boolean()) fail_type(key);
  return *node.value<bool>();
}

int Section::axis(const std::string& key) const {
  const toml::node& node = need(key);
  if (node.is_string() && *node.value<std::string>() == "whole") return Lagrangian::kWhole;
  const auto value = node.value<std::int64_t>();
  if (!node.is_integer() || !value || *value < -kLargestInteger || *value > kLargestInteger) fail_type(key);
  return static_cast<int>(*value);
}

std::vector<int> Section::integers(const std::string& key) const {
  std::vector<int> result;
  const toml::array* array = need(key).as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
    if (const auto value = (*array)[i].value<std::int64_t>();
        value && (*array)[i].is_integer() && *value >= row(key).least && *value <= kLargestInteger)
      result.push_back(static_cast<int>(*value));
  if (array == nullptr || result.size() != array->size()) fail_type(key);
  return result;
}

std::array<int, 2> Section::pair(const std::string& key) const {
  const std::vector<int> given = integers(key);
  if (given.size() != 2) fail_type(key);
  return {given[0], given[1]};
}

std::vector<std::string> Section::texts(const toml::node& node, const std::string& key) const {
  std::vector<std::string> result;
  const toml::array* array = node.as_array();
  for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
    if (const auto text = (*array)[i].value<std::string>()) result.push_back(*text);
  if (array == nullptr || result.size() != array->size()) fail_type(key);
  return result;
}

std::vector<std::string> Section::names(const std::string& key) const { return texts(need(key), key); }

const toml::table& Section::table(const std::string& key) const {
  const toml::table* table = need(key).as_table();
  if (table == nullptr) fail_type(key);
  return *table;
}

}  // namespace ham

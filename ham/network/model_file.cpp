#include "ham/network/model_file.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <set>
#include <stdexcept>
#include <tuple>

#include "core/files/file.h"
#include "ham/network/toml.h"

namespace ham {
namespace {

/// The greatest integer of a model file: sums and differences of a few of them are integers too.
constexpr int kLargest = 1 << 24;

// A table of the file that knows where it stands and which of its keys were asked for.
class Section {
 public:
  Section(const toml::table& table, std::string where) : table_(&table), where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& what) const { throw std::invalid_argument(where_ + ": " + what); }
  const std::string& where() const { return where_; }

  const toml::node* find(const std::string& key) const {
    asked_.insert(key);
    return table_->get(key);
  }
  const toml::node& need(const std::string& key, const char* expected) const {
    const toml::node* node = find(key);
    if (node == nullptr) fail(fmt::format("key '{}' is missing, expected {}", key, expected));
    return *node;
  }
  template <class T>
  T number(const std::string& key, T fallback, T least, const char* expected) const {
    const toml::node* node = find(key);
    if (node == nullptr) return fallback;
    const auto value = node->value<double>();
    const bool whole = node->is_integer() || !std::is_integral_v<T>;
    constexpr double kMost = std::is_integral_v<T> ? kLargest : std::numeric_limits<double>::max();
    if (!value || node->is_string() || node->is_boolean() || !whole ||
        !(*value >= static_cast<double>(least) && *value <= kMost))
      fail(fmt::format("key '{}': expected {}", key, expected));
    return static_cast<T>(*value);
  }
  int integer(const std::string& key, int fallback) const {
    return number<int>(key, fallback, 1, "an integer from 1 to 16777216");
  }
  double positive(const std::string& key, double fallback) const {
    return number<double>(key, fallback, 1e-300, "a number above 0");
  }
  bool boolean(const std::string& key, bool fallback) const {
    const toml::node* node = find(key);
    if (node != nullptr && !node->is_boolean()) fail(fmt::format("key '{}': expected true or false", key));
    return node == nullptr ? fallback : *node->value<bool>();
  }
  std::string word(const std::string& key, const char* fallback) const {
    const toml::node* node = fallback == nullptr ? &need(key, "a text") : find(key);
    if (node != nullptr && !node->is_string()) fail(fmt::format("key '{}': expected a text", key));
    return node == nullptr ? fallback : *node->value<std::string>();
  }
  std::vector<std::string> words(const std::string& key) const {
    return texts(need(key, "an array of layer names"), key);
  }
  std::vector<std::string> texts(const toml::node& node, const std::string& key) const {
    std::vector<std::string> result;
    const toml::array* array = node.as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
      if (const auto text = (*array)[i].value<std::string>()) result.push_back(*text);
    if (array == nullptr || result.size() != array->size())
      fail(fmt::format("key '{}': expected an array of layer names", key));
    return result;
  }
  std::vector<int> integers(const std::string& key, int least) const {
    const char* expected =
        least > 0 ? "an array of integers from 1 to 16777216" : "an array of integers from 0 to 16777216";
    std::vector<int> result;
    const toml::array* array = need(key, expected).as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i)
      if (const auto value = (*array)[i].value<std::int64_t>();
          value && (*array)[i].is_integer() && *value >= least && *value <= kLargest)
        result.push_back(static_cast<int>(*value));
    if (array == nullptr || result.size() != array->size()) fail(fmt::format("key '{}': expected {}", key, expected));
    return result;
  }
  std::array<int, 2> pair(const std::string& key, std::array<int, 2> fallback, int least) const {
    if (find(key) == nullptr) return fallback;
    const std::vector<int> given = integers(key, least);
    if (given.size() != 2) fail(fmt::format("key '{}': expected two integers, [height, width]", key));
    return {given[0], given[1]};
  }
  /// Refuses keys that nothing asked for.
  void finish() const {
    for (const auto& [key, node] : *table_) {
      if (asked_.contains(std::string(key.str()))) continue;
      std::string accepted;
      for (const std::string& each : asked_) accepted += (accepted.empty() ? "" : ", ") + each;
      fail(fmt::format("key '{}' is unknown; accepted are {}", key.str(), accepted));
    }
  }

 private:
  const toml::table* table_;
  std::string where_;
  mutable std::set<std::string> asked_;
};

// The entry of this name in a table of {name, …}.
template <class Entries>
const auto& choose(const Section& section, const std::string& key, const std::string& given, const Entries& entries) {
  std::string names;
  for (const auto& entry : entries) {
    if (given == entry.first) return entry.second;
    names += (names.empty() ? "" : ", ") + std::string(entry.first);
  }
  section.fail(fmt::format("key '{}': '{}' is not one of {}", key, given, names));
}

// ---- Lagrangians -------------------------------------------------------------------------------------------------

int axis(const Section& s) {
  const toml::node* node = s.find("axis");
  if (node == nullptr) return -1;
  if (node->is_string() && *node->value<std::string>() == "whole") return Lagrangian::kWhole;
  return s.number<int>("axis", -1, -kLargest, "an integer or \"whole\"");
}

using MakeLagrangian = Lagrangian (*)(const Section&);
const std::pair<const char*, MakeLagrangian> kLagrangians[] = {
    {"identity", [](const Section&) { return Lagrangian::identity(); }},
    {"relu", [](const Section&) { return Lagrangian::relu(); }},
    {"rectified_power",
     [](const Section& s) {
       return Lagrangian::rectified_power(s.number<int>("degree", 2, 2, "an integer from 2 to 16777216"));
     }},
    {"exp", [](const Section& s) { return Lagrangian::exponential(s.positive("beta", 1)); }},
    {"rectified_exp", [](const Section& s) { return Lagrangian::rectified_exponential(s.positive("beta", 1)); }},
    {"tanh", [](const Section& s) { return Lagrangian::tanh(s.positive("beta", 1)); }},
    {"sigmoid", [](const Section& s) { return Lagrangian::sigmoid(s.positive("beta", 1), s.positive("scale", 1)); }},
    {"softmax", [](const Section& s) { return Lagrangian::softmax(s.positive("beta", 1), axis(s)); }},
    {"layer_norm",
     [](const Section& s) {
       Lagrangian result = Lagrangian::layer_norm(s.positive("gamma", 1), s.number("delta", 0.0, -1e300, "a number"),
                                                  s.positive("epsilon", 1e-5), axis(s));
       result.single_delta = s.boolean("single_delta", false);
       return result;
     }},
    {"spherical_norm",
     [](const Section& s) { return Lagrangian::spherical_norm(s.positive("epsilon", 1e-5), axis(s)); }},
    {"memory", [](const Section& s) { return Lagrangian::hidden(core::EnergyModel::parse(s.word("model", nullptr))); }},
};

// `lagrangian = "tanh"` or `lagrangian = {kind = "tanh", beta = 2, learned = false}`.
Lagrangian lagrangian(const Section& section, const char* fallback) {
  const toml::node* node = section.find("lagrangian");
  const std::string where = section.where() + ": lagrangian";
  toml::table named;
  if (node == nullptr && fallback == nullptr) section.need("lagrangian", "a name or a table with a kind");
  if (node == nullptr || node->is_string())
    named.insert("kind", node == nullptr ? fallback : *node->value<std::string>());
  if (node != nullptr && !node->is_string() && !node->is_table())
    section.fail("key 'lagrangian': expected a name or a table with a kind");
  const Section inner(node != nullptr && node->is_table() ? *node->as_table() : named, where);
  Lagrangian result = choose(inner, "kind", inner.word("kind", nullptr), kLagrangians)(inner);
  if (!inner.boolean("learned", true)) result = result.fixed();
  inner.finish();
  return result;
}

// ---- synapses ----------------------------------------------------------------------------------------------------

double init_sd(const Section& s) { return s.positive("init_sd", 0.02); }

using MakeSynapse = Alignment (*)(const Section&);
const std::pair<const char*, UnitNorm> kNorms[] = {
    {"none", UnitNorm::none}, {"joint", UnitNorm::joint}, {"per_block", UnitNorm::per_block}};
const std::pair<const char*, PoolKind> kPools[] = {
    {"max", PoolKind::max}, {"average", PoolKind::average}, {"softmax", PoolKind::softmax}};

Alignment convolution_from(const Section& s) {
  ConvolutionSynapse o;
  std::tie(o.kernel_height, o.kernel_width) = std::tuple_cat(s.pair("kernel", {3, 3}, 1));
  std::tie(o.stride_height, o.stride_width) = std::tuple_cat(s.pair("stride", {1, 1}, 1));
  std::tie(o.padding_height, o.padding_width) = std::tuple_cat(s.pair("padding", {0, 0}, 0));
  o.bias = s.boolean("bias", true);
  const std::string pool = s.word("pool", "none");
  o.pooled = pool != "none";
  if (!o.pooled) return convolution_synapse(o);
  o.pooling.kind = choose(s, "pool", pool, kPools);
  std::tie(o.pooling.height, o.pooling.width) = std::tuple_cat(s.pair("pool_window", {2, 2}, 1));
  std::tie(o.pooling.stride_height, o.pooling.stride_width) = std::tuple_cat(s.pair("pool_stride", {2, 2}, 1));
  o.pooling.beta = s.positive("pool_beta", 1);
  return convolution_synapse(o);
}

const std::pair<const char*, MakeSynapse> kSynapses[] = {
    {"dense", [](const Section& s) { return dense(init_sd(s)); }},
    {"dense_hidden",
     [](const Section& s) {
       return dense_hidden({.hidden = s.number<int>("hidden", 1000, 1, "an integer from 1 to 16777216"),
                            .lagrangian = lagrangian(s, "relu"),
                            .norm = choose(s, "norm", s.word("norm", "none"), kNorms),
                            .per_token = s.boolean("per_token", false),
                            .standard_deviation = init_sd(s)});
     }},
    {"tensor_hidden",
     [](const Section& s) {
       return tensor_hidden({s.integer("heads", 1), s.integer("hidden", 10), lagrangian(s, "relu"), init_sd(s)});
     }},
    {"convolution", convolution_from},
    {"attention",
     [](const Section& s) {
       return attention({s.integer("heads", 1), s.integer("z", 64), lagrangian(s, "softmax"),
                         s.boolean("normalize", false), s.boolean("skip_self", false), init_sd(s)});
     }},
    {"mixer",
     [](const Section& s) {
       return mixer({s.integer("heads", 1), s.integer("units", 64), lagrangian(s, "softmax"), init_sd(s)});
     }},
    {"bias", [](const Section& s) { return bias(init_sd(s)); }},
};

// ---- the file ----------------------------------------------------------------------------------------------------

const std::pair<const char*, Bias> kBiases[] = {
    {"none", Bias::none}, {"input", Bias::input}, {"threshold", Bias::threshold}};

void add_layer(Network& network, const Section& s) {
  Layer layer{s.word("name", nullptr), s.integers("shape", 1), lagrangian(s, nullptr), s.positive("tau", 1),
              choose(s, "bias", s.word("bias", "none"), kBiases)};
  s.finish();
  network.add_layer(std::move(layer));
}

// `connects = ["a", "b"]`, or `[["a", "b"], ["b", "c"]]` for a shared synapse.
void add_synapse(Model& model, const Section& s) {
  const std::string name = s.word("name", nullptr);
  const std::string kind = s.word("kind", nullptr);
  const Alignment alignment = choose(s, "kind", kind, kSynapses)(s);
  std::vector<std::vector<std::string>> connections;
  const toml::array* given = s.need("connects", "an array of layer names").as_array();
  if (given != nullptr && !given->empty() && (*given)[0].is_array())
    for (const toml::node& each : *given) connections.push_back(s.texts(each, "connects"));
  else
    connections.push_back(s.words("connects"));
  s.finish();
  const int synapse = model.network.add_synapse(alignment, name);
  model.kinds.push_back(kind);
  for (const auto& layers : connections) model.network.connect(layers, synapse);
}

void for_each_table(const Section& file, const toml::node* node, const char* key,
                    const std::function<void(const Section&)>& body) {
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr) file.fail(fmt::format("no [[{}]] table; a network has at least one", key));
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::table* table = (*array)[i].as_table();
    if (table == nullptr) file.fail(fmt::format("key '{}': expected [[{}]] tables", key, key));
    const auto name = (*table)["name"].value<std::string>();
    const Section section(*table,
                          fmt::format("{}: {} {}", file.where(), key, name ? "'" + *name + "'" : std::to_string(i)));
    try {
      body(section);
    } catch (const std::invalid_argument& error) {
      // What the network refuses does not know the file yet.
      const std::string what = error.what();
      throw std::invalid_argument(what.starts_with(file.where()) ? what : section.where() + ": " + what);
    }
  }
}

void replace_norm(toml::table& file, UnitNorm norm) {
  toml::array* synapses = file["synapse"].as_array();
  for (std::size_t i = 0; synapses != nullptr && i < synapses->size(); ++i) {
    toml::table* synapse = (*synapses)[i].as_table();
    if (synapse == nullptr || (*synapse)["norm"].value_or(std::string("none")) == "none") continue;
    for (const auto& [name, value] : kNorms)
      if (value == norm) synapse->insert_or_assign("norm", name);
  }
}

}  // namespace

Model parse_model(std::string_view text, const std::string& file, std::optional<UnitNorm> norm) {
  toml::table table;
  try {
    table = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    throw std::invalid_argument(
        fmt::format("{}: line {}: {}", file, error.source().begin.line, std::string(error.description())));
  } catch (const NotToml&) {
    throw std::invalid_argument(file + ": is no TOML; is there a `[` at the end of a line?");
  }
  if (norm) replace_norm(table, *norm);
  const Section root(table, file);
  Model model;
  model.name = root.word("name", nullptr);
  for_each_table(root, root.find("layer"), "layer", [&](const Section& s) { add_layer(model.network, s); });
  for_each_table(root, root.find("synapse"), "synapse", [&](const Section& s) { add_synapse(model, s); });

  const toml::table* dynamics = root.need("dynamics", "a [dynamics] table").as_table();
  if (dynamics == nullptr) root.fail("key 'dynamics': expected a [dynamics] table");
  const Section s(*dynamics, file + ": dynamics");
  model.readout.descent.depth = s.integer("depth", 4);
  model.readout.descent.time_step = s.positive("time_step", 0.4);
  if (s.find("clamped") != nullptr) model.clamped = s.words("clamped");
  model.readout.layer = s.word("readout", nullptr);
  s.finish();
  root.finish();
  try {
    for (const std::string& name : model.clamped) model.network.layer_index(name);
    model.network.layer_index(model.readout.layer);
  } catch (const std::invalid_argument& error) {
    s.fail(error.what());
  }
  return model;
}

Model load_model(const std::string& path, std::optional<UnitNorm> norm) {
  return parse_model(model_text(path), path, norm);
}

std::string model_text(const std::string& path) {
  constexpr std::size_t kLongest = 1 << 20;
  return core::read_text(path, kLongest);
}

}  // namespace ham

#include "ham/network/model_file.h"

#include <fmt/format.h>

#include <stdexcept>
#include <tuple>

#include "core/files/file.h"
#include "ham/network/alignment_text.h"
#include "ham/network/section.h"

namespace ham {
namespace {

// ---- Lagrangians -------------------------------------------------------------------------------------------------

using MakeLagrangian = Lagrangian (*)(const Section&);
const std::pair<const char*, MakeLagrangian> kLagrangians[] = {
    {"identity", [](const Section&) { return Lagrangian::identity(); }},
    {"relu", [](const Section&) { return Lagrangian::relu(); }},
    {"rectified_power", [](const Section& s) { return Lagrangian::rectified_power(s.integer("degree")); }},
    {"exp", [](const Section& s) { return Lagrangian::exponential(s.positive("beta")); }},
    {"rectified_exp", [](const Section& s) { return Lagrangian::rectified_exponential(s.positive("beta")); }},
    {"tanh", [](const Section& s) { return Lagrangian::tanh(s.positive("beta")); }},
    {"sigmoid", [](const Section& s) { return Lagrangian::sigmoid(s.positive("beta"), s.positive("scale")); }},
    {"softmax", [](const Section& s) { return Lagrangian::softmax(s.positive("beta"), s.axis("axis")); }},
    {"layer_norm",
     [](const Section& s) {
       Lagrangian result =
           Lagrangian::layer_norm(s.positive("gamma"), s.number("delta"), s.positive("epsilon"), s.axis("axis"));
       result.single_delta = s.boolean("single_delta");
       return result;
     }},
    {"spherical_norm",
     [](const Section& s) { return Lagrangian::spherical_norm(s.positive("epsilon"), s.axis("axis")); }},
    {"memory", [](const Section& s) { return Lagrangian::hidden(core::EnergyModel::parse(s.word("model"))); }},
};

/// The entry of this name; model_keys.h knows the names, so that there is one.
template <class Entries>
const auto& named(const Entries& entries, const std::string& name) {
  for (const auto& entry : entries)
    if (name == entry.first) return entry.second;
  throw std::logic_error("'" + name + "' is in the table of keys alone");
}

/// `"tanh"` or `{kind = "tanh", beta = 2, learned = false}`.
Lagrangian lagrangian_of(const toml::node& node, const std::string& where) {
  toml::table by_name;
  if (node.is_string()) by_name.insert("kind", *node.value<std::string>());
  Section inner(node.is_table() ? *node.as_table() : by_name, where, "lagrangian");
  Lagrangian result = named(kLagrangians, inner.choose_kind().name)(inner);
  return inner.boolean("learned") ? result : result.fixed();
}

Lagrangian lagrangian(const Section& section) {
  const toml::node& node = section.need("lagrangian");
  if (!node.is_string() && !node.is_table()) section.fail_type("lagrangian");
  return lagrangian_of(node, section.where() + ": lagrangian");
}

// ---- synapses ----------------------------------------------------------------------------------------------------

const std::pair<const char*, UnitNorm> kNorms[] = {
    {"none", UnitNorm::none}, {"joint", UnitNorm::joint}, {"per_block", UnitNorm::per_block}};
const std::pair<const char*, PoolKind> kPools[] = {
    {"max", PoolKind::max}, {"average", PoolKind::average}, {"softmax", PoolKind::softmax}};

Alignment convolution_from(const Section& s) {
  ConvolutionSynapse o;
  std::tie(o.kernel_height, o.kernel_width) = std::tuple_cat(s.pair("kernel"));
  std::tie(o.stride_height, o.stride_width) = std::tuple_cat(s.pair("stride"));
  std::tie(o.padding_height, o.padding_width) = std::tuple_cat(s.pair("padding"));
  o.bias = s.boolean("bias");
  const std::string pool = s.word("pool");
  o.pooled = pool != "none";
  if (!o.pooled) {
    for (const char* key : {"pool_window", "pool_stride", "pool_beta"})
      if (s.has(key)) s.fail(fmt::format("key '{}' means nothing without pooling; add pool = \"max\"", key));
    return convolution_synapse(o);
  }
  o.pooling.kind = named(kPools, pool);
  std::tie(o.pooling.height, o.pooling.width) = std::tuple_cat(s.pair("pool_window"));
  std::tie(o.pooling.stride_height, o.pooling.stride_width) = std::tuple_cat(s.pair("pool_stride"));
  o.pooling.beta = s.positive("pool_beta");
  return convolution_synapse(o);
}

/// The layers of the first connection, by whose names an expression may call them.
std::vector<std::string> first_connection(const Section& s) {
  const toml::node& connects = s.need("connects");
  const toml::array* array = connects.as_array();
  const bool nested = array != nullptr && !array->empty() && (*array)[0].is_array();
  return s.texts(nested ? (*array)[0] : connects, "connects");
}

AlignmentNames::Array array_of(const Section& s, const std::string& name, const toml::node& node) {
  const std::string where = s.where() + ": parameters: " + name;
  if (node.is_integer() || node.is_floating_point()) return {{}, constant(*node.value<double>())};
  if (!node.is_table())
    throw std::invalid_argument(where + ": expected a number or a table with a shape, such as {shape = [10, 6]}");
  const Section inner(*node.as_table(), where, "array");
  if (inner.has("init") && inner.has("init_sd"))
    inner.fail("key 'init' gives equal numbers, key 'init_sd' normal ones; leave one out");
  return {inner.integers("shape"),
          inner.has("init") ? constant(inner.number("init")) : normal(inner.positive("init_sd"))};
}

Alignment expression_from(const Section& s) {
  AlignmentNames names;
  names.layers = first_connection(s);
  for (const auto& [key, node] : s.table("parameters")) {
    const std::string name(key.str());
    names.arrays[name] = array_of(s, name, node);
  }
  for (const auto& [name, make] : kLagrangians)
    if (name != std::string_view("memory")) {
      toml::table by_name;
      by_name.insert("kind", name);
      names.lagrangians[name] = lagrangian_of(by_name, "").fixed();
    }
  for (const auto& [key, node] : s.table("lagrangians")) {
    const std::string name(key.str());
    if (!node.is_string() && !node.is_table()) s.fail_type("lagrangians");
    names.lagrangians[name] = lagrangian_of(node, s.where() + ": lagrangians: " + name);
  }
  const std::string text = s.lines("alignment");
  try {
    return parse_alignment(text, std::move(names));
  } catch (const std::invalid_argument& error) {
    s.fail(error.what());
  }
}

using MakeSynapse = Alignment (*)(const Section&);
const std::pair<const char*, MakeSynapse> kSynapses[] = {
    {"dense", [](const Section& s) { return dense(s.positive("init_sd")); }},
    {"dense_hidden",
     [](const Section& s) {
       return dense_hidden({.hidden = s.integer("hidden"),
                            .lagrangian = lagrangian(s),
                            .norm = named(kNorms, s.word("norm")),
                            .per_token = s.boolean("per_token"),
                            .standard_deviation = s.positive("init_sd")});
     }},
    {"tensor_hidden",
     [](const Section& s) {
       return tensor_hidden({s.integer("heads"), s.integer("hidden"), lagrangian(s), s.positive("init_sd")});
     }},
    {"convolution", convolution_from},
    {"attention",
     [](const Section& s) {
       return attention({s.integer("heads"), s.integer("z"), lagrangian(s), s.boolean("normalize"),
                         s.boolean("skip_self"), s.positive("init_sd")});
     }},
    {"mixer",
     [](const Section& s) {
       return mixer({s.integer("heads"), s.integer("units"), lagrangian(s), s.positive("init_sd")});
     }},
    {"bias", [](const Section& s) { return bias(s.positive("init_sd")); }},
    {"expression", expression_from},
};

// ---- the file ----------------------------------------------------------------------------------------------------

const std::pair<const char*, Bias> kBiases[] = {
    {"none", Bias::none}, {"input", Bias::input}, {"threshold", Bias::threshold}};

void add_layer(Network& network, const toml::table& table, const std::string& where) {
  const Section s(table, where, "layer");
  network.add_layer(
      Layer{s.word("name"), s.integers("shape"), lagrangian(s), s.positive("tau"), named(kBiases, s.word("bias"))});
}

// `connects = ["a", "b"]`, or `[["a", "b"], ["b", "c"]]` for a shared synapse.
void add_synapse(Model& model, const toml::table& table, const std::string& where) {
  Section s(table, where, "synapse");
  const std::string kind = s.choose_kind().name, name = s.word("name");
  const toml::array* given = s.need("connects").as_array();
  std::vector<std::vector<std::string>> connections;
  if (given != nullptr && !given->empty() && (*given)[0].is_array())
    for (const toml::node& each : *given) connections.push_back(s.texts(each, "connects"));
  else
    connections.push_back(s.texts(s.need("connects"), "connects"));
  const int synapse = model.network.add_synapse(named(kSynapses, kind)(s), name);
  model.kinds.push_back(kind);
  for (const auto& layers : connections) model.network.connect(layers, synapse);
}

void for_each_table(const Section& file, const toml::node* node, const char* key,
                    const std::function<void(const toml::table&, const std::string&)>& body) {
  const toml::array* array = node == nullptr ? nullptr : node->as_array();
  if (array == nullptr) file.fail(fmt::format("no [[{}]] table; a network has at least one", key));
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::table* table = (*array)[i].as_table();
    if (table == nullptr) file.fail(fmt::format("key '{}': expected [[{}]] tables", key, key));
    const auto name = (*table)["name"].value<std::string>();
    const std::string own = fmt::format("{} {}", key, name ? "'" + *name + "'" : std::to_string(i));
    const std::string where = fmt::format("{}: {}", file.where(), own);
    try {
      body(*table, where);
    } catch (const std::invalid_argument& error) {
      // What the network refuses does not know the file yet.
      const std::string what = error.what();
      if (what.starts_with(file.where() + ": ")) throw;
      throw std::invalid_argument(what.starts_with(own + ": ") ? file.where() + ": " + what : where + ": " + what);
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
  const Section root(table, file, "file");
  Model model;
  model.name = root.word("name");
  for_each_table(root, root.find("layer"), "layer",
                 [&](const toml::table& t, const std::string& where) { add_layer(model.network, t, where); });
  for_each_table(root, root.find("synapse"), "synapse",
                 [&](const toml::table& t, const std::string& where) { add_synapse(model, t, where); });

  const Section s(root.table("dynamics"), file + ": dynamics", "dynamics");
  model.readout.descent.depth = s.integer("depth");
  model.readout.descent.time_step = s.positive("time_step");
  model.clamped = s.names("clamped");
  model.readout.layer = s.word("readout");
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

#include "ham/network/model_keys.h"

#include <fmt/format.h>

#include <stdexcept>

#include "ham/network/alignment_text.h"

namespace ham {
namespace {

const ModelKey kBeta{"beta", KeyType::positive, "1", "inverse temperature; training moves it unless `learned = false`"};
const ModelKey kAxis{"axis", KeyType::axis, "-1",
                     "the axis along which it runs, counted from the end when negative; \"whole\": the layer at once"};
const ModelKey kEpsilon{"epsilon", KeyType::positive, "1e-5", "what is added under the root"};
const ModelKey kSd{"init_sd", KeyType::positive, "0.02", "standard deviation of the weights training begins with"};

ModelKey hidden_lagrangian(const char* fallback) {
  return {"lagrangian", KeyType::lagrangian, fallback, "L of the hidden units; its coefficients end in `_hid`"};
}

const ModelTable kTables[] = {
    {"file",
     "the file",
     "Besides these, a file has `[[layer]]` and `[[synapse]]` tables and one `[dynamics]` table. Unknown keys are "
     "refused.",
     {{"name", KeyType::word, nullptr, "what the network is called in results"},
      {"layer", KeyType::table, nullptr, "the layers, `[[layer]]` tables"},
      {"synapse", KeyType::table, nullptr, "the synapses, `[[synapse]]` tables"},
      {"dynamics", KeyType::table, nullptr, "the descent, a `[dynamics]` table"}},
     {}},
    {"layer",
     "[[layer]]",
     "Neurons with a state x, an activation g = ∂L/∂x and the energy (x − I)·g − L(x − b).",
     {{"name", KeyType::word, nullptr, "how synapses and dynamics call it"},
      {"shape", KeyType::counts, nullptr, "lengths of its axes, such as `[784]` or `[28, 28, 1]`"},
      {"lagrangian", KeyType::lagrangian, nullptr, "L"},
      {"tau", KeyType::positive, "1", "time constant τ of τ dx/dt = Σ ∂F/∂g + I − x"},
      {"bias", KeyType::word, "\"none\"",
       "a learned number for each neuron: `input` is I, `threshold` is b of g = ∇L(x − b)", 1,
       "none, input, threshold"}},
     {}},
    {"lagrangian",
     "lagrangian = \"KIND\" or {kind = \"KIND\", …}",
     "φ is the function below; a Lagrangian is L(x) = γ φ(βx)/β + δ·x, summed over the runs of an axis.",
     {{"kind", KeyType::word, nullptr, "one of those below"},
      {"learned", KeyType::boolean, "true", "whether training moves its coefficients"}},
     {{"identity", "x²/2: the activation is x", {}, ""},
      {"relu", "max(x, 0)²/2: the activation is the ReLU", {}, ""},
      {"rectified_power",
       "max(x, 0)ⁿ/n; n = 1: the activation is a step",
       {{"degree", KeyType::count, "2", "n"}},
       "degree = 5"},
      {"exp", "e^{βx}/β", {kBeta}, "beta = 0.5"},
      {"rectified_exp", "e^{β max(x, 0)}/β − max(x, 0)", {kBeta}, "beta = 0.5"},
      {"tanh", "log cosh(βx)/β: the activation is tanh(βx)", {kBeta}, "beta = 2.0"},
      {"sigmoid",
       "scale · log(1 + e^{βx})/β: the activation is scale/(1 + e^{−βx})",
       {kBeta, {"scale", KeyType::positive, "1", "the greatest activation"}},
       "scale = 2.0"},
      {"softmax", "log(Σ e^{βx})/β over an axis: the activation is the softmax", {kBeta, kAxis}, "axis = \"whole\""},
      {"layer_norm",
       "n γ √(var(x) + ε) + δ·x over an axis of length n: the activation is layer normalization",
       {{"gamma", KeyType::positive, "1", "γ"},
        {"delta", KeyType::number, "0", "where δ starts, for every element"},
        kEpsilon,
        kAxis,
        {"single_delta", KeyType::boolean, "false", "one δ for all elements"}},
       "gamma = 1.0, axis = -1"},
      {"spherical_norm", "√(Σx² + ε) over an axis: the activation is x over its length", {kEpsilon, kAxis}, ""},
      {"memory",
       "Q(ΣF(x)) over the last axis: the hidden units of a dense associative memory",
       {{"model", KeyType::word, nullptr, "a model of `dam`: `dense:3`, `rectified:3`, `exponential:1`, `modern:0.5`"}},
       "model = \"modern:0.5\""}}},
    {"synapse",
     "[[synapse]]",
     "A function F of its layers' activations to one number, the alignment; its energy is −F.",
     {{"name", KeyType::word, nullptr, "begins the names of its parameters, `memory.W0`"},
      {"kind", KeyType::word, nullptr, "one of those below"},
      {"connects", KeyType::connects, nullptr,
       "the layers a, b, …, in the order of the formula; an array of such arrays connects several times with the same "
       "weights"}},
     {{"dense", "F = Σ W_{ab…} g_a g_b …, any number of layers. Parameter W", {kSd}, ""},
      {"dense_hidden",
       "F = L(Σ_a g_a W_a): hidden units without a time constant that all layers share. Parameters W0, W1, …",
       {{"hidden", KeyType::count, "1000", "hidden units (memories)"},
        hidden_lagrangian("\"relu\""),
        {"norm", KeyType::word, "\"none\"",
         "whether memories have unit length: over all layers together (`joint`) or in each (`per_block`)", 1,
         "none, joint, per_block"},
        {"per_token", KeyType::boolean, "false",
         "W acts on each layer's last axis and every token has hidden units of its own"},
        kSd},
       "hidden = 50, lagrangian = \"softmax\""},
      {"tensor_hidden",
       "F = Σ_heads L(h), h_{head,unit} = Σ W_{ab…,head,unit} g_a g_b …. Parameter W",
       {{"heads", KeyType::count, "1", "heads"},
        {"hidden", KeyType::count, "10", "units of a head"},
        hidden_lagrangian("\"relu\""),
        kSd},
       "heads = 2, hidden = 5"},
      {"convolution",
       "F = pool(conv(g_a, K) + b) · g_b, from (H, W, C) to (H', W', C'). Parameters K, b",
       {{"kernel", KeyType::pair, "[3, 3]", "height and width"},
        {"stride", KeyType::pair, "[1, 1]", "steps down and across"},
        {"padding", KeyType::pair, "[0, 0]", "zeros per side", 0},
        {"bias", KeyType::boolean, "true", "a learned number for each output channel"},
        {"pool", KeyType::word, "\"none\"", "how outputs are pooled; softmax is log(Σ e^{βx})/β", 1,
         "none, max, average, softmax"},
        {"pool_window", KeyType::pair, "[2, 2]", "its height and width"},
        {"pool_stride", KeyType::pair, "[2, 2]", "its steps"},
        {"pool_beta", KeyType::positive, "1", "β of softmax pooling"}},
       "kernel = [4, 4], stride = [2, 2], padding = [2, 2], pool = \"max\""},
      {"attention",
       "F = Σ_{heads,queries} L_keys(Q·K), Q = g_a Wq, K = g_b Wk; the same layer twice is self attention. Parameters "
       "Wq, Wk",
       {{"heads", KeyType::count, "1", "heads"},
        {"z", KeyType::count, "64", "length of a query"},
        hidden_lagrangian("\"softmax\""),
        {"normalize", KeyType::boolean, "false", "layer-normalizes Q and K first (γ, δ shared)"},
        {"skip_self", KeyType::boolean, "false", "a query does not attend to its own token"},
        kSd},
       "heads = 4, z = 16"},
      {"mixer",
       "F = Σ_heads L(h), h_{head,unit} = Σ_tokens g_a W_{head,unit} g_b. Parameter W",
       {{"heads", KeyType::count, "1", "heads"},
        {"units", KeyType::count, "64", "units of a head"},
        hidden_lagrangian("\"softmax\""),
        kSd},
       "units = 8"},
      {"bias", "F = b · g: a constant force. Parameter b", {kSd}, ""},
      {"expression",
       "F is what `alignment` says (below)",
       {{"alignment", KeyType::word, nullptr, "an expression whose value is one number per sample"},
        {"parameters", KeyType::table, "{}",
         "learned arrays by name: `k = 0.5` is a number, `W = {shape = [10, 6], init_sd = 0.02}` an array of normal "
         "numbers, `{shape = [3], init = 1.0}` one of equal numbers"},
        {"lagrangians", KeyType::table, "{}",
         "Lagrangians by name for `lagrangian(x, NAME)`; learned coefficients become parameters `beta_NAME`, …"}},
       "alignment = \"k * dot(g.a, g.b)\", parameters = {k = 0.5}"}}},
    {"array",
     "parameters = {NAME = NUMBER, NAME = {shape = […], …}}",
     "A learned array of a synapse of the kind `expression`.",
     {{"shape", KeyType::counts, nullptr, "lengths of its axes; `[]` is one number"},
      {"init_sd", KeyType::positive, "0.02", "it starts as normal numbers of this standard deviation"},
      {"init", KeyType::number, "", "or as equal numbers"}},
     {}},
    {"dynamics",
     "[dynamics]",
     "The descent that is trained: x ← x + (time_step/τ)(Σ ∂F/∂g + I − x) from 0, `depth` times.",
     {{"depth", KeyType::count, "4", "steps"},
      {"time_step", KeyType::positive, "0.4", "their length"},
      {"clamped", KeyType::names, "[]", "layers whose states stay as given; the first is shown the image"},
      {"readout", KeyType::word, nullptr, "the layer whose activations are the answer"}},
     {}}};

const char* const kExpressions = R"(
### What an alignment may say

`+ − * /`, parentheses, numbers, the activations `g.NAME` of the layers that `connects` lists (or by place, `g0`, `g1`, …;
a synapse shared by several lists goes by the names of the first), declared parameters, and the functions below. Arrays that
do not have the same shape must fit: the smaller misses axes in front, or has length 1 there, next to each other. `name =
expression;` gives a part a name. An error points at the character.

)";

std::string fallback_text(const ModelKey& key) {
  if (key.fallback == nullptr) return "has to be given";
  return *key.fallback ? fmt::format("`{}`", key.fallback) : "";
}

std::string key_rows(const std::vector<ModelKey>& keys) {
  std::string text = "| key | is | when left out | meaning |\n|---|---|---|---|\n";
  for (const ModelKey& key : keys)
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, accepted(key), fallback_text(key), key.meaning);
  return text;
}

}  // namespace

std::span<const ModelTable> model_tables() { return kTables; }

const ModelTable& model_table(std::string_view name) {
  for (const ModelTable& table : kTables)
    if (name == table.name) return table;
  throw std::logic_error("no table " + std::string(name));
}

std::string accepted(const ModelKey& key) {
  switch (key.type) {
    case KeyType::word:
      return *key.choices ? fmt::format("one of {}", key.choices) : "a text";
    case KeyType::names:
      return "an array of layer names";
    case KeyType::count:
      return fmt::format("an integer from {} to {}", key.least, kLargestInteger);
    case KeyType::counts:
      return fmt::format("an array of integers from {} to {}", key.least, kLargestInteger);
    case KeyType::pair:
      return fmt::format("two integers from {} to {}, [height, width]", key.least, kLargestInteger);
    case KeyType::positive:
      return "a number above 0";
    case KeyType::number:
      return "a number";
    case KeyType::boolean:
      return "true or false";
    case KeyType::axis:
      return "an integer or \"whole\"";
    case KeyType::lagrangian:
      return "a name or a table with a kind";
    case KeyType::connects:
      return "an array of layer names, or of such arrays";
    case KeyType::table:
      return "a table";
  }
  return "";
}

std::string model_manual() {
  std::string text = "# Model files\n\nA network and its descent as TOML.\n";
  for (const ModelTable& table : kTables) {
    text += fmt::format("\n## {}\n\n{}\n\n{}", table.heading, table.meaning, key_rows(table.keys));
    for (const ModelKind& kind : table.kinds) {
      text += fmt::format("\n### kind `{}`\n\n{}.\n", kind.name, kind.formula);
      if (!kind.keys.empty()) text += "\n" + key_rows(kind.keys);
      if (*kind.example) text += fmt::format("\nExample: `kind = \"{}\", {}`\n", kind.name, kind.example);
    }
    if (table.name != std::string_view("synapse")) continue;
    text += kExpressions;
    text += "| function | is |\n|---|---|\n";
    for (const AlignmentFunction& function : alignment_functions())
      text += fmt::format("| `{}` | {} |\n", function.usage, function.meaning);
  }
  return text;
}

}  // namespace ham

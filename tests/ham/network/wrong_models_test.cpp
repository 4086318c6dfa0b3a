// Forty-five and more model files with one thing wrong: each is answered in one line that names the layer or synapse,
// the key and the cure.
#include <catch2/catch.hpp>

#include "ham/network/diagnosis.h"
#include "ham/network/model_file.h"

using namespace ham;

namespace {

const char* const kRight = R"toml(
name = "right"
[[layer]]
name = "image"
shape = [6, 6, 1]
lagrangian = "tanh"
[[layer]]
name = "low"
shape = [2, 2, 3]
lagrangian = {kind = "tanh", beta = 2.0}
tau = 1.5
bias = "input"
[[layer]]
name = "label"
shape = [3]
lagrangian = {kind = "softmax", axis = -1, learned = false}
[[synapse]]
name = "filters"
kind = "convolution"
connects = ["image", "low"]
kernel = [3, 3]
pool = "max"
[[synapse]]
name = "memory"
kind = "dense_hidden"
connects = ["low", "label"]
hidden = 4
norm = "joint"
lagrangian = {kind = "rectified_power", degree = 3}
[[synapse]]
name = "words"
kind = "expression"
connects = ["low", "label"]
alignment = "k * dot(linear(flatten(g.low), W), g.label)"
parameters = {k = 0.5, W = {shape = [12, 3], init_sd = 0.02}}
[dynamics]
depth = 3
time_step = 0.5
clamped = ["image"]
readout = "label"
)toml";

std::string with(const std::string& from, const std::string& to) {
  std::string text = kRight;
  const auto at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Wrong {
  const char *from, *to;
  const char* where;  // the line begins with it, after the file
  const char* what;   // and contains it: what is wrong, what is accepted or would do
};

}  // namespace

TEST_CASE("wrong model files are answered with where, key and cure in one line") {
  REQUIRE(diagnose(parse_model(kRight, "m.toml")).empty());
  const Wrong wrong[] = {
      // the file
      {"name = \"right\"", "", "key 'name' is missing", "expected a text"},
      {"name = \"right\"", "name = 3", "key 'name': expected a text", ""},
      {"name = \"right\"", "name = \"right\"\nsynapses = 3", "key 'synapses' is unknown", "did you mean 'synapse'?"},
      {"[dynamics]", "[dynamic]", "key 'dynamic' is unknown", "did you mean 'dynamics'?"},
      {"clamped = [\"image\"]", "clamped = [\"image\"", "line ", ""},
      {"depth = 3", "depth = 3\ndepth = 4", "line ", "depth"},
      // layers
      {"name = \"low\"\n", "", "layer 1: key 'name' is missing", "expected a text"},
      {"name = \"low\"\n", "name = \"image\"\n", "layer 'image': the name is taken", ""},
      {"shape = [2, 2, 3]\n", "", "layer 'low': key 'shape' is missing", "expected an array of integers from 1"},
      {"shape = [2, 2, 3]", "shape = [2, 0, 3]", "layer 'low': key 'shape'", "integers from 1 to 16777216"},
      {"shape = [2, 2, 3]", "shape = 12", "layer 'low': key 'shape'", "expected an array of integers"},
      {"shape = [2, 2, 3]", "shape = [2, 2.5]", "layer 'low': key 'shape'", "expected an array of integers"},
      {"shape = [2, 2, 3]", "shape = [65536, 65536]", "layer 'low'", "more than 2147483647 elements"},
      {"lagrangian = \"tanh\"", "lagrangian = \"tahn\"", "layer 'image': lagrangian: key 'kind': 'tahn' is not one of",
       "did you mean 'tanh'?"},
      {"lagrangian = \"tanh\"", "lagrangian = 2", "layer 'image': key 'lagrangian'", "a name or a table with a kind"},
      {"lagrangian = \"tanh\"\n", "", "layer 'image': key 'lagrangian' is missing", "a name or a table with a kind"},
      {"beta = 2.0", "bata = 2.0", "layer 'low': lagrangian: key 'bata' is unknown",
       "did you mean 'beta'?; accepted are kind, learned, beta"},
      {"beta = 2.0", "beta = 0", "layer 'low': lagrangian: key 'beta'", "a number above 0"},
      {"beta = 2.0", "beta = \"hot\"", "layer 'low': lagrangian: key 'beta'", "a number above 0"},
      {"axis = -1", "axis = 3", "layer 'label'", "axis 3 of an array of shape 3"},
      {"axis = -1", "axis = \"all\"", "layer 'label': lagrangian: key 'axis'", "an integer or \"whole\""},
      {"learned = false", "learned = 0", "layer 'label': lagrangian: key 'learned'", "true or false"},
      {"tau = 1.5", "tau = 0", "layer 'low': key 'tau'", "a number above 0"},
      {"tau = 1.5", "tau = inf", "layer 'low': key 'tau'", "a number above 0"},
      {"tau = 1.5", "Tau = 1.5", "layer 'low': key 'Tau' is unknown", "did you mean 'tau'?"},
      {"bias = \"input\"", "bias = true", "layer 'low': key 'bias'", "one of none, input, threshold"},
      {"bias = \"input\"", "bias = \"imput\"", "layer 'low': key 'bias': 'imput' is not one of",
       "did you mean 'input'?"},
      // synapses
      {"kind = \"convolution\"\n", "", "synapse 'filters': key 'kind' is missing", "expected a text"},
      {"kind = \"convolution\"", "kind = \"convolutoin\"", "synapse 'filters': key 'kind': 'convolutoin' is not one of",
       "did you mean 'convolution'?"},
      {"kernel = [3, 3]", "kernel = [3]", "synapse 'filters': key 'kernel'", "[height, width]"},
      {"kernel = [3, 3]", "kernel = [7, 7]", "synapse 'filters'", "smaller ones or padding"},
      {"kernel = [3, 3]", "kernel = [2, 2]\npadding = [1, 1]", "synapse 'filters'", "expected 3x3x3"},
      {"kernel = [3, 3]", "hidden = 3", "synapse 'filters': key 'hidden' is unknown",
       "accepted are name, kind, connects, kernel"},
      {"pool = \"max\"", "pool = \"mean\"", "synapse 'filters': key 'pool': 'mean' is not one of", "average"},
      {"pool = \"max\"", "pool_window = [2, 2]", "synapse 'filters': key 'pool_window' means nothing without pooling",
       "add pool = \"max\""},
      {"connects = [\"image\", \"low\"]\n", "", "synapse 'filters': key 'connects' is missing", "layer names"},
      {"connects = [\"image\", \"low\"]", "connects = \"image\"", "synapse 'filters': key 'connects'", "layer names"},
      {"connects = [\"image\", \"low\"]", "connects = [\"image\", \"lwo\"]",
       "synapse 'filters': layer 'lwo' is not one of", "'low'"},
      {"connects = [\"image\", \"low\"]", "connects = [\"image\"]", "synapse 'filters': connects 1 layers",
       "expected 2"},
      {"connects = [\"image\", \"low\"]", "connects = []", "synapse 'filters'", "connects no layer"},
      {"connects = [\"image\", \"low\"]", "connects = [[\"image\", \"low\"], \"low\"]",
       "synapse 'filters': key 'connects'", "layer names"},
      {"hidden = 4", "hidden = -4", "synapse 'memory': key 'hidden'", "an integer from 1 to 16777216"},
      {"hidden = 4", "hidden = 4.5", "synapse 'memory': key 'hidden'", "an integer from 1"},
      {"norm = \"joint\"", "norm = \"jont\"",
       "synapse 'memory': key 'norm': 'jont' is not one of none, joint, per_block", "did you mean 'joint'?"},
      {"degree = 3", "degree = 0", "synapse 'memory': lagrangian: key 'degree'", "an integer from 1"},
      {"name = \"memory\"", "name = \"filters\"", "synapse 'filters': the name is taken", ""},
      // expressions
      {"k * dot", "q * dot", "synapse 'words': alignment: character 1, 'q': the name is not known",
       "g.low, g.label, W, k"},
      {"k * dot", "dot", "synapse 'words': alignment: parameter 'k' is declared and not used", ""},
      {"k * dot", "k * dt", "synapse 'words': alignment: character 5, 'dt': is not one of the functions", "dot"},
      {"g.label)", "g.lable)", "synapse 'words': alignment: character 36, 'g.lable'",
       "the layers it connects, low, label"},
      {"g.label)", "g.label", "synapse 'words': alignment: character 43, the end: expected `,` or `)`", "dot"},
      {"g.label)", "g.label))", "synapse 'words': alignment: character 44, ')': expected an operator", "the end"},
      {"k * dot", "k ** dot", "synapse 'words': alignment: character 4, '*': expected a number, a name or `(`", ""},
      {"flatten(g.low)", "g.low", "synapse 'words': alignment: character 9, 'linear(g.low, W)': linear: shapes",
       "2x2x3 and 12x3"},
      {"flatten(g.low)", "flatten(g.low, 1)", "synapse 'words': alignment: character 16",
       "2 arguments, expected flatten(x)"},
      {"k * dot(", "k * (", "synapse 'words': alignment: character 31, ',': expected `)` for the `(` at character 5",
       ""},
      {"shape = [12, 3]", "shape = [12, 4]", "synapse 'words': alignment: character 5, 'dot(linear(flatten(g.low': dot",
       "shapes 4 and 3"},
      {"k = 0.5", "k = \"0.5\"", "synapse 'words': parameters: k: expected a number or a table with a shape",
       "[10, 6]"},
      {"init_sd = 0.02", "init_sd = -1", "synapse 'words': parameters: W: key 'init_sd'", "a number above 0"},
      {"init_sd = 0.02", "sd = 1", "synapse 'words': parameters: W: key 'sd' is unknown", "shape, init_sd, init"},
      // dynamics
      {"depth = 3", "depth = \"3\"", "dynamics: key 'depth'", "an integer from 1"},
      {"depth = 3", "depth = 0", "dynamics: key 'depth'", "an integer from 1"},
      {"time_step = 0.5", "time_step = -0.5", "dynamics: key 'time_step'", "a number above 0"},
      {"time_step = 0.5", "timestep = 0.5", "dynamics: key 'timestep' is unknown", "did you mean 'time_step'?"},
      {"clamped = [\"image\"]", "clamped = \"image\"", "dynamics: key 'clamped'", "an array of layer names"},
      {"clamped = [\"image\"]", "clamped = [\"img\"]", "dynamics: layer 'img' is not one of", "'image'"},
      {"readout = \"label\"", "", "dynamics: key 'readout' is missing", "expected a text"},
      {"readout = \"label\"", "readout = \"lable\"", "dynamics: layer 'lable' is not one of", "'label'"},
  };
  STATIC_REQUIRE(std::size(wrong) >= 45);
  for (const Wrong& each : wrong) {
    INFO(each.from << " -> " << each.to);
    try {
      parse_model(with(each.from, each.to), "m.toml");
      FAIL_CHECK("is taken for right");
    } catch (const std::invalid_argument& error) {
      CHECK_THAT(error.what(), Catch::StartsWith(std::string("m.toml: ") + each.where));
      CHECK_THAT(error.what(), Catch::Contains(each.what) && !Catch::Contains("\n"));
    }
  }
}

TEST_CASE("models that are sound and cannot learn are answered with layer or synapse and cure") {
  const Wrong wrong[] = {
      {"clamped = [\"image\"]", "", "no layer is clamped", "clamped = [\"…\"]"},
      {"clamped = [\"image\"]", "clamped = [\"image\", \"label\"]", "the readout 'label' is clamped", ""},
      {"depth = 3", "depth = 1", "the image 'image' takes 2 steps to reach the readout 'label'", "depth = 2 would do"},
      {"time_step = 0.5", "time_step = 2.5", "layer 'label' overshoots", "a time_step of at most 1"},
      {"{kind = \"softmax\", axis = -1, learned = false}", "\"identity\"", "the readout 'label' has the Lagrangian",
       "softmax over the whole layer gives some"},
  };
  for (const Wrong& each : wrong) {
    INFO(each.from << " -> " << each.to);
    const std::vector<Finding> found = diagnose(parse_model(with(each.from, each.to), "m.toml"));
    REQUIRE_FALSE(found.empty());
    CHECK(found[0].weight == Finding::Weight::error);
    CHECK_THAT(found[0].text, Catch::StartsWith(each.where) && Catch::Contains(each.what) && !Catch::Contains("\n"));
  }
}

#include "ham/network/model_file.h"

#include "ham/network/model_keys.h"

#include <catch2/catch.hpp>

using namespace ham;

namespace {

Model registry(const std::string& name) { return load_model(DAMBENCH_MODELS "/" + name + ".toml"); }

// Weights and biases: everything but the Lagrangians' coefficients.
long num_weights(const Network& network) {
  long total = 0;
  for (const Parameter& parameter : network.parameters())
    if (parameter.name.find(".beta") == std::string::npos) total += parameter.size();
  return total;
}

const char* const kSmall = R"(
name = "small"
[[layer]]
name = "image"
shape = [6]
lagrangian = "tanh"
[[layer]]
name = "label"
shape = [3]
lagrangian = {kind = "softmax", beta = 2.0, learned = false}
[[synapse]]
name = "memory"
kind = "dense_hidden"
connects = ["image", "label"]
hidden = 4
[dynamics]
depth = 3
time_step = 0.5
clamped = ["image"]
readout = "label"
)";

// kSmall with one piece of text replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = kSmall;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the registry's networks have the paper's numbers of parameters") {
  CHECK(num_weights(registry("hn_relu_mnist").network) == 794000);
  CHECK(num_weights(registry("hn_repu5_mnist").network) == 794000);
  CHECK(num_weights(registry("hn_softmax_mnist").network) == 794000);
  CHECK(num_weights(registry("hn_relu_cifar10").network) == 18492000);
  CHECK(num_weights(registry("hn_repu5_cifar10").network) == 18492000);
  CHECK(num_weights(registry("hn_softmax_cifar10").network) == 18492000);
  for (const char* pool : {"avg", "max"}) {
    CHECK(num_weights(registry(std::string("conv_ham_") + pool + "pool_mnist").network) == 596944);
    CHECK(num_weights(registry(std::string("conv_ham_") + pool + "pool_cifar10").network) == 1780390);
  }
  CHECK(registry("energy_attn_mnist").network.num_parameters() > 0);
  CHECK(registry("energy_attn_cifar10").network.num_parameters() > 0);
  CHECK(registry("hn_softmax_mnist").network.num_parameters() == 794000 + 3);  // two layers' β and the hidden one
}

TEST_CASE("no name of a model holds what would begin a line of its own") {
  std::string text = kSmall;
  text.replace(text.find("\"small\""), 7, "\"small\\ndata = other\"");
  CHECK_THROWS_WITH(parse_model(text, "small.toml"),
                    Catch::Contains("key 'name': 'small\\ndata = other' holds a control"));
}

TEST_CASE("a model file gives network, descent and readout") {
  const Model model = parse_model(kSmall, "small.toml");
  CHECK(model.name == "small");
  CHECK(model.network.layers().size() == 2);
  CHECK(model.readout.descent.depth == 3);
  CHECK(model.readout.descent.time_step == 0.5);
  CHECK(model.clamped == std::vector<std::string>{"image"});
  CHECK(model.network.parameter("memory.W1").shape == Shape{3, 4});
  CHECK_THROWS_WITH(model.network.parameter("label.beta"), Catch::Contains("'image.beta'"));  // not learned
}

TEST_CASE("a synapse may be shared") {
  const Model model =
      parse_model(with(R"(connects = ["image", "label"])", R"(connects = [["image", "label"], ["image", "label"]])"),
                  "shared.toml");
  CHECK(model.network.connections().size() == 2);
  CHECK(model.network.num_parameters() == 6 * 4 + 3 * 4 + 1);
}

TEST_CASE("a bad model file is answered with file, place and what is accepted") {
  struct Bad {
    std::string text;
    const char* message;
  };
  const Bad bad[] = {
      // tests/ham/network/wrong_models_test.cpp has more
      {with("hidden = 4", "hiden = 4"),
       "m.toml: synapse 'memory': key 'hiden' is unknown, did you mean 'hidden'?; accepted are"},
      {with("hidden = 4", "hidden = -4"),
       "m.toml: synapse 'memory': key 'hidden': expected an integer from 1 to 16777216"},
      {with("hidden = 4", "hidden = 2.5"), "key 'hidden': expected an integer"},
      {with("shape = [6]", "shape = [0]"), "m.toml: layer 'image': key 'shape': expected an array of integers"},
      {with("shape = [6]\n", ""), "m.toml: layer 'image': key 'shape' is missing"},
      {with("\"tanh\"", "\"tahn\""),
       "m.toml: layer 'image': lagrangian: key 'kind': 'tahn' is not one of identity, relu"},
      {with("beta = 2.0", "gama = 2.0"), "m.toml: layer 'label': lagrangian: key 'gama' is unknown"},
      {with(R"(["image", "label"])", R"(["image", "lable"])"),
       "m.toml: synapse 'memory': layer 'lable' is not one of 'image', 'label'"},
      {with("dense_hidden", "convolution"), "m.toml: synapse 'memory'"},
      {with("clamped = [\"image\"]", "clamped = [\"imag\"]"), "m.toml: dynamics: layer 'imag' is not one of"},
      {with("depth = 3", "depth = \"3\""), "m.toml: dynamics: key 'depth': expected an integer"},
      {with("[dynamics]", "[dynamic]"), "m.toml: key 'dynamic' is unknown"},
      {with("readout = \"label\"", "readout = ["), "m.toml: line"},
      {with("name = \"label\"", "name = \"image\""), "m.toml: layer 'image': the name is taken"},
      {with("hidden = 4", "hidden = 4294967300"), "key 'hidden': expected an integer from 1 to 16777216"},
      {with("shape = [6]", "shape = [4294967302]"), "key 'shape': expected an array of integers from 1 to 16777216"},
      {with("shape = [6]", "shape = [65536, 65536]"), "shape 65536x65536 has more than 2147483647 elements"},
      {with("beta = 2.0", "beta = 2.0, axis = 4294967295"), "key 'axis': expected an integer"},
      {with("time_step = 0.5", "time_step = nan"), "key 'time_step': expected a number above 0"},
      {with("time_step = 0.5", "time_step = inf"), "key 'time_step': expected a number above 0"},
      {with("[dynamics]", "[\ndynamics]"), "m.toml: is no TOML"},
      {with("depth = 3", "depth = 3 \xef\xb3\xbf"), "m.toml: line"},
  };
  for (const Bad& each : bad) CHECK_THROWS_WITH(parse_model(each.text, "m.toml"), Catch::Contains(each.message));
  CHECK_THROWS_WITH(load_model("/nowhere/m.toml"), "/nowhere/m.toml: cannot be read: No such file or directory");
}

TEST_CASE("convolutions that do not fit their layers name the shape they need") {
  const std::string text = R"(
name = "c"
[[layer]]
name = "image"
shape = [8, 8, 1]
lagrangian = "tanh"
[[layer]]
name = "low"
shape = [4, 4, 3]
lagrangian = "tanh"
[[synapse]]
name = "first"
kind = "convolution"
connects = ["image", "low"]
[dynamics]
readout = "low"
)";
  CHECK_THROWS_WITH(parse_model(text, "c.toml"),
                    Catch::Contains("c.toml: synapse 'first': ") && Catch::Contains("4x4x3, expected 6x6x3"));
}

TEST_CASE("the table of keys is what the parser reads: examples, defaults, types, choices") {
  const std::string ends = R"toml(
[dynamics]
readout = "b"
)toml";
  const auto file = [&](const std::string& lagrangian, const std::string& synapse) {
    return "name = \"m\"\n[[layer]]\nname = \"a\"\nshape = [6, 6, 2]\nlagrangian = " + lagrangian +
           "\n[[layer]]\nname = \"b\"\nshape = [6, 6, 2]\nlagrangian = \"tanh\"\n[[synapse]]\nname = \"s\"\n" +
           synapse + ends;
  };
  // Of `key`, another value than its default, and one of another type.
  const auto right = [](const ModelKey& key) -> std::string {
    switch (key.type) {
      case KeyType::word:
        return *key.choices ? "\"" + std::string(key.choices).substr(0, std::string(key.choices).find(',')) + "\""
                            : "\"dense:2\"";
      case KeyType::count:
        return "3";
      case KeyType::pair:
        return "[1, 1]";
      case KeyType::boolean:
        return "true";
      case KeyType::axis:
        return "\"whole\"";
      case KeyType::lagrangian:
        return "\"relu\"";
      case KeyType::table:
        return "{}";
      default:
        return "0.5";
    }
  };
  const auto connects = [](const std::string& kind) {
    return kind == "bias" ? "connects = [\"a\"]\n" : "connects = [\"a\", \"b\"]\n";
  };
  int checked = 0;
  for (const ModelKind& kind : model_table("lagrangian").kinds) {
    for (const ModelKey& key : kind.keys) {
      INFO(kind.name << ": " << key.name);
      const std::string needed =
          std::string(kind.name) == "memory" && key.name != std::string("model") ? ", model = \"dense:2\"" : "";
      const std::string begin = std::string("{kind = \"") + kind.name + "\"" + needed + ", " + key.name + " = ";
      const std::string synapse = "kind = \"bias\"\nconnects = [\"a\"]\n";
      CHECK_NOTHROW(parse_model(file(begin + right(key) + "}", synapse), "m"));
      CHECK_THROWS_WITH(parse_model(file(begin + "1979-05-27}", synapse), "m"),
                        std::string("m: layer 'a': lagrangian: key '") + key.name + "': expected " + accepted(key));
      ++checked;
    }
    if (*kind.example)
      CHECK_NOTHROW(parse_model(file(std::string("{kind = \"") + kind.name + "\", " + kind.example + "}",
                                     "kind = \"bias\"\nconnects = [\"a\"]\n"),
                                "m"));
  }
  for (const ModelKind& kind : model_table("synapse").kinds) {
    const std::string begin = std::string("kind = \"") + kind.name + "\"\n" + connects(kind.name);
    for (const ModelKey& key : kind.keys) {
      INFO(kind.name << ": " << key.name);
      if (kind.name == std::string("expression")) continue;  // one key alone is no expression
      // Keys of pooling need one; what fits the shapes is not asked here.
      const std::string pool = std::string(key.name).starts_with("pool_") ? "pool = \"softmax\"\n" : "";
      CHECK_THROWS_WITH(parse_model(file("\"tanh\"", begin + pool + key.name + " = 1979-05-27\n"), "m"),
                        std::string("m: synapse 's': key '") + key.name + "': expected " + accepted(key));
      if (*key.choices)
        CHECK_THROWS_WITH(parse_model(file("\"tanh\"", begin + key.name + " = \"qqqqqq\"\n"), "m"),
                          std::string("m: synapse 's': key '") + key.name + "': 'qqqqqq' is not one of " + key.choices);
      ++checked;
    }
    if (kind.name == std::string("convolution")) continue;  // its example is for larger images
    std::string example = kind.example;
    for (std::size_t at; (at = example.find("\", ")) != std::string::npos;) example.replace(at, 3, "\"\n");
    INFO(example);
    if (example.find("parameters") == std::string::npos)
      for (std::size_t at; (at = example.find(", ")) != std::string::npos;) example.replace(at, 2, "\n");
    CHECK_NOTHROW(parse_model(file("\"tanh\"", begin + example + "\n"), "m"));
  }
  CHECK(checked > 35);
  const std::string manual = model_manual();
  for (const ModelTable& table : model_tables())
    for (const ModelKey& key : table.keys) CHECK_THAT(manual, Catch::Contains(std::string("| `") + key.name + "` | "));
}

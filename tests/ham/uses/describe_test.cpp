#include "ham/uses/describe.h"

#include <catch2/catch.hpp>

#include "ham/engine/program.h"

using namespace ham;

namespace {

Model registry(const std::string& name) { return load_model(DAMBENCH_MODELS "/" + name + ".toml"); }

}  // namespace

TEST_CASE("a described model has its parameters, its reach and its costs") {
  const Model model = registry("conv_ham_maxpool_mnist");
  const ModelFacts facts = describe(model, 400, 2);
  CHECK(facts.num_parameters == model.network.num_parameters());
  long numbers = 0;
  for (const ParameterFacts& parameter : facts.parameters) numbers += parameter.size;
  CHECK(numbers == facts.num_parameters);
  REQUIRE(facts.layers.size() == 4);
  for (int i = 0; i < 4; ++i) {
    CHECK(facts.layers[i].from_image == i);
    CHECK(facts.layers[i].to_readout == 3 - i);
  }
  CHECK(facts.layers[0].clamped);
  CHECK(facts.layers[3].readout);
  CHECK(facts.connections[0].kind == "convolution");
  CHECK(facts.findings.empty());

  const Program program(model.network, {model.clamped});
  const Unrolled unrolled = program.unroll(3, model.readout.descent.depth);
  CHECK(facts.training_flops == training_cost(program, unrolled, 400, sizeof(float)).flops);
  CHECK(facts.training_memory == training_memory(program, unrolled, 400, 2, sizeof(float)));
  // One answer: the image's own convolution and 512×1000 memories in each step that has a say take most of it.
  CHECK(facts.answer_flops > 2.0 * 512 * 1000);
  CHECK(facts.answer_flops * 400 < facts.training_flops);
}

TEST_CASE("a layer that the image does not reach in time says so") {
  Model model = registry("conv_ham_maxpool_mnist");
  model.readout.descent.depth = 2;
  const ModelFacts facts = describe(model, 100, 1);
  REQUIRE(facts.findings.size() >= 1);
  CHECK(facts.findings[0].weight == Finding::Weight::error);
  CHECK_FALSE(facts.connections[0].has_say);  // what it does to `low` is two more steps from the label
  CHECK(facts.connections[1].has_say);
  model.readout.descent.depth = 3;
  CHECK(describe(model, 100, 1).connections[0].has_say);
}

TEST_CASE("the hypergraph is drawn with a column for every connection") {
  CHECK(drawing(describe(registry("energy_attn_mnist"), 1, 1)) ==
        "          patches  cross  self\n"
        "image  ▣  ●\n"
        "          │\n"
        "tokens ○  ●        ●      2\n"
        "                   │\n"
        "label  ◎           ●\n"
        "\n▣ clamped, ◎ readout, ● once in the synapse's alignment (a number: so many times)\n");
}

TEST_CASE("what training moves is marked in a Lagrangian's text") {
  CHECK(text(Lagrangian::softmax(0.5)) == "softmax, beta 0.5*");
  CHECK(text(Lagrangian::softmax(2).fixed()) == "softmax, beta 2");
  CHECK(text(Lagrangian::relu()) == "relu");
  CHECK(text(Lagrangian::rectified_power(5)) == "rectified_power 5");
}

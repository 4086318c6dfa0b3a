#include "ham/network/diagnosis.h"

#include <catch2/catch.hpp>

using namespace ham;

namespace {

/// image – hidden – label, each joined to the next, and what a test changes.
Model chain(const std::string& dynamics, const std::string& label = "softmax", const std::string& extra = "") {
  return parse_model(R"(
name = "chain"
layer = [{name = "image", shape = [6], lagrangian = "tanh"}, {name = "middle", shape = [5], lagrangian = "tanh"},
         {name = "label", shape = [3], lagrangian = ")" +
                         label + R"("}, {name = "far", shape = [2], lagrangian = "tanh", tau = 0.1},
         {name = "farther", shape = [2], lagrangian = "tanh"}]
synapse = [{name = "first", kind = "dense", connects = ["image", "middle"]},
           {name = "second", kind = "dense", connects = ["middle", "label"]},
           {name = "third", kind = "dense", connects = ["label", "far"]},
           {name = "fourth", kind = "dense", connects = ["far", "farther"]})" +
                         extra + R"(]
dynamics = {readout = "label", )" +
                         dynamics + "}\n",
                     "chain.toml");
}

std::vector<std::string> texts(const std::vector<Finding>& findings, Finding::Weight weight) {
  std::vector<std::string> found;
  for (const Finding& finding : findings)
    if (finding.weight == weight) found.push_back(finding.text);
  return found;
}

std::vector<std::string> errors(const Model& model) { return texts(diagnose(model), Finding::Weight::error); }
std::vector<std::string> warnings(const Model& model) { return texts(diagnose(model), Finding::Weight::warning); }

}  // namespace

TEST_CASE("steps from a layer are the connections of the shortest way") {
  const Model model = chain("clamped = [\"image\"]");
  CHECK(steps_from(model.network, 0) == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(steps_from(model.network, 2) == std::vector<int>{2, 1, 0, 1, 2});
  Network apart;
  apart.add_layer("a", {2}, Lagrangian::tanh());
  apart.add_layer("b", {2}, Lagrangian::tanh());
  CHECK(steps_from(apart, 0) == std::vector<int>{0, -1});
}

TEST_CASE("a model that works has no findings but for synapses without a say") {
  CHECK(diagnose(chain("clamped = [\"image\"], depth = 4, time_step = 0.1")).empty());
  // Two steps: the readout's own connections act in the last, their neighbours' in the one before.
  const Model shallow = chain("clamped = [\"image\"], depth = 2, time_step = 0.1");
  CHECK(errors(shallow).empty());
  CHECK(warnings(shallow).empty());
  const Model shallowest = chain("clamped = [\"middle\"], depth = 1, time_step = 0.1");
  CHECK(errors(shallowest).empty());
  REQUIRE(warnings(shallowest).size() == 2);
  CHECK_THAT(warnings(shallowest)[0], Catch::StartsWith("synapse 'first' is too far"));
  CHECK_THAT(warnings(shallowest)[1], Catch::StartsWith("synapse 'fourth' is too far"));
}

TEST_CASE("what cannot work is an error that names the layer and the cure") {
  CHECK_THAT(errors(chain("depth = 4, time_step = 0.1")).at(0), Catch::StartsWith("no layer is clamped"));
  CHECK_THAT(errors(chain("clamped = [\"label\"], depth = 4, time_step = 0.1")).at(0),
             Catch::Contains("'label' is clamped"));
  CHECK_THAT(errors(chain("clamped = [\"image\"], depth = 1, time_step = 0.1")).at(0),
             Catch::Equals("the image 'image' takes 2 steps to reach the readout 'label', the descent has 1; depth = 2 "
                           "would do"));
  CHECK_THAT(errors(chain("clamped = [\"image\"], depth = 4, time_step = 0.4")).at(0),
             Catch::StartsWith("layer 'far' overshoots: its state changes by time_step/tau = 4 > 2"));
  CHECK_THAT(errors(chain("clamped = [\"image\"], depth = 4, time_step = 0.1", "tanh")).at(0),
             Catch::Contains("'tanh', whose activations are no probabilities"));
  CHECK(errors(chain("clamped = [\"image\"], depth = 4, time_step = 0.1", "sigmoid")).empty());
  CHECK(warnings(chain("clamped = [\"image\"], depth = 4, time_step = 0.1", "sigmoid")).size() == 1);
  const Model apart = parse_model(R"(
name = "apart"
layer = [{name = "image", shape = [6], lagrangian = "tanh"}, {name = "label", shape = [3], lagrangian = "softmax"}]
synapse = [{name = "own", kind = "bias", connects = ["label"]}]
dynamics = {readout = "label", clamped = ["image"]}
)",
                                  "apart.toml");
  CHECK_THAT(errors(apart).at(0), Catch::StartsWith("no way leads from the image layer 'image'"));
}

TEST_CASE("every model of the repository is without findings") {
  for (const char* name :
       {"hn_relu_mnist", "hn_softmax_mnist", "hn_repu5_mnist", "conv_ham_maxpool_mnist", "conv_ham_avgpool_mnist",
        "energy_attn_mnist", "hn_relu_cifar10", "hn_softmax_cifar10", "hn_repu5_cifar10", "conv_ham_maxpool_cifar10",
        "conv_ham_avgpool_cifar10", "energy_attn_cifar10"}) {
    INFO(name);
    const auto findings = diagnose(load_model(std::string(DAMBENCH_MODELS) + "/" + name + ".toml"));
    for (const Finding& finding : findings) UNSCOPED_INFO(finding.text);
    CHECK(findings.empty());
  }
}

TEST_CASE("labels from 1 and empty classes are said") {
  DataSet data{.name = "mine.h5", .classes = 4};
  data.train.labels = {1, 2, 3, 3};
  data.test.labels = {1, 2};
  REQUIRE(diagnose(data).size() == 1);
  CHECK_THAT(diagnose(data)[0].text, Catch::Contains("labels seem to count from 1"));
  data.train.labels = {0, 2, 3, 3};
  CHECK_THAT(diagnose(data).at(0).text, Catch::Contains("no training image has label 1;"));
  data.train.labels = {0, 1, 2, 3};
  CHECK(diagnose(data).empty());
}

// The examples of ham/README.md, as they stand there: CMake cuts its code blocks out.
#include <catch2/catch.hpp>

#include "ham/network/model_file.h"
#include "ham/network/synapses.h"
#include "ham/training/training.h"
#include "tests/support/run_program.h"

TEST_CASE("the ten lines of C++ descend, and the model file is the same network") {
#include "ham_readme_cpp_0.inc"
  REQUIRE(trace.energies.size() == 5);
  REQUIRE(x[1].shape == ham::Shape{64, 10});
  // The image is clamped and the labels start at rest: only they can have moved, downhill.
  for (std::size_t t = 1; t < trace.energies.size(); ++t)
    CHECK(trace.energies[t].total()[0] <= trace.energies[t - 1].total()[0]);

  const ham::Model model = ham::load_model(DAMBENCH_README "_toml_0.inc");
  CHECK(model.network.num_parameters() == network.num_parameters());
  REQUIRE(model.network.layers().size() == network.layers().size());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    CHECK(model.network.layers()[i].layer.name == network.layers()[i].layer.name);
    CHECK(model.network.layers()[i].layer.shape == network.layers()[i].layer.shape);
  }
  ham::States<float> y = network.states<float>(64);
  ham::Engine<float> same(model.network, {.clamped = {"image"}});
  same.set_parameters(network.initial_parameters<float>(1));
  ham::descend(same, y, {.depth = 4, .time_step = 0.4});
  CHECK(y[1].values == x[1].values);
}

TEST_CASE("the hypersynapse of the README is -k times a sum of products of three") {
  ham::Network network;
  for (const char* name : {"a", "b", "c"}) network.add_layer(name, {4}, ham::Lagrangian::identity());
#include "ham_readme_cpp_1.inc"
  ham::Engine<double> engine(network, {});
  engine.set_parameters(std::vector<double>{0.25});
  ham::States<double> x = network.states<double>(1);
  double expected = 0;
  for (int i = 0; i < 4; ++i) {
    x[0].values[i] = 1 + i, x[1].values[i] = 0.5 - i, x[2].values[i] = 2.0 * i - 1;
    expected -= 0.25 * x[0].values[i] * x[1].values[i] * x[2].values[i];
  }
  CHECK(ham::evaluate(engine, x).energies.connections.values[0] == Approx(expected).epsilon(1e-14));

  const ham::Model spelt = ham::parse_model(
      "name = 'm'\n"
      "layer = [{name = 'a', shape = [4], lagrangian = 'identity'}, {name = 'b', shape = [4], lagrangian = "
      "'identity'},\n"
      "         {name = 'c', shape = [4], lagrangian = 'identity'}]\ndynamics = {readout = 'c'}\n" +
          support::slurp(DAMBENCH_README "_toml_1.inc"),
      "readme");
  ham::Engine<double> same(spelt.network, {});
  same.set_parameters(std::vector<double>{0.25});
  CHECK(ham::evaluate(same, x).energies.connections.values[0] == Approx(expected).epsilon(1e-14));
}

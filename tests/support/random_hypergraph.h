// Random networks for tests of what interprets their programs.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "ham/network/synapses.h"

namespace test {

inline ham::Lagrangian random_lagrangian(std::mt19937& random) {
  switch (random() % 5) {
    case 0:
      return ham::Lagrangian::identity();
    case 1:
      return ham::Lagrangian::relu();
    case 2:
      return ham::Lagrangian::softmax();
    default:
      return ham::Lagrangian::tanh();
  }
}

// Up to five layers, wide ones among them, images and vectors, biases of both kinds; synapses of two or three layers,
// some shared.
struct Hypergraph {
  ham::Network network;
  std::vector<std::string> clamped;
  std::string readout;
};

inline Hypergraph random_hypergraph(std::mt19937& random) {
  Hypergraph graph;
  ham::Network& network = graph.network;
  const ham::Shape shapes[] = {{3}, {70}, {140}, {7, 7, 2}, {3, 3, 4}, {150}};
  const int count = 2 + static_cast<int>(random() % 4);
  std::vector<ham::Shape> chosen;
  for (int i = 0; i < count; ++i) {
    chosen.push_back(i == 0 && random() % 2 ? ham::Shape{160} : shapes[random() % std::size(shapes)]);
    const ham::Bias bias[] = {ham::Bias::none, ham::Bias::none, ham::Bias::input, ham::Bias::threshold};
    network.add_layer({"l" + std::to_string(i), chosen.back(), random_lagrangian(random),
                       0.5 + 0.5 * static_cast<double>(random() % 3), bias[random() % 4]});
  }
  const auto name = [](int i) { return "l" + std::to_string(i); };
  for (int i = 1; i < count; ++i) {
    const int other = static_cast<int>(random() % i);
    if (chosen[other] == ham::Shape{7, 7, 2} && chosen[i] == ham::Shape{3, 3, 4} && random() % 2) {
      network.connect({name(other), name(i)},
                      ham::convolution_synapse({.kernel_height = 2, .kernel_width = 2, .pooled = true, .pooling = {}}));
      continue;
    }
    const bool wide = random() % 2 != 0;
    const ham::UnitNorm norm[] = {ham::UnitNorm::none, ham::UnitNorm::none, ham::UnitNorm::joint,
                                  ham::UnitNorm::per_block};
    network.connect({name(other), name(i)}, ham::dense_hidden({.hidden = wide ? 130 : 9,
                                                               .lagrangian = random() % 2 ? ham::Lagrangian::relu()
                                                                                          : ham::Lagrangian::softmax(),
                                                               .norm = norm[random() % 4],
                                                               .standard_deviation = 0.1}));
    if (random() % 3 == 0) network.connect({name(other), name(i)}, ham::dense(0.05));
  }
  if (count > 2) {
    const int synapse = network.add_synapse(ham::dense_hidden({.hidden = 140, .standard_deviation = 0.1}));
    network.connect({name(0), name(1), name(2)}, synapse);
    if (chosen[1] == chosen[2]) network.connect({name(0), name(2), name(1)}, synapse);
  }
  for (int i = 0; i + 1 < count; ++i)
    if (i == 0 ? random() % 4 != 0 : random() % 5 == 0) graph.clamped.push_back(name(i));
  graph.readout = name(count - 1);
  return graph;
}

}  // namespace test

// A hierarchical associative memory: neuron layers and hypersynapses in a hypergraph with one energy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ham/network/expression.h"

namespace ham {

/// What a layer's learned bias is: nothing, the resting input I of τ dx/dt = Σ∂F/∂g + I − x, or the threshold b of
/// g = ∇L(x − b). With y = x − b a threshold b is a resting input −b.
enum class Bias { none, input, threshold };

/// Neurons with a state x of this shape, an activation g = ∇L(x) and a time constant τ.
struct Layer {
  std::string name;
  Shape shape;
  Lagrangian lagrangian;
  double time_constant = 1;
  Bias bias = Bias::none;
};

/// Layers, synapses and connections; E = Σ_layers (x − I)·g − L(x − b) − Σ_connections F(g, …).
///
/// Source: Hoover et al. 2022, A Universal Abstraction for Hierarchical Hopfield Networks; Krotov 2021.
class Network {
 public:
  Network() : graph_(std::make_unique<Graph>()) {}

  /// Adds a layer and returns its index; an empty name becomes l0, l1, … Throws std::invalid_argument when the name is
  /// taken, the shape is not positive or τ is not.
  int add_layer(Layer layer);
  int add_layer(std::string name, Shape shape, Lagrangian lagrangian) {
    return add_layer(Layer{std::move(name), std::move(shape), std::move(lagrangian)});
  }

  /// Adds a synapse and returns its index; an empty name becomes s0, s1, …
  int add_synapse(Alignment alignment, std::string name = "");

  /// Connects layers by a synapse, which may be used again; a layer may appear twice. Throws std::invalid_argument when
  /// a layer is unknown or its shape does not fit.
  void connect(const std::vector<std::string>& layers, int synapse);
  void connect(const std::vector<std::string>& layers, Alignment alignment, std::string name = "") {
    connect(layers, add_synapse(std::move(alignment), std::move(name)));
  }

  /// A layer as the network runs it.
  struct Neurons {
    Layer layer;
    int node;                       ///< the activation
    LagrangianSum lagrangian;       ///< L(x)
    std::vector<int> coefficients;  ///< nodes of its learned coefficients, in L's order
    int bias = -1;                  ///< node of the bias, or −1
  };
  struct Connection {
    int synapse;
    std::vector<int> layers;
    int node;  ///< the alignment F
    std::string name;
  };
  const std::vector<Neurons>& layers() const { return layers_; }
  const std::vector<Connection>& connections() const { return connections_; }
  const Graph& graph() const { return *graph_; }

  /// The layer's index; throws std::invalid_argument that lists the layers.
  int layer_index(const std::string& name) const;
  const std::vector<Parameter>& parameters() const { return graph_->parameters(); }
  /// The parameter of this name (`synapse.W0`, `layer.beta`); throws std::invalid_argument that lists the names.
  const Parameter& parameter(const std::string& name) const;
  long num_parameters() const { return graph_->num_parameters(); }

  /// Starting parameters, all in one run; the same seed gives the same numbers on every machine and for every T.
  template <class T>
  std::vector<T> initial_parameters(std::uint64_t seed) const;

  /// All layers at rest, x = 0.
  template <class T>
  States<T> states(int batch) const;

 private:
  std::unique_ptr<Graph> graph_;
  std::vector<Neurons> layers_;
  struct Synapse {
    std::string name;
    Alignment alignment;
  };
  std::vector<Synapse> synapses_;
  std::vector<Connection> connections_;
};

}  // namespace ham

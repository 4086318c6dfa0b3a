// What a model is made of, what it costs and what is wrong with it: what `ham describe` says.
#pragma once

#include <string>
#include <vector>

#include "ham/network/diagnosis.h"
#include "ham/network/model_file.h"

namespace ham {

/// A learnable array and whose it is.
struct ParameterFacts {
  std::string name, owner;  ///< `memory.W0` of `memory`
  Shape shape;
  std::string starts;  ///< `normal, sd 0.02`
  long size;
};

struct LayerFacts {
  std::string name;
  Shape shape;
  std::string lagrangian;  ///< with its coefficients
  double tau;
  std::string bias;
  bool clamped, readout;
  int from_image;  ///< steps of the descent after which the image has reached it; −1: never
  int to_readout;  ///< steps before the end from which it no longer reaches the readout; −1: it never does
};

/// One connection of a synapse; a shared synapse has several.
struct ConnectionFacts {
  std::string synapse, kind;
  std::vector<int> layers;
  bool has_say;  ///< in the readout, within the depth
};

struct ModelFacts {
  std::string name;
  int depth;
  double time_step;
  std::vector<LayerFacts> layers;
  std::vector<ConnectionFacts> connections;
  std::vector<ParameterFacts> parameters;
  long num_parameters = 0;
  long batch;                              ///< of the costs
  int threads;                             ///< of the memory
  double answer_flops = 0;                 ///< one image classified; a multiplication with its addition counts two
  double training_flops, training_bytes;   ///< a training step on a batch, single precision, dense
  double training_memory, weights_memory;  ///< bytes
  std::vector<Finding> findings;           ///< of ham/network/diagnosis.h
};

/// Everything there is to say of a model before it is run; nothing of the size of its states is allocated.
ModelFacts describe(const Model& model, long batch, int threads);

/// As people read it: tables of layers, synapses and parameters, the hypergraph, reach, costs, warnings.
std::string text(const ModelFacts& facts);

/// The hypergraph alone, a line a layer, a column a connection: `●` where they meet, a digit where they meet more
/// often.
std::string drawing(const ModelFacts& facts);

/// A Lagrangian with its coefficients: `softmax, beta 1`; what training moves has a `*`.
std::string text(const Lagrangian& lagrangian);

}  // namespace ham

#include "ham/engine/program.h"

#include <algorithm>

namespace ham {
namespace {

const std::vector<Node>& nodes_of(const Network& network) { return network.graph().nodes(); }
bool is_leaf(const Node& node) { return std::holds_alternative<Leaf>(node.operation); }
bool hoisted(Per per) { return per == Per::batch || per == Per::lane; }

// Lengths from which a product has enough to do for one row of a factor.
constexpr long kWide = 64;
// A weight matrix this long both ways would leave the cache with every lane that adds to its gradient.
constexpr long kDeferred = 128;

// Phase, derivatives and places of every node.
void fill_slots(Program& program, bool state_gradients) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  std::vector<Slot>& slots = program.slots;
  for (std::size_t i = 0; i < nodes.size(); ++i) slots[i].size = nodes[i].size, slots[i].wanted = true;
  for (std::size_t i = 0; i < program.clamped.size(); ++i) {
    const Network::Neurons& neurons = program.network->layers()[i];
    Slot& slot = slots[neurons.node];
    slot.per = program.clamped[i] ? Per::batch : Per::step;
    const bool only_beta = neurons.lagrangian.beta_input > 0 && neurons.coefficients.size() == 1 && neurons.bias < 0;
    program.by_tangent[i] = slot.swept = program.clamped[i] && !state_gradients && only_beta;
    const bool learns = !neurons.coefficients.empty() || neurons.bias >= 0;
    slot.wanted = !program.clamped[i] || state_gradients || (learns && !program.by_tangent[i]);
  }
  for (const Network::Connection& connection : program.network->connections()) slots[connection.node].alignment = true;
  for (const Parameter& parameter : program.network->parameters()) slots[parameter.node].offset = parameter.offset;
  program.num_constants = program.network->num_parameters();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_leaf(nodes[i])) continue;
    Slot& slot = slots[i];
    slot.wanted = false;
    for (const int input : nodes[i].inputs) {
      const Per fed = slots[input].per == Per::batch ? Per::lane : slots[input].per;
      slot.per = std::max(slot.per, fed);
      slot.wanted = slot.wanted || slots[input].wanted;
      slots[input].alignment = false;  // used by another operation: always evaluated
    }
    for (const int input : nodes[i].inputs) {
      slot.swept = slot.swept || (slot.per == Per::lane && slots[input].swept);
      slots[input].boundary = slots[input].boundary || (slot.per == Per::step && hoisted(slots[input].per));
    }
    if (slot.per == Per::parameters) slot.offset = program.num_constants, program.num_constants += slot.size;
  }
}

// Linear maps of clamped activations are products of the whole batch, when all they feed moves.
void find_batch_products(Program& program) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  std::vector<Slot>& slots = program.slots;
  std::vector<bool> whole(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Linear* const map = std::get_if<Linear>(&nodes[i].operation);
    whole[i] = map != nullptr && slots[i].per == Per::lane && !slots[i].alignment && slots[i].size == map->out &&
               slots[nodes[i].inputs[1]].per == Per::parameters && slots[nodes[i].inputs[0]].per == Per::batch &&
               std::max(map->in, map->out) >= kWide;
  }
  for (bool changed = true; changed;) {
    const std::vector<bool> before = whole;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].inputs.size() > 2 && before[i] && !before[nodes[i].inputs[2]]) whole[i] = false;
      for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
        const bool starts = before[i] && k == 2;
        if (slots[i].per != Per::step && !starts) whole[nodes[i].inputs[k]] = false;
      }
    }
    changed = whole != before;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (whole[i]) slots[i].per = Per::batch;
}

// Values of every step that are kept: what operations keep, and products with parameters as long as all of it takes no
// more room than the states.
void choose_remembered(Program& program) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  long room = 0;
  for (std::size_t i = 0; i < program.clamped.size(); ++i)
    if (!program.clamped[i]) room += nodes[program.network->layers()[i].node].size;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Slot& slot = program.slots[i];
    slot.remembered = slot.per != Per::parameters && kept_numbers(nodes[i].operation) > 0;
    if (slot.remembered && slot.per == Per::step) room -= slot.size + kept_numbers(nodes[i].operation);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Slot& slot = program.slots[i];
    if (slot.per != Per::step || slot.alignment || !std::holds_alternative<Linear>(nodes[i].operation)) continue;
    slot.remembered = slot.size <= room;
    if (slot.remembered) room -= slot.size;
  }
}

// Weights in every step: packed for the products with them, and with gradients that are one product at the end.
void choose_deferred(Program& program) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  std::vector<Slot>& slots = program.slots;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Linear* const map = std::get_if<Linear>(&nodes[i].operation);
    if (map == nullptr || slots[i].per != Per::step) continue;
    const int x = nodes[i].inputs[0], weights = nodes[i].inputs[1];
    const long narrow = std::min(map->in, map->out);
    if (slots[weights].per != Per::parameters) continue;
    if (narrow >= kWide) program.packed.push_back(static_cast<int>(i));
    const bool once_per_sample = slots[i].size == map->out && slots[x].per == Per::step;
    if (narrow < kDeferred || !once_per_sample || slots[i].alignment) continue;
    slots[i].deferred = slots[i].bar_stored = slots[x].stored = true;
  }
}

// Constants that lanes give a gradient to, one after the other.
void place_collected(Program& program) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  std::vector<Slot>& slots = program.slots;
  std::vector<bool> used(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const bool by_product = k == 1 && (slots[i].deferred || slots[i].per == Per::batch);
      const int input = nodes[i].inputs[k];
      if (slots[i].per != Per::parameters && slots[input].per == Per::parameters && !by_product) used[input] = true;
    }
  for (const Network::Neurons& neurons : program.network->layers()) {
    for (const int node : neurons.coefficients) used[node] = true;
    if (neurons.bias >= 0) used[neurons.bias] = true;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (used[i]) slots[i].collected = program.num_collected, program.num_collected += slots[i].size;
}

// Adds the reverse rules of the operations that `runs` names, last first; derivatives of nodes that `begins` names
// begin with the first rule that gives to them.
template <class Runs, class Begins>
void add_reverse(const Program& program, Act act, Runs runs, Begins begins, std::vector<bool>& touched,
                 Instructions& list) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (is_leaf(nodes[i]) || !runs(i)) continue;
    Instruction instruction{act, static_cast<int>(i)};
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k) {
      const int input = nodes[i].inputs[k];
      if (begins(input) && !touched[input]) instruction.fresh |= static_cast<std::uint8_t>(1u << k);
      touched[input] = true;
    }
    list.push_back(instruction);
  }
}

// A step of time of the nodes in `part`; with the way back if `training`.
Step make_step(const Program& program, const std::vector<bool>& part, bool training) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  const std::vector<Slot>& slots = program.slots;
  const auto moves = [&](int node) { return slots[node].per == Per::step; };
  const auto runs = [&](std::size_t i) { return moves(static_cast<int>(i)) && part[i]; };
  const auto each_layer = [&](Act act, Instructions& list) {
    for (std::size_t i = 0; i < program.clamped.size(); ++i)
      if (!program.clamped[i]) list.push_back({act, static_cast<int>(i)});
  };
  const auto each_operation = [&](Act act, Instructions& list) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (runs(i) && !is_leaf(nodes[i]) && !slots[i].alignment) list.push_back({act, static_cast<int>(i)});
  };
  Step step;
  std::vector<bool> touched(nodes.size(), false);
  each_layer(Act::activate, step.forward);
  each_operation(Act::forward, step.forward);
  add_reverse(program, Act::pull, runs, moves, touched, step.forward);
  for (std::size_t i = 0; i < program.clamped.size(); ++i)
    if (!program.clamped[i] && !touched[program.network->layers()[i].node]) step.still.push_back(static_cast<int>(i));
  if (!training) return step;
  each_layer(Act::descend, step.forward);
  each_layer(Act::retreat, step.reverse);
  each_operation(Act::tangent, step.reverse);
  touched.assign(nodes.size(), false);
  add_reverse(program, Act::push, runs, moves, touched, step.reverse);
  each_layer(Act::return_, step.reverse);
  return step;
}

// For each of so many steps of time: per node, whether it is part of a connection by which that step's states have a
// say in the layer's state after the last step.
std::vector<std::vector<bool>> reach(const Program& program, int layer, int steps) {
  const std::vector<Node>& nodes = nodes_of(*program.network);
  std::vector<std::vector<bool>> parts(steps);
  std::vector<bool> said(nodes.size(), false);  // the layers that have a say later, and all that they feed
  said[program.network->layers()[layer].node] = true;
  for (int step = steps; step-- > 0;) {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (const int input : nodes[i].inputs) said[i] = said[i] || said[input];
    // What feeds an alignment that such a layer feeds.
    for (std::size_t i = nodes.size(); i-- > 0;)
      for (const int input : nodes[i].inputs)
        said[input] = said[input] || (said[i] && program.slots[input].per == Per::step);
    parts[step] = said;
  }
  return parts;
}

}  // namespace

Program::Program(const Network& given, const Lowering& lowering)
    : network(&given),
      clamped(given.layers().size(), false),
      by_tangent(given.layers().size(), false),
      slots(nodes_of(given).size()) {
  const std::vector<Node>& nodes = nodes_of(given);
  for (const std::string& name : lowering.clamped) clamped[given.layer_index(name)] = true;
  fill_slots(*this, lowering.state_gradients);
  find_batch_products(*this);
  choose_remembered(*this);
  choose_deferred(*this);
  place_collected(*this);
  for (std::size_t i = 0; i < clamped.size(); ++i)
    if (clamped[i]) batch.push_back({Act::activate, static_cast<int>(i)});
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (is_leaf(nodes[i])) continue;
    const Instruction instruction{Act::forward, static_cast<int>(i)};
    switch (slots[i].per) {
      case Per::parameters:
        parameters.push_back(instruction);
        break;
      case Per::batch:
        batch.push_back(instruction);
        break;
      case Per::lane:
        (slots[i].alignment ? lane_energies : lane).push_back(instruction);
        break;
      case Per::step:
        if (slots[i].alignment) step_energies.push_back(instruction);
        break;
    }
  }
  step = make_step(*this, std::vector<bool>(nodes.size(), true), false);
}

Unrolled Program::unroll(int layer, int steps) const {
  const std::vector<Node>& nodes = nodes_of(*network);
  const auto parts = reach(*this, layer, steps);
  Unrolled result{.readout = layer, .runs = std::vector<int>(nodes.size(), 0)};
  for (const std::vector<bool>& part : parts) {
    result.steps.push_back(make_step(*this, part, true));
    for (std::size_t i = 0; i < nodes.size(); ++i) result.runs[i] += part[i];
  }

  // A constant's gradient begins as the sum over lanes or with the first product that gives to it.
  std::vector<bool> touched(nodes.size(), false), never(nodes.size(), false);
  for (std::size_t i = 0; i < nodes.size(); ++i) touched[i] = slots[i].collected >= 0;
  const auto none = [](int) { return false; };
  const auto constant = [&](int node) { return slots[node].per == Per::parameters; };
  for (std::size_t i = 0; i < clamped.size(); ++i)
    if (by_tangent[i]) result.lane_reverse.push_back({Act::along_beta, static_cast<int>(i)});
  add_reverse(
      *this, Act::reverse,
      [&](std::size_t i) { return slots[i].per == Per::lane && slots[i].wanted && !slots[i].alignment; }, none, never,
      result.lane_reverse);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const bool whole = slots[i].per == Per::batch && !is_leaf(nodes[i]);
    if (!whole && !(slots[i].deferred && result.runs[i] > 0)) continue;
    const int weights = nodes[i].inputs[1];
    if (whole) result.batch_reverse.push_back({Act::reverse, static_cast<int>(i)});
    result.gradients.push_back({Act::outer, static_cast<int>(i), static_cast<std::uint8_t>(touched[weights] ? 0 : 2)});
    touched[weights] = true;
  }
  for (std::size_t i = 0; i < clamped.size(); ++i) {
    const bool multiplied = std::ranges::any_of(batch, [&](const Instruction& each) {
      return each.act == Act::forward && nodes[each.target].inputs[0] == network->layers()[i].node;
    });
    if (by_tangent[i] && multiplied) result.gradients.push_back({Act::along_beta_whole, static_cast<int>(i)});
    if (clamped[i] && slots[network->layers()[i].node].wanted)
      result.finish.push_back({Act::finish, static_cast<int>(i)});
  }
  add_reverse(
      *this, Act::reverse, [&](std::size_t i) { return slots[i].per == Per::parameters; }, constant, touched,
      result.parameters_reverse);
  return result;
}

int Program::lane_rows() const {
  // Large weights come from beyond the cache in every step, and pay from more samples on.
  const long least = packed.empty() ? 25 : 50;
  constexpr long kMost = 100, kNumbersPerNeuron = 20;
  long neurons = 0;
  for (const auto& layer : network->layers()) neurons += count(layer.layer.shape);
  return static_cast<int>(std::clamp(num_collected / (kNumbersPerNeuron * neurons), least, kMost));
}

}  // namespace ham

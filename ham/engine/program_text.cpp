// What a Program costs, and how it is printed.
#include <fmt/format.h>

#include <algorithm>

#include "ham/engine/program.h"

namespace ham {
namespace {

const std::vector<Node>& nodes_of(const Program& program) { return program.network->graph().nodes(); }

std::string text(const Window& w) {
  return fmt::format("{}x{}x{} by {}x{}", w.height, w.width, w.channels, w.kernel_height, w.kernel_width);
}

std::string text(const Repeat& r) { return fmt::format("{}x{}x{}", r.outer, r.n, r.inner); }

struct Description {
  std::string text;
  double flops;           // of one pass over one sample: a multiplication with its addition counts two
  bool bilinear = false;  // of its first two inputs: as many again for each factor's derivative
};

Description describe(const Operation& operation, long size) {
  const auto elements = static_cast<double>(size);
  const auto times = [](auto... lengths) { return 2.0 * (static_cast<double>(lengths) * ...); };
  struct {
    double elements;
    decltype(times) product;
    Description operator()(const Leaf&) const { return {"array", 0}; }
    Description operator()(const Add& op) const { return {"add " + text(op.repeat), elements}; }
    Description operator()(const Multiply& op) const { return {"multiply " + text(op.repeat), elements, true}; }
    Description operator()(const Sum& op) const {
      return {"sum " + text(op.repeat), elements * static_cast<double>(op.repeat.n)};
    }
    Description operator()(const Dot& op) const {
      return {"dot " + text(op.repeat), product(op.repeat.outer, op.repeat.n, op.repeat.inner), true};
    }
    Description operator()(const Map& op) const { return {op.function->name, elements}; }
    Description operator()(const Linear& op) const {
      return {fmt::format("linear {}x{}", op.in, op.out), product(elements, op.in), true};
    }
    Description operator()(const MatrixProduct& op) const {
      return {fmt::format("product {} of {}x{}x{}", op.groups, op.m, op.k, op.n), product(op.groups, op.m, op.k, op.n),
              true};
    }
    Description operator()(const Diagonal& op) const { return {fmt::format("diagonal {}", op.n), 0}; }
    Description operator()(const Convolution& op) const {
      return {fmt::format("convolution {} to {}", text(op.window), op.out_channels),
              product(op.window.positions(), op.window.patch(), op.out_channels), true};
    }
    Description operator()(const MaxConvolution& op) const {
      return {fmt::format("max convolution {} to {}, pool {}x{}", text(op.convolution.window),
                          op.convolution.out_channels, op.pool.kernel_height, op.pool.kernel_width),
              product(op.convolution.window.positions(), op.convolution.window.patch(), op.convolution.out_channels),
              true};
    }
    Description operator()(const Pool& op) const {
      return {"pool " + text(op.window), elements * op.window.kernel_height * op.window.kernel_width};
    }
    Description operator()(const LagrangianSum& op) const {
      return {fmt::format("lagrangian {} of {}x{}", op.lagrangian.name, op.outer * op.inner, op.n),
              2.0 * static_cast<double>(op.outer) * static_cast<double>(op.n) * static_cast<double>(op.inner)};
    }
  } const visitor{elements, times};
  return std::visit(visitor, operation);
}

// Where only picked positions count, a pass costs their share of the whole.
double picked_share(const Operation& operation) {
  const auto* const op = std::get_if<MaxConvolution>(&operation);
  return op == nullptr
             ? 1.0
             : static_cast<double>(op->pool.positions()) / static_cast<double>(op->convolution.window.positions());
}

bool names_layer(Act act) {
  switch (act) {
    case Act::forward:
    case Act::pull:
    case Act::tangent:
    case Act::push:
    case Act::reverse:
    case Act::outer:
      return false;
    default:
      return true;
  }
}

const char* name_of(Act act) {
  switch (act) {
    case Act::activate:
      return "activate";
    case Act::forward:
      return "forward";
    case Act::pull:
      return "pull";
    case Act::descend:
      return "descend";
    case Act::lose:
      return "lose";
    case Act::retreat:
      return "retreat";
    case Act::tangent:
      return "tangent";
    case Act::push:
      return "push";
    case Act::return_:
      return "return";
    case Act::reverse:
      return "reverse";
    case Act::along_beta:
    case Act::along_beta_whole:
      return "along beta";
    case Act::outer:
      return "outer";
    case Act::finish:
      return "finish";
  }
  return "";
}

// The Cost of an instruction on an operation: how many passes like the forward one it makes, and what it touches.
Cost operation_cost(const Program& program, const Instruction& instruction, const Unrolled& unrolled, double rows,
                    double number) {
  const Node& node = nodes_of(program)[instruction.target];
  const Slot& slot = program.slots[instruction.target];
  const Description description = describe(node.operation, node.size);
  const auto moves = [&](int input) { return program.slots[input].per == Per::step; };
  const auto numbers = [&](int i) {
    return static_cast<double>(nodes_of(program)[i].size) * (nodes_of(program)[i].batched ? rows : 1.0);
  };
  const double samples = node.batched ? rows : 1.0, once = description.flops * samples;
  const double own = numbers(instruction.target), picked = picked_share(node.operation);
  double inputs = 0, moving_inputs = 0, moving = 0;
  for (const int input : node.inputs) {
    inputs += numbers(input);
    if (moves(input)) moving_inputs += numbers(input), moving += 1;
  }
  switch (instruction.act) {
    case Act::forward:
      return {once, number * (inputs + own)};
    case Act::pull:
      return {once * picked * (description.bilinear ? moving : 1.0), number * (inputs + own + moving_inputs)};
    case Act::tangent: {
      const double values = slot.remembered || slot.stored ? 0.0 : once;
      return {values + once * picked * (description.bilinear ? std::min(moving, 2.0) : 1.0),
              number * (2 * inputs + 2 * own)};
    }
    case Act::push: {
      // Of each factor's derivative: its tangent has a term for each factor that has one, its value one.
      double passes = description.bilinear ? 0.0 : 2.0;
      for (std::size_t k = 0; description.bilinear && k < std::min<std::size_t>(2, node.inputs.size()); ++k) {
        const int input = node.inputs[k], other = node.inputs[1 - k];
        if (slot.deferred && k == 1) continue;
        passes += 1.0 + (moves(other) ? 1.0 : 0.0) + (moves(input) ? 1.0 : 0.0);
      }
      return {once * picked * passes, number * (2 * inputs + 2 * own + 2 * moving_inputs)};
    }
    case Act::reverse: {
      double passes = description.bilinear ? 0.0 : 1.0;
      for (std::size_t k = 0; description.bilinear && k < std::min<std::size_t>(2, node.inputs.size()); ++k)
        passes += program.slots[node.inputs[k]].wanted && !(k == 1 && slot.per == Per::batch) ? 1.0 : 0.0;
      return {once * picked * passes, number * (2 * inputs + own)};
    }
    case Act::outer: {
      const double terms = slot.deferred ? 2.0 * unrolled.runs[instruction.target] : 1.0;
      const double factors = terms * (numbers(node.inputs[0]) + own);
      return {once * terms, number * (factors + numbers(node.inputs[1]))};
    }
    default:
      return {};
  }
}

struct Line {
  const char* per;
  Instruction instruction;
  std::string times;
  double count;
};

// All of a training step in order; equal steps of time are one group of lines.
std::vector<Line> lines_of(const Program& program, const Unrolled& unrolled) {
  std::vector<Line> lines;
  const auto add = [&](const char* per, const Instructions& list, const std::string& times = "", double count = 1) {
    for (const Instruction& instruction : list) lines.push_back({per, instruction, times, count});
  };
  const auto same = [](const Instructions& a, const Instructions& b) {
    return std::ranges::equal(a, b, [](const Instruction& x, const Instruction& y) {
      return x.act == y.act && x.target == y.target && x.fresh == y.fresh;
    });
  };
  const auto each_group = [&](auto list_of) {
    const auto count = static_cast<int>(unrolled.steps.size());
    for (int first = 0, end = 0; first < count; first = end) {
      for (end = first + 1; end < count && same(list_of(unrolled.steps[first]), list_of(unrolled.steps[end]));) ++end;
      const std::string times =
          end == first + 1 ? fmt::format("step {}", first) : fmt::format("steps {}-{}", first, end - 1);
      add("step", list_of(unrolled.steps[first]), times, end - first);
    }
  };
  add("parameters", program.parameters);
  add("batch", program.batch);
  add("lane", program.lane);
  each_group([](const Step& step) { return step.forward; });
  add("lane", {{Act::activate, unrolled.readout}, {Act::lose, unrolled.readout}});
  each_group([](const Step& step) { return step.reverse; });
  add("lane", unrolled.lane_reverse);
  add("batch", unrolled.batch_reverse);
  add("lane", unrolled.finish);
  add("batch", unrolled.gradients);
  add("parameters", unrolled.parameters_reverse);
  return lines;
}

// AdamW: gradient and weights, both moments read and written.
Cost optimizer_cost(const Program& program, int number_bytes) {
  const auto parameters = static_cast<double>(program.network->num_parameters());
  return {12 * parameters, 7 * parameters * number_bytes};
}

}  // namespace

Cost cost(const Program& program, const Instruction& instruction, const Unrolled& unrolled, long rows,
          int number_bytes) {
  const auto samples = static_cast<double>(rows), number = static_cast<double>(number_bytes);
  if (!names_layer(instruction.act)) return operation_cost(program, instruction, unrolled, samples, number);
  const int node = program.network->layers()[instruction.target].node;
  const double neurons = samples * static_cast<double>(program.slots[node].size);
  if (instruction.act != Act::along_beta_whole) return {2 * neurons, 3 * number * neurons};
  Cost sum;  // the products of the activation's tangent
  for (const Instruction& forward : program.batch)
    if (forward.act == Act::forward && nodes_of(program)[forward.target].inputs[0] == node)
      sum += operation_cost(program, forward, unrolled, samples, number);
  return sum;
}

Cost training_cost(const Program& program, const Unrolled& unrolled, long batch, int number_bytes) {
  Cost sum = optimizer_cost(program, number_bytes);
  for (const Line& line : lines_of(program, unrolled)) {
    const Cost once = cost(program, line.instruction, unrolled, batch, number_bytes);
    sum += {line.count * once.flops, line.count * once.bytes};
  }
  return sum;
}

double training_memory(const Program& program, const Unrolled& unrolled, long batch, int threads, int number_bytes) {
  // Weights, gradient, both moments, averaged and best weights; then constants and their gradient.
  double numbers =
      5.0 * static_cast<double>(program.network->num_parameters()) + 2.0 * static_cast<double>(program.num_constants);
  const auto rows = static_cast<double>(batch), lane = static_cast<double>(program.lane_rows());
  const auto steps = static_cast<double>(unrolled.steps.size());
  numbers += std::max(1.0, rows / lane) * static_cast<double>(program.num_collected);
  double in_lane = 0;
  for (std::size_t i = 0; i < program.slots.size(); ++i) {
    const Slot& slot = program.slots[i];
    const auto size = static_cast<double>(slot.size);
    if (slot.per == Per::parameters) continue;
    if (slot.per == Per::batch) numbers += 3 * rows * size;
    if (slot.per != Per::batch) in_lane += lane * size * (slot.per == Per::lane ? 3.0 : 4.0);
    if (slot.remembered)
      in_lane += lane * steps * (size + static_cast<double>(kept_numbers(nodes_of(program)[i].operation)));
    const double stored = 2.0 * unrolled.runs[i] * rows * size;
    numbers += (slot.stored ? stored : 0.0) + (slot.bar_stored ? stored : 0.0);
  }
  for (std::size_t i = 0; i < program.clamped.size(); ++i) {
    const auto size = static_cast<double>(program.slots[program.network->layers()[i].node].size);
    numbers += 4 * rows * size;  // the states of a few batches
    if (!program.clamped[i]) in_lane += lane * size * (steps + 3);
  }
  for (const int node : program.packed)
    numbers += 2.0 * static_cast<double>(program.slots[nodes_of(program)[node].inputs[1]].size);
  return number_bytes * (numbers + threads * in_lane);
}

std::string text(const Program& program, const Unrolled& unrolled, long batch) {
  constexpr int kNumberBytes = sizeof(float);
  std::string result =
      fmt::format("{:<11} {:<12} {:<11} {:<48} {:>10} {:>10}\n", "per", "when", "what", "on", "MFLOP", "MB");
  const auto line = [&](std::string_view per, std::string_view when, std::string_view what, const std::string& on,
                        const Cost& sum) {
    result += fmt::format("{:<11} {:<12} {:<11} {:<48} {:>10.3f} {:>10.3f}\n", per, when, what, on, 1e-6 * sum.flops,
                          1e-6 * sum.bytes);
  };
  for (const Line& each : lines_of(program, unrolled)) {
    const Instruction& instruction = each.instruction;
    const bool layer = names_layer(instruction.act);
    std::string on;
    if (layer) {
      const Layer& named = program.network->layers()[instruction.target].layer;
      on = fmt::format("layer {} {}", named.name, text(named.shape));
    } else {
      const Node& node = nodes_of(program)[instruction.target];
      on = fmt::format("{} {}", instruction.target, describe(node.operation, node.size).text);
      if (program.slots[instruction.target].remembered && instruction.act == Act::forward) on += ", kept";
      if (program.slots[instruction.target].deferred && instruction.act == Act::push) on += ", stored";
    }
    const Cost once = cost(program, instruction, unrolled, batch, kNumberBytes);
    line(each.per, each.times, name_of(instruction.act), on, {each.count * once.flops, each.count * once.bytes});
  }
  line("parameters", "", "adamw", fmt::format("{} parameters", program.network->num_parameters()),
       optimizer_cost(program, kNumberBytes));
  const Cost sum = training_cost(program, unrolled, batch, kNumberBytes);
  result += fmt::format(
      "a training step on {} samples: {:.3f} GFLOP, {:.1f} MB read and written (single precision, dense, every array "
      "once); lanes of {} samples; {:.1f} MB of memory on one thread\n",
      batch, 1e-9 * sum.flops, 1e-6 * sum.bytes, program.lane_rows(),
      1e-6 * training_memory(program, unrolled, batch, 1, kNumberBytes));
  return result;
}

}  // namespace ham

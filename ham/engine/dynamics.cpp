#include "ham/engine/dynamics.h"

#include <algorithm>
#include <boost/numeric/odeint.hpp>
#include <cmath>

namespace ham {
namespace {

template <class T>
EnergyTable<T> empty_table(const Network& network, long batch) {
  const int samples = static_cast<int>(batch);
  return {Tensor<T>({static_cast<int>(network.layers().size()), samples}),
          Tensor<T>({static_cast<int>(network.connections().size()), samples})};
}

template <class T>
Energies<T> columns(EnergyTable<T>& table, long first) {
  return {table.layers.values.data() + first, table.connections.values.data() + first, table.layers.shape[1]};
}

template <class T>
void check_masks(const Engine<T>& engine, long batch, const States<T>* free) {
  if (free != nullptr && engine.batch_of(*free) != batch)
    throw std::invalid_argument("clamping masks: another number of samples than the states");
}

// τ dx/dt of one layer: Σ∂F/∂g + I − x.
template <class T>
T pull(const T* force, const T* rest, const T* x, long i, long in_layer) {
  return force[i] + (rest == nullptr ? T(0) : rest[in_layer]) - x[i];
}

template <class T>
const T* resting_input(const Lane<T>& lane, int layer) {
  return lane.network().layers()[layer].layer.bias == Bias::input ? lane.bias(layer) : nullptr;
}

// One lane's descent.
template <class T>
class Walk {
 public:
  Walk(Engine<T>& engine, const typename Engine<T>::Share& share, States<T>& states, const Descent& descent,
       const States<T>* free)
      : engine_(engine), share_(share), descent_(descent), running_(share.rows, 1) {
    point_at(states, share.first, x_);
    free_.assign(x_.size(), nullptr);
    if (free != nullptr) point_at(*free, share.first, free_);
    for (const T* x : x_) read_.push_back(x);
  }

  const std::vector<const T*>& states() const { return read_; }

  // Moves every sample that still runs and returns how many did.
  long step(int* steps) {
    if (descent_.tolerance > 0) stop_settled();
    for (std::size_t i = 0; i < x_.size(); ++i) {
      if (engine_.program().clamped[i]) continue;
      const int layer = static_cast<int>(i);
      const T rate = static_cast<T>(descent_.time_step / engine_.network().layers()[i].layer.time_constant);
      const long size = count(engine_.network().layers()[i].layer.shape);
      for (long row = 0; row < share_.rows; ++row)
        if (running_[row])
          kernels<T>().descend(size, rate, share_.lane.force(layer) + row * size, resting_input(share_.lane, layer),
                               free_[i] == nullptr ? nullptr : free_[i] + row * size, x_[i] + row * size,
                               x_[i] + row * size);
    }
    for (long row = 0; row < share_.rows; ++row) steps[row] += running_[row];
    return std::count(running_.begin(), running_.end(), 1);
  }

 private:
  void stop_settled() {
    for (long row = 0; row < share_.rows; ++row) {
      T largest = 0;
      for (std::size_t i = 0; i < x_.size(); ++i) {
        if (engine_.program().clamped[i]) continue;
        const int layer = static_cast<int>(i);
        const long size = count(engine_.network().layers()[i].layer.shape);
        const T* rest = resting_input(share_.lane, layer);
        for (long k = 0; k < size; ++k) {
          const long at = row * size + k;
          if (free_[i] == nullptr || free_[i][at] != 0)
            largest = std::max(largest, std::abs(pull(share_.lane.force(layer), rest, read_[i], at, k)));
        }
      }
      if (largest <= static_cast<T>(descent_.tolerance)) running_[row] = 0;
    }
  }

  Engine<T>& engine_;
  const typename Engine<T>::Share& share_;
  const Descent& descent_;
  std::vector<T*> x_;
  std::vector<const T*> read_, free_;
  std::vector<char> running_;
};

template <class T>
void copy_rows(const States<T>& from, States<T>& to, long first, long rows) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const long size = from[i].size() / from[i].shape[0];
    std::copy_n(from[i].values.begin() + first * size, rows * size, to[i].values.begin() + first * size);
  }
}

bool all_finite(const auto& numbers) {
  return std::ranges::all_of(numbers, [](auto x) { return std::isfinite(x); });
}

/// Throws NotFinite unless every number of every state is finite, and every energy on the way.
template <class T>
void require_finite(const Network& network, const States<T>& states, const Trace<T>* trace) {
  const auto finite = [](const Tensor<T>& numbers) { return all_finite(numbers.values); };
  const auto fail = [&](const States<T>& at, auto layer, auto step) {
    throw NotFinite(network.layers()[static_cast<std::size_t>(layer - at.begin())].layer.name, static_cast<int>(step));
  };
  if (trace != nullptr) {
    for (const States<T>& then : trace->states)
      if (const auto bad = std::ranges::find_if_not(then, finite); bad != then.end())
        fail(then, bad, &then - trace->states.data());
    // Squares overflow before states do: then the largest state is the one that ran away.
    const auto largest = [](const Tensor<T>& state) {
      T most = 0;
      for (const T x : state.values) most = std::isfinite(x) ? std::max(most, std::abs(x)) : INFINITY;
      return most;
    };
    const auto first = std::ranges::find_if_not(trace->energies, [&](const EnergyTable<T>& energies) {
      return finite(energies.layers) && finite(energies.connections);
    });
    if (first != trace->energies.end())
      fail(states, std::ranges::max_element(states, {}, largest), first - trace->energies.begin());
  }
  if (const auto bad = std::ranges::find_if_not(states, finite); bad != states.end()) fail(states, bad, -1);
}

}  // namespace

NotFinite::NotFinite(const std::string& layer_name, int at_step)
    : std::runtime_error("layer '" + layer_name + "' is no longer finite" +
                         (at_step < 0 ? "" : " after step " + std::to_string(at_step)) +
                         " of the descent: the energy has no floor there (an identity Lagrangian has none of its own), "
                         "or the step in time is too long"),
      layer(layer_name),
      step(at_step) {}

template <class T>
std::vector<T> EnergyTable<T>::total() const {
  const long batch = layers.shape[1];
  std::vector<T> sum(batch, T(0));
  for (const Tensor<T>* part : {&layers, &connections})
    for (long i = 0; i < part->size(); ++i) sum[i % batch] += part->values[i];
  return sum;
}

template <class T>
Evaluation<T> evaluate(Engine<T>& engine, const States<T>& states) {
  const long batch = engine.batch_of(states);
  const Network& network = engine.network();
  Evaluation<T> result{network.states<T>(static_cast<int>(batch)), network.states<T>(static_cast<int>(batch)),
                       empty_table<T>(network, batch)};
  engine.for_each_lane(states, [&](const typename Engine<T>::Share& share) {
    std::vector<const T*> x;
    std::vector<T*> g, gradient;
    point_at(states, share.first, x);
    point_at(result.activations, share.first, g);
    point_at(result.gradients, share.first, gradient);
    const Energies<T> energies = columns(result.energies, share.first);
    share.lane.begin(x, &energies);
    share.lane.forces(engine.program().step, x, &energies);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const int layer = static_cast<int>(i);
      const long size = count(network.layers()[i].layer.shape);
      std::copy_n(share.lane.activation(layer), share.rows * size, g[i]);
      for (long k = 0; !engine.program().clamped[i] && k < share.rows * size; ++k)
        gradient[i][k] = -pull(share.lane.force(layer), resting_input(share.lane, layer), x[i], k, k % size);
    }
  });
  return result;
}

template <class T>
Tensor<T> respond(Engine<T>& engine, States<T>& states, const Descent& descent, int layer) {
  Tensor<T> response(states[layer].shape);
  std::vector<int> steps(engine.batch_of(states), 0);
  const long size = count(engine.network().layers()[layer].layer.shape);
  const auto reaching = engine.program().unroll(layer, descent.tolerance > 0 ? 0 : descent.depth).steps;
  engine.for_each_lane(states, [&](const typename Engine<T>::Share& share) {
    Walk<T> walk(engine, share, states, descent, nullptr);
    share.lane.begin(walk.states(), nullptr);
    for (int time = 0; time < descent.depth; ++time) {
      share.lane.forces(reaching.empty() ? engine.program().step : reaching[time], walk.states(), nullptr);
      if (walk.step(steps.data() + share.first) == 0) break;
    }
    share.lane.activate(layer, walk.states()[layer]);
    std::copy_n(share.lane.activation(layer), share.rows * size, response.values.data() + share.first * size);
  });
  if (!all_finite(response.values)) throw NotFinite(engine.network().layers()[layer].layer.name, -1);
  return response;
}

template <class T>
std::vector<int> descend(Engine<T>& engine, States<T>& states, const Descent& descent,
                         const std::type_identity_t<States<T>>* free, Trace<T>* trace) {
  const long batch = engine.batch_of(states);
  check_masks(engine, batch, free);
  std::vector<int> steps(batch, 0);
  if (trace != nullptr) {
    trace->states.assign(trace->keep_states ? descent.depth + 1 : 0, states);
    trace->energies.assign(descent.depth + 1, empty_table<T>(engine.network(), batch));
  }
  engine.for_each_lane(states, [&](const typename Engine<T>::Share& share) {
    Walk<T> walk(engine, share, states, descent, free);
    const auto evaluate_at = [&](int time) {
      const Step& step = engine.program().step;
      if (trace == nullptr) return share.lane.forces(step, walk.states(), nullptr);
      const Energies<T> energies = columns(trace->energies[time], share.first);
      if (time == 0) share.lane.begin(walk.states(), &energies);
      share.lane.forces(step, walk.states(), &energies);
    };
    if (trace == nullptr) share.lane.begin(walk.states(), nullptr);
    for (int time = 0; time < descent.depth; ++time) {
      evaluate_at(time);
      const long moved = walk.step(steps.data() + share.first);
      if (trace != nullptr && trace->keep_states) copy_rows(states, trace->states[time + 1], share.first, share.rows);
      if (trace == nullptr && moved == 0) return;
    }
    if (trace != nullptr) evaluate_at(descent.depth);
  });
  require_finite(engine.network(), states, trace);
  if (trace == nullptr) return steps;

  // Clamped layers' energies were evaluated once, at the first step.
  const std::size_t length = 1 + *std::max_element(steps.begin(), steps.end());
  trace->energies.resize(length);
  if (trace->keep_states) trace->states.resize(length);
  for (std::size_t i = 0; i < states.size(); ++i)
    for (std::size_t time = 1; engine.program().clamped[i] && time < length; ++time)
      std::copy_n(trace->energies[0].layers.values.begin() + i * batch, batch,
                  trace->energies[time].layers.values.begin() + i * batch);
  return steps;
}

template <class T>
std::vector<double> flow(Engine<T>& engine, States<T>& states, const Flow& options,
                         const std::type_identity_t<States<T>>* free, Trace<T>* trace) {
  const long batch = engine.batch_of(states);
  check_masks(engine, batch, free);
  using Point = std::vector<double>;
  Point point;
  for (const Tensor<T>& state : states) point.insert(point.end(), state.values.begin(), state.values.end());
  const auto unpack = [&](const Point& from) {
    auto at = from.begin();
    for (Tensor<T>& state : states)
      for (T& x : state.values) x = static_cast<T>(*at++);
  };
  const auto velocity = [&](const Point& x, Point& dxdt, double) {
    unpack(x);
    const Evaluation<T> now = evaluate(engine, states);
    std::size_t at = 0;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const double tau = engine.network().layers()[i].layer.time_constant;
      for (long k = 0; k < states[i].size(); ++k, ++at) {
        const bool moves = free == nullptr || (*free)[i].values[k] != 0;
        dxdt[at] = moves ? -static_cast<double>(now.gradients[i].values[k]) / tau : 0;
      }
    }
  };
  std::vector<double> times;
  if (trace != nullptr) trace->states.clear(), trace->energies.clear();
  const auto observe = [&](const Point& x, double time) {
    times.push_back(time);
    if (trace == nullptr) return;
    unpack(x);
    if (trace->keep_states) trace->states.push_back(states);
    trace->energies.push_back(evaluate(engine, states).energies);
  };
  namespace odeint = boost::numeric::odeint;
  auto stepper =
      odeint::make_controlled(options.absolute_error, options.relative_error, odeint::runge_kutta_dopri5<Point>());
  double time = 0, time_step = options.duration / 100;
  observe(point, time);
  for (int tries = 0; time < options.duration; ++tries) {
    if (tries == options.max_steps)
      throw std::runtime_error("flow: " + std::to_string(tries) + " steps reached time " + std::to_string(time) +
                               "; a larger error or max_steps is needed");
    time_step = std::min(time_step, options.duration - time);
    if (stepper.try_step(velocity, point, time, time_step) == odeint::success) observe(point, time);
  }
  unpack(point);
  require_finite(engine.network(), states, static_cast<const Trace<T>*>(nullptr));
  return times;
}

template struct EnergyTable<float>;
template Evaluation<float> evaluate(Engine<float>&, const States<float>&);
template std::vector<int> descend(Engine<float>&, States<float>&, const Descent&, const States<float>*, Trace<float>*);
template Tensor<float> respond(Engine<float>&, States<float>&, const Descent&, int);
template std::vector<double> flow(Engine<float>&, States<float>&, const Flow&, const States<float>*, Trace<float>*);
template struct EnergyTable<double>;
template Evaluation<double> evaluate(Engine<double>&, const States<double>&);
template std::vector<int> descend(Engine<double>&, States<double>&, const Descent&, const States<double>*,
                                  Trace<double>*);
template Tensor<double> respond(Engine<double>&, States<double>&, const Descent&, int);
template std::vector<double> flow(Engine<double>&, States<double>&, const Flow&, const States<double>*, Trace<double>*);

}  // namespace ham
